/* A session driven over a socketpair, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/session.h"

#define NO_CREDIT 4096 /* a send buffer that a few replies fill */

struct fixture {
	struct settings settings;
	struct session_shared *shared;
	struct session session;
	int peer; /* the client's end */
	uint64_t now;
	size_t greetings, runs, refusals; /* a run: the same greeting several times in a row */
	uint32_t last_id;
	enum protocol_refusal last_refusal;
	char heard[256]; /* the texts of the greetings, a '|' after each */
};

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	struct fixture *f = data;
	size_t used = strlen(f->heard);

	assert_ptr_equal(session, &f->session);
	f->greetings += n;
	f->runs++;
	f->last_id = line->id;
	if (used + line->text_len + 2 < sizeof(f->heard)) {
		memcpy(f->heard + used, line->text, line->text_len);
		memcpy(f->heard + used + line->text_len, "|", 2);
	}
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	struct fixture *f = data;

	(void)session, (void)text, (void)text_len;
	f->refusals++;
	f->last_refusal = refusal;
}

static const struct session_observer observer = { on_greeting, on_refusal };

static int set_up_with(void **state, const char *reply, uint64_t settle_usec)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct netio_peer peer = { .family = AF_UNIX };
	int pair[2], size = NO_CREDIT;

	assert_non_null(f);
	f->settings = (struct settings){
		.reply = (char *)(uintptr_t)reply,
		.max_id = 1000,
		.settle_usec = settle_usec,
		.greeting_timeout_usec = 10 * USEC_PER_SEC,
		.idle_timeout_usec = 300 * USEC_PER_SEC,
	};
	f->shared = malloc(sizeof(*f->shared));
	assert_non_null(f->shared);
	session_shared_init(f->shared, &f->settings, &observer, f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	f->peer = pair[1];
	f->now = 1000 * USEC_PER_SEC;
	session_init(&f->session, f->shared, pair[0], &peer, f->now);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, PROTOCOL_DEFAULT_REPLY, USEC_PER_SEC / 4);
}

static int set_up_without_settle(void **state)
{
	return set_up_with(state, PROTOCOL_DEFAULT_REPLY, 0);
}

static int set_up_long_reply(void **state)
{
	static char reply[PROTOCOL_REPLY_TEXT_MAX + 1];

	memset(reply, 'r', PROTOCOL_REPLY_TEXT_MAX);
	return set_up_with(state, reply, USEC_PER_SEC / 4);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	session_deinit(&f->session);
	closep(&f->peer);
	free(f->shared);
	free(f);
	return 0;
}

static void says_bytes(struct fixture *f, const char *bytes, size_t len)
{
	assert_int_equal(send(f->peer, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void says(struct fixture *f, const char *text)
{
	says_bytes(f, text, strlen(text));
}

static int serve(struct fixture *f)
{
	return session_serve(&f->session, f->shared, f->now);
}

/* What the client can read now is exactly this. */
static void hears(struct fixture *f, const char *expected)
{
	char text[4096] = "";
	ssize_t n = recv(f->peer, text, sizeof(text) - 1, 0);

	if (n < 0)
		assert_int_equal(errno, EAGAIN);
	assert_string_equal(text, expected);
}

static void hears_the_end(struct fixture *f)
{
	char byte;

	assert_int_equal(recv(f->peer, &byte, 1, 0), 0);
}

static bool is_due(const struct deadlines *queue, const struct deadline *wait, uint64_t now)
{
	return deadlines_due(queue, now) == wait;
}

static void test_answers_a_numbered_greeting(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 2\n");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\n");
	assert_int_equal(f->last_id, 2);
	assert_int_equal(f->session.id, 2);
	assert_string_equal(f->heard, "I am client 2|");
}

static void test_tells_a_repeated_greeting_once_with_how_often(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 2\nI am client 2\nI am client 2\nI am client 2\r\nI am client 2\n");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\nI am SERVER\nI am SERVER\nI am SERVER\r\nI am SERVER\n");
	assert_int_equal(f->greetings, 5);
	assert_int_equal(f->runs, 3);
}

static void test_answers_more_repetitions_than_there_is_room_for_replies(void **state)
{
	enum { N = SESSION_IN_SIZE / 12 };
	struct fixture *f = *state;
	size_t got = 0;
	char text[N * 12];

	for (size_t i = 0; i < N; i++)
		memcpy(text + i * 12, "I am client\n", 12);
	says_bytes(f, text, sizeof(text));
	for (int i = 0; i < 1000 && got < N * (PROTOCOL_REPLY_TEXT_MAX + 1); i++) {
		ssize_t n;

		assert_int_equal(serve(f), 0);
		while ((n = recv(f->peer, text, sizeof(text), 0)) > 0)
			got += (size_t)n;
	}
	assert_int_equal(got, N * (PROTOCOL_REPLY_TEXT_MAX + 1));
	assert_int_equal(f->greetings, N);
}

static void test_answers_an_unnumbered_greeting_as_id_zero(void **state)
{
	struct fixture *f = *state;

	says(f, "I am CLIENT<br>");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER<br>");
	assert_int_equal(f->greetings, 1);
	assert_int_equal(f->last_id, 0);
}

static void test_replies_with_the_end_of_each_greeting_in_order(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 1\r\nI am client 2\nnonsense\nI am client 3<br>");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\r\nI am SERVER\nERR syntax a greeting reads: I am client 2\nI am SERVER<br>");
	assert_string_equal(f->heard, "I am client 1|I am client 2|I am client 3|");
}

static void test_answers_whatever_the_pieces(void **state)
{
	static const char input[] =
		"I am client 1\r\n\nI am client 22<br>what?\nI am CLIENT\r\nI am client 0\nI am client 3\n";
	static const char output[] =
		"I am SERVER\r\nI am SERVER<br>ERR syntax a greeting reads: I am client 2\nI am SERVER\r\n"
		"ERR id client numbers have no sign or leading zero and run from 1 to 1000\nI am SERVER\n";

	for (size_t cut = 1; cut < sizeof(input) - 1; cut++) {
		struct fixture *f;

		set_up((void **)&f);
		says_bytes(f, input, cut);
		assert_int_equal(serve(f), 0);
		says(f, input + cut);
		assert_int_equal(serve(f), 0);
		hears(f, output);
		tear_down((void **)&f);
	}
	(void)state;
}

static void test_answers_bytes_one_by_one(void **state)
{
	struct fixture *f = *state;

	for (const char *byte = "I am client 7\nI am client 8<br>"; *byte; byte++) {
		says_bytes(f, byte, 1);
		assert_int_equal(serve(f), 0);
	}
	hears(f, "I am SERVER\nI am SERVER<br>");
}

static void test_holds_no_buffer_at_rest(void **state)
{
	struct fixture *f = *state;

	assert_true(sizeof(struct session) <= 128);
	assert_null(f->session.held);
	says(f, "I am client 2\nI am cl");
	assert_int_equal(serve(f), 0);
	assert_non_null(f->session.held);
	says(f, "ient 2\n");
	assert_int_equal(serve(f), 0);
	assert_null(f->session.held);
}

static void test_ends_the_last_line_at_the_end_of_stream(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 1\nI am client 2");
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	assert_int_equal(serve(f), 0);
	assert_int_equal(serve(f), SESSION_OVER);
	hears(f, "I am SERVER\nI am SERVER\n");
}

static void test_is_over_when_the_peer_has_gone(void **state)
{
	struct fixture *f = *state;

	closep(&f->peer);
	f->peer = -1;
	assert_int_equal(serve(f), SESSION_OVER);
	assert_int_equal(f->refusals, 0);
}

static void test_settles_a_greeting_without_an_end(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 7");
	assert_int_equal(serve(f), 0);
	hears(f, "");
	assert_false(is_due(&f->shared->settle, &f->session.settle, f->now + USEC_PER_SEC / 4 - 1));
	f->now += USEC_PER_SEC / 4;
	assert_true(is_due(&f->shared->settle, &f->session.settle, f->now));
	assert_int_equal(session_settle(&f->session, f->shared, f->now), 0);
	hears(f, "I am SERVER\n");
	assert_false(deadline_waits(&f->session.settle));
	assert_null(f->session.held);
}

static void test_settle_begins_anew_with_every_byte(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 7");
	assert_int_equal(serve(f), 0);
	f->now += USEC_PER_SEC / 5;
	says(f, "1");
	assert_int_equal(serve(f), 0);
	assert_false(is_due(&f->shared->settle, &f->session.settle, f->now + USEC_PER_SEC / 5));
	f->now += USEC_PER_SEC / 4;
	assert_int_equal(session_settle(&f->session, f->shared, f->now), 0);
	assert_int_equal(f->last_id, 71);
}

static void test_settles_nothing_but_a_greeting(void **state)
{
	struct fixture *f = *state;

	says(f, "I am cli");
	assert_int_equal(serve(f), 0);
	assert_false(deadline_waits(&f->session.settle));
	says(f, "ent");
	assert_int_equal(serve(f), 0);
	assert_true(deadline_waits(&f->session.settle));
	says(f, " ");
	assert_int_equal(serve(f), 0);
	assert_false(deadline_waits(&f->session.settle));
}

static void test_settle_can_be_off(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 7");
	assert_int_equal(serve(f), 0);
	assert_int_equal(deadlines_next(&f->shared->settle), DEADLINE_NEVER);
}

static void test_greeting_timeout_runs_from_the_first_byte(void **state)
{
	struct fixture *f = *state;
	uint64_t began = f->now;

	says(f, "I am");
	assert_int_equal(serve(f), 0);
	f->now += 9 * USEC_PER_SEC;
	says(f, " cli");
	assert_int_equal(serve(f), 0);
	assert_true(is_due(&f->shared->unfinished, &f->session.wait, began + 10 * USEC_PER_SEC));
	f->now = began + 10 * USEC_PER_SEC;
	assert_int_equal(session_timeout(&f->session, f->shared, f->now), 0);
	hears(f, "ERR timeout waited too long for a greeting\n");
	hears_the_end(f);
	assert_int_equal(f->last_refusal, PROTOCOL_REFUSAL_TIMEOUT);
}

static void test_each_line_has_a_greeting_timeout_of_its_own(void **state)
{
	struct fixture *f = *state;

	says(f, "I am");
	assert_int_equal(serve(f), 0);
	f->now += 9 * USEC_PER_SEC;
	says(f, " client 1\nI am");
	assert_int_equal(serve(f), 0);
	assert_false(is_due(&f->shared->unfinished, &f->session.wait, f->now + 9 * USEC_PER_SEC));
	assert_true(is_due(&f->shared->unfinished, &f->session.wait, f->now + 10 * USEC_PER_SEC));
}

static void test_silence_times_out(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 1\n");
	f->now += 100 * USEC_PER_SEC;
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\n");
	assert_false(is_due(&f->shared->idle, &f->session.wait, f->now + 299 * USEC_PER_SEC));
	f->now += 300 * USEC_PER_SEC;
	assert_true(is_due(&f->shared->idle, &f->session.wait, f->now));
	assert_int_equal(session_timeout(&f->session, f->shared, f->now), 0);
	hears(f, "ERR timeout waited too long for a greeting\n");
	hears_the_end(f);
}

static void test_closes_a_line_that_is_too_long(void **state)
{
	struct fixture *f = *state;
	char line[PROTOCOL_LINE_MAX + 1];

	memset(line, 'x', sizeof(line));
	says_bytes(f, line, sizeof(line));
	assert_int_equal(serve(f), 0);
	hears(f, "ERR long a greeting has at most 128 bytes and ends with a newline\n");
	hears_the_end(f);
	assert_int_equal(f->session.state, SESSION_LINGERING);
}

static void test_hears_nothing_after_a_refusal_that_closes(void **state)
{
	struct fixture *f = *state;
	char input[PROTOCOL_LINE_MAX + 32];

	memset(input, 'x', sizeof(input));
	memcpy(input + PROTOCOL_LINE_MAX + 1, "\nI am client 1\n", 16);
	says_bytes(f, input, sizeof(input));
	assert_int_equal(serve(f), 0);
	says(f, "I am client 2\n");
	assert_int_equal(serve(f), 0);
	assert_int_equal(f->greetings, 0);
}

static void test_lingers_until_the_peer_ends_or_a_second_is_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(session_refuse(&f->session, f->shared, PROTOCOL_REFUSAL_BUSY, f->now), 0);
	hears(f, "ERR busy too many connections, try again later\n");
	assert_true(is_due(&f->shared->lingering, &f->session.wait, f->now + USEC_PER_SEC));
	assert_int_equal(session_timeout(&f->session, f->shared, f->now + USEC_PER_SEC), SESSION_OVER);
	closep(&f->peer);
	f->peer = -1;
	assert_int_equal(serve(f), SESSION_OVER);
}

static void test_ten_refusals_in_a_row_close(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 9; i++)
		says(f, "?\n");
	says(f, "I am client 1\n");
	for (int i = 0; i < 9; i++)
		says(f, "I am client 0\n");
	assert_int_equal(serve(f), 0);
	assert_int_equal(f->session.state, SESSION_OPEN);
	says(f, "?\n");
	assert_int_equal(serve(f), 0);
	assert_int_equal(f->session.state, SESSION_LINGERING);
	assert_int_equal(f->refusals, 19);
	assert_int_equal(f->greetings, 1);
}

static void test_blank_lines_are_no_refusals(void **state)
{
	struct fixture *f = *state;

	says(f, "\n\r\n\n<br>  \n\n\n\n\n\n\n\nI am client 1\n");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\n");
	assert_int_equal(f->refusals, 0);
}

/* Fills the session with greetings until it waits for its peer to read. Returns how many were sent. */
static size_t fill(struct fixture *f)
{
	size_t sent = 0;

	while (!f->session.output_waits) {
		for (int i = 0; i < 100; i++, sent++)
			says(f, "I am client\n");
		assert_int_equal(serve(f), 0);
	}
	return sent;
}

static size_t count_replies(struct fixture *f, size_t reply_len)
{
	char bytes[8192];
	size_t total = 0;

	for (;;) {
		ssize_t n = recv(f->peer, bytes, sizeof(bytes), 0);

		if (n > 0) {
			total += (size_t)n;
		} else if (f->session.output_waits) {
			assert_int_equal(serve(f), 0);
		} else {
			break;
		}
	}
	assert_int_equal(total % reply_len, 0);
	return total / reply_len;
}

static void test_is_not_read_while_its_peer_does_not_read(void **state)
{
	struct fixture *f = *state;
	size_t sent = fill(f);

	assert_int_equal(session_events(&f->session), EPOLLOUT);
	assert_int_equal(count_replies(f, PROTOCOL_REPLY_TEXT_MAX + 1), sent);
	assert_int_equal(f->greetings, sent);
	assert_int_equal(session_events(&f->session), EPOLLIN);
	assert_null(f->session.held);
}

static void test_a_full_batch_of_short_greetings_fits_through_the_output(void **state)
{
	struct fixture *f = *state;
	size_t n = SESSION_IN_SIZE / strlen("I am client\n") - 1;
	int size = 1 << 20;

	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (size_t i = 0; i < n; i++)
		says(f, "I am client\n");
	assert_int_equal(serve(f), 0);
	assert_true(f->session.output_waits);
	assert_int_equal(count_replies(f, PROTOCOL_REPLY_TEXT_MAX + 1), n);
}

static void test_a_peer_that_never_reads_is_cut_off(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_true(is_due(&f->shared->idle, &f->session.wait, f->now + 300 * USEC_PER_SEC));
	assert_int_equal(session_timeout(&f->session, f->shared, f->now + 300 * USEC_PER_SEC), SESSION_OVER);
}

static void test_half_closed_and_slow_gets_every_reply(void **state)
{
	struct fixture *f = *state;
	size_t sent = fill(f), total = 0;
	char bytes[8192];
	int r = 0;

	says(f, "I am client 1");
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	while (r == 0) {
		ssize_t n = recv(f->peer, bytes, sizeof(bytes), 0);

		total += n > 0 ? (size_t)n : 0;
		r = serve(f);
	}
	for (ssize_t n; (n = recv(f->peer, bytes, sizeof(bytes), 0)) > 0;)
		total += (size_t)n;
	assert_int_equal(total, (sent + 1) * (PROTOCOL_REPLY_TEXT_MAX + 1));
}

static void test_finish_answers_what_was_received(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 1\nI am client 2\nI am client 3");
	assert_int_equal(session_finish(&f->session, f->shared, f->now), SESSION_OVER);
	hears(f, "I am SERVER\nI am SERVER\nI am SERVER\nERR shutdown the server is stopping\n");
	assert_string_equal(f->heard, "I am client 1|I am client 2|I am client 3|");
}

static void test_finish_ends_the_silent(void **state)
{
	struct fixture *f = *state;

	says(f, "I am cli");
	assert_int_equal(serve(f), 0);
	assert_int_equal(session_finish(&f->session, f->shared, f->now), SESSION_OVER);
	hears(f, "ERR shutdown the server is stopping\n");
	assert_int_equal(f->greetings, 0);
}

static void test_finish_waits_for_a_slow_reader(void **state)
{
	struct fixture *f = *state;
	size_t sent = fill(f), total = 0;
	char bytes[8192];
	int r;

	says(f, "I am client 1\n");
	assert_int_equal(session_finish(&f->session, f->shared, f->now), 0);
	do {
		ssize_t n = recv(f->peer, bytes, sizeof(bytes), 0);

		total += n > 0 ? (size_t)n : 0;
		r = serve(f);
	} while (r == 0);
	for (ssize_t n; (n = recv(f->peer, bytes, sizeof(bytes), 0)) > 0;)
		total += (size_t)n;
	assert_int_equal(total,
		(sent + 1) * (PROTOCOL_REPLY_TEXT_MAX + 1) + strlen("ERR shutdown the server is stopping\n"));
}

static void test_finish_ends_a_flood(void **state)
{
	struct fixture *f = *state;
	static char blank[64 * 1024];
	int size = 1 << 20, r = 0;

	memset(blank, '\n', sizeof(blank));
	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 100 && r == 0; i++) {
		while (send(f->peer, blank, sizeof(blank), 0) > 0)
			;
		r = session_finish(&f->session, f->shared, f->now);
	}
	assert_int_equal(r, SESSION_OVER);
}

static void test_nothing_received_changes_nothing(void **state)
{
	struct fixture *f = *state;

	says(f, "I am cl");
	assert_int_equal(serve(f), 0);
	assert_int_equal(serve(f), 0);
	says(f, "ient 4\n");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\n");
}

/* What a restart does to the session: it is exported, forgotten, and imported again. */
static void moves(struct fixture *f)
{
	static char copy[SESSION_IN_SIZE + SESSION_OUT_SIZE];
	struct session_record record;
	const char *bytes;
	int fd = f->session.fd;

	session_export(&f->session, &record, &bytes);
	if (bytes)
		memcpy(copy, bytes, record.in_len + record.out_len);
	session_discard(&f->session);
	assert_int_equal(session_import(&f->session, f->shared, fd, &record, copy, f->now), 0);
}

static void test_catch_up_answers_and_keeps_the_rest(void **state)
{
	struct fixture *f = *state;
	struct session_record record;
	const char *bytes;

	says(f, "I am client 1\nI am cl");
	assert_int_equal(session_catch_up(&f->session, f->shared, f->now), 0);
	hears(f, "I am SERVER\n");
	session_export(&f->session, &record, &bytes);
	assert_int_equal(record.id, 1);
	assert_int_equal(record.in_len, 7);
	assert_int_equal(record.out_len, 0);
	assert_memory_equal(bytes, "I am cl", 7);
}

static void test_catch_up_ends_who_has_ended(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 1");
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	assert_int_equal(session_catch_up(&f->session, f->shared, f->now), SESSION_OVER);
	hears(f, "I am SERVER\n");
}

static void test_catch_up_ends_who_was_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(session_timeout(&f->session, f->shared, f->now), 0);
	assert_int_equal(f->session.state, SESSION_LINGERING);
	assert_int_equal(session_catch_up(&f->session, f->shared, f->now), SESSION_OVER);
}

static void test_catch_up_leaves_a_flood_to_the_next(void **state)
{
	struct fixture *f = *state;
	static char blank[64 * 1024];

	memset(blank, '\n', sizeof(blank));
	while (send(f->peer, blank, sizeof(blank), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(session_catch_up(&f->session, f->shared, f->now), 0);
	assert_true(recv(f->session.fd, blank, sizeof(blank), MSG_PEEK | MSG_DONTWAIT) > 0);
}

static void test_half_a_line_moves(void **state)
{
	struct fixture *f = *state;

	says(f, "I am cli");
	assert_int_equal(serve(f), 0);
	moves(f);
	says(f, "ent 7\n");
	assert_int_equal(serve(f), 0);
	hears(f, "I am SERVER\n");
	assert_int_equal(f->last_id, 7);
}

static void test_a_moved_greeting_settles(void **state)
{
	struct fixture *f = *state;

	says(f, "I am client 7");
	assert_int_equal(serve(f), 0);
	moves(f);
	f->now += USEC_PER_SEC / 4;
	assert_true(is_due(&f->shared->settle, &f->session.settle, f->now));
	assert_int_equal(session_settle(&f->session, f->shared, f->now), 0);
	hears(f, "I am SERVER\n");
}

static void test_a_moved_half_line_times_out_anew(void **state)
{
	struct fixture *f = *state;

	says(f, "I am");
	assert_int_equal(serve(f), 0);
	f->now += 9 * USEC_PER_SEC;
	moves(f);
	assert_false(is_due(&f->shared->unfinished, &f->session.wait, f->now + 10 * USEC_PER_SEC - 1));
	assert_true(is_due(&f->shared->unfinished, &f->session.wait, f->now + 10 * USEC_PER_SEC));
}

static void test_output_moves_and_arrives_whole(void **state)
{
	struct fixture *f = *state;
	size_t sent = fill(f), total = 0;
	char bytes[8192];
	int r = 0;

	says(f, "I am client 1");
	assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
	while (r == 0) {
		ssize_t n = recv(f->peer, bytes, sizeof(bytes), 0);

		total += n > 0 ? (size_t)n : 0;
		moves(f);
		r = serve(f);
	}
	for (ssize_t n; (n = recv(f->peer, bytes, sizeof(bytes), 0)) > 0;)
		total += (size_t)n;
	assert_int_equal(total, (sent + 1) * (PROTOCOL_REPLY_TEXT_MAX + 1));
}

static void test_refusals_in_a_row_move(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < SESSION_REFUSALS_MAX; i++) {
		assert_int_equal(f->session.state, SESSION_OPEN);
		moves(f);
		says(f, "what?\n");
		assert_int_equal(serve(f), 0);
		hears(f, "ERR syntax a greeting reads: I am client 2\n");
	}
	assert_int_equal(f->session.state, SESSION_LINGERING);
}

static void test_refuses_records_that_no_session_wrote(void **state)
{
	static const struct session_record records[] = {
		{ .peer.family = AF_UNIX, .in_len = SESSION_IN_SIZE + 1, .out_len = 1 },
		{ .peer.family = AF_UNIX, .out_len = SESSION_OUT_SIZE + 1 },
		{ .peer.family = AF_UNIX, .in_len = UINT32_MAX, .out_len = UINT32_MAX },
		{ .peer.family = AF_UNIX,
			.in_len = PROTOCOL_PARTIAL_MAX + 1 },          /* more than a line, and no output */
		{ .peer.family = AF_UNIX, .state = SESSION_FLUSHING }, /* what? */
		{ .peer.family = AF_UNIX, .state = SESSION_LINGERING },
		{ .peer.family = AF_UNIX, .state = UINT8_MAX },
		{ .peer.family = AF_UNIX, .ended = 2 },
		{ .peer.family = AF_UNIX, .refused_in_row = SESSION_REFUSALS_MAX + 1 },
		{ .peer.family = AF_NETLINK },
	};
	struct fixture *f = *state;
	static char bytes[SESSION_IN_SIZE + SESSION_OUT_SIZE + 2];
	struct session session;

	for (size_t i = 0; i < ELEMENTS(records); i++)
		assert_int_equal(
			session_import(&session, f->shared, f->session.fd, &records[i], bytes, f->now),
			-EBADMSG);
	hears(f, ""); /* and the descriptor is still open */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CASE_WITH(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_answers_a_numbered_greeting),
		CASE(test_tells_a_repeated_greeting_once_with_how_often),
		CASE_WITH(test_answers_more_repetitions_than_there_is_room_for_replies, set_up_long_reply),
		CASE(test_answers_an_unnumbered_greeting_as_id_zero),
		CASE(test_replies_with_the_end_of_each_greeting_in_order),
		cmocka_unit_test(test_answers_whatever_the_pieces),
		CASE(test_answers_bytes_one_by_one),
		CASE(test_holds_no_buffer_at_rest),
		CASE(test_ends_the_last_line_at_the_end_of_stream),
		CASE(test_is_over_when_the_peer_has_gone),
		CASE(test_settles_a_greeting_without_an_end),
		CASE(test_settle_begins_anew_with_every_byte),
		CASE(test_settles_nothing_but_a_greeting),
		CASE_WITH(test_settle_can_be_off, set_up_without_settle),
		CASE(test_greeting_timeout_runs_from_the_first_byte),
		CASE(test_each_line_has_a_greeting_timeout_of_its_own),
		CASE(test_silence_times_out),
		CASE(test_closes_a_line_that_is_too_long),
		CASE(test_hears_nothing_after_a_refusal_that_closes),
		CASE(test_lingers_until_the_peer_ends_or_a_second_is_over),
		CASE(test_ten_refusals_in_a_row_close),
		CASE(test_blank_lines_are_no_refusals),
		CASE_WITH(test_is_not_read_while_its_peer_does_not_read, set_up_long_reply),
		CASE_WITH(test_a_full_batch_of_short_greetings_fits_through_the_output, set_up_long_reply),
		CASE_WITH(test_a_peer_that_never_reads_is_cut_off, set_up_long_reply),
		CASE_WITH(test_half_closed_and_slow_gets_every_reply, set_up_long_reply),
		CASE(test_finish_answers_what_was_received),
		CASE(test_finish_ends_the_silent),
		CASE_WITH(test_finish_waits_for_a_slow_reader, set_up_long_reply),
		CASE(test_finish_ends_a_flood),
		CASE(test_nothing_received_changes_nothing),
		CASE(test_catch_up_answers_and_keeps_the_rest),
		CASE(test_catch_up_ends_who_has_ended),
		CASE(test_catch_up_ends_who_was_refused),
		CASE(test_catch_up_leaves_a_flood_to_the_next),
		CASE(test_half_a_line_moves),
		CASE(test_a_moved_greeting_settles),
		CASE(test_a_moved_half_line_times_out_anew),
		CASE_WITH(test_output_moves_and_arrives_whole, set_up_long_reply),
		CASE(test_refusals_in_a_row_move),
		CASE(test_refuses_records_that_no_session_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The server with a roll and a journal, the journal's lines read back from a pipe. What does not depend on a
 * clock of the test's own is tested with threads, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/server.h"

#define WORKERS 3
#define CLIENTS 12
#define MAX_ID 4000
#define NOW (UINT64_C(1700000000) * USEC_PER_SEC) /* of day */

struct fixture {
	struct settings settings;
	struct roll *roll;
	struct watchers watchers;
	struct journal *journal;
	struct server *server;
	int listener, log_read, log_write;
	struct netio_address address;
	uint64_t now;
};

static void start_server(struct fixture *f)
{
	const struct server_setup setup = {
		.settings = &f->settings,
		.listeners = &f->listener,
		.n_listeners = 1,
		.roll = f->roll,
		.journal = f->journal,
		.watchers = &f->watchers,
	};
	assert_int_equal(server_new(&setup, &f->server), 0);
}

static int set_up_with(void **state, uint32_t workers)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct netio_address any[NETIO_PARSE_MAX];
	int log[2];

	assert_non_null(f);
	f->settings = (struct settings){
		.reply = (char *)(uintptr_t)PROTOCOL_DEFAULT_REPLY,
		.max_id = MAX_ID,
		.max_connections = 1,
		.workers = workers,
		.settle_usec = USEC_PER_SEC / 4,
		.greeting_timeout_usec = 10 * USEC_PER_SEC,
		.idle_timeout_usec = 300 * USEC_PER_SEC,
		.journal_burst = 3,
	};
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	f->log_read = log[0];
	f->log_write = log[1];

	const struct journal_setup journal = {
		.fd = f->log_write, .burst = 3, .max_id = MAX_ID, .verbose = true
	};
	assert_int_equal(journal_new(&journal, &f->journal), 0);
	assert_int_equal(roll_new(&(struct roll_setup){ .max_id = MAX_ID }, &f->roll), 0);
	assert_int_equal(netio_parse("127.0.0.1", 1, any), 1);
	any[0].in.sin_port = 0;
	f->listener = netio_listen(&any[0], 64);
	assert_true(f->listener >= 0);
	assert_int_equal(netio_local(f->listener, &f->address), 0);

	start_server(f);
	f->now = 1000 * USEC_PER_SEC;
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, 1);
}

static int set_up_threads(void **state)
{
	int r = set_up_with(state, WORKERS);
	struct fixture *f = *state;
	struct timespec now; /* threads read the clock themselves */

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	f->now = (uint64_t)now.tv_sec * USEC_PER_SEC;
	return r < 0 ? r : server_start(f->server);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	server_free(f->server);
	roll_free(f->roll);
	journal_free(f->journal);
	close(f->listener);
	close(f->log_read);
	close(f->log_write);
	free(f);
	return 0;
}

/* Lets threads go on. */
static void waits(struct fixture *f)
{
	server_unlock(f->server);
	usleep(1000);
	server_lock(f->server);
}

static void reloads(struct fixture *f, const struct settings *settings)
{
	server_pause(f->server);
	server_reload(f->server, settings);
	server_resume(f->server);
}

/* Waits until what was answered has been told of. */
static void settles(struct fixture *f)
{
	server_pause(f->server);
	server_resume(f->server);
}

static int connect_client(const struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &f->address.any, f->address.len), 0);
	return fd;
}

/* Says text and steps the server until the client has read so many bytes of answer. */
static void talks(struct fixture *f, int fd, const char *text, size_t answer_len)
{
	char answer[4096];
	size_t got = 0;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	for (int i = 0; i < 5000 && got < answer_len; i++) {
		ssize_t n;

		assert_int_equal(server_dispatch(f->server, f->now), 0);
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		if (n < 0)
			waits(f);
		else
			got += (size_t)n;
	}
	assert_int_equal(got, answer_len);
}

/* What the log has now, with the peer's port taken out. */
static const char *log_text(const struct fixture *f)
{
	static const char host[] = "127.0.0.1:";
	static char text[8192];
	ssize_t n = read(f->log_read, text, sizeof(text) - 1);
	char *port;

	text[n < 0 ? 0 : n] = '\0';
	for (char *at = text; (port = strstr(at, host)); at = port) {
		port += strlen(host);
		size_t digits = strspn(port, "0123456789");

		memmove(port, port + digits, strlen(port + digits) + 1);
	}
	return text;
}

static void steps_until_gone(struct fixture *f)
{
	for (int i = 0; i < 5000 && server_connections(f->server) > 0; i++) {
		assert_int_equal(server_dispatch(f->server, f->now), 0);
		waits(f);
	}
	assert_int_equal(server_connections(f->server), 0);
}

static void test_records_and_logs_each_greeting(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	struct roll_entry entry;

	server_set_realtime(f->server, NOW);
	talks(f, fd, "I am client 2\nI am CLIENT<br>what\n",
		strlen("I am SERVER\nI am SERVER<br>ERR syntax a greeting reads: I am client 2\n"));
	close(fd);
	steps_until_gone(f);
	assert_string_equal(log_text(f), "client at 127.0.0.1: connected\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client at 127.0.0.1:: I am CLIENT\n"
					 "client at 127.0.0.1: refused (syntax): what\n"
					 "client at 127.0.0.1: disconnected\n");
	assert_int_equal(server_counters(f->server)->connections, 1);
	assert_int_equal(server_counters(f->server)->greetings, 2);
	assert_int_equal(server_counters(f->server)->refusals[PROTOCOL_REFUSAL_SYNTAX], 1);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.count, 1);
	assert_int_equal(entry.refusals, 0);
	assert_int_equal(entry.last_seen, NOW);
	assert_int_equal(entry.peer.family, AF_INET);
	assert_int_equal(roll_get(f->roll, 0, &entry), 0);
	assert_int_equal(entry.count, 1);
	assert_int_equal(entry.refusals, 1); /* of who greeted last on that connection */
}

static void test_logs_each_of_the_same_greetings_with_its_count(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	struct roll_entry entry;

	talks(f, fd, "I am client 2\nI am client 2\n", 2 * strlen("I am SERVER\n"));
	assert_string_equal(log_text(f), "client at 127.0.0.1: connected\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client 2 at 127.0.0.1:: I am client 2\n");
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.count, 2);
	assert_int_equal(server_counters(f->server)->greetings, 2);
	assert_int_equal(server_counters(f->server)->newcomers, 1);
	close(fd);
}

static void test_summarises_beyond_the_burst_once_the_second_is_over(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	talks(f, fd,
		"I am client 2\nI am client 2\nI am client 2\nI am client 2\nI am client 5\nI am client 2\n",
		6 * strlen("I am SERVER\n"));
	assert_string_equal(log_text(f), "client at 127.0.0.1: connected\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client 2 at 127.0.0.1:: I am client 2\n");
	f->now += USEC_PER_SEC;
	assert_int_equal(server_dispatch(f->server, f->now), 0);
	assert_string_equal(log_text(f), "client 5: 1 more greeting\nclient 2: 2 more greetings\n");
	close(fd);
}

/* More clients than are said in one go. */
static void test_wakes_to_go_on_with_summaries(void **state)
{
	enum { MANY = MAX_ID, SHOWN = 3 };
	struct fixture *f = *state;
	_cleanup_(freep) char *said = NULL;
	size_t said_len, told = 0;
	FILE *say = open_memstream(&said, &said_len);
	int fd = connect_client(f);

	for (unsigned id = 1; id <= MANY; id++)
		fprintf(say, "I am client %u\n", id);
	fclose(say);
	talks(f, fd, said, MANY * strlen("I am SERVER\n"));
	while (*log_text(f))
		; /* what was said of the first of them */
	f->now += USEC_PER_SEC;
	while (told < MANY - SHOWN) {
		struct pollfd wake = { .fd = server_fd(f->server), .events = POLLIN };
		const char *line;

		assert_int_equal(server_dispatch(f->server, f->now), 0);
		while (*(line = log_text(f)))
			for (; *line; line++)
				told += *line == '\n';
		if (told < MANY - SHOWN)
			assert_int_equal(poll(&wake, 1, 20000), 1);
	}
	assert_int_equal(told, MANY - SHOWN);
	close(fd);
}

/* More of them than a worker keeps to itself, and what comes between them. */
static void test_tells_of_each_in_the_order_of_the_connection(void **state)
{
	enum { MANY = 100, ODD = 70 };
	struct fixture *f = *state;
	struct settings all = f->settings;
	_cleanup_(freep) char *said = NULL, *logged = NULL;
	size_t said_len, logged_len;
	FILE *say = open_memstream(&said, &said_len), *log = open_memstream(&logged, &logged_len);
	int fd = connect_client(f);

	all.journal_burst = 0;
	reloads(f, &all);
	fprintf(log, "client at 127.0.0.1: connected\n");
	for (unsigned id = 1; id <= MANY; id++) {
		fprintf(say, "I am client %u\n%s", id, id == ODD ? "what\n" : "");
		fprintf(log, "client %u at 127.0.0.1:: I am client %u\n", id, id);
		if (id == ODD)
			fprintf(log, "client at 127.0.0.1: refused (syntax): what\n");
	}
	fclose(say);
	fclose(log);
	talks(f, fd, said,
		MANY * strlen("I am SERVER\n") + strlen("ERR syntax a greeting reads: I am client 2\n"));
	settles(f);
	assert_string_equal(log_text(f), logged);
	assert_int_equal(server_counters(f->server)->greetings, MANY);
	assert_int_equal(server_counters(f->server)->newcomers, MANY);
	close(fd);
}

static void test_reports_busy_at_a_bounded_rate(void **state)
{
	struct fixture *f = *state;
	int fds[5];

	fds[0] = connect_client(f);
	talks(f, fds[0], "I am client 2\n", strlen("I am SERVER\n"));
	(void)log_text(f);
	for (size_t i = 1; i < ELEMENTS(fds); i++) {
		fds[i] = connect_client(f);
		talks(f, fds[i], "", strlen("ERR busy too many connections, try again later\n"));
	}
	assert_string_equal(log_text(f), "connections turned away: 1, max_connections is reached\n");
	f->now += 10 * USEC_PER_SEC;
	close(fds[1]);
	fds[1] = connect_client(f);
	talks(f, fds[1], "", strlen("ERR busy too many connections, try again later\n"));
	assert_string_equal(log_text(f), "connections turned away: 4, max_connections is reached\n");
	assert_int_equal(server_counters(f->server)->refusals[PROTOCOL_REFUSAL_BUSY], 5);
	for (size_t i = 0; i < ELEMENTS(fds); i++)
		close(fds[i]);
}

static void test_drain_ends_with_no_connection(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	talks(f, fd, "I am client 2\n", strlen("I am SERVER\n"));
	server_drain(f->server, f->now, f->now + USEC_PER_SEC);
	assert_int_equal(server_connections(f->server), 0);
	close(fd);
}

static void test_hands_over_nothing_when_nobody_is_connected(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(server_hand_over(f->server, f->now), -ENODATA);
}

/* Only what it receives while it hands over: with one worker, nothing is served before. */
static void test_tells_of_what_is_answered_while_handing_over(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f), carrier;

	talks(f, fd, "I am client 2\n", strlen("I am SERVER\n"));
	assert_int_equal(write(fd, "I am client 3\n", 14), 14);
	carrier = server_hand_over(f->server, f->now);
	assert_true(carrier >= 0);
	assert_int_equal(server_counters(f->server)->greetings, 2);
	assert_int_equal(server_counters(f->server)->newcomers, 2);
	close(carrier);
	close(fd);
}

static void test_what_is_handed_over_goes_on_and_leaves_no_entry(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f), carrier;
	size_t lost = SIZE_MAX;

	talks(f, fd, "I am client 2\nI am cl", strlen("I am SERVER\n"));
	carrier = server_hand_over(f->server, f->now);
	assert_true(carrier >= 0);
	assert_int_equal(server_connections(f->server), 1);
	server_free(f->server);
	start_server(f);
	assert_int_equal(server_take_up(f->server, carrier, f->now, &lost), 1);
	close(carrier);
	assert_int_equal(lost, 0);
	assert_int_equal(server_connections(f->server), 1);
	talks(f, fd, "ient 2\n", strlen("I am SERVER\n"));
	close(fd);
	steps_until_gone(f);
	assert_string_equal(log_text(f), "client at 127.0.0.1: connected\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client 2 at 127.0.0.1:: I am client 2\n"
					 "client 2 at 127.0.0.1: disconnected\n");
}

static void test_takes_up_nothing_from_what_is_no_carrier(void **state)
{
	struct fixture *f = *state;
	size_t lost = SIZE_MAX;

	assert_int_equal(server_take_up(f->server, f->log_read, f->now, &lost), -EBADMSG);
	assert_int_equal(lost, 0);
}

static void test_a_reload_changes_limits_replies_and_burst(void **state)
{
	struct fixture *f = *state;
	struct settings fresh = f->settings;
	char reply[] = "Hello";
	int fds[2];

	fds[0] = connect_client(f);
	talks(f, fds[0], "I am client 2\n", strlen("I am SERVER\n"));
	fresh.reply = reply;
	fresh.max_connections = 2;
	fresh.journal_burst = 1;
	reloads(f, &fresh);
	f->now += USEC_PER_SEC;
	(void)log_text(f);
	fds[1] = connect_client(f);
	talks(f, fds[1], "I am client 3\nI am client 3\n", 2 * strlen("Hello\n"));
	assert_string_equal(log_text(f), "client at 127.0.0.1: connected\n"
					 "client 3 at 127.0.0.1:: I am client 3\n");
	close(fds[0]);
	close(fds[1]);
}

static void test_threads_record_each_greeting_of_the_same_client(void **state)
{
	enum { ROUNDS = 50 };
	struct fixture *f = *state;
	struct settings many = f->settings;
	struct roll_entry entry;
	int fds[CLIENTS];

	many.max_connections = CLIENTS;
	reloads(f, &many);
	for (size_t i = 0; i < CLIENTS; i++)
		fds[i] = connect_client(f);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < CLIENTS; i++)
			assert_int_equal(send(fds[i], "I am client 2\n", 14, MSG_NOSIGNAL), 14);
		for (size_t i = 0; i < CLIENTS; i++)
			talks(f, fds[i], "", strlen("I am SERVER\n"));
	}
	settles(f);
	assert_int_equal(server_counters(f->server)->greetings, CLIENTS * ROUNDS);
	assert_int_equal(server_counters(f->server)->newcomers, 1);
	assert_int_equal(server_counters(f->server)->connections, CLIENTS);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.count, CLIENTS * ROUNDS);
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	steps_until_gone(f);
}

static void test_threads_hand_over_to_others_that_are_fewer(void **state)
{
	struct fixture *f = *state;
	struct settings many = f->settings;
	size_t lost = SIZE_MAX;
	int fds[CLIENTS], carrier;

	many.max_connections = CLIENTS;
	reloads(f, &many);
	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = connect_client(f);
		talks(f, fds[i], "I am client 2\nI am cl", strlen("I am SERVER\n"));
	}
	carrier = server_hand_over(f->server, f->now);
	assert_true(carrier >= 0);
	server_free(f->server);
	f->settings.workers = 2;
	f->settings.max_connections = CLIENTS;
	start_server(f);
	assert_int_equal(server_take_up(f->server, carrier, f->now, &lost), CLIENTS);
	close(carrier);
	assert_int_equal(server_start(f->server), 0);
	for (size_t i = 0; i < CLIENTS; i++)
		talks(f, fds[i], "ient 2\n", strlen("I am SERVER\n"));
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	steps_until_gone(f);
}

static void test_stops_when_nobody_is_connected(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	talks(f, fd, "I am client 2\n", strlen("I am SERVER\n"));
	assert_false(server_stop_if_idle(f->server));
	talks(f, fd, "I am client 2\n", strlen("I am SERVER\n"));
	close(fd);
	steps_until_gone(f);
	assert_true(server_stop_if_idle(f->server));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define THREADED(name) cmocka_unit_test_setup_teardown(name, set_up_threads, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_records_and_logs_each_greeting),
		CASE(test_logs_each_of_the_same_greetings_with_its_count),
		CASE(test_summarises_beyond_the_burst_once_the_second_is_over),
		CASE(test_wakes_to_go_on_with_summaries),
		CASE(test_tells_of_each_in_the_order_of_the_connection),
		CASE(test_reports_busy_at_a_bounded_rate),
		CASE(test_drain_ends_with_no_connection),
		CASE(test_hands_over_nothing_when_nobody_is_connected),
		CASE(test_tells_of_what_is_answered_while_handing_over),
		CASE(test_what_is_handed_over_goes_on_and_leaves_no_entry),
		CASE(test_takes_up_nothing_from_what_is_no_carrier),
		CASE(test_a_reload_changes_limits_replies_and_burst),
		CASE(test_stops_when_nobody_is_connected),
		THREADED(test_tells_of_each_in_the_order_of_the_connection),
		THREADED(test_drain_ends_with_no_connection),
		THREADED(test_hands_over_nothing_when_nobody_is_connected),
		THREADED(test_takes_up_nothing_from_what_is_no_carrier),
		THREADED(test_stops_when_nobody_is_connected),
		THREADED(test_threads_record_each_greeting_of_the_same_client),
		THREADED(test_threads_hand_over_to_others_that_are_fewer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

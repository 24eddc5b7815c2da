/* A worker with a real listener on a loopback port, stepped by hand with a clock of the test's own. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "greeterd/worker.h"

#define CLIENTS_MAX 512

struct fixture {
	struct settings settings;
	struct admission *admission;
	struct worker *worker;
	int listener;
	struct netio_address address;
	int clients[CLIENTS_MAX];
	size_t n_clients;
	uint64_t now;
	bool shared; /* with another worker, which is given what this one accepts */
	struct worker *other;
	bool keeps; /* or this one is given it itself */
	size_t placed;
	size_t connected, disconnected, greetings, refusals, busy;
	int last_busy;
};

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	(void)session, (void)line;
	((struct fixture *)data)->greetings += n;
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	(void)session, (void)refusal, (void)text, (void)text_len;
	((struct fixture *)data)->refusals++;
}

static void on_connected(void *data, const struct session *session)
{
	(void)session;
	((struct fixture *)data)->connected++;
}

static void on_disconnected(void *data, const struct session *session)
{
	(void)session;
	((struct fixture *)data)->disconnected++;
}

static void on_busy(void *data, int error)
{
	((struct fixture *)data)->busy++;
	((struct fixture *)data)->last_busy = error;
}

static const struct worker_observer observer = {
	.session = { on_greeting, on_refusal },
	.connected = on_connected,
	.disconnected = on_disconnected,
	.busy = on_busy,
};

static struct worker *place(void *data, struct worker *worker)
{
	struct fixture *f = data;

	f->placed++;
	return f->other && !f->keeps ? f->other : worker;
}

static struct worker *next(void *data, struct worker *worker)
{
	struct fixture *f = data;

	return worker == f->worker ? f->other : f->worker;
}

static void start_worker(struct fixture *f)
{
	const struct settings *settings = &f->settings;

	assert_int_equal(
		admission_new(settings->max_connections, settings->max_connections_per_source, &f->admission),
		0);

	const struct worker_setup setup = {
		.settings = settings,
		.listeners = &f->listener,
		.n_listeners = 1,
		.admission = f->admission,
		.observer = &observer,
		.observer_data = f,
		.place = f->shared ? place : NULL,
		.next = f->shared ? next : NULL,
	};
	assert_int_equal(worker_new(&setup, &f->worker), 0);
	if (f->shared)
		assert_int_equal(worker_new(&setup, &f->other), 0);
}

static int set_up_limited(void **state, uint32_t max, uint32_t max_per_source, bool shared)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct netio_address any[NETIO_PARSE_MAX];

	assert_non_null(f);
	f->shared = shared;
	f->settings = (struct settings){
		.reply = (char *)(uintptr_t)PROTOCOL_DEFAULT_REPLY,
		.max_id = 1000,
		.max_connections = max,
		.max_connections_per_source = max_per_source,
		.settle_usec = USEC_PER_SEC / 4,
		.greeting_timeout_usec = 10 * USEC_PER_SEC,
		.idle_timeout_usec = 300 * USEC_PER_SEC,
	};
	assert_int_equal(netio_parse("127.0.0.1", 1, any), 1);
	any[0].in.sin_port = 0; /* any free one */
	f->listener = netio_listen(&any[0], CLIENTS_MAX);
	assert_true(f->listener >= 0);
	assert_int_equal(netio_local(f->listener, &f->address), 0);
	start_worker(f);
	f->now = 1000 * USEC_PER_SEC;
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_limited(state, 1000, 0, false);
}

static int set_up_for_two(void **state)
{
	return set_up_limited(state, 2, 0, false);
}

static int set_up_for_one_per_source(void **state)
{
	return set_up_limited(state, 1000, 1, false);
}

static int set_up_shared(void **state)
{
	return set_up_limited(state, 1000, 0, true);
}

static int set_up_shared_for_one(void **state)
{
	return set_up_limited(state, 1, 0, true);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	worker_free(f->worker);
	worker_free(f->other);
	assert_int_equal(admission_count(f->admission), 0);
	assert_int_equal(f->connected, f->disconnected);
	admission_free(f->admission);
	for (size_t i = 0; i < f->n_clients; i++)
		close(f->clients[i]);
	close(f->listener);
	free(f);
	return 0;
}

/* Connects a client, from a loopback address of its own. */
static int connect_from(struct fixture *f, const char *from)
{
	struct netio_address local[NETIO_PARSE_MAX];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(netio_parse(from, 1, local), 1);
	local[0].in.sin_port = 0;
	assert_int_equal(bind(fd, &local[0].any, local[0].len), 0);
	assert_int_equal(connect(fd, &f->address.any, f->address.len), 0);
	assert_true(f->n_clients < CLIENTS_MAX);
	f->clients[f->n_clients++] = fd;
	return fd;
}

static int connect_client(struct fixture *f)
{
	return connect_from(f, "127.0.0.1");
}

/* Steps the worker until the client can read (or has heard nothing for some seconds) and returns what it
 * read. */
static const char *hears(struct fixture *f, int fd)
{
	static char text[1024];
	ssize_t n = -1;

	for (int i = 0; i < 5000 && n < 0; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		if (n < 0)
			usleep(1000);
	}
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void says(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Steps the worker until there are that many sessions. */
static void settles_at(struct fixture *f, size_t sessions)
{
	for (int i = 0; i < 5000 && worker_sessions(f->worker) != sessions; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		usleep(1000);
	}
	assert_int_equal(worker_sessions(f->worker), sessions);
}

static bool is_readable(const struct fixture *f, int timeout_ms)
{
	struct pollfd ready = { .fd = worker_fd(f->worker), .events = POLLIN };

	return poll(&ready, 1, timeout_ms) > 0;
}

static void test_greets_many_clients(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 300; i++)
		says(connect_client(f), "I am client 3\n");
	for (size_t i = 0; i < 300; i++)
		assert_string_equal(hears(f, f->clients[i]), "I am SERVER\n");
	assert_int_equal(f->greetings, 300);
	assert_int_equal(admission_count(f->admission), 300);
}

static void test_forgets_who_has_gone(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	says(fd, "I am client 3\n");
	assert_string_equal(hears(f, fd), "I am SERVER\n");
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
	settles_at(f, 0);
	assert_int_equal(f->disconnected, 1);
}

static void test_turns_away_who_is_one_too_many(void **state)
{
	struct fixture *f = *state;
	int first = connect_client(f), second = connect_client(f), third;

	settles_at(f, 2);
	third = connect_client(f);
	says(third, "I am client 3\n");
	assert_string_equal(hears(f, third), "ERR busy too many connections, try again later\n");
	assert_int_equal(f->busy, 1);
	assert_int_equal(f->last_busy, -EBUSY);
	says(first, "I am client 1\n");
	assert_string_equal(hears(f, first), "I am SERVER\n");
	assert_int_equal(shutdown(second, SHUT_RDWR), 0);
	assert_int_equal(shutdown(third, SHUT_RDWR), 0);
	settles_at(f, 1);
	says(connect_client(f), "I am client 4\n");
	assert_string_equal(hears(f, f->clients[3]), "I am SERVER\n");
}

static void test_turns_away_hundreds_at_once(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 400; i++)
		connect_client(f);
	for (size_t i = 2; i < 400; i++)
		assert_string_equal(
			hears(f, f->clients[i]), "ERR busy too many connections, try again later\n");
	assert_int_equal(f->connected, 2);
	assert_int_equal(f->busy, 398);
	assert_true(worker_sessions(f->worker) <= 2 + 256);
}

static void test_limits_each_source_by_itself(void **state)
{
	struct fixture *f = *state;
	int fd = connect_from(f, "127.0.0.1"), again, other;

	says(fd, "I am client 1\n");
	assert_string_equal(hears(f, fd), "I am SERVER\n");
	again = connect_from(f, "127.0.0.1");
	assert_string_equal(hears(f, again), "ERR busy too many connections, try again later\n");
	assert_int_equal(f->last_busy, -EDQUOT);
	other = connect_from(f, "127.0.0.2");
	says(other, "I am client 2\n");
	assert_string_equal(hears(f, other), "I am SERVER\n");
}

/* valgrind lets accept(2) happen and closes what is over the limit, which no kernel does. */
static bool runs_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

static void test_out_of_descriptors_refuses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, none;
	int first = connect_client(f), second = connect_client(f);

	says(first, "I am client 1\n");
	assert_string_equal(hears(f, first), "I am SERVER\n");
	settles_at(f, 2);
	says(connect_client(f), "I am client 3\n");

	int next_free = dup(f->listener);
	close(next_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next_free, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bool refused =
		strcmp(hears(f, f->clients[2]), "ERR busy too many connections, try again later\n") == 0;
	says(second, "I am client 2\n");
	bool others_served = strcmp(hears(f, second), "I am SERVER\n") == 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	assert_true(refused);
	assert_true(others_served);
	assert_int_equal(f->busy, 1);
	assert_int_equal(f->last_busy, -EMFILE);
	says(connect_client(f), "I am client 4\n");
	assert_string_equal(hears(f, f->clients[3]), "I am SERVER\n");
}

static void test_pauses_where_nothing_can_be_accepted(void **state)
{
	struct fixture *f = *state;

	/* A listener that listens no more is always ready, and accept(2) always fails. */
	settles_at(f, 0);
	assert_int_equal(shutdown(f->listener, SHUT_RDWR), 0);
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(listen(f->listener, CLIENTS_MAX), 0);
	assert_int_equal(netio_local(f->listener, &f->address), 0); /* perhaps on another port */
	f->now += USEC_PER_SEC / 10;
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	says(connect_client(f), "I am client 4\n");
	assert_string_equal(hears(f, f->clients[0]), "I am SERVER\n");
}

static void test_accepts_on_when_a_listener_cannot_be_watched(void **state)
{
	static int listeners[2]; /* outlives the worker, which tear_down() frees */
	struct fixture *f = *state;
	struct worker_setup setup = { .settings = &f->settings,
		.listeners = listeners,
		.n_listeners = ELEMENTS(listeners),
		.admission = f->admission,
		.observer = &observer,
		.observer_data = f };

	worker_free(TAKE_PTR(f->worker));
	listeners[0] = fcntl(f->listener, F_DUPFD_CLOEXEC, 0);
	listeners[1] = f->listener;
	assert_int_equal(worker_new(&setup, &f->worker), 0);
	assert_int_equal(shutdown(f->listener, SHUT_RDWR), 0);
	assert_int_equal(worker_dispatch(f->worker, f->now), 0); /* pauses */
	closep(&listeners[0]);
	assert_int_equal(listen(f->listener, CLIENTS_MAX), 0);
	assert_int_equal(netio_local(f->listener, &f->address), 0);
	f->now += USEC_PER_SEC / 10;
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	says(connect_client(f), "I am client 4\n");
	assert_string_equal(hears(f, f->clients[0]), "I am SERVER\n");
}

static void test_settles_and_times_out_by_the_clock(void **state)
{
	struct fixture *f = *state;
	int quiet = connect_client(f), slow = connect_client(f), silent = connect_client(f);

	says(quiet, "I am client 7");
	says(slow, "I am");
	settles_at(f, 3);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		usleep(1000);
	}
	f->now += USEC_PER_SEC / 4;
	assert_string_equal(hears(f, quiet), "I am SERVER\n");
	f->now += 10 * USEC_PER_SEC;
	assert_string_equal(hears(f, slow), "ERR timeout waited too long for a greeting\n");
	f->now += 300 * USEC_PER_SEC;
	assert_string_equal(hears(f, silent), "ERR timeout waited too long for a greeting\n");
	f->now += USEC_PER_SEC;
	settles_at(f, 0);
}

static void test_is_not_woken_while_nothing_happens(void **state)
{
	struct fixture *f = *state;

	/* The timer runs on the real clock: what is due at once wakes, what is due in five minutes does not.
	 */
	struct timespec ts;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	f->now = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
	connect_client(f);
	settles_at(f, 1);
	assert_false(is_readable(f, 50));
	worker_wake_at(f->worker, f->now);
	assert_true(is_readable(f, 5000));
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_false(is_readable(f, 50));
	worker_wake_at(f->worker, 0);
	assert_true(is_readable(f, 5000));
}

static void test_drain_answers_and_ends_everybody(void **state)
{
	struct fixture *f = *state;
	int idle = connect_client(f), busy = connect_client(f);

	settles_at(f, 2);
	says(busy, "I am client 1\nI am client 2");
	usleep(20000);
	worker_drain(f->worker, f->now, f->now + USEC_PER_SEC);
	assert_int_equal(worker_sessions(f->worker), 0);
	assert_string_equal(
		hears(f, busy), "I am SERVER\nI am SERVER\nERR shutdown the server is stopping\n");
	assert_string_equal(hears(f, idle), "ERR shutdown the server is stopping\n");
	connect_client(f); /* into the backlog, where it stays */
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_sessions(f->worker), 0);
}

static void test_drain_cuts_off_who_does_not_read_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	char flood[12 * 1024];
	int fd = connect_client(f);

	for (size_t i = 0; i < sizeof(flood); i += 12)
		memcpy(flood + i, "I am client\n", 12);
	for (int i = 0; i < 2000; i++) { /* a greeting that is cut short is a refusal, but the next is none */
		(void)send(fd, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	}
	worker_drain(f->worker, f->now, f->now + USEC_PER_SEC);
	assert_int_equal(worker_sessions(f->worker), 1);
	f->now += USEC_PER_SEC;
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_sessions(f->worker), 0);
}

static void test_drain_takes_a_flood_in_batches(void **state)
{
	struct fixture *f = *state;
	static char blank[64 * 1024];

	memset(blank, ' ', sizeof(blank));
	for (size_t i = 63; i < sizeof(blank); i += 64) /* shorter lines take valgrind minutes */
		blank[i] = '\n';
	for (int i = 0; i < 100; i++)
		connect_client(f);
	settles_at(f, 100);
	for (size_t i = 0; i < f->n_clients; i++)
		while (send(f->clients[i], blank, sizeof(blank), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
	worker_drain(f->worker, f->now, f->now + USEC_PER_SEC);
	assert_int_equal(worker_sessions(f->worker), 100); /* or who sends less would wait for all that */
	settles_at(f, 0);
}

static int take_up(void *data, int fd, const struct session_record *record, const char *bytes)
{
	const struct fixture *f = data;

	return worker_take_up(f->worker, fd, record, bytes, f->now);
}

/* Hands all over to a second worker, which takes the place of the first. Returns how many it took up. */
static int restarts(struct fixture *f, size_t *ret_lost)
{
	struct handover *handover;
	int carrier, taken;

	assert_int_equal(handover_new(&handover), 0);
	worker_hand_over(f->worker, handover, f->now);
	assert_int_equal(worker_sessions(f->worker), handover_count(handover));
	carrier = handover_seal(handover);
	assert_true(carrier >= 0);
	handover_free(handover);
	worker_free(f->worker);
	assert_int_equal(admission_count(f->admission), 0);
	admission_free(f->admission);
	start_worker(f);
	taken = handover_open(carrier, take_up, f, ret_lost);
	close(carrier);
	return taken;
}

static void test_a_restart_keeps_five_hundred_half_lines(void **state)
{
	struct fixture *f = *state;
	size_t lost;

	for (int i = 0; i < 500; i++)
		says(connect_client(f), i % 2 ? "I am cli" : "I am client 5\nI am cli");
	settles_at(f, 500);
	assert_int_equal(restarts(f, &lost), 500);
	assert_int_equal(lost, 0);
	assert_int_equal(admission_count(f->admission), 500);
	assert_int_equal(f->disconnected, 0);
	for (size_t i = 0; i < 500; i++)
		says(f->clients[i], "ent 3\n");
	for (size_t i = 0; i < 500; i++) {
		if (i % 2 == 0)
			assert_int_equal(recv(f->clients[i], (char[12]){ 0 }, 12, 0), 12);
		assert_string_equal(hears(f, f->clients[i]), "I am SERVER\n");
	}
	assert_int_equal(f->greetings, 750);
	assert_int_equal(f->refusals, 0);
}

static void test_who_comes_during_a_restart_is_greeted_after_it(void **state)
{
	struct fixture *f = *state;
	struct handover *handover;
	size_t lost;
	int before = connect_client(f), between;

	settles_at(f, 1);
	assert_int_equal(handover_new(&handover), 0);
	worker_hand_over(f->worker, handover, f->now);
	handover_free(handover);
	between = connect_client(f);
	says(between, "I am client 2\n");
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_sessions(f->worker), 1); /* it accepts no more */
	assert_int_equal(restarts(f, &lost), 1);
	assert_string_equal(hears(f, between), "I am SERVER\n");
	says(before, "I am client 1\n");
	assert_string_equal(hears(f, before), "I am SERVER\n");
}

static void test_a_restart_leaves_out_who_was_turned_away(void **state)
{
	struct fixture *f = *state;
	size_t lost;

	for (int i = 0; i < 3; i++)
		connect_client(f);
	assert_string_equal(hears(f, f->clients[2]), "ERR busy too many connections, try again later\n");
	assert_int_equal(restarts(f, &lost), 2);
	assert_int_equal(lost, 0);
}

static void test_a_lower_limit_counts_those_it_has_no_room_for(void **state)
{
	struct fixture *f = *state;
	size_t lost;

	for (int i = 0; i < 5; i++)
		connect_client(f);
	settles_at(f, 5);
	f->settings.max_connections = 2;
	assert_int_equal(restarts(f, &lost), 2);
	assert_int_equal(lost, 3);
	f->disconnected += lost; /* of those no worker hears any more */
}

static void test_without_a_successor_all_are_drained(void **state)
{
	struct fixture *f = *state;
	struct handover *handover;

	for (int i = 0; i < 100; i++)
		connect_client(f);
	settles_at(f, 100);
	assert_int_equal(handover_new(&handover), 0);
	worker_hand_over(f->worker, handover, f->now);
	handover_free(handover);
	worker_drain(f->worker, f->now, f->now + USEC_PER_SEC);
	for (size_t i = 0; i < f->n_clients; i++)
		assert_string_equal(hears(f, f->clients[i]), "ERR shutdown the server is stopping\n");
	settles_at(f, 0);
	assert_int_equal(f->disconnected, 100);
}

static void test_all_who_are_cut_off_instead_are_told_of(void **state)
{
	struct fixture *f = *state;
	struct handover *handover;

	for (int i = 0; i < 200; i++)
		connect_client(f);
	settles_at(f, 200);
	assert_int_equal(handover_new(&handover), 0);
	worker_hand_over(f->worker, handover, f->now);
	handover_free(handover);
	worker_drain(f->worker, f->now, f->now);
	assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_sessions(f->worker), 0);
	assert_int_equal(f->disconnected, 200);
}

static void test_takes_up_nothing_that_it_cannot_watch_or_believe(void **state)
{
	struct fixture *f = *state;
	struct session_record record = { .peer.family = AF_INET };
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(worker_take_up(f->worker, fileno(file), &record, "", f->now), -EPERM);
	record.in_len = UINT32_MAX;
	assert_int_equal(worker_take_up(f->worker, f->listener, &record, "", f->now), -EBADMSG);
	assert_int_equal(worker_sessions(f->worker), 0);
	assert_int_equal(admission_count(f->admission), 0);
	assert_int_equal(fclose(file), 0); /* it is still open */
}

static void test_a_reload_counts_for_who_is_connected(void **state)
{
	struct fixture *f = *state;
	struct settings fresh = f->settings;
	int fd = connect_client(f), silent = connect_client(f);
	char reply[] = "Hello";

	says(fd, "I am client 900\n");
	assert_string_equal(hears(f, fd), "I am SERVER\n");
	settles_at(f, 2);
	fresh.reply = reply;
	fresh.max_id = 800;
	fresh.idle_timeout_usec = 5 * USEC_PER_SEC;
	worker_reload(f->worker, &fresh, f->now);
	says(fd, "I am client 8\n");
	assert_string_equal(hears(f, fd), "Hello\n");
	says(fd, "I am client 900\n");
	assert_string_equal(
		hears(f, fd), "ERR id client numbers have no sign or leading zero and run from 1 to 800\n");
	f->now += 5 * USEC_PER_SEC;
	assert_string_equal(hears(f, silent), "ERR timeout waited too long for a greeting\n");
}

/* The one that accepts is f->worker alone: the other is not asked. */
static void test_gives_a_connection_to_another_worker(void **state)
{
	struct fixture *f = *state;
	struct pollfd ready = { .fd = worker_fd(f->other), .events = POLLIN };
	int fd;

	assert_int_equal(worker_dispatch(f->other, f->now), 0);
	fd = connect_client(f);
	says(fd, "I am client 3\n");
	for (int i = 0; i < 5000 && f->placed == 0; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		usleep(1000);
	}
	assert_int_equal(f->placed, 1);
	assert_int_equal(worker_sessions(f->worker), 0);
	assert_int_equal(worker_sessions(f->other), 1); /* on its way */
	assert_int_equal(f->connected, 0);
	assert_true(poll(&ready, 1, 5000) > 0);
	for (int i = 0; i < 5000 && f->greetings == 0; i++) {
		assert_int_equal(worker_dispatch(f->other, f->now), 0);
		usleep(1000);
	}
	assert_int_equal(f->connected, 1);
	assert_int_equal(worker_sessions(f->other), 1);
	assert_string_equal(hears(f, fd), "I am SERVER\n");
}

static void test_keeps_what_another_worker_has_no_room_for(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 200; i++)
		connect_client(f);
	settles_at(f, 200 - 64);
	assert_int_equal(worker_sessions(f->other), 64);
	assert_int_equal(f->connected, 200 - 64);
	assert_int_equal(worker_dispatch(f->other, f->now), 0);
	assert_int_equal(f->connected, 200);
}

/* One that f->other has; from then on f->worker is to keep what it accepts. */
static int take_the_only_room(struct fixture *f)
{
	int fd = connect_client(f);

	for (int i = 0; i < 5000 && f->connected == 0; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		if (f->placed > 0)
			assert_int_equal(worker_dispatch(f->other, f->now), 0);
		usleep(1000);
	}
	assert_int_equal(worker_sessions(f->other), 1);
	f->keeps = true;
	return fd;
}

/* f->worker alone, until it has accepted a connection. */
static void accepts(struct fixture *f)
{
	const size_t placed = f->placed;

	for (int i = 0; i < 5000 && f->placed == placed; i++) {
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
		usleep(1000);
	}
	assert_int_equal(f->placed, placed + 1);
}

/* Who closes a connection and opens the next finds room, whichever worker had the first. */
static void test_who_has_left_another_worker_is_not_in_the_way(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(shutdown(take_the_only_room(f), SHUT_WR), 0);
	fd = connect_client(f);
	accepts(f);
	says(fd, "I am client 3\n");
	for (int i = 0; i < 5000 && f->greetings + f->busy == 0; i++) {
		assert_int_equal(worker_dispatch(f->other, f->now), 0);
		usleep(1000);
	}
	assert_string_equal(hears(f, fd), "I am SERVER\n");
	assert_int_equal(f->busy, 0);
	assert_int_equal(f->disconnected, 1);
}

static void test_is_turned_away_when_no_worker_has_room(void **state)
{
	struct fixture *f = *state;
	int fd;

	(void)take_the_only_room(f);
	fd = connect_client(f);
	accepts(f);
	assert_int_equal(worker_dispatch(f->other, f->now), 0);
	assert_string_equal(hears(f, fd), "ERR busy too many connections, try again later\n");
	assert_int_equal(f->busy, 1);
	assert_int_equal(f->last_busy, -EBUSY);
	assert_int_equal(f->connected, 1);
}

/* Who does not accept any more asks nobody: the others may not either. */
static void test_a_draining_worker_turns_away_itself(void **state)
{
	struct fixture *f = *state;
	int fd;

	(void)take_the_only_room(f);
	f->keeps = false;
	fd = connect_client(f);
	accepts(f);
	worker_drain(f->worker, f->now, f->now + USEC_PER_SEC);
	worker_drain(f->other, f->now, f->now + USEC_PER_SEC);
	assert_string_equal(hears(f, fd), "ERR busy too many connections, try again later\n");
	assert_int_equal(worker_sessions(f->worker), 0);
}

static void test_what_was_given_is_closed_with_the_worker(void **state)
{
	struct fixture *f = *state;
	char byte;
	int fd = connect_client(f);

	for (int i = 0; i < 5000 && worker_sessions(f->other) == 0; i++)
		assert_int_equal(worker_dispatch(f->worker, f->now), 0);
	assert_int_equal(worker_sessions(f->other), 1);
	worker_free(f->other);
	f->other = NULL;
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void test_serves_nothing_that_was_found_before_an_interruption(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	settles_at(f, 1);
	says(fd, "I am client 3\n");
	assert_true(is_readable(f, 5000));
	assert_int_equal(worker_wait(f->worker, 0), 0);
	worker_interrupted(f->worker);
	worker_serve(f->worker, f->now);
	assert_int_equal(f->greetings, 0);
	assert_string_equal(hears(f, fd), "I am SERVER\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CASE_WITH(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_greets_many_clients),
		CASE(test_forgets_who_has_gone),
		CASE_WITH(test_turns_away_who_is_one_too_many, set_up_for_two),
		CASE_WITH(test_turns_away_hundreds_at_once, set_up_for_two),
		CASE_WITH(test_limits_each_source_by_itself, set_up_for_one_per_source),
		CASE(test_out_of_descriptors_refuses_and_goes_on),
		CASE(test_pauses_where_nothing_can_be_accepted),
		CASE(test_accepts_on_when_a_listener_cannot_be_watched),
		CASE(test_settles_and_times_out_by_the_clock),
		CASE(test_is_not_woken_while_nothing_happens),
		CASE(test_drain_answers_and_ends_everybody),
		CASE(test_drain_takes_a_flood_in_batches),
		CASE(test_drain_cuts_off_who_does_not_read_at_the_deadline),
		CASE(test_a_restart_keeps_five_hundred_half_lines),
		CASE(test_who_comes_during_a_restart_is_greeted_after_it),
		CASE_WITH(test_a_restart_leaves_out_who_was_turned_away, set_up_for_two),
		CASE(test_a_lower_limit_counts_those_it_has_no_room_for),
		CASE(test_without_a_successor_all_are_drained),
		CASE(test_all_who_are_cut_off_instead_are_told_of),
		CASE(test_takes_up_nothing_that_it_cannot_watch_or_believe),
		CASE(test_a_reload_counts_for_who_is_connected),
		CASE_WITH(test_gives_a_connection_to_another_worker, set_up_shared),
		CASE_WITH(test_keeps_what_another_worker_has_no_room_for, set_up_shared),
		CASE_WITH(test_who_has_left_another_worker_is_not_in_the_way, set_up_shared_for_one),
		CASE_WITH(test_is_turned_away_when_no_worker_has_room, set_up_shared_for_one),
		CASE_WITH(test_a_draining_worker_turns_away_itself, set_up_shared_for_one),
		CASE_WITH(test_what_was_given_is_closed_with_the_worker, set_up_shared),
		CASE(test_serves_nothing_that_was_found_before_an_interruption),
	};

	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max; /* both ends of every connection are ours */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (runs_under_valgrind()) {
		puts("# the limit of descriptors is not tested: valgrind has its own");
		cmocka_set_skip_filter("test_out_of_descriptors_*");
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

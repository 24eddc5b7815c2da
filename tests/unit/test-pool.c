/* The workers in their threads: real ones, on a real clock, with clients that wait for their replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/pool.h"

#define WORKERS 3
#define CLIENTS 60
#define WAIT_MSEC 10000 /* for what is to come, at most */

struct desk {
	struct fixture *f;
	struct worker *worker;
};

struct fixture {
	struct settings settings;
	struct admission *admission;
	struct desk desks[WORKERS];
	struct pool *pool;
	int listener;
	struct netio_address address;
	size_t n_clients;
	int clients[CLIENTS];
	size_t greetings, connected; /* with the lock held */
	bool paused;                 /* the same; no batch may begin or be under way */
	uint64_t realtime;           /* of the latest batch */
	bool holds;                  /* the same; greetings wait for hold */
	sem_t hold;
	atomic_bool held;
};

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	struct fixture *f = ((const struct desk *)data)->f;
	bool holds;

	(void)session, (void)line;
	pool_lock(f->pool);
	assert_false(f->paused);
	f->greetings += n;
	holds = f->holds;
	pool_unlock(f->pool);
	if (holds) {
		atomic_store(&f->held, true);
		sem_wait(&f->hold);
	}
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	(void)data, (void)session, (void)refusal, (void)text, (void)text_len;
}

static void on_connected(void *data, const struct session *session)
{
	struct fixture *f = ((const struct desk *)data)->f;

	(void)session;
	pool_lock(f->pool);
	f->connected++;
	pool_unlock(f->pool);
}

static void on_disconnected(void *data, const struct session *session)
{
	(void)data, (void)session;
}

static void on_busy(void *data, int error)
{
	(void)data, (void)error;
}

static const struct worker_observer observer = {
	.session = { on_greeting, on_refusal },
	.connected = on_connected,
	.disconnected = on_disconnected,
	.busy = on_busy,
};

static struct worker *place(void *data, struct worker *worker)
{
	return pool_place(((const struct desk *)data)->f->pool, worker);
}

static void begins(void *data, size_t i, uint64_t now, uint64_t realtime)
{
	struct fixture *f = data;

	assert_true(i < WORKERS && now > 0);
	pool_lock(f->pool);
	f->realtime = realtime;
	pool_unlock(f->pool);
}

static void ends(void *data, size_t i)
{
	assert_true(data && i < WORKERS);
}

static void open_pool(struct fixture *f, size_t n)
{
	struct worker *workers[WORKERS];
	const struct pool_setup pool = {
		.workers = workers, .n = n, .begins = begins, .ends = ends, .data = f
	};

	for (size_t i = 0; i < n; i++) {
		const struct worker_setup setup = {
			.settings = &f->settings,
			.listeners = &f->listener,
			.n_listeners = 1,
			.admission = f->admission,
			.observer = &observer,
			.observer_data = &f->desks[i],
			.place = n > 1 ? place : NULL,
		};
		f->desks[i].f = f;
		assert_int_equal(worker_new(&setup, &f->desks[i].worker), 0);
		workers[i] = f->desks[i].worker;
	}
	assert_int_equal(pool_new(&pool, &f->pool), 0);
}

static int set_up_with(void **state, size_t n)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct netio_address any[NETIO_PARSE_MAX];

	assert_non_null(f);
	f->settings = (struct settings){
		.reply = (char *)(uintptr_t)PROTOCOL_DEFAULT_REPLY,
		.max_id = 1000,
		.greeting_timeout_usec = 60 * USEC_PER_SEC,
		.idle_timeout_usec = 300 * USEC_PER_SEC,
	};
	assert_int_equal(netio_parse("127.0.0.1", 1, any), 1);
	any[0].in.sin_port = 0; /* any free one */
	f->listener = netio_listen(&any[0], CLIENTS);
	assert_true(f->listener >= 0);
	assert_int_equal(netio_local(f->listener, &f->address), 0);
	assert_int_equal(admission_new(1000, 0, &f->admission), 0);
	sem_init(&f->hold, 0, 0);
	open_pool(f, n);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, WORKERS);
}

static int set_up_alone(void **state)
{
	return set_up_with(state, 1);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sem_post(&f->hold); /* nobody is held any longer, whatever has failed */
	pool_free(f->pool);
	sem_destroy(&f->hold);
	for (size_t i = 0; i < WORKERS; i++)
		worker_free(f->desks[i].worker);
	admission_free(f->admission);
	for (size_t i = 0; i < f->n_clients; i++)
		close(f->clients[i]);
	close(f->listener);
	free(f);
	return 0;
}

static int connect_client(struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && f->n_clients < CLIENTS);
	assert_int_equal(connect(fd, &f->address.any, f->address.len), 0);
	f->clients[f->n_clients++] = fd;
	return fd;
}

static void says(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static bool readable(int fd, int msec)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, msec) > 0;
}

/* Waits for one reply; the main thread lets go of the lock meanwhile. */
static void hears_a_reply(struct fixture *f, int fd)
{
	char text[64];
	bool came;

	pool_unlock(f->pool);
	came = readable(fd, WAIT_MSEC);
	pool_lock(f->pool);
	assert_true(came);
	assert_int_equal(recv(fd, text, sizeof(text), 0), strlen("I am SERVER\n"));
	assert_memory_equal(text, "I am SERVER\n", strlen("I am SERVER\n"));
}

static void greets(struct fixture *f, int fd)
{
	says(fd, "I am client 2\n");
	hears_a_reply(f, fd);
}

/* Lets the threads go on until they have so many connections. */
static void settles_at(struct fixture *f, size_t connections)
{
	size_t n = SIZE_MAX;

	for (int i = 0; i < WAIT_MSEC && n != connections; i++) {
		pool_unlock(f->pool);
		usleep(1000);
		pool_lock(f->pool);
		n = 0;
		for (size_t k = 0; k < WORKERS; k++)
			n += worker_sessions(f->desks[k].worker);
	}
	assert_int_equal(n, connections);
}

static void test_serves_alone_without_a_thread(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	assert_int_equal(pool_start(f->pool), 0);
	says(fd, "I am client 2\n");
	for (int i = 0; i < WAIT_MSEC && !readable(fd, 0); i++) {
		assert_true(readable(pool_fd(f->pool), WAIT_MSEC));
		assert_int_equal(pool_dispatch(f->pool, 1000 * USEC_PER_SEC, 77), 0);
	}
	hears_a_reply(f, fd);
	assert_int_equal(f->realtime, 77);
	assert_false(pool_is_stuck(f->pool));
}

static void test_every_client_is_served_by_some_worker(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pool_start(f->pool), 0);
	for (int i = 0; i < CLIENTS; i++)
		says(connect_client(f), "I am client 2\n");
	for (int i = 0; i < CLIENTS; i++)
		hears_a_reply(f, f->clients[i]);
	for (int i = 0; i < CLIENTS; i++)
		greets(f, f->clients[i]);
	assert_int_equal(f->greetings, 2 * CLIENTS);
	assert_int_equal(f->connected, CLIENTS);
	assert_true(f->realtime > 1600000000 * USEC_PER_SEC);
}

/* One after the other: the kernel would have the same worker accept them all. */
static void test_connections_are_shared_out_evenly(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pool_start(f->pool), 0);
	for (int i = 0; i < CLIENTS; i++)
		greets(f, connect_client(f));
	for (size_t i = 0; i < WORKERS; i++)
		assert_in_range(
			worker_sessions(f->desks[i].worker), CLIENTS / WORKERS - 5, CLIENTS / WORKERS + 5);
	for (int i = 0; i < CLIENTS / 2; i++)
		assert_int_equal(shutdown(f->clients[i], SHUT_RDWR), 0);
	settles_at(f, CLIENTS / 2);
}

static void test_the_main_thread_is_woken_after_a_batch(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pool_start(f->pool), 0);
	assert_false(readable(pool_fd(f->pool), 0));
	greets(f, connect_client(f));
	pool_unlock(f->pool);
	assert_true(readable(pool_fd(f->pool), WAIT_MSEC));
	pool_lock(f->pool);
	assert_int_equal(pool_dispatch(f->pool, 0, 0), 0);
	assert_false(readable(pool_fd(f->pool), 0));
	pool_wake_at(f->pool, 0); /* at once */
	assert_true(readable(pool_fd(f->pool), WAIT_MSEC));
}

static void test_nobody_is_served_while_paused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pool_start(f->pool), 0);
	for (int i = 0; i < CLIENTS; i++)
		greets(f, connect_client(f));
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < CLIENTS; i++)
			says(f->clients[i], "I am client 2\n");
		pool_pause(f->pool);
		pool_lock(f->pool);
		f->paused = true;
		pool_unlock(f->pool);
		usleep(1000);
		pool_lock(f->pool);
		f->paused = false;
		pool_unlock(f->pool);
		pool_resume(f->pool);
		for (int i = 0; i < CLIENTS; i++)
			hears_a_reply(f, f->clients[i]);
	}
	assert_int_equal(f->greetings, 21 * CLIENTS);
}

static void test_what_is_ended_while_paused_is_served_no_more(void **state)
{
	struct fixture *f = *state;
	char byte;

	assert_int_equal(pool_start(f->pool), 0);
	for (int i = 0; i < CLIENTS; i++)
		greets(f, connect_client(f));
	for (int i = 0; i < CLIENTS; i++)
		says(f->clients[i], "I am client 2\n");
	pool_pause(f->pool);
	for (size_t i = 0; i < WORKERS; i++)
		worker_drain(f->desks[i].worker, 1, 1);
	pool_resume(f->pool);
	settles_at(f, 0);
	for (int i = 0; i < CLIENTS; i++) {
		while (recv(f->clients[i], &byte, 1, 0) > 0)
			;
	}
	assert_in_range(f->greetings, CLIENTS, 2 * CLIENTS);
}

static void test_goes_on_after_a_stop(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	assert_int_equal(pool_start(f->pool), 0);
	greets(f, fd);
	pool_stop(f->pool);
	says(fd, "I am client 2\n");
	assert_false(readable(fd, 50));
	assert_int_equal(pool_start(f->pool), 0);
	hears_a_reply(f, fd);
}

/* Whether a worker stays in the same batch. */
static bool stays_stuck(struct fixture *f)
{
	(void)pool_is_stuck(f->pool);
	pool_unlock(f->pool);
	usleep(50000);
	pool_lock(f->pool);
	return pool_is_stuck(f->pool);
}

static void test_sees_a_worker_that_does_not_come_to_an_end(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	assert_int_equal(pool_start(f->pool), 0);
	greets(f, fd);
	for (int i = 0; i < 100 && stays_stuck(f); i++)
		;
	assert_false(stays_stuck(f));
	f->holds = true;
	says(fd, "I am client 2\n");
	pool_unlock(f->pool);
	for (int i = 0; i < WAIT_MSEC && !atomic_load(&f->held); i++)
		usleep(1000);
	pool_lock(f->pool);
	assert_true(stays_stuck(f));
	f->holds = false;
	sem_post(&f->hold);
	hears_a_reply(f, fd);
	for (int i = 0; i < 100 && stays_stuck(f); i++)
		;
	assert_false(stays_stuck(f));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serves_alone_without_a_thread, set_up_alone, tear_down),
		CASE(test_every_client_is_served_by_some_worker),
		CASE(test_connections_are_shared_out_evenly),
		CASE(test_the_main_thread_is_woken_after_a_batch),
		CASE(test_nobody_is_served_while_paused),
		CASE(test_what_is_ended_while_paused_is_served_no_more),
		CASE(test_goes_on_after_a_stop),
		CASE(test_sees_a_worker_that_does_not_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

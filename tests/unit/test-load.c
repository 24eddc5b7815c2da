#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "sockctl/load.h"

#define CONNECTIONS_MAX 4096
#define REPLY "I am SERVER\n"
#define MSEC UINT64_C(1000000)

/* What the server does to request number n of all, counted from 1. */
struct behaviour {
	const char *greeting; /* to each connection, which is closed then */
	const char *other;    /* instead of the reply, */
	uint64_t first, last; /* to these requests */
	bool closes;          /* instead of the reply to these */
	bool silent;          /* likewise */
	bool in_pieces;       /* a byte in each round */
	uint64_t gone_after;  /* so many replies the server is no more */
	uint64_t late_nsec;   /* so long after the first request the first reply goes out */
	const char *reply;    /* NULL: REPLY */
};

/*
 * The test is the server too: round() runs before each wait of the load, accepts what has connected and
 * answers what has been asked. So nothing runs beside the load, and every step of the server wakes it.
 */
struct fixture {
	struct netio_address address;
	struct load_exchange exchange;
	struct load_plan plan;
	struct load_listener listener;
	struct load_result result;
	struct behaviour behaviour;
	int server, connections[CONNECTIONS_MAX];
	char pending[CONNECTIONS_MAX][4096]; /* replies that were not sent yet */
	size_t n_pending[CONNECTIONS_MAX], turns[CONNECTIONS_MAX];
	size_t n_connections, n_ticks, n_rounds, stop_after_rounds;
	uint64_t n_requests, n_replies, most_at_once, first_at;
	size_t wrong_requests;
	bool stop_on_tick;
};

static void drop(struct fixture *f, size_t i)
{
	close(f->connections[i]);
	f->connections[i] = -1;
	f->n_pending[i] = 0;
}

static void accept_all(struct fixture *f)
{
	const char *greeting = f->behaviour.greeting;
	int fd;

	while (f->server >= 0 && f->n_connections < CONNECTIONS_MAX &&
		(fd = accept4(f->server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		f->connections[f->n_connections++] = fd;
		if (greeting) {
			assert_true(send(fd, greeting, strlen(greeting), MSG_NOSIGNAL) >= 0);
			drop(f, f->n_connections - 1);
		}
	}
}

static void add_reply(struct fixture *f, size_t i)
{
	const struct behaviour *b = &f->behaviour;
	const char *reply = b->reply ? b->reply : REPLY;

	f->n_requests++;
	if (f->n_requests >= b->first && f->n_requests <= b->last) {
		if (b->closes)
			drop(f, i);
		if (b->closes || b->silent)
			return;
		reply = b->other;
	}
	if (f->connections[i] < 0)
		return;
	memcpy(f->pending[i] + f->n_pending[i], reply, strlen(reply));
	f->n_pending[i] += strlen(reply);
	f->n_replies++;
}

static void take_requests(struct fixture *f, size_t i)
{
	const struct load_exchange *exchange = &f->plan.exchanges[i % f->plan.n_exchanges];
	char bytes[4096];
	ssize_t n = f->connections[i] < 0 ? -1 : recv(f->connections[i], bytes, sizeof(bytes), 0);

	if (n == 0)
		drop(f, i);
	if (n <= 0)
		return;
	if (f->first_at == 0)
		f->first_at = clock_nsec(CLOCK_MONOTONIC);
	for (ssize_t at = 0; at < n; at += (ssize_t)exchange->request_len) {
		size_t turn = exchange->n_requests ? f->turns[i]++ % exchange->n_requests : 0;

		if ((size_t)(n - at) < exchange->request_len ||
			memcmp(bytes + at, exchange->request + turn * exchange->request_len,
				exchange->request_len) != 0)
			f->wrong_requests++;
		add_reply(f, i);
	}
	if ((uint64_t)n / exchange->request_len > f->most_at_once)
		f->most_at_once = (uint64_t)n / exchange->request_len;
}

static void send_replies(struct fixture *f, size_t i)
{
	size_t n = f->behaviour.in_pieces && f->n_pending[i] > 0 ? 1 : f->n_pending[i];

	if (n == 0 || (f->behaviour.late_nsec &&
			      clock_nsec(CLOCK_MONOTONIC) - f->first_at < f->behaviour.late_nsec))
		return;
	if (send(f->connections[i], f->pending[i], n, MSG_NOSIGNAL) < 0) {
		drop(f, i);
		return;
	}
	f->n_pending[i] -= n;
	memmove(f->pending[i], f->pending[i] + n, f->n_pending[i]);
}

static void go_away(struct fixture *f)
{
	for (size_t i = 0; i < f->n_connections; i++)
		if (f->connections[i] >= 0)
			drop(f, i);
	closep(&f->server);
	f->server = -1;
}

static int serve(void *userdata)
{
	struct fixture *f = userdata;

	accept_all(f);
	for (size_t i = 0; i < f->n_connections; i++) {
		take_requests(f, i);
		send_replies(f, i);
	}
	if (f->behaviour.gone_after && f->n_replies >= f->behaviour.gone_after)
		go_away(f);
	return ++f->n_rounds == f->stop_after_rounds;
}

static int tick(void *userdata, const struct load_result *so_far)
{
	struct fixture *f = userdata;

	f->n_ticks++;
	assert_true(so_far->answered <= f->n_replies);
	return f->stop_on_tick;
}

static struct netio_address new_address(void)
{
	struct netio_address address = { .un.sun_family = AF_UNIX };
	static int number;
	int n = snprintf(address.un.sun_path + 1, 64, "greeterd-load-%d-%d", getpid(), number++);

	address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return address;
}

static struct fixture *init(struct behaviour behaviour)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f)); /* too large for a stack to pass by */
	f->address = new_address();
	f->behaviour = behaviour;
	f->server = netio_listen(&f->address, 4096);
	assert_true(f->server >= 0);
	f->exchange = (struct load_exchange){ "I am client 7\n", 14, REPLY, strlen(REPLY), NULL, 0 };
	f->plan = (struct load_plan){ .addresses = &f->address,
		.n_addresses = 1,
		.exchanges = &f->exchange,
		.n_exchanges = 1,
		.connections = 1,
		.depth = 1,
		.refusal = "ERR ",
		.count = 10,
		.timeout_usec = 5000000,
		.tick_usec = 1000 };
	f->listener = (struct load_listener){ .tick = tick, .round = serve, .fd = -1, .userdata = f };
	return f;
}

static int run(struct fixture *f)
{
	return load_run(&f->plan, &f->listener, &f->result);
}

static void deinit(struct fixture **f)
{
	load_result_deinit(&(*f)->result);
	go_away(*f);
}

/* Every request that was sent is accounted for. */
static void assert_outcome(const struct load_result *r, uint64_t answered, uint64_t closed, uint64_t timeout,
	uint64_t refused, uint64_t wrong)
{
	assert_int_equal(r->answered, answered);
	assert_int_equal(r->errors[LOAD_CLOSED], closed);
	assert_int_equal(r->errors[LOAD_TIMEOUT], timeout);
	assert_int_equal(r->errors[LOAD_REFUSED], refused);
	assert_int_equal(r->errors[LOAD_WRONG], wrong);
	assert_int_equal(r->sent, answered + closed + timeout + refused + wrong + r->under_way);
	assert_int_equal(histogram_count(r->latency), answered);
}

static void test_sends_as_many_as_asked(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.count = 1000;
	f->plan.connections = 7;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 1000, 0, 0, 0, 0);
	assert_int_equal(f->n_requests, 1000);
	assert_int_equal(f->n_connections, 7);
	assert_int_equal(f->result.connections, 7);
	assert_int_equal(f->result.most_open, 7);
	assert_int_equal(histogram_count(f->result.connecting), 7);
	assert_int_equal(f->result.answered_in_time, 1000);
	assert_true(load_throughput(&f->result) > 0);
	assert_ptr_equal(f->result.address, &f->address);
}

static void test_connections_differ_in_what_they_say(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });
	const struct load_exchange exchanges[] = {
		{ "I am client 1\n", 14, REPLY, 12, NULL, 0 },
		{ "I am client 22\n", 15, REPLY, 12, NULL, 0 },
		{ "I am client 333\n", 16, REPLY, 12, NULL, 0 },
	};

	(void)state;
	f->plan.exchanges = exchanges;
	f->plan.n_exchanges = ELEMENTS(exchanges);
	f->plan.connections = 5;
	f->plan.depth = 3;
	f->plan.count = 200;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 200, 0, 0, 0, 0);
	assert_int_equal(f->wrong_requests, 0);
}

static void test_requests_of_one_length_take_turns(void **state)
{
	static const size_t depths[] = { 1, 2, 3, 4, 16 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(depths); i++) {
		_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

		f->exchange.request = "I am client 1\nI am client 2\nI am client 3\n";
		f->exchange.n_requests = 3;
		f->plan.connections = 2;
		f->plan.depth = depths[i];
		f->plan.count = 200;
		assert_int_equal(run(f), 0);
		assert_outcome(&f->result, 200, 0, 0, 0, 0);
		assert_int_equal(f->wrong_requests, 0);
	}
}

static void test_keeps_so_many_under_way(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.depth = 16;
	f->plan.count = 1000;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 1000, 0, 0, 0, 0);
	assert_int_equal(f->most_at_once, 16);
}

static void test_connects_for_each(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.connect_each = true;
	f->plan.connections = 4;
	f->plan.count = 100;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 100, 0, 0, 0, 0);
	assert_int_equal(f->n_connections, 100);
	assert_int_equal(f->result.connections, 100);
	assert_true(f->result.most_open <= 4);
}

static void test_a_reply_may_come_in_pieces(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .in_pieces = true });

	(void)state;
	f->plan.depth = 4;
	f->plan.connections = 2;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 10, 0, 0, 0, 0);
}

static void test_parts_of_a_reply_may_vary(void **state)
{
	static const char varying[] = "\0\0\0\1\1\1\0";
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .reply = "at 123\n", .other = "at 456\n", .first = 3, .last = 3 });

	(void)state;
	f->exchange.reply = "at 000\n";
	f->exchange.reply_len = 7;
	f->exchange.varying = varying;
	f->plan.depth = 2;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 10, 0, 0, 0, 0);

	f->exchange.reply = "it 000\n";
	load_result_deinit(&f->result);
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered, 0);
	assert_int_equal(f->result.errors[LOAD_WRONG], 10);
}

static void test_counts_what_is_wrong(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .other = "I am SERVEr\n", .first = 6, .last = 6 });

	(void)state;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 9, 0, 0, 0, 1);
	assert_int_equal(f->result.connections, 2);
	assert_memory_equal(f->result.sample, "I am SERVEr\n", f->result.sample_len);
}

static void test_what_is_behind_a_wrong_reply_counts_with_it(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .other = "HTTP/1.1 400\r\n", .first = 3, .last = 3 });

	(void)state;
	f->plan.depth = 5;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 7, 0, 0, 0, 3);
	assert_memory_equal(f->result.sample, "HTTP/1.1 400\r\n", 14);
}

static void test_more_than_was_asked_for_is_wrong(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .other = REPLY REPLY, .first = 10, .last = 10 });

	(void)state;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered, 10);
	assert_int_equal(f->result.errors[LOAD_WRONG], 1);
}

static void test_a_refusal_leaves_the_connection(void **state)
{
	_cleanup_(deinit) struct fixture *f = init(
		(struct behaviour){ .other = "ERR id 1 to 3\n", .first = 4, .last = 6, .in_pieces = true });

	(void)state;
	f->plan.depth = 3;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 7, 0, 0, 3, 0);
	assert_int_equal(f->result.connections, 1);
	assert_memory_equal(f->result.sample, "ERR id 1 to 3\n", f->result.sample_len);
}

static void test_refusals_nobody_asked_for_count_once(void **state)
{
	_cleanup_(deinit) struct fixture *f = init(
		(struct behaviour){ .other = "ERR x\nERR x\nERR x\nERR x\nERR x\n", .first = 4, .last = 4 });

	(void)state;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered, 9);
	assert_int_equal(f->result.errors[LOAD_REFUSED], 2);
	assert_int_equal(f->result.errors[LOAD_WRONG], 0);
	assert_int_equal(f->result.connections, 2);
}

static void test_no_refusals_where_there_are_none(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .other = "ERR id 1 to 3\n", .first = 4, .last = 4 });

	(void)state;
	f->plan.refusal = NULL;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 9, 0, 0, 0, 1);
}

static void test_an_endless_refusal_is_wrong(void **state)
{
	char line[1000] = "ERR ";
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .other = line, .first = 4, .last = 4 });

	(void)state;
	memset(line + 4, 'x', sizeof(line) - 5);
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 9, 0, 0, 0, 1);
	assert_int_equal(f->result.sample_len, LOAD_SAMPLE_MAX);
}

static void test_a_full_house_refuses(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .greeting = "ERR busy come later" });

	(void)state;
	f->plan.count = 0;
	f->plan.duration_usec = 20000;
	f->plan.connections = 3;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered, 0);
	assert_true(f->result.errors[LOAD_REFUSED] >= 3);
	assert_int_equal(f->result.errors[LOAD_WRONG], 0);
}

static void test_counts_what_is_closed(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .closes = true, .first = 6, .last = 6 });

	(void)state;
	f->plan.depth = 2;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered + f->result.errors[LOAD_CLOSED], 10);
	assert_in_range(f->result.errors[LOAD_CLOSED], 1, 2);
	assert_int_equal(f->result.connections, 2);
}

static void test_counts_what_is_not_answered_in_time(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .silent = true, .first = 6, .last = 6 });

	(void)state;
	f->plan.timeout_usec = 10000;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 9, 0, 1, 0, 0);
	assert_int_equal(f->result.connections, 2);
}

static void test_ends_when_the_server_has_gone(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .gone_after = 500 });

	(void)state;
	f->plan.count = 1000000;
	f->plan.connections = 3;
	f->plan.timeout_usec = 100000;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.sent, f->result.answered + f->result.errors[LOAD_CLOSED]);
	assert_true(f->result.sent < 1000);
	assert_true(f->result.errors[LOAD_CONNECT] > 0);
	assert_int_equal(f->result.connect_errno, ECONNREFUSED);
}

static void test_goes_on_until_the_time_is_over(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .gone_after = 5 });

	(void)state;
	f->plan.count = 0;
	f->plan.duration_usec = 200000;
	f->plan.timeout_usec = 10000;
	f->plan.connect_each = true;
	assert_int_equal(run(f), 0);
	assert_true(f->result.elapsed >= 200 * MSEC);
	assert_true(f->result.errors[LOAD_CONNECT] > 0);
	assert_int_equal(f->result.sent,
		f->result.answered + f->result.errors[LOAD_CLOSED] + f->result.errors[LOAD_CONNECT]);
}

static void test_nobody_there_at_all(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	go_away(f);
	f->plan.connections = 5;
	assert_int_equal(run(f), -ECONNREFUSED);
	f->plan.connect_each = true;
	assert_int_equal(run(f), -ECONNREFUSED);
}

static void test_tries_each_address(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });
	const struct netio_address addresses[] = { new_address(), f->address };

	(void)state;
	f->plan.addresses = addresses;
	f->plan.n_addresses = 2;
	f->plan.connections = 3;
	f->plan.count = 100;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 100, 0, 0, 0, 0);
	assert_int_equal(f->result.errors[LOAD_CONNECT], 0);
	assert_ptr_equal(f->result.address, &addresses[1]);

	load_result_deinit(&f->result);
	f->plan.connect_each = true;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 100, 0, 0, 0, 0);
}

static void test_a_rate_is_kept(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.connections = 3;
	f->plan.count = 51;
	f->plan.rate = 1000;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 51, 0, 0, 0, 0);
	assert_true(f->result.elapsed >= 50 * MSEC);
	for (size_t i = 0; i < 3; i++) /* they take turns */
		assert_true(f->connections[i] >= 0 || f->n_connections == 3);
}

static void test_a_rate_connects_for_each(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.connect_each = true;
	f->plan.connections = 3;
	f->plan.count = 20;
	f->plan.rate = 1000;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 20, 0, 0, 0, 0);
	assert_int_equal(f->n_connections, 20);
}

/* All of 100 are due within 10 ms, and none is answered before 30 ms have passed. */
static void test_latency_counts_from_when_a_request_was_due(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .late_nsec = 30 * MSEC });

	(void)state;
	f->plan.count = 100;
	f->plan.rate = 10000;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 100, 0, 0, 0, 0);
	assert_true(histogram_min(f->result.latency) >= 15 * MSEC);
}

static void test_counts_what_was_due_and_never_sent(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .silent = true, .first = 1, .last = 1000 });

	(void)state;
	f->plan.count = 0;
	f->plan.duration_usec = 20000;
	f->plan.timeout_usec = 60000;
	f->plan.rate = 10000;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->result.answered, 0);
	assert_in_range(f->result.sent, 1, 3);
	assert_int_equal(f->result.sent, f->result.errors[LOAD_TIMEOUT] + f->result.under_way);
	assert_in_range(f->result.unsent + f->result.sent, 199, 201);
}

static void test_waits_for_the_last_replies(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ .late_nsec = 30 * MSEC });

	(void)state;
	f->plan.count = 0;
	f->plan.duration_usec = 10000;
	f->plan.connections = 3;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 3, 0, 0, 0, 0);
	assert_int_equal(f->result.answered_in_time, 0);
}

static void test_does_not_count_the_warm_up(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.warmup_usec = 10000;
	f->plan.count = 100;
	f->plan.depth = 4;
	assert_int_equal(run(f), 0);
	assert_outcome(&f->result, 100, 0, 0, 0, 0);
	assert_true(f->n_requests > 100);
}

static void test_a_listener_ends_the_run(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });

	(void)state;
	f->plan.count = UINT64_MAX;
	f->stop_on_tick = true;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->n_ticks, 1);
	assert_outcome(&f->result, f->result.answered, 0, 0, 0, 0);
	assert_true(f->result.elapsed > 0);

	load_result_deinit(&f->result);
	f->stop_on_tick = false;
	f->n_rounds = 0;
	f->stop_after_rounds = 50;
	assert_int_equal(run(f), 0);
	assert_int_equal(f->n_rounds, 50);
}

static int stop(void *userdata)
{
	(void)userdata;
	return 1;
}

static void test_a_descriptor_ends_the_run(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .silent = true, .first = 1, .last = 99 });
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	f->plan.tick_usec = 0;
	f->listener.fd = pipes[0];
	f->listener.woken = stop;
	assert_int_equal(run(f), 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(f->result.answered, 0);
}

static void test_needs_no_listener(void **state)
{
	_cleanup_(deinit) struct fixture *f =
		init((struct behaviour){ .silent = true, .first = 1, .last = 99 });

	(void)state;
	f->plan.timeout_usec = 2000;
	f->plan.count = 1;
	assert_int_equal(load_run(&f->plan, NULL, &f->result), 0);
	assert_outcome(&f->result, 0, 0, 1, 0, 0);
}

static void test_refuses_plans_without_sense(void **state)
{
	_cleanup_(deinit) struct fixture *f = init((struct behaviour){ 0 });
	const struct load_plan good = f->plan;

	(void)state;
	f->plan.connections = 0;
	assert_int_equal(run(f), -EINVAL);
	f->plan = good;
	f->plan.depth = LOAD_DEPTH_MAX + 1;
	assert_int_equal(run(f), -EINVAL);
	f->plan = good;
	f->plan.depth = 2;
	f->plan.connect_each = true;
	assert_int_equal(run(f), -EINVAL);
	f->plan = good;
	f->plan.count = 0; /* and no duration: without an end */
	assert_int_equal(run(f), -EINVAL);
	f->plan = good;
	f->exchange.reply_len = 0;
	assert_int_equal(run(f), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sends_as_many_as_asked),
		cmocka_unit_test(test_connections_differ_in_what_they_say),
		cmocka_unit_test(test_requests_of_one_length_take_turns),
		cmocka_unit_test(test_keeps_so_many_under_way),
		cmocka_unit_test(test_connects_for_each),
		cmocka_unit_test(test_a_reply_may_come_in_pieces),
		cmocka_unit_test(test_parts_of_a_reply_may_vary),
		cmocka_unit_test(test_counts_what_is_wrong),
		cmocka_unit_test(test_what_is_behind_a_wrong_reply_counts_with_it),
		cmocka_unit_test(test_more_than_was_asked_for_is_wrong),
		cmocka_unit_test(test_a_refusal_leaves_the_connection),
		cmocka_unit_test(test_refusals_nobody_asked_for_count_once),
		cmocka_unit_test(test_no_refusals_where_there_are_none),
		cmocka_unit_test(test_an_endless_refusal_is_wrong),
		cmocka_unit_test(test_a_full_house_refuses),
		cmocka_unit_test(test_counts_what_is_closed),
		cmocka_unit_test(test_counts_what_is_not_answered_in_time),
		cmocka_unit_test(test_ends_when_the_server_has_gone),
		cmocka_unit_test(test_goes_on_until_the_time_is_over),
		cmocka_unit_test(test_nobody_there_at_all),
		cmocka_unit_test(test_tries_each_address),
		cmocka_unit_test(test_a_rate_is_kept),
		cmocka_unit_test(test_a_rate_connects_for_each),
		cmocka_unit_test(test_latency_counts_from_when_a_request_was_due),
		cmocka_unit_test(test_counts_what_was_due_and_never_sent),
		cmocka_unit_test(test_waits_for_the_last_replies),
		cmocka_unit_test(test_does_not_count_the_warm_up),
		cmocka_unit_test(test_a_listener_ends_the_run),
		cmocka_unit_test(test_a_descriptor_ends_the_run),
		cmocka_unit_test(test_needs_no_listener),
		cmocka_unit_test(test_refuses_plans_without_sense),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}

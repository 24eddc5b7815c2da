#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sockctl/swarm.h"

#define CLIENTS_MAX 1000

/*
 * The test is the server too: batch_done() runs before each wait of the swarm, accepts what has connected and
 * answers what has greeted. So nothing runs beside the swarm, and every step of the server wakes it.
 */
struct fixture {
	struct netio_address address;
	struct greeter_plan greeter;
	struct swarm_plan plan;
	struct swarm_listener listener;
	struct idset *ids;
	int server;
	int connections[CLIENTS_MAX];
	size_t n_connections, n_open, most_open;
	bool backwards; /* waits until n_expected have connected, answers the last one first */
	size_t n_expected;
	const char *only; /* greeting that is answered; NULL: all are */
	int signal_after; /* results, then SIGTERM comes */
	bool signal_once_answered;
	int stop; /* what batch_done() returns */
	uint32_t results[4 * CLIENTS_MAX];
	size_t n_sent, n_results, n_answered, n_ticks;
};

static void accept_all(struct fixture *f)
{
	int fd;

	while (f->n_connections < CLIENTS_MAX && (fd = accept4(f->server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		f->connections[f->n_connections++] = fd;
		f->n_open++;
	}
	if (f->n_open > f->most_open)
		f->most_open = f->n_open;
}

static void answer(struct fixture *f, int *fd)
{
	char line[256] = "";
	ssize_t n = *fd < 0 ? -1 : recv(*fd, line, sizeof(line) - 1, 0);

	if (n > 0 && (!f->only || strcmp(line, f->only) == 0)) {
		assert_int_equal(send(*fd, "I am SERVER\n", 12, MSG_NOSIGNAL), 12);
		f->n_sent++;
	}
	if (n == 0) {
		close(*fd);
		*fd = -1;
		f->n_open--;
	}
}

static int serve(void *userdata)
{
	struct fixture *f = userdata;

	if (f->signal_after > 0 && f->n_results >= (size_t)f->signal_after)
		raise(SIGTERM);
	if (f->signal_once_answered && f->n_sent > 0)
		raise(SIGTERM);
	for (size_t i = 0; i < f->n_connections;
		i++) /* closed ones first, to know how many are open at once */
		if (!f->backwards)
			answer(f, &f->connections[i]);
	accept_all(f);
	if (f->backwards && f->n_connections >= f->n_expected)
		for (size_t i = f->n_connections; i > 0; i--) {
			answer(f, &f->connections[i - 1]);
		}
	return f->stop;
}

static void greeted(void *userdata, const struct greeting *greeting)
{
	struct fixture *f = userdata;

	f->results[f->n_results++] = greeting->id;
	f->n_answered += greeting->result == GREETING_ANSWERED;
}

static void tick(void *userdata)
{
	struct fixture *f = userdata;

	f->n_ticks++;
}

static struct fixture fixture;

static struct fixture *init(const char *ids)
{
	struct fixture *f = &fixture;
	static int number;
	int n;

	*f = (struct fixture){ .address.un.sun_family = AF_UNIX };
	n = snprintf(f->address.un.sun_path + 1, 64, "greeterd-swarm-%d-%d", getpid(), number++);
	f->address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	f->server = netio_listen(&f->address, 4096);
	assert_true(f->server >= 0);
	f->greeter = (struct greeter_plan){
		.addresses = &f->address, .n_addresses = 1, .reply = "I am SERVER", .timeout_usec = 20000000
	};
	if (ids)
		assert_int_equal(idset_parse(ids, UINT32_MAX, &f->ids), 0);
	f->plan = (struct swarm_plan){ .greeter = &f->greeter,
		.ids = f->ids,
		.count = 1,
		.in_order = true,
		.max_connections = CLIENTS_MAX };
	f->listener = (struct swarm_listener){ greeted, serve, tick, f };
	return f;
}

static int teardown(void **state)
{
	struct fixture *f = &fixture;

	(void)state;
	for (size_t i = 0; i < f->n_connections; i++)
		closep(&f->connections[i]);
	closep(&f->server);
	idset_free(f->ids);
	return 0;
}

static void assert_all_in_order(const struct fixture *f, size_t n)
{
	assert_int_equal(f->n_results, n);
	assert_int_equal(f->n_answered, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(f->results[i], i + 1);
}

static void test_one_unnumbered_client(void **state)
{
	struct fixture *f = init(NULL);

	(void)state;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_int_equal(f->n_results, 1);
	assert_int_equal(f->n_answered, 1);
	assert_int_equal(f->results[0], 0);
}

static void test_many_at_once(void **state)
{
	struct fixture *f = init("1-300");

	(void)state;
	f->backwards = true;
	f->n_expected = 300;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_all_in_order(f, 300);
	assert_int_equal(f->most_open, 300);
}

static void test_clients_take_turns(void **state)
{
	struct fixture *f = init("1-200");

	(void)state;
	f->plan.max_connections = 7;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_all_in_order(f, 200);
	assert_true(f->most_open <= 7);
}

/* A server in a process of its own, which serves one connection after another. */
static pid_t fork_server(int fd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	alarm(60);
	(void)fcntl(fd, F_SETFL, 0);
	for (;;) {
		_cleanup_(closep) int connection = accept(fd, NULL, NULL);
		char line[256];

		if (recv(connection, line, sizeof(line), 0) > 0)
			(void)send(connection, "I am SERVER\n", 12, MSG_NOSIGNAL);
	}
}

static int do_nothing(void *userdata)
{
	(void)userdata;
	return 0;
}

static void test_waits_for_descriptors(void **state)
{
	struct fixture *f = init("1-60");
	pid_t server = fork_server(f->server);
	struct rlimit before, few;
	int next = dup(0);

	(void)state;
	close(next);
	f->listener.batch_done = do_nothing;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 3 + 5; /* the swarm's own, and five connections */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int r = swarm_run(&f->plan, &f->listener);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	assert_int_equal(r, 0);
	assert_all_in_order(f, 60);
}

static void test_counts_on_one_connection_each(void **state)
{
	struct fixture *f = init("1-3");

	(void)state;
	f->plan.count = 5;
	f->plan.in_order = false;
	f->plan.interval_usec = 1000;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_int_equal(f->n_results, 15);
	assert_int_equal(f->n_answered, 15);
	assert_int_equal(f->n_connections, 3);
}

static void test_no_client_greets_again_when_others_take_long(void **state)
{
	struct fixture *f = init("1-6");

	(void)state;
	f->only = "I am client 1\n";
	f->greeter.timeout_usec = 30000;
	f->plan.max_connections = 2;
	f->plan.in_order = false;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_int_equal(f->n_results, 6);
	assert_int_equal(f->n_answered, 1);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(f->results[i], i + 1);
}

static void test_a_signal_ends_it(void **state)
{
	struct fixture *f = init("1-3");

	(void)state;
	f->plan.count = 0;
	f->plan.in_order = false;
	f->plan.tick_usec = 100;
	f->plan.interval_usec = 1000;
	f->signal_after = 9;
	assert_int_equal(swarm_run(&f->plan, &f->listener), SIGTERM);
	assert_true(f->n_results >= 9);
	assert_true(f->n_ticks > 0);
}

static void test_results_at_hand_are_told_when_a_signal_comes(void **state)
{
	struct fixture *f = init("1-3");

	(void)state;
	f->only = "I am client 2\n"; /* waits for client 1's result */
	f->signal_once_answered = true;
	assert_int_equal(swarm_run(&f->plan, &f->listener), SIGTERM);
	assert_int_equal(f->n_results, 1);
	assert_int_equal(f->n_answered, 1);
	assert_int_equal(f->results[0], 2);
}

static void test_an_ignored_signal_stays_ignored(void **state)
{
	struct fixture *f = init("1-3");

	(void)state;
	f->signal_after = 1;
	f->plan.count = 3;
	f->plan.in_order = false;
	signal(SIGTERM, SIG_IGN);
	int r = swarm_run(&f->plan, &f->listener);
	signal(SIGTERM, SIG_DFL);
	assert_int_equal(r, 0);
	assert_int_equal(f->n_results, 9);
}

static void test_a_listener_can_end_it(void **state)
{
	struct fixture *f = init("1-3");

	(void)state;
	f->stop = -EPIPE;
	assert_int_equal(swarm_run(&f->plan, &f->listener), -EPIPE);
}

static void test_all_are_lost_when_nobody_listens(void **state)
{
	struct fixture *f = init("1-500");

	(void)state;
	close(f->server);
	f->server = -1;
	assert_int_equal(swarm_run(&f->plan, &f->listener), 0);
	assert_int_equal(f->n_results, 500);
	assert_int_equal(f->n_answered, 0);
}

static void test_an_endless_interval_does_not_wrap(void **state)
{
	struct fixture *f = init("1");

	(void)state;
	f->plan.count = 2;
	f->plan.in_order = false;
	f->plan.interval_usec = UINT64_MAX;
	f->signal_after = 1;
	assert_int_equal(swarm_run(&f->plan, &f->listener), SIGTERM);
	assert_int_equal(f->n_results, 1);
}

static void test_raises_the_limit(void **state)
{
	struct rlimit before, after;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(swarm_raise_limit() >= 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(after.rlim_cur, before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_says_what_cannot_be_set_up(void **state)
{
	struct fixture *f = init("1");
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = swarm_run(&f->plan, &f->listener);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one_unnumbered_client, teardown),
		cmocka_unit_test_teardown(test_many_at_once, teardown),
		cmocka_unit_test_teardown(test_clients_take_turns, teardown),
		cmocka_unit_test_teardown(test_waits_for_descriptors, teardown),
		cmocka_unit_test_teardown(test_counts_on_one_connection_each, teardown),
		cmocka_unit_test_teardown(test_no_client_greets_again_when_others_take_long, teardown),
		cmocka_unit_test_teardown(test_a_signal_ends_it, teardown),
		cmocka_unit_test_teardown(test_results_at_hand_are_told_when_a_signal_comes, teardown),
		cmocka_unit_test_teardown(test_an_ignored_signal_stays_ignored, teardown),
		cmocka_unit_test_teardown(test_a_listener_can_end_it, teardown),
		cmocka_unit_test_teardown(test_all_are_lost_when_nobody_listens, teardown),
		cmocka_unit_test_teardown(test_an_endless_interval_does_not_wrap, teardown),
		cmocka_unit_test(test_raises_the_limit),
		cmocka_unit_test_teardown(test_says_what_cannot_be_set_up, teardown),
	};

	return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}

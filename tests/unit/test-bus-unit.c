/* Asking systemd: the other end of the connection, in a thread, is a manager with one unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/duration.h"
#include "greeterd/bus-unit.h"

#define UNIT "/org/freedesktop/systemd1/unit/greeterd_2eservice"
#define JOB "/org/freedesktop/systemd1/job/7"

struct manager {
	int fd;
	const char *job; /* the type of the unit's job; NULL: it has none */
};

static int answer(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const struct manager *manager = data;
	const char *path = sd_bus_message_get_path(m), *interface, *property;
	uint32_t pid;

	(void)error;
	if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", "GetUnitByPID") > 0)
		return sd_bus_message_read(m, "u", &pid) > 0 && pid == 0
			       ? sd_bus_reply_method_return(m, "o", UNIT)
			       : -EINVAL;
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get") <= 0 ||
		sd_bus_message_read(m, "ss", &interface, &property) < 0)
		return 0;
	if (strcmp(path, UNIT) == 0 && strcmp(property, "Job") == 0)
		return sd_bus_reply_method_return(
			m, "v", "(uo)", manager->job ? 7 : 0, manager->job ? JOB : "/");
	if (strcmp(path, JOB) == 0 && strcmp(property, "JobType") == 0)
		return sd_bus_reply_method_return(m, "v", "s", manager->job);
	return 0;
}

/* Answers until the other end is closed. */
static void *manage(void *data)
{
	struct manager *manager = data;
	sd_bus *bus = NULL;
	sd_id128_t id = { .bytes = { 1 } };

	if (sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, manager->fd, manager->fd) >= 0 &&
		sd_bus_set_server(bus, true, id) >= 0 && sd_bus_set_anonymous(bus, true) >= 0 &&
		sd_bus_add_filter(bus, NULL, answer, manager) >= 0 && sd_bus_start(bus) >= 0)
		for (int r = 0; r >= 0;) {
			r = sd_bus_process(bus, NULL);
			if (r == 0)
				r = sd_bus_wait(bus, UINT64_MAX);
		}
	sd_bus_close_unref(bus);
	return NULL;
}

/* Our end of a connection, ready for use. */
static sd_bus *open_end(int fd)
{
	sd_bus *bus = NULL;

	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_fd(bus, fd, fd) >= 0);
	assert_true(sd_bus_set_anonymous(bus, true) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	return bus;
}

static bool stops(const char *job)
{
	struct manager manager = { .job = job };
	pthread_t thread;
	sd_bus *bus;
	int fds[2];
	bool answer;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	manager.fd = fds[1];
	assert_int_equal(pthread_create(&thread, NULL, manage, &manager), 0);
	bus = open_end(fds[0]);
	for (int r = 0; r >= 0 && sd_bus_is_ready(bus) == 0;) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, 10 * USEC_PER_SEC);
	}
	answer = bus_unit_stops(bus, 60 * USEC_PER_SEC);
	sd_bus_close_unref(bus);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return answer;
}

static void test_knows_a_stop(void **state)
{
	(void)state;
	assert_true(stops("stop"));
}

static void test_knows_a_restart(void **state)
{
	(void)state;
	assert_false(stops("restart"));
	assert_false(stops("try-restart"));
}

static void test_takes_no_job_for_a_restart(void **state)
{
	(void)state;
	assert_false(stops(NULL));
}

static void test_asks_nobody_without_a_bus(void **state)
{
	(void)state;
	assert_false(bus_unit_stops(NULL, UINT64_MAX));
}

/* A bus that is not ready is not waited for; this one never will be. */
static void test_waits_for_no_bus_that_is_not_ready(void **state)
{
	sd_bus *bus;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	bus = open_end(fds[0]);
	assert_false(bus_unit_stops(bus, UINT64_MAX));
	sd_bus_close_unref(bus);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_a_stop),
		cmocka_unit_test(test_knows_a_restart),
		cmocka_unit_test(test_takes_no_job_for_a_restart),
		cmocka_unit_test(test_asks_nobody_without_a_bus),
		cmocka_unit_test(test_waits_for_no_bus_that_is_not_ready),
	};

	return cmocka_run_group_tests_name("bus-unit", tests, NULL, NULL);
}

/* What is told to systemd, heard at a socket of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/duration.h"
#include "greeterd/notify.h"

#define WAIT_USEC (10 * USEC_PER_SEC) /* for what is to come, at most */

struct fixture {
	char folder[32];
	struct sockaddr_un address;
	int socket;
	sd_event *event;
	struct notify *notify;
	const char *status; /* what describe() tells */
	bool stuck;
	uint64_t now;
};

static void describe(void *data, char text[static NOTIFY_TEXT_MAX])
{
	snprintf(text, NOTIFY_TEXT_MAX, "%s", ((const struct fixture *)data)->status);
}

static bool is_stuck(void *data)
{
	return ((const struct fixture *)data)->stuck;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-notify.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->address.sun_family = AF_UNIX;
	snprintf(f->address.sun_path, sizeof(f->address.sun_path), "%s/notify", f->folder);
	f->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(f->socket >= 0);
	assert_int_equal(bind(f->socket, (const struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", f->address.sun_path, 1), 0);
	f->status = "fine";
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(notify_new(f->event, describe, f, &f->notify), 0);
	assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &f->now) >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	notify_free(f->notify);
	sd_event_unref(f->event);
	close(f->socket);
	unlink(f->address.sun_path);
	assert_int_equal(rmdir(f->folder), 0);
	unsetenv("NOTIFY_SOCKET");
	free(f);
	return 0;
}

/* The next message, or "". */
static const char *hears(const struct fixture *f)
{
	static char text[2 * NOTIFY_TEXT_MAX];
	ssize_t n = recv(f->socket, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* Lets the loop run until it has done something. */
static void runs(const struct fixture *f)
{
	assert_true(sd_event_run(f->event, WAIT_USEC) > 0);
}

static bool has_nothing_to_do(const struct fixture *f)
{
	return sd_event_run(f->event, USEC_PER_SEC * 3 / 10) == 0;
}

static void test_says_that_it_is_ready_and_how_it_stands(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now);
	assert_string_equal(hears(f), "READY=1\nSTATUS=fine");
}

static void test_says_when_a_reload_began(void **state)
{
	notify_reloading(1234567890);
	assert_string_equal(
		hears(*state), "RELOADING=1\nMONOTONIC_USEC=1234567890\nSTATUS=Reading the settings");
}

static void test_says_that_it_stops_and_how_long_that_takes(void **state)
{
	struct fixture *f = *state;

	notify_stopping(f->notify, "Idle", 5 * USEC_PER_SEC);
	assert_string_equal(hears(f), "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000\nSTATUS=Idle");
}

static void watchdog_in(uint64_t usec)
{
	char span[32], pid[16];

	snprintf(span, sizeof(span), "%llu", (unsigned long long)usec);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_USEC", span, 1);
	setenv("WATCHDOG_PID", pid, 1);
}

static void test_pings_the_watchdog_until_something_is_stuck(void **state)
{
	struct fixture *f = *state;

	watchdog_in(USEC_PER_SEC / 10);
	assert_int_equal(notify_watchdog(f->notify, is_stuck), 0);
	for (int i = 0; i < 4; i++) {
		runs(f);
		assert_string_equal(hears(f), "WATCHDOG=1");
	}
	f->stuck = true;
	runs(f);
	assert_string_equal(hears(f), "");
	assert_true(has_nothing_to_do(f));
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void test_pings_nobody_who_does_not_want_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(notify_watchdog(f->notify, is_stuck), 0);
	assert_true(has_nothing_to_do(f));
	assert_string_equal(hears(f), "");
}

static void test_a_change_after_a_second_is_told_at_once(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now - USEC_PER_SEC);
	(void)hears(f);
	f->status = "better";
	notify_changed(f->notify, f->now);
	assert_string_equal(hears(f), "STATUS=better");
}

static void test_changes_within_a_second_are_told_once_when_it_is_over(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now - USEC_PER_SEC * 9 / 10);
	(void)hears(f);
	f->status = "worse";
	notify_changed(f->notify, f->now);
	f->status = "better";
	notify_changed(f->notify, f->now + 1);
	assert_string_equal(hears(f), "");
	runs(f);
	assert_string_equal(hears(f), "STATUS=better");
	assert_string_equal(hears(f), "");
	f->status = "best";
	assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &f->now) >= 0);
	notify_changed(f->notify, f->now + USEC_PER_SEC / 2);
	assert_string_equal(hears(f), ""); /* the next second runs since then */
	notify_changed(f->notify, f->now + USEC_PER_SEC);
	assert_string_equal(hears(f), ""); /* what waits is told by the timer */
}

static void test_what_is_as_it_was_is_not_told(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now - 2 * USEC_PER_SEC);
	(void)hears(f);
	notify_changed(f->notify, f->now);
	assert_string_equal(hears(f), "");
}

static void test_ready_tells_what_waited(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now - USEC_PER_SEC * 9 / 10);
	(void)hears(f);
	notify_changed(f->notify, f->now);
	f->status = "reloaded";
	notify_ready(f->notify, f->now);
	assert_string_equal(hears(f), "READY=1\nSTATUS=reloaded");
	f->status = "too early";
	assert_true(has_nothing_to_do(f));
	assert_string_equal(hears(f), "");
}

static void test_nothing_is_told_after_stopping(void **state)
{
	struct fixture *f = *state;

	notify_ready(f->notify, f->now - USEC_PER_SEC * 9 / 10);
	(void)hears(f);
	f->status = "changed";
	notify_changed(f->notify, f->now);
	notify_stopping(f->notify, "Idle", USEC_PER_SEC);
	(void)hears(f);
	assert_true(has_nothing_to_do(f));
	assert_string_equal(hears(f), "");
}

static void test_removes_all_from_the_store(void **state)
{
	notify_clear_store();
	assert_string_equal(hears(*state), "FDSTOREREMOVE=1\nFDNAME=" NOTIFY_STORE_NAME);
}

/* Receives a message with one descriptor, as systemd does, waiting for it. */
static int receive_fd(int socket, char *text, size_t size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control;
	struct iovec part = { text, size - 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	const struct cmsghdr *rights;
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (rights = CMSG_FIRSTHDR(&message); rights;
		rights = CMSG_NXTHDR(&message, (struct cmsghdr *)rights))
		if (rights->cmsg_type == SCM_RIGHTS) {
			memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
			return fd;
		}
	return -ENODATA;
}

/* systemd: writes what it hears into the descriptor it is to store, and answers the barrier by closing it. */
static int manage(int socket)
{
	char text[256] = "", barrier[64] = "";
	int stored, held;

	fcntl(socket, F_SETFL, 0); /* waits */
	stored = receive_fd(socket, text, sizeof(text));
	if (stored < 0 || write(stored, text, strlen(text)) < 0)
		return 1;
	held = receive_fd(socket, barrier, sizeof(barrier));
	if (held < 0 || strcmp(barrier, "BARRIER=1") != 0)
		return 2;
	close(held);
	return 0;
}

static void test_stores_a_descriptor_and_waits_until_it_is_there(void **state)
{
	struct fixture *f = *state;
	char text[256];
	int pipe_fds[2], status, r;
	ssize_t n;
	pid_t manager;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	fflush(NULL);
	manager = fork();
	assert_true(manager >= 0);
	if (manager == 0)
		_exit(manage(f->socket));
	r = notify_store(pipe_fds[1]);
	close(pipe_fds[1]);
	n = read(pipe_fds[0], text, sizeof(text) - 1);
	close(pipe_fds[0]);
	assert_int_equal(waitpid(manager, &status, 0), manager);
	assert_int_equal(r, 0);
	assert_int_equal(status, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NOTIFY_STORE_NAME);
}

static void test_says_when_nobody_listens_there(void **state)
{
	struct fixture *f = *state;

	unlink(f->address.sun_path);
	assert_int_equal(notify_store(STDIN_FILENO), -ENOENT);
	assert_int_equal(notify_store(-1), -EBADF);
}

static void test_tells_nobody_without_a_service_manager(void **state)
{
	struct fixture *f = *state;

	unsetenv("NOTIFY_SOCKET");
	notify_ready(f->notify, f->now);
	notify_reloading(f->now);
	f->status = "changed";
	notify_changed(f->notify, f->now + USEC_PER_SEC);
	notify_clear_store();
	notify_stopping(f->notify, "Idle", USEC_PER_SEC);
	assert_int_equal(notify_store(STDIN_FILENO), -ENOENT);
	assert_string_equal(hears(f), "");
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	notify_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_says_that_it_is_ready_and_how_it_stands),
		CASE(test_says_when_a_reload_began),
		CASE(test_says_that_it_stops_and_how_long_that_takes),
		CASE(test_pings_the_watchdog_until_something_is_stuck),
		CASE(test_pings_nobody_who_does_not_want_it),
		CASE(test_a_change_after_a_second_is_told_at_once),
		CASE(test_changes_within_a_second_are_told_once_when_it_is_over),
		CASE(test_what_is_as_it_was_is_not_told),
		CASE(test_ready_tells_what_waited),
		CASE(test_nothing_is_told_after_stopping),
		CASE(test_removes_all_from_the_store),
		CASE(test_stores_a_descriptor_and_waits_until_it_is_there),
		CASE(test_says_when_nobody_listens_there),
		CASE(test_tells_nobody_without_a_service_manager),
		cmocka_unit_test(test_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/exits.h"
#include "greeterd/startup.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* Settings, and a journal whose lines come back from a pipe. */
struct fixture {
	struct settings *settings;
	struct journal *journal;
	int log_read, log_write;
};

static struct settings *parse(const char *text)
{
	struct settings_report report = { 0 };
	struct settings *settings = NULL;

	assert_int_equal(settings_parse(text, strlen(text), "test", &settings, &report), 0);
	return settings;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int log[2];

	assert_non_null(f);
	f->settings = parse("port = 1; listen = [ \"127.0.0.1\" ];");
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	f->log_read = log[0];
	f->log_write = log[1];

	const struct journal_setup setup = { .fd = f->log_write, .max_id = 10 };
	assert_int_equal(journal_new(&setup, &f->journal), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	settings_free(f->settings);
	journal_free(f->journal);
	close(f->log_read);
	close(f->log_write);
	free(f);
	return 0;
}

static const char *log_text(const struct fixture *f)
{
	static char text[4096];
	ssize_t n;

	journal_flush(f->journal, UINT64_MAX);
	n = read(f->log_read, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int new_listener(struct netio_address *ret)
{
	int fd;

	assert_int_equal(netio_parse("127.0.0.1", 0, ret), 1);
	fd = netio_listen(ret, 5);
	assert_true(fd >= 0);
	assert_int_equal(netio_local(fd, ret), 0);
	return fd;
}

/* --- listeners */

static void test_binds_the_settings_by_hand_and_describes_them(void **state)
{
	struct fixture *f = *state;
	struct listeners listeners = { 0 };
	struct netio_address address;
	char text[128], expected[NETIO_TEXT_MAX];
	int taken = new_listener(&address);

	settings_free(f->settings);
	netio_format(&address, expected);
	f->settings = parse("");
	f->settings->port = ntohs(address.in.sin_port);
	close(taken);
	assert_int_equal(startup_listeners(f->settings, f->journal, &listeners), 0);
	assert_true(listeners.n > 0);
	assert_false(listeners.inherited);
	startup_describe(&listeners, text, sizeof(text));
	assert_memory_equal(text, "0.0.0.0:", 8);
	assert_string_equal(log_text(f), "");
	activation_close(&listeners);
}

static void test_says_which_address_is_taken(void **state)
{
	struct fixture *f = *state;
	struct listeners listeners = { 0 };
	struct netio_address address;
	char expected[NETIO_TEXT_MAX];
	int taken = new_listener(&address);

	netio_format(&address, expected);
	f->settings->port = ntohs(address.in.sin_port);
	assert_int_equal(startup_listeners(f->settings, f->journal, &listeners), DAEMON_FAILURE);
	assert_non_null(strstr(log_text(f), expected));
	close(taken);
}

static void test_a_service_without_a_socket_is_told_what_to_run(void **state)
{
	struct fixture *f = *state;
	struct listeners listeners = { 0 };
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("SYSTEMD_EXEC_PID", pid, 1);
	assert_int_equal(startup_listeners(f->settings, f->journal, &listeners), DAEMON_CONFIG);
	unsetenv("SYSTEMD_EXEC_PID");
	assert_non_null(strstr(log_text(f), "systemctl start greeterd.socket"));
}

/* In a child: what systemd does with one descriptor, then run(). Returns its exit status. */
static int handed_over(int fd, int (*run)(struct fixture *f), struct fixture *f)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		unsetenv("LISTEN_FDNAMES");
		if (fd != FIRST_FD) {
			/* What stands there is the parent's; the journal's end of the pipe moves. */
			f->log_write = fcntl(f->log_write, F_DUPFD, 100);
			dup2(fd, FIRST_FD);
		}
		exit(run(f)); /* not _exit(2): its coverage counts */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int start(struct fixture *f)
{
	const struct journal_setup setup = { .fd = f->log_write, .max_id = 10 };
	struct listeners listeners = { 0 };
	struct journal *journal;
	int r;

	if (journal_new(&setup, &journal) < 0)
		return -1;
	r = startup_listeners(f->settings, journal, &listeners);
	journal_flush(journal, UINT64_MAX);
	if (r == 0 && (listeners.n != 1 || !listeners.inherited))
		r = -1;
	activation_close(&listeners);
	journal_free(journal);
	return r;
}

static void test_adopts_what_is_handed_over(void **state)
{
	struct fixture *f = *state;
	struct netio_address address;
	int fd = new_listener(&address);

	assert_int_equal(handed_over(fd, start, f), 0);
	assert_string_equal(log_text(f), "");
	close(fd);
}

static void test_nothing_of_use_is_no_way_to_start(void **state)
{
	struct fixture *f = *state;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(handed_over(fd, start, f), DAEMON_CONFIG);
	assert_non_null(strstr(log_text(f), "handed over no socket to listen on"));
	close(fd);
}

static int refuse_all(struct fixture *f)
{
	char *lines[] = { (char[]){ "greeterd.conf:1: prot: no such setting" } };
	const struct settings_report report = { .lines = lines, .n_lines = 1 };

	dup2(f->log_write, STDERR_FILENO);
	startup_refuse_all(&report, false);
	return 0;
}

static void test_without_settings_who_waits_is_told_so(void **state)
{
	struct fixture *f = *state;
	struct netio_address address;
	int fd = new_listener(&address), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[128] = "";

	assert_int_equal(connect(client, &address.any, address.len), 0);
	assert_int_equal(handed_over(fd, refuse_all, f), 0);
	assert_true(recv(client, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "ERR shutdown the server is stopping\n");
	assert_string_equal(log_text(f), "greeterd.conf:1: prot: no such setting\n");
	close(client);
	close(fd);
}

/* --- the rest */

static void test_a_description_ends_where_its_room_does(void **state)
{
	struct netio_address address;
	int fds[] = { new_listener(&address), new_listener(&address), new_listener(&address) };
	const struct listeners listeners = { .fds = fds, .n = 3 };
	char text[32];

	(void)state;
	startup_describe(&listeners, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
	assert_memory_equal(text, "127.0.0.1:", 10);
	startup_describe(&(struct listeners){ 0 }, text, sizeof(text));
	assert_string_equal(text, "");
	for (size_t i = 0; i < ELEMENTS(fds); i++)
		close(fds[i]);
}

static void test_raises_the_limit_of_descriptors_and_says_when_it_is_low(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = before.rlim_max / 2, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	f->settings->max_connections = 1;
	startup_descriptors(f->settings, f->journal);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limit.rlim_cur, before.rlim_max);
	assert_string_equal(log_text(f), "");
	if (before.rlim_max < 1000000) {
		f->settings->max_connections = 1000000;
		startup_descriptors(f->settings, f->journal);
		assert_non_null(strstr(log_text(f), "max_connections is 1000000, but only "));
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_logs_to_standard_error_where_there_is_no_journal(void **state)
{
	struct fixture *f = *state;
	struct journal *journal;
	int kept = dup(STDERR_FILENO);

	unsetenv("JOURNAL_STREAM");
	dup2(f->log_write, STDERR_FILENO);
	assert_int_equal(startup_journal(f->settings, false, &journal), 0);
	journal_say(journal, MESSAGE_PROBLEM, "heard");
	journal_flush(journal, 0);
	journal_free(journal);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_string_equal(log_text(f), "heard\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_binds_the_settings_by_hand_and_describes_them),
		CASE(test_says_which_address_is_taken),
		CASE(test_a_service_without_a_socket_is_told_what_to_run),
		CASE(test_adopts_what_is_handed_over),
		CASE(test_nothing_of_use_is_no_way_to_start),
		CASE(test_without_settings_who_waits_is_told_so),
		CASE(test_a_description_ends_where_its_room_does),
		CASE(test_raises_the_limit_of_descriptors_and_says_when_it_is_low),
		CASE(test_logs_to_standard_error_where_there_is_no_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

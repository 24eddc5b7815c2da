/* The settings in force, from a file of the test's own, with a server that has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/exits.h"
#include "greeterd/inforce.h"
#include "greeterd/lastgood.h"

struct fixture {
	char folder[32];
	char file[64];
	char last_good[64];
	struct inforce inforce;
	struct journal *journal;
	struct roll *roll;
	struct watchers watchers;
	struct server *server;
	int listener;
	struct listeners listeners;
	int kept_stderr, log_read;
};

static void write_file(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->file, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct netio_address address[NETIO_PARSE_MAX];
	int log[2];

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-inforce.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof(f->file), "%s/greeterd.conf", f->folder);
	snprintf(f->last_good, sizeof(f->last_good), "%s/" LASTGOOD_NAME, f->folder);
	f->inforce = (struct inforce){ .file = f->file, .state_dir = f->folder };
	assert_int_equal(netio_parse("127.0.0.1", 0, address), 1);
	f->listener = netio_listen(&address[0], 5);
	assert_true(f->listener >= 0);
	f->listeners = (struct listeners){ .fds = &f->listener, .n = 1, .inherited = true };

	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	f->kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(dup2(log[1], STDERR_FILENO), STDERR_FILENO);
	close(log[1]);
	f->log_read = log[0];
	unsetenv("JOURNAL_STREAM");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	dup2(f->kept_stderr, STDERR_FILENO);
	close(f->kept_stderr);
	close(f->log_read);
	server_free(f->server);
	roll_free(f->roll);
	journal_free(f->journal);
	inforce_deinit(&f->inforce);
	close(f->listener);
	unlink(f->file);
	unlink(f->last_good);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

/* Starts with this file, and a server. */
static void starts(struct fixture *f, const char *text)
{
	write_file(f, text);
	assert_int_equal(inforce_start(&f->inforce, false, &f->journal), 0);
	assert_int_equal(roll_new(&(struct roll_setup){ .max_id = f->inforce.now->max_id }, &f->roll), 0);

	const struct server_setup setup = {
		.settings = f->inforce.now,
		.listeners = &f->listener,
		.n_listeners = 1,
		.roll = f->roll,
		.journal = f->journal,
		.watchers = &f->watchers,
	};
	assert_int_equal(server_new(&setup, &f->server), 0);
}

static void reloads(struct fixture *f, const char *text)
{
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	const char *pending[SETTINGS_PENDING_MAX];
	size_t n_pending;

	write_file(f, text);
	(void)inforce_reload(&f->inforce, f->server, &f->listeners, f->journal, pending, &n_pending, &report);
}

/* Whether the log has had that since it was asked last. */
static bool was_said(struct fixture *f, const char *what)
{
	char text[8192];
	ssize_t n;

	if (f->journal)
		journal_flush(f->journal, UINT64_MAX);
	n = read(f->log_read, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return strstr(text, what);
}

static void test_starts_with_the_file_and_keeps_it(void **state)
{
	_cleanup_(settings_freep) struct settings *kept = NULL;
	struct fixture *f = *state;

	starts(f, "reply = \"one\";");
	assert_string_equal(f->inforce.now->reply, "one");
	assert_string_equal(f->inforce.trouble, "");
	assert_int_equal(lastgood_load(f->folder, &kept), 0);
	assert_string_equal(kept->reply, "one");
}

static void test_starts_with_the_last_good_settings_and_says_so(void **state)
{
	struct fixture *f = *state;

	starts(f, "reply = \"one\";");
	server_free(f->server);
	f->server = NULL;
	roll_free(f->roll);
	journal_free(f->journal);
	f->journal = NULL;
	inforce_deinit(&f->inforce);
	f->inforce.now = NULL;
	starts(f, "prot = 1;");
	assert_string_equal(f->inforce.now->reply, "one");
	assert_memory_equal(f->inforce.trouble, "serving on the last good settings: ", 35);
	assert_true(was_said(f, "greeterd.conf:1: prot: "));
	reloads(f, "reply = \"two\";");
	assert_string_equal(f->inforce.trouble, "");
}

static void test_starts_not_without_any(void **state)
{
	struct fixture *f = *state;

	write_file(f, "prot = 1;");
	assert_int_equal(inforce_start(&f->inforce, false, &f->journal), DAEMON_CONFIG);
	assert_null(f->journal);
	assert_true(was_said(f, "greeterd.conf:1: prot: "));
}

static void test_a_bad_file_changes_nothing(void **state)
{
	_cleanup_(settings_freep) struct settings *kept = NULL;
	struct fixture *f = *state;
	const struct settings *before;

	starts(f, "reply = \"one\";");
	before = f->inforce.now;
	reloads(f, "reply = \"two\";\nprot = 1;");
	assert_ptr_equal(f->inforce.now, before);
	assert_string_equal(f->inforce.now->reply, "one");
	assert_memory_equal(f->inforce.trouble, "not reloaded: /tmp/", 19);
	assert_int_equal(lastgood_load(f->folder, &kept), 0);
	assert_string_equal(kept->reply, "one");
	reloads(f, "reply = \"two\";");
	assert_string_equal(f->inforce.trouble, "");
	assert_string_equal(f->inforce.now->reply, "two");
}

static void test_what_takes_a_restart_is_pending(void **state)
{
	struct fixture *f = *state;

	starts(f, "port = 9000;");
	(void)was_said(f, "");
	reloads(f, "port = 9001; max_id = 7; reply = \"two\";");
	assert_string_equal(f->inforce.trouble, "waiting for a restart: port, max_id");
	assert_true(was_said(f, "settings reloaded; waiting for a restart: port, max_id\n"));
	assert_int_equal(f->inforce.now->port, 9000);
	assert_string_equal(f->inforce.now->reply, "two");
	reloads(f, "port = 9000;");
	assert_string_equal(f->inforce.trouble, "");
}

static void test_says_that_it_cannot_keep_them(void **state)
{
	struct fixture *f = *state;

	f->inforce.state_dir = "/nonexistent/folder";
	starts(f, "");
	assert_true(
		was_said(f, "cannot keep the settings in /nonexistent/folder: No such file or directory"));
}

static void test_says_how_to_mend_other_sockets_than_are_named(void **state)
{
	struct netio_address address;
	struct fixture *f = *state;
	char text[128];

	starts(f, "listen = [ \"127.0.0.1:1\" ];");
	inforce_check_port(&f->inforce, f->inforce.now, &f->listeners, f->journal);
	assert_non_null(strstr(f->inforce.port_trouble, "which is not what the settings name"));
	assert_true(was_said(f, "systemctl daemon-reload && systemctl restart greeterd.socket"));
	assert_int_equal(netio_local(f->listener, &address), 0);
	snprintf(text, sizeof(text), "listen = [ \"127.0.0.1:%d\" ];", ntohs(address.in.sin_port));
	reloads(f, text);
	assert_string_equal(f->inforce.port_trouble, "");
	f->listeners.inherited = false; /* by hand, they are what they were bound to */
	reloads(f, "");
	assert_string_equal(f->inforce.port_trouble, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_starts_with_the_file_and_keeps_it),
		CASE(test_starts_with_the_last_good_settings_and_says_so),
		CASE(test_starts_not_without_any),
		CASE(test_a_bad_file_changes_nothing),
		CASE(test_what_takes_a_restart_is_pending),
		CASE(test_says_that_it_cannot_keep_them),
		CASE(test_says_how_to_mend_other_sockets_than_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "sockctl/exits.h"
#include "sockctl/hello.h"

#define ARGUMENTS_MAX 8

/* A private folder for a settings file, and the path of a socket that is not there. */
struct fixture {
	char folder[32], config[64], path[64];
	int status;
	char out[8192], err[1024]; /* of the latest run */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-hello.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->config, sizeof(f->config), "%s/greeterd.conf", f->folder);
	snprintf(f->path, sizeof(f->path), "%s/socket", f->folder);
	unsetenv("SOCKCTL_HOST");
	unsetenv("SOCKCTL_PORT");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->config);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void write_settings(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->config, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void read_back(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
}

static void run(struct fixture *f, const char *const words[])
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	_cleanup_(closep) int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	char name[] = "sockctl hello", *argv[ARGUMENTS_MAX + 2] = { name };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = strdup(words[argc - 1]);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	f->status = hello_run(argc, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	while (--argc > 0)
		free(argv[argc]);
	read_back(out, f->out, sizeof(f->out));
	read_back(err, f->err, sizeof(f->err));
}

#define RUN(f, ...) run(f, (const char *const[]){ __VA_ARGS__, NULL })

static void test_helps_on_standard_output(void **state)
{
	struct fixture *f = *state;

	RUN(f, "--help");
	assert_int_equal(f->status, EXIT_DONE);
	assert_int_equal(strncmp(f->out, "Usage: sockctl hello", strlen("Usage: sockctl hello")), 0);
	assert_string_equal(f->err, "");
}

static void test_refuses_a_host_that_is_none_as_usage(void **state)
{
	struct fixture *f = *state;

	RUN(f, "--config", f->config, "--host", "");
	assert_int_equal(f->status, EXIT_USAGE);
	assert_string_equal(f->err, "sockctl: --host: no host given\n");
	RUN(f, "--id", "0");
	assert_int_equal(f->status, EXIT_USAGE);
}

/* A port that the kernel gives to nobody while its socket is bound and does not listen. */
static int reserve_port(char port[static 8])
{
	struct netio_address address[NETIO_PARSE_MAX];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(netio_parse("127.0.0.1", 0, address), 1);
	assert_int_equal(bind(fd, &address[0].any, address[0].len), 0);
	assert_int_equal(netio_local(fd, &address[0]), 0);
	snprintf(port, 8, "%u", ntohs(address[0].in.sin_port));
	return fd;
}

static void test_takes_the_port_of_the_settings(void **state)
{
	struct fixture *f = *state;
	char port[8], text[64], expected[128];
	_cleanup_(closep) int fd = reserve_port(port);

	assert_true(fd >= 0);
	snprintf(text, sizeof(text), "port = %s;", port);
	write_settings(f, text);
	RUN(f, "--config", f->config);
	assert_int_equal(f->status, EXIT_UNREACHABLE);
	snprintf(
		expected, sizeof(expected), "sockctl: cannot reach 127.0.0.1:%s: Connection refused\n", port);
	assert_string_equal(f->err, expected);
	assert_string_equal(f->out, "");
}

static void test_passes_over_settings_that_are_wrong_and_says_so_when_asked(void **state)
{
	struct fixture *f = *state;
	char port[8];
	_cleanup_(closep) int fd = reserve_port(port);

	assert_true(fd >= 0);
	write_settings(f, "port = 0;");
	RUN(f, "--config", f->config, "--port", port);
	assert_int_equal(f->status, EXIT_UNREACHABLE);
	assert_null(strstr(f->err, "greeterd.conf"));
	RUN(f, "--config", f->config, "--port", port, "-v");
	assert_int_equal(f->status, EXIT_UNREACHABLE);
	assert_non_null(strstr(f->err, "greeterd.conf:1: port: 0 is out of range"));
	assert_non_null(strstr(f->err, "sockctl: the settings are passed over\n"));
}

static void test_names_what_was_greeted_in_the_summary(void **state)
{
	struct fixture *f = *state;
	char expected[128];

	RUN(f, "--unix", f->path, "--count", "1", "--reply", "Hello");
	assert_int_equal(f->status, EXIT_UNREACHABLE);
	snprintf(expected, sizeof(expected), "\n--- %s, ", f->path);
	assert_int_equal(strncmp(f->out, expected, strlen(expected)), 0);
	assert_non_null(strstr(f->out, "\nsent 1, answered 0, lost 1 (100 %), refused 0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_helps_on_standard_output, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refuses_a_host_that_is_none_as_usage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_takes_the_port_of_the_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_passes_over_settings_that_are_wrong_and_says_so_when_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_names_what_was_greeted_in_the_summary, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "generator/kmsg.h"

/* What one line becomes when it is said through fd with standard error at said_err. */
static void say_with_stderr(int fd, int said_err, const char *line)
{
	int saved = dup(STDERR_FILENO);

	fflush(stderr);
	dup2(said_err, STDERR_FILENO);
	kmsg_say(fd, line);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void assert_pipe_holds(int fd, const char *expected)
{
	char text[2048];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, expected);
}

static void test_writes_one_record_with_its_level(void **state)
{
	int log[2];

	(void)state;
	assert_int_equal(pipe2(log, O_NONBLOCK | O_DIRECT), 0);
	kmsg_say(log[1], "a: 100% wrong");
	kmsg_say(log[1], "b");
	assert_pipe_holds(log[0], "<3>greeterd-generator: a: 100% wrong\n");
	assert_pipe_holds(log[0], "<3>greeterd-generator: b\n");
	close(log[0]);
	close(log[1]);
}

static void test_cuts_a_record_that_is_too_long(void **state)
{
	char line[4096], record[2048];
	ssize_t n;
	int log[2];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(pipe2(log, O_NONBLOCK), 0);
	kmsg_say(log[1], line);
	n = read(log[0], record, sizeof(record));
	assert_in_range(n, 900, 960);
	assert_int_equal(record[n - 1], '\n');
	close(log[0]);
	close(log[1]);
}

static void test_falls_back_to_standard_error(void **state)
{
	_cleanup_(closep) int closed_for_writing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int err[2];

	(void)state;
	assert_int_equal(pipe2(err, O_NONBLOCK), 0);
	say_with_stderr(-1, err[1], "no log");
	assert_pipe_holds(err[0], "greeterd-generator: no log\n");
	say_with_stderr(closed_for_writing, err[1], "not taken");
	assert_pipe_holds(err[0], "greeterd-generator: not taken\n");
	close(err[0]);
	close(err[1]);
}

static void test_does_not_wait_for_a_log_that_is_full(void **state)
{
	char block[4096] = { 0 };
	int log[2], err[2];

	(void)state;
	assert_int_equal(pipe2(log, O_NONBLOCK), 0);
	assert_int_equal(pipe2(err, O_NONBLOCK), 0);
	while (write(log[1], block, sizeof(block)) > 0)
		;
	say_with_stderr(log[1], err[1], "full");
	assert_pipe_holds(err[0], "greeterd-generator: full\n");
	close(log[0]);
	close(log[1]);
	close(err[0]);
	close(err[1]);
}

static void test_opens_without_waiting_for_a_reader(void **state)
{
	char folder[] = "/tmp/greeterd-test.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/kmsg", folder);
	assert_int_equal(kmsg_open(path), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(kmsg_open(path), -ENXIO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_opens_a_device(void **state)
{
	_cleanup_(closep) int fd = kmsg_open("/dev/null");

	(void)state;
	assert_true(fd >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_one_record_with_its_level),
		cmocka_unit_test(test_cuts_a_record_that_is_too_long),
		cmocka_unit_test(test_falls_back_to_standard_error),
		cmocka_unit_test(test_does_not_wait_for_a_log_that_is_full),
		cmocka_unit_test(test_opens_without_waiting_for_a_reader),
		cmocka_unit_test(test_opens_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

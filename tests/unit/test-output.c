#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "sockctl/exits.h"
#include "sockctl/output.h"

/* What output_end() returns after "text" was printed to fd, and what it said. */
struct end {
	int status;
	char err[256];
};

static struct end end_on(int fd, int status, int error)
{
	_cleanup_(closep) int err = memfd_create("err", MFD_CLOEXEC);
	_cleanup_(closep) int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	struct end end = { 0 };

	assert_true(fd >= 0 && err >= 0 && old_out >= 0 && old_err >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	printf("text");
	end.status = output_end(status, error);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	assert_true(pread(err, end.err, sizeof(end.err) - 1, 0) >= 0);
	return end;
}

static void test_hands_the_status_on_when_all_is_written(void **state)
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC);
	char got[8] = "";
	struct end end = end_on(out, EXIT_REFUSED, 0);

	(void)state;
	assert_int_equal(end.status, EXIT_REFUSED);
	assert_string_equal(end.err, "");
	assert_int_equal(pread(out, got, sizeof(got), 0), 4);
	assert_string_equal(got, "text");
}

static void test_tells_an_error_of_an_earlier_write(void **state)
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC);
	struct end end = end_on(out, EXIT_DONE, -EIO);

	(void)state;
	assert_int_equal(end.status, EXIT_NO);
	assert_string_equal(end.err, "sockctl: cannot write to standard output: Input/output error\n");
}

static void test_lets_no_error_hide_a_worse_status(void **state)
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(end_on(out, EXIT_UNREACHABLE, -ENOSPC).status, EXIT_UNREACHABLE);
}

static void test_is_silent_when_the_reader_has_gone(void **state)
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC);
	struct end end = end_on(out, EXIT_DONE, -EPIPE);

	(void)state;
	assert_int_equal(end.status, EXIT_BY_SIGNAL + SIGPIPE);
	assert_string_equal(end.err, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hands_the_status_on_when_all_is_written),
		cmocka_unit_test(test_tells_an_error_of_an_earlier_write),
		cmocka_unit_test(test_lets_no_error_hide_a_worse_status),
		cmocka_unit_test(test_is_silent_when_the_reader_has_gone),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}

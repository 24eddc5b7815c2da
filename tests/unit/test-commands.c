#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sockctl/commands.h"
#include "sockctl/exits.h"

#define ARGUMENTS_MAX 4

/* What a command line prints on both outputs, and its exit status. */
struct outcome {
	int status;
	char out[8192], err[1024];
};

static void read_back(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
}

static struct outcome run(const char *const words[])
{
	_cleanup_(closep) int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	_cleanup_(closep) int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	char name[] = "sockctl", *argv[ARGUMENTS_MAX + 2] = { name };
	struct outcome outcome;
	int argc = 1;

	for (size_t i = 0; words[i]; i++)
		argv[argc++] = strdup(words[i]);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	outcome.status = commands_run(argc, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	for (int i = 1; i < argc; i++)
		free(argv[i]);
	read_back(out, outcome.out, sizeof(outcome.out));
	read_back(err, outcome.err, sizeof(outcome.err));
	return outcome;
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void assert_usage(struct outcome outcome, const char *expected)
{
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_string_equal(outcome.out, "");
	assert_string_equal(outcome.err, expected);
}

static void assert_helps(struct outcome outcome, const char *expected)
{
	assert_int_equal(outcome.status, EXIT_DONE);
	assert_string_equal(outcome.err, "");
	assert_true(strncmp(outcome.out, expected, strlen(expected)) == 0);
}

static void test_helps(void **state)
{
	(void)state;
	assert_helps(RUN("--help"), "Usage: sockctl [OPTION] COMMAND");
	assert_helps(RUN("-h"), "Usage: sockctl [OPTION] COMMAND");
	assert_helps(RUN("help"), "Usage: sockctl [OPTION] COMMAND");
	assert_helps(RUN("help", "--help"), "Usage: sockctl [OPTION] COMMAND");
	assert_helps(RUN("help", "hello"), "Usage: sockctl hello [OPTION...]");
	assert_helps(RUN("help", "help"), "Usage: sockctl [OPTION] COMMAND");
	assert_helps(RUN("hello", "--help"), "Usage: sockctl hello [OPTION...]");
	assert_helps(RUN("--version"), "sockctl ");
}

static void test_lists_every_command(void **state)
{
	struct outcome outcome = RUN("--help");

	(void)state;
	assert_non_null(strstr(outcome.out, "\n  hello "));
	assert_non_null(strstr(outcome.out, "\n  help "));
}

static void test_refuses_a_line_without_command(void **state)
{
	(void)state;
	assert_usage(run((const char *const[]){ NULL }), "sockctl: no command given, see 'sockctl --help'\n");
}

static void test_suggests_the_nearest_command(void **state)
{
	(void)state;
	assert_usage(RUN("helo"), "sockctl: there is no command 'helo'; did you mean 'hello'?\n");
	assert_usage(RUN("hallo"), "sockctl: there is no command 'hallo'; did you mean 'hello'?\n");
	assert_usage(RUN("halp"), "sockctl: there is no command 'halp'; did you mean 'help'?\n");
	assert_usage(RUN("help", "hell"), "sockctl: there is no command 'hell'; did you mean 'hello'?\n");
}

static void test_suggests_nothing_far_off(void **state)
{
	(void)state;
	assert_usage(RUN("frobnicate"), "sockctl: there is no command 'frobnicate', see 'sockctl --help'\n");
	assert_usage(RUN(""), "sockctl: there is no command '', see 'sockctl --help'\n");
	assert_usage(RUN("a-word-that-is-much-longer-than-any-command"),
		"sockctl: there is no command 'a-word-that-is-much-longer-than-any-command', see 'sockctl "
		"--help'\n");
}

static void test_names_the_command_in_its_messages(void **state)
{
	struct outcome outcome = RUN("hello", "--nonsense");

	(void)state;
	assert_usage(outcome, "sockctl hello: unrecognized option '--nonsense'\n");
	assert_usage(RUN("--nonsense", "hello"), "sockctl: unrecognized option '--nonsense'\n");
	assert_usage(RUN("help", "hello", "help"), "sockctl help: one command at a time\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_helps),
		cmocka_unit_test(test_lists_every_command),
		cmocka_unit_test(test_refuses_a_line_without_command),
		cmocka_unit_test(test_suggests_the_nearest_command),
		cmocka_unit_test(test_suggests_nothing_far_off),
		cmocka_unit_test(test_names_the_command_in_its_messages),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}

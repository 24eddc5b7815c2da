#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "greeterd/cmdline.h"

#define WORDS_MAX 6

/* What a function writes to a standard stream, caught in a memory file meanwhile. */
struct capture {
	FILE *stream;
	int saved, file;
};

static void capture_begin(struct capture *capture, FILE *stream)
{
	capture->stream = stream;
	fflush(stream);
	capture->saved = dup(fileno(stream));
	capture->file = memfd_create("capture", MFD_CLOEXEC);
	assert_true(capture->saved >= 0 && capture->file >= 0);
	assert_true(dup2(capture->file, fileno(stream)) >= 0);
}

static void capture_end(struct capture *capture, char *text, size_t size)
{
	ssize_t len;

	fflush(capture->stream);
	assert_true(dup2(capture->saved, fileno(capture->stream)) >= 0);
	len = pread(capture->file, text, size - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	close(capture->saved);
	close(capture->file);
}

/* Parses "greeterd" and words. said: what standard error got, 1024 bytes. */
static int parse(const char *const *words, struct cmdline *ret, char said[static 1024])
{
	char *argv[WORDS_MAX + 2] = { (char *)"greeterd" };
	struct capture capture;
	int argc = 1, r;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	capture_begin(&capture, stderr);
	r = cmdline_parse(argc, argv, ret);
	capture_end(&capture, said, 1024);
	return r;
}

static void test_takes_every_option_long_and_short(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		struct cmdline expected;
	} lines[] = {
		{ { NULL }, { .action = CMDLINE_SERVE } },
		{ { "--" }, { .action = CMDLINE_SERVE } },
		{ { "-c", "a.conf" }, { .action = CMDLINE_SERVE, .config = "a.conf" } },
		{ { "-ca.conf" }, { .action = CMDLINE_SERVE, .config = "a.conf" } },
		{ { "--config", "a.conf" }, { .action = CMDLINE_SERVE, .config = "a.conf" } },
		{ { "--config=a.conf" }, { .action = CMDLINE_SERVE, .config = "a.conf" } },
		{ { "-c", "a.conf", "--config=b.conf" }, { .action = CMDLINE_SERVE, .config = "b.conf" } },
		{ { "-c", "--check" }, { .action = CMDLINE_SERVE, .config = "--check" } },
		{ { "--check" }, { .action = CMDLINE_CHECK } },
		{ { "--dump-config" }, { .action = CMDLINE_DUMP_CONFIG } },
		{ { "--dump" }, { .action = CMDLINE_DUMP_CONFIG } },
		{ { "--state-dir", "d" }, { .action = CMDLINE_SERVE, .state_dir = "d" } },
		{ { "--user" }, { .action = CMDLINE_SERVE, .user = true } },
		{ { "-v" }, { .action = CMDLINE_SERVE, .verbose = true } },
		{ { "--verbose" }, { .action = CMDLINE_SERVE, .verbose = true } },
		{ { "-vc", "a.conf", "--check" },
			{ .action = CMDLINE_CHECK, .config = "a.conf", .verbose = true } },
		{ { "-h" }, { .action = CMDLINE_HELP } },
		{ { "--help" }, { .action = CMDLINE_HELP } },
		{ { "--version" }, { .action = CMDLINE_VERSION } },
		{ { "-v", "--version", "--nonsense" }, { .action = CMDLINE_VERSION } },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		struct cmdline cmdline;
		char said[1024];

		assert_int_equal(parse(lines[i].words, &cmdline, said), 0);
		assert_string_equal(said, "");
		assert_int_equal(cmdline.action, lines[i].expected.action);
		assert_int_equal(cmdline.verbose, lines[i].expected.verbose);
		assert_int_equal(cmdline.user, lines[i].expected.user);
		if (lines[i].expected.config)
			assert_string_equal(cmdline.config, lines[i].expected.config);
		else
			assert_null(cmdline.config);
		if (lines[i].expected.state_dir)
			assert_string_equal(cmdline.state_dir, lines[i].expected.state_dir);
		else
			assert_null(cmdline.state_dir);
	}
}

static void test_refuses_what_is_no_option_and_says_it(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *named; /* in what is said */
	} lines[] = {
		{ { "--nonsense" }, "--nonsense" },
		{ { "-x" }, "x" },
		{ { "--config" }, "--config" },
		{ { "-c" }, "c" },
		{ { "--check=yes" }, "--check" },
		{ { "--ver" }, "--ver" }, /* --verbose or --version */
		{ { "8080" }, "'8080'" },
		{ { "--check", "greeterd.conf" }, "'greeterd.conf'" },
		{ { "greeterd.conf", "--check" }, "'greeterd.conf'" },
		{ { "--", "--check" }, "'--check'" },
		{ { "" }, "''" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		struct cmdline cmdline = { .config = "untouched" };
		char said[1024];

		assert_int_equal(parse(lines[i].words, &cmdline, said), -EINVAL);
		assert_non_null(strstr(said, "greeterd: "));
		assert_non_null(strstr(said, lines[i].named));
		assert_string_equal(cmdline.config, "untouched");
	}
}

static void test_help_names_every_option(void **state)
{
	static const char *const names[] = { "-c, --config=FILE", "--check", "--dump-config",
		"--state-dir=DIR", "-v, --verbose", "-h, --help", "--version", "greeterd(8)",
		GREETERD_CONFIG_FILE };
	struct capture capture;
	char text[4096];

	(void)state;
	capture_begin(&capture, stdout);
	cmdline_help();
	capture_end(&capture, text, sizeof(text));
	for (size_t i = 0; i < ELEMENTS(names); i++)
		assert_non_null(strstr(text, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_every_option_long_and_short),
		cmocka_unit_test(test_refuses_what_is_no_option_and_says_it),
		cmocka_unit_test(test_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

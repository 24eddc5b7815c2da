#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/options.h"

enum { KEY_ID = 256, KEY_LONG };

static const struct option_spec table[] = {
	{ KEY_ID, "id", "LIST", "greet as these clients" },
	{ 'v', "verbose", NULL, "say more" },
	{ 'H', "host", "HOST", "the server" },
	{ KEY_LONG, "long-name-of-an-option", NULL, "stands alone" },
	OPTIONS_END,
};

#define ARGV(...) \
	(char *[]) \
	{ \
		(char *)"prog", __VA_ARGS__, NULL \
	}
#define ARG(text) (char *)text

static struct options *open_options(char **argv, int stop_at_operand)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	struct options *options = options_new(table, argc, argv, stop_at_operand);
	assert_non_null(options);
	return options;
}

static void assert_next(struct options *options, int key, const char *arg)
{
	const char *got = "untouched";

	assert_int_equal(options_next(options, &got), key);
	if (arg)
		assert_string_equal(got, arg);
	else
		assert_null(got);
}

/* What getopt complains of belongs to the user, not to the test's output. */
static void assert_next_is_usage(struct options *options)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const char *arg;

	assert_true(saved >= 0 && null >= 0);
	dup2(null, STDERR_FILENO);
	int key = options_next(options, &arg);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	assert_int_equal(key, OPTIONS_USAGE);
}

static void test_reads_long_and_short_names_with_their_arguments(void **state)
{
	char **argv = ARGV(ARG("--id=1-3"), ARG("-v"), ARG("-Hbox"), ARG("--host"), ARG("::1"), ARG("-vH"),
		ARG("x"), ARG("--long-name-of-an-option"));
	_cleanup_(options_freep) struct options *options = open_options(argv, 0);

	(void)state;
	assert_next(options, KEY_ID, "1-3");
	assert_next(options, 'v', NULL);
	assert_next(options, 'H', "box");
	assert_next(options, 'H', "::1");
	assert_next(options, 'v', NULL);
	assert_next(options, 'H', "x");
	assert_next(options, KEY_LONG, NULL);
	assert_next(options, OPTIONS_DONE, NULL);
	assert_int_equal(optind, 9);
}

static void test_finds_options_among_operands(void **state)
{
	char **argv = ARGV(ARG("one"), ARG("-v"), ARG("two"), ARG("--"), ARG("-v"));
	_cleanup_(options_freep) struct options *options = open_options(argv, 0);

	(void)state;
	assert_next(options, 'v', NULL);
	assert_next(options, OPTIONS_DONE, NULL);
	assert_string_equal(argv[optind], "one");
	assert_string_equal(argv[optind + 1], "two");
	assert_string_equal(argv[optind + 2], "-v");
}

static void test_stops_at_the_first_operand_when_told_to(void **state)
{
	char **argv = ARGV(ARG("-v"), ARG("hello"), ARG("--id"), ARG("2"));
	_cleanup_(options_freep) struct options *options = open_options(argv, 1);

	(void)state;
	assert_next(options, 'v', NULL);
	assert_next(options, OPTIONS_DONE, NULL);
	assert_string_equal(argv[optind], "hello");
}

static void test_begins_anew_for_each_command_line(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		char **argv = ARGV(ARG("-v"), ARG("--id"), ARG("2"));
		_cleanup_(options_freep) struct options *options = open_options(argv, 0);

		assert_next(options, 'v', NULL);
		if (i == 0)
			continue; /* left in the middle */
		assert_next(options, KEY_ID, "2");
		assert_next(options, OPTIONS_DONE, NULL);
	}
}

static void test_refuses_what_the_table_does_not_have(void **state)
{
	static const char *const wrong[] = { "--nonsense", "-z", "--id", "-H", "--verbose=yes", "-i" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		char **argv = ARGV(ARG(wrong[i]));
		_cleanup_(options_freep) struct options *options = open_options(argv, 0);

		assert_next_is_usage(options);
	}
}

static void test_a_program_without_arguments_has_no_options(void **state)
{
	char *argv[] = { NULL };
	_cleanup_(options_freep) struct options *options = options_new(table, 0, argv, 0);

	(void)state;
	assert_non_null(options);
	assert_next(options, OPTIONS_DONE, NULL);
}

static void test_help_shows_every_option_aligned(void **state)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	options_help(table, out);
	fclose(out);
	assert_string_equal(text, "      --id=LIST                 greet as these clients\n"
				  "  -v, --verbose                 say more\n"
				  "  -H, --host=HOST               the server\n"
				  "      --long-name-of-an-option  stands alone\n");
}

static void test_freeing_nothing_is_no_matter(void **state)
{
	(void)state;
	options_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_long_and_short_names_with_their_arguments),
		cmocka_unit_test(test_finds_options_among_operands),
		cmocka_unit_test(test_stops_at_the_first_operand_when_told_to),
		cmocka_unit_test(test_begins_anew_for_each_command_line),
		cmocka_unit_test(test_refuses_what_the_table_does_not_have),
		cmocka_unit_test(test_a_program_without_arguments_has_no_options),
		cmocka_unit_test(test_help_shows_every_option_aligned),
		cmocka_unit_test(test_freeing_nothing_is_no_matter),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}

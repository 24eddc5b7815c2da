#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "sockctl/exits.h"
#include "sockctl/verb-options.h"

static const struct option_spec table[] = {
	VERB_ROW_ID("clients"),
	{ VERB_TIMEOUT, "timeout", "T", "how long" },
	{ VERB_PLAIN, "plain", NULL, "plain" },
	VERB_ROW_JSON,
	VERB_ROW_COLOR,
	VERB_ROWS_BUS,
};

/* Parses with nothing said on either output. */
static int parse(enum operands operands, const char *const words[], struct verb_options *ret)
{
	const struct verb_usage usage = { "About.", table, operands };
	_cleanup_(closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_(closep) int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	char copies[8][40] = { "sockctl verb" }, *argv[9] = { copies[0] };
	int argc = 1;

	for (; words[argc - 1]; argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
		argv[argc] = copies[argc];
	}
	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);

	int r = verb_parse(&usage, argc, argv, ret);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	return r;
}

#define PARSE(operands, ret, ...) parse(operands, (const char *const[]){ __VA_ARGS__ }, ret)

static void test_has_defaults(void **state)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };

	(void)state;
	assert_int_equal(PARSE(OPERANDS_IDS, &options, NULL), VERB_GO);
	assert_null(options.ids);
	assert_string_equal(options.id_list, "");
	assert_true(options.timeout_usec == UINT64_MAX);
	assert_int_equal(options.color, STYLE_AUTO);
	assert_false(options.json || options.plain || options.target.user);
	assert_null(options.target.host);
}

static void test_reads_every_option(void **state)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };

	(void)state;
	assert_int_equal(PARSE(OPERANDS_NONE, &options, "--user", "-M", "box", "--timeout=5s", "--plain",
				 "--color=never", NULL),
		VERB_GO);
	assert_true(options.target.user && options.plain);
	assert_true(options.timeout_usec == 5 * USEC_PER_SEC);
	assert_int_equal(options.color, STYLE_NEVER);
}

static void test_joins_operands_and_ids(void **state)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };

	(void)state;
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "1-3", "--id", "9", "7", NULL), VERB_GO);
	assert_string_equal(options.id_list, "9,1-3,7");
	assert_int_equal(idset_count(options.ids), 5);
}

static void test_prints_help(void **state)
{
	struct verb_options options;

	(void)state;
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "--help", NULL), EXIT_DONE);
}

static void test_refuses_what_makes_no_sense(void **state)
{
	struct verb_options options;

	(void)state;
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "0", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "1", ",2", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "4294967296", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_NONE, &options, "1", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS_NEEDED, &options, NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "--color", "blue", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "--timeout", "x", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "--json", "--plain", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "-H", "a", "--user", NULL), EXIT_USAGE);
	assert_int_equal(PARSE(OPERANDS_IDS, &options, "--frobnicate", NULL), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_defaults),
		cmocka_unit_test(test_reads_every_option),
		cmocka_unit_test(test_joins_operands_and_ids),
		cmocka_unit_test(test_prints_help),
		cmocka_unit_test(test_refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests_name("verb-options", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sockctl/bench-options.h"

#define ARGUMENTS_MAX 12

/* Parses words, with standard error in *ret_said, which the caller frees. */
static int parse(const char *const words[], struct bench_options *ret, char **ret_said)
{
	char name[] = "sockctl bench", *argv[ARGUMENTS_MAX + 2] = { name }, text[1024] = "";
	_cleanup_(closep) int said = memfd_create("said", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	int argc = 1;

	for (size_t i = 0; i < ARGUMENTS_MAX && words[i]; i++)
		argv[argc++] = (char *)words[i];
	assert_true(said >= 0 && before >= 0);
	dup2(said, STDERR_FILENO);
	int r = bench_options_parse(argc, argv, ret);
	dup2(before, STDERR_FILENO);
	assert_true(pread(said, text, sizeof(text) - 1, 0) >= 0);
	*ret_said = strdup(text);
	return r;
}

#define WORDS(...) ((const char *const[ARGUMENTS_MAX + 1]){ __VA_ARGS__ })

static void assert_parses(const char *const words[], struct bench_options *ret)
{
	_cleanup_(freep) char *said = NULL;

	assert_int_equal(parse(words, ret, &said), 0);
	assert_string_equal(said, "");
}

static void test_defaults(void **state)
{
	_cleanup_(bench_options_deinit) struct bench_options o;

	(void)state;
	assert_parses(WORDS(NULL), &o);
	assert_int_equal(o.connections, 50);
	assert_int_equal(o.pipeline, 1);
	assert_int_equal(o.duration_usec, 10000000);
	assert_int_equal(o.client.timeout_usec, 5000000);
	assert_int_equal(o.count + o.rate + o.warmup_usec, 0);
	assert_false(o.connect_each || o.client.json);
	assert_null(o.client.ids);
	assert_int_equal(o.color, STYLE_AUTO);
}

static void test_takes_every_option(void **state)
{
	_cleanup_(bench_options_deinit) struct bench_options o, p;

	(void)state;
	assert_parses(WORDS("-c7", "-P16", "-d2s", "-n", "1000", "--rate=500", "--warm-up=1s", "--id=1-3",
			      "--json", "--color=never"),
		&o);
	assert_int_equal(o.connections, 7);
	assert_int_equal(o.pipeline, 16);
	assert_int_equal(o.duration_usec, 2000000);
	assert_int_equal(o.count, 1000);
	assert_int_equal(o.rate, 500);
	assert_int_equal(o.warmup_usec, 1000000);
	assert_int_equal(idset_count(o.client.ids), 3);
	assert_true(o.client.json);
	assert_int_equal(o.color, STYLE_NEVER);
	assert_parses(WORDS("--connect-each", "--connections=9", "-Hhost", "-p9", "-4", "--timeout=1s"), &p);
	assert_true(p.connect_each);
	assert_int_equal(p.connections, 9);
	assert_string_equal(p.client.target.host, "host");
	assert_int_equal(p.client.timeout_usec, 1000000);
}

static void test_a_count_ends_it_without_a_duration(void **state)
{
	_cleanup_(bench_options_deinit) struct bench_options o;

	(void)state;
	assert_parses(WORDS("--count=5"), &o);
	assert_int_equal(o.duration_usec, 0);
	assert_int_equal(o.count, 5);
}

static void test_each_client_has_a_connection(void **state)
{
	_cleanup_(bench_options_deinit) struct bench_options o, p;

	(void)state;
	assert_parses(WORDS("--id=1-80"), &o);
	assert_int_equal(o.connections, 80);
	assert_parses(WORDS("--id=1-3"), &p);
	assert_int_equal(p.connections, 50);
}

static void test_refuses_what_makes_no_sense(void **state)
{
	static const struct {
		const char *words[ARGUMENTS_MAX + 1], *said;
	} cases[] = {
		{ { "-c0" }, "--connections '0': a number from 1 to 1048576" },
		{ { "-P1025" }, "--pipeline '1025': a number from 1 to 1024" },
		{ { "-n0" }, "--count '0': a number was expected from 1 up" },
		{ { "-d0" }, "--duration 0" },
		{ { "-dx" }, "--duration 'x': a time span" },
		{ { "--rate=0" }, "--rate '0'" },
		{ { "--warm-up=-1s" }, "--warm-up '-1s'" },
		{ { "--connect-each", "-P2" }, "--connect-each contradicts --pipeline" },
		{ { "--id=1-5", "-c4" }, "--id: 5 clients need as many --connections, not 4" },
		{ { "--timeout=1h" }, "--timeout: at most 15min" },
		{ { "--timeout=0" }, "--timeout 0" },
		{ { "--color=red" }, "--color 'red'" },
		{ { "--unix=/x", "-p1" }, "--unix contradicts" },
		{ { "7" }, "what is '7'?" },
		{ { "--nonsense" }, "unrecognized option" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_(freep) char *said = NULL;
		struct bench_options o;

		assert_int_equal(parse(cases[i].words, &o, &said), -EINVAL);
		assert_non_null(strstr(said, cases[i].said));
		assert_memory_equal(said, "sockctl bench: ", 15);
	}
}

static void test_asks_for_help(void **state)
{
	_cleanup_(freep) char *said = NULL, *text = NULL;
	struct bench_options o;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(parse(WORDS("--help"), &o, &said), 1);
	bench_options_help(out);
	fclose(out);
	assert_non_null(strstr(text, "--connect-each"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_takes_every_option),
		cmocka_unit_test(test_a_count_ends_it_without_a_duration),
		cmocka_unit_test(test_each_client_has_a_connection),
		cmocka_unit_test(test_refuses_what_makes_no_sense),
		cmocka_unit_test(test_asks_for_help),
	};

	return cmocka_run_group_tests_name("bench-options", tests, NULL, NULL);
}

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
#include "sockctl/hello-options.h"

#define ARGUMENTS_MAX 8

/* Parses words, with standard error in *ret_said, which the caller frees. */
static int parse(char *const words[], struct hello_options *ret, char **ret_said)
{
	char name[] = "sockctl hello", *argv[ARGUMENTS_MAX + 2] = { name }, text[1024] = "";
	_cleanup_(closep) int said = memfd_create("said", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	int argc = 1;

	for (size_t i = 0; i < ARGUMENTS_MAX && words[i]; i++)
		argv[argc++] = words[i];
	assert_true(said >= 0 && before >= 0);
	dup2(said, STDERR_FILENO);
	int r = hello_options_parse(argc, argv, ret);
	dup2(before, STDERR_FILENO);
	assert_true(pread(said, text, sizeof(text) - 1, 0) >= 0);
	*ret_said = strdup(text);
	return r;
}

#define WORDS(...) ((char *[ARGUMENTS_MAX + 1]){ __VA_ARGS__ })

static void assert_parses(char *const words[], struct hello_options *ret)
{
	_cleanup_(freep) char *said = NULL;

	assert_int_equal(parse(words, ret, &said), 0);
	assert_string_equal(said, "");
}

static void test_defaults(void **state)
{
	_cleanup_(hello_options_deinit) struct hello_options o;

	(void)state;
	assert_parses(WORDS(NULL), &o);
	assert_null(o.client.ids);
	assert_null(o.client.reply);
	assert_null(o.client.target.host);
	assert_null(o.client.target.port);
	assert_null(o.client.target.unix_path);
	assert_int_equal(o.client.target.family, AF_UNSPEC);
	assert_null(o.client.config);
	assert_false(o.counting || o.client.json || o.verbose || o.quiet);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.interval_usec, 1000000);
	assert_int_equal(o.client.timeout_usec, 5000000);
}

static void test_takes_every_option(void **state)
{
	_cleanup_(hello_options_deinit) struct hello_options o, p;

	(void)state;
	assert_parses(WORDS("--id=1-3", "--count=0", "--interval=0", "--timeout=250ms", "-Hhost", "-p9", "-4",
			      "--json"),
		&o);
	assert_int_equal(idset_count(o.client.ids), 3);
	assert_true(o.counting && o.client.json);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.interval_usec, 0);
	assert_int_equal(o.client.timeout_usec, 250000);
	assert_string_equal(o.client.target.host, "host");
	assert_string_equal(o.client.target.port, "9");
	assert_int_equal(o.client.target.family, AF_INET);
	assert_parses(WORDS("-6", "--ipv6", "-v", "--reply=Hi", "--config=/x"), &p);
	assert_int_equal(p.client.target.family, AF_INET6);
	assert_true(p.verbose);
	assert_string_equal(p.client.reply, "Hi");
	assert_string_equal(p.client.config, "/x");
}

static void test_the_last_list_counts(void **state)
{
	_cleanup_(hello_options_deinit) struct hello_options o;

	(void)state;
	assert_parses(WORDS("--id=1-3", "--id=7", "--unix=/x", "-q"), &o);
	assert_int_equal(idset_count(o.client.ids), 1);
	assert_string_equal(o.client.target.unix_path, "/x");
	assert_true(o.quiet);
}

static void test_asks_for_help(void **state)
{
	_cleanup_(freep) char *said = NULL;
	struct hello_options o;

	(void)state;
	assert_int_equal(parse(WORDS("--id=2", "--help", "--nonsense"), &o, &said), 1);
}

static void test_refuses_what_makes_no_sense(void **state)
{
	static const struct {
		char *const words[4];
		const char *said;
	} cases[] = {
		{ { "--id", "0" }, "--id '0': client numbers run from 1 up" },
		{ { "--id", "" }, "--id ''" },
		{ { "--id", "1-4294967295" }, "4294967295 clients, at most 1048576" },
		{ { "--id", "4294967296" }, "--id '4294967296'" },
		{ { "--count", "" }, "--count ''" },
		{ { "--count", "-1" }, "--count '-1'" },
		{ { "--count", "1s" }, "--count '1s'" },
		{ { "--count", "99999999999999999999999" }, "--count" },
		{ { "--count=1", "--interval", "-1s" }, "--interval '-1s': a time span" },
		{ { "--interval", "1s" }, "--interval goes with --count" },
		{ { "--timeout", "" }, "--timeout '': a time span" },
		{ { "--timeout", "0ms" }, "--timeout 0" },
		{ { "--reply", "" }, "--reply" },
		{ { "--reply", "two\nlines" }, "--reply" },
		{ { "--reply", "a<BR>b" }, "--reply" },
		{ { "-4", "-6" }, "-4 and -6" },
		{ { "-6", "-4" }, "-4 and -6" },
		{ { "--unix", "/x", "-H", "h" }, "--unix contradicts" },
		{ { "--unix=/x", "-p1" }, "--unix contradicts" },
		{ { "--unix=/x", "-4" }, "--unix contradicts" },
		{ { "-qv" }, "--quiet contradicts" },
		{ { "-q", "--json" }, "--quiet contradicts" },
		{ { "2" }, "what is '2'?" },
		{ { "--nonsense" }, "unrecognized option" },
		{ { "--id" }, "requires an argument" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_(freep) char *said = NULL;
		struct hello_options o;

		assert_int_equal(parse(WORDS(cases[i].words[0], cases[i].words[1], cases[i].words[2],
					       cases[i].words[3]),
					 &o, &said),
			-EINVAL);
		assert_true(strncmp(said, "sockctl hello: ", 15) == 0);
		assert_non_null(strstr(said, cases[i].said));
	}
}

static void test_helps_with_every_option(void **state)
{
	static const char *const names[] = { "--id=", "--count=", "--interval=", "--timeout=", "--host=",
		"--port=", "--unix=", "--ipv4", "--ipv6", "--reply=", "--config=", "--json", "--verbose",
		"--quiet", "--help" };
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	hello_options_help(out);
	fclose(out);
	for (size_t i = 0; i < ELEMENTS(names); i++)
		assert_non_null(strstr(text, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_takes_every_option),
		cmocka_unit_test(test_the_last_list_counts),
		cmocka_unit_test(test_asks_for_help),
		cmocka_unit_test(test_refuses_what_makes_no_sense),
		cmocka_unit_test(test_helps_with_every_option),
	};

	return cmocka_run_group_tests_name("hello-options", tests, NULL, NULL);
}

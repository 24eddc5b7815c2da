#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/report.h"

#define START UINT64_C(1000000)

/* A report that prints into memory. */
struct fixture {
	struct report report;
	struct netio_address address;
	FILE *out, *err;
	char *out_text, *err_text;
	size_t out_size, err_size;
};

static void init(struct fixture *f, struct report_style style)
{
	struct netio_address parsed[NETIO_PARSE_MAX];

	*f = (struct fixture){ .out = open_memstream(&f->out_text, &f->out_size),
		.err = open_memstream(&f->err_text, &f->err_size) };
	assert_int_equal(netio_parse("127.0.0.1:8080", 1, parsed), 1);
	f->address = parsed[0];
	style.out = f->out;
	style.err = f->err;
	style.reply = "I am SERVER";
	assert_int_equal(report_init(&f->report, &style, START), 0);
}

static void deinit(struct fixture *f)
{
	report_deinit(&f->report);
	fclose(f->out);
	fclose(f->err);
	free(f->out_text);
	free(f->err_text);
}

static void add(struct fixture *f, uint32_t id, enum greeting_result result, const char *text)
{
	_cleanup_(freep) char *copy = text ? strdup(text) : NULL;
	const struct greeting greeting = {
		.id = id,
		.seq = 1,
		.result = result,
		.address = &f->address,
		.text = copy,
		.connect_usec = id == 1 ? 31 : 0,
		.rtt_usec = result == GREETING_LOST ? 0 : 213,
		.outage_usec = result == GREETING_ANSWERED ? 0 : 1500000,
	};

	report_greeting(&f->report, &greeting);
}

static void assert_printed(struct fixture *f, const char *out, const char *err)
{
	assert_int_equal(report_flush(&f->report), 0);
	fflush(f->err);
	assert_string_equal(f->out_text, out);
	assert_string_equal(f->err_text, err);
}

static void test_prints_the_reply_alone(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ 0 });
	add(&f, 2, GREETING_ANSWERED, NULL);
	report_progress(&f.report, START + 1);
	report_summary(&f.report, "x", START + 1);
	assert_printed(&f, "I am SERVER\n", "");
}

static void test_says_which_client_when_there_are_many(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .many = true });
	add(&f, 1, GREETING_ANSWERED, NULL);
	add(&f, 2, GREETING_LOST, "why");
	add(&f, 3, GREETING_REFUSED, "ERR busy");
	add(&f, 4, GREETING_FOREIGN, "Hello");
	assert_printed(&f, "client 1: I am SERVER\n",
		"sockctl: client 2: why\n"
		"sockctl: client 3: 127.0.0.1:8080 refused: ERR busy\n"
		"sockctl: client 4: 127.0.0.1:8080 answered \"Hello\", which is not \"I am SERVER\"\n");
}

static void test_says_what_failed_without_a_client(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .quiet = true });
	add(&f, 2, GREETING_ANSWERED, NULL);
	add(&f, 2, GREETING_LOST, "why");
	assert_printed(&f, "", "sockctl: why\n");
}

static void test_says_more_when_verbose(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .verbose = true });
	add(&f, 1, GREETING_ANSWERED, NULL);
	add(&f, 0, GREETING_LOST, "why");
	assert_printed(&f, "I am SERVER\n",
		"sockctl: sent \"I am client 1\" to 127.0.0.1:8080 (connected in 0.031 ms), answered in "
		"0.213 ms\n"
		"sockctl: sent \"I am client\" to 127.0.0.1:8080\n"
		"sockctl: why\n");
}

static void test_counts_and_sums_up(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .counting = true });
	add(&f, 2, GREETING_ANSWERED, NULL);
	add(&f, 0, GREETING_ANSWERED, NULL);
	add(&f, 2, GREETING_LOST, "why");
	add(&f, 2, GREETING_FOREIGN, "Hello");
	report_summary(&f.report, "localhost port 8080", START + 5003000);
	assert_printed(&f,
		"I am SERVER: client 2, seq 1, 127.0.0.1:8080, 0.213 ms\n"
		"I am SERVER: seq 1, 127.0.0.1:8080, 0.213 ms\n"
		"\n--- localhost port 8080, 5.003 s ---\n"
		"sent 4, answered 2, lost 1 (25 %), refused 0, not the protocol 1\n"
		"round trip: min 0.213, avg 0.213, p50 0.213, p99 0.213, max 0.213 ms\n"
		"longest outage: 1.500 s\n",
		"sockctl: client 2, seq 1: why\n"
		"sockctl: client 2, seq 1: 127.0.0.1:8080 answered \"Hello\", which is not \"I am "
		"SERVER\"\n");
}

static void test_sums_up_nothing(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .counting = true });
	report_summary(&f.report, "x", START);
	assert_printed(&f,
		"\n--- x, 0.000 s ---\nsent 0, answered 0, lost 0, refused 0\nlongest outage: none\n", "");
}

static void test_json_leaves_standard_error_alone(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .json = true, .counting = true });
	add(&f, 2, GREETING_LOST, "why");
	report_summary(&f.report, "x", START);
	assert_int_equal(report_flush(&f.report), 0);
	fflush(f.err);
	assert_string_equal(f.err_text, "");
	assert_non_null(strstr(f.out_text, "\"error\":\"why\"}\n{"));
	assert_non_null(strstr(f.out_text, "\"event\":\"summary\""));
}

static void test_progress_is_wiped_before_other_lines(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, (struct report_style){ .progress = true, .expected = 2, .many = true });
	add(&f, 1, GREETING_ANSWERED, NULL);
	report_progress(&f.report, START + 1000000);
	add(&f, 2, GREETING_LOST, "why");
	report_progress(&f.report, START + 2000000);
	report_summary(&f.report, "x", START);
	assert_printed(&f, "client 1: I am SERVER\n",
		"\r\033[K1 of 2 greeted, 0 without the reply, 1 s"
		"\r\033[Ksockctl: client 2: why\n"
		"\r\033[K2 of 2 greeted, 1 without the reply, 2 s"
		"\r\033[K");
}

static void test_remembers_that_writing_failed(void **state)
{
	_cleanup_(report_deinit) struct report report;
	FILE *full = fopen("/dev/full", "w");
	const struct report_style style = { .reply = "I am SERVER", .out = full, .err = stderr };

	(void)state;
	assert_non_null(full);
	assert_int_equal(report_init(&report, &style, START), 0);
	for (int i = 0; i < 2; i++) {
		report_greeting(&report, &(struct greeting){ .id = 1 });
		assert_int_equal(report_flush(&report), -ENOSPC);
	}
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_the_reply_alone),
		cmocka_unit_test(test_says_which_client_when_there_are_many),
		cmocka_unit_test(test_says_what_failed_without_a_client),
		cmocka_unit_test(test_says_more_when_verbose),
		cmocka_unit_test(test_counts_and_sums_up),
		cmocka_unit_test(test_sums_up_nothing),
		cmocka_unit_test(test_json_leaves_standard_error_alone),
		cmocka_unit_test(test_progress_is_wiped_before_other_lines),
		cmocka_unit_test(test_remembers_that_writing_failed),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}

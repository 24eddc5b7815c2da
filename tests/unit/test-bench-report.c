#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/bench-report.h"

#define SEC UINT64_C(1000000000)

/* A run that was never made: 1000 greetings in two seconds. */
struct fixture {
	struct netio_address address;
	struct load_plan plan;
	struct load_result result;
	struct bench_run run;
	struct chart_style style;
};

static void init(struct fixture *f)
{
	struct netio_address parsed[NETIO_PARSE_MAX];

	assert_int_equal(netio_parse("127.0.0.1:8080", 1, parsed), 1);
	*f = (struct fixture){ .address = parsed[0] };
	f->plan = (struct load_plan){
		.connections = 50, .depth = 1, .duration_usec = 2000000, .timeout_usec = 5000000
	};
	f->result = (struct load_result){ .sent = 1000,
		.answered = 1000,
		.answered_in_time = 1000,
		.elapsed = 2 * SEC,
		.connections = 50,
		.most_open = 50,
		.address = &f->address,
		.latency = histogram_new(),
		.connecting = histogram_new() };
	for (int i = 0; i < 1000; i++)
		histogram_add(f->result.latency, i < 600 ? 240000 : i < 990 ? 620000 : 3300000);
	histogram_add(f->result.connecting, 70000);
	f->run = (struct bench_run){ .target = "localhost port 8080",
		.plan = &f->plan,
		.result = &f->result,
		.began = UINT64_C(1700000000000000) };
	f->style = (struct chart_style){ .columns = 80, .rows = 6 };
}

static void deinit(struct fixture *f)
{
	load_result_deinit(&f->result);
}

static char *printed(const struct fixture *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	bench_print(&f->run, &f->style, out);
	fclose(out);
	return text;
}

static void test_sums_up(void **state)
{
	_cleanup_(deinit) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	init(&f);
	text = printed(&f);
	assert_string_equal(text,
		"--- localhost port 8080, 50 connections, 2.000 s ---\n"
		"500 greetings/s, 1,000 answered, none lost\n"
		"\n"
		"  latency       min       p50       p90       p99     p99.9       max      mean\n"
		"             240 us    241 us    618 us    618 us   3.29 ms   3.30 ms    419 us\n"
		"\n"
		"   200 us ####################################################  60.0 % p50\n"
		"   500 us ##################################                    39.0 % p90 p99\n"
		"     1 ms                                                          0 %\n"
		"     2 ms #                                                      1.0 % p99.9 max\n");
}

static void test_lists_percentiles_where_it_is_narrow(void **state)
{
	_cleanup_(deinit) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	init(&f);
	f.style.columns = 40;
	text = printed(&f);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_true(line == text || strcspn(line, "\n") <= 40);
	assert_non_null(strstr(text, "\n500 greetings/s\n1,000 answered, none lost\n"));
	assert_non_null(strstr(text, "\n      p50     241 us\n"));
}

static void test_no_line_is_longer_than_the_terminal(void **state)
{
	(void)state;
	for (unsigned columns = 60; columns <= 120; columns += 7) {
		_cleanup_(deinit) struct fixture f;
		_cleanup_(freep) char *text = NULL;

		init(&f);
		f.style.columns = columns;
		text = printed(&f);
		for (const char *line = text; *line; line = strchr(line, '\n') + 1)
			assert_true(strcspn(line, "\n") <= columns);
	}
}

static void assert_says(const struct fixture *f, const char *expected)
{
	_cleanup_(freep) char *text = printed(f);

	if (!strstr(text, expected))
		fail_msg("\"%s\" is not in:\n%s", expected, text);
}

static void test_says_what_the_load_was(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f);
	f.plan.depth = 16;
	f.plan.connections = 1;
	f.plan.rate = 20000;
	assert_says(
		&f, "--- localhost port 8080, 1 connection, 16 pipelined, 20,000 a second, 2.000 s ---\n");
	f.plan.depth = 1;
	f.plan.connect_each = true;
	assert_says(&f, "1 connection, a new one each time, 20,000");
	assert_says(&f, "  connecting: p50 70.0 us, p99 70.0 us\n");
}

static void test_says_what_went_wrong(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f);
	f.result.errors[LOAD_REFUSED] = 7;
	f.result.sample_len = 11;
	memcpy(f.result.sample, "ERR busy x\n", 11);
	f.result.errors[LOAD_TIMEOUT] = 1234;
	f.result.errors[LOAD_CLOSED] = 2;
	f.result.errors[LOAD_CONNECT] = 3;
	f.result.connect_errno = ECONNREFUSED;
	f.result.unsent = 99;
	f.result.under_way = 5;
	assert_says(&f, "500 greetings/s, 1,000 answered\n");
	assert_says(&f, "\n7 refused: \"ERR busy x\\n\"\n");
	assert_says(&f, "\n1,234 lost: no reply within 5s\n");
	assert_says(&f, "\n2 lost: the connection was closed\n");
	assert_says(&f, "\n3 times no connection: Connection refused\n");
	assert_says(&f, "\n99 due and never sent: the server did not keep up\n");
	assert_says(&f, "\n5 under way at the end\n");
	f.result.errors[LOAD_WRONG] = 1;
	assert_says(&f, "\n1 answered wrongly; the first answer was \"ERR busy x\\n\"\n7 refused\n");
}

static void test_says_what_one_must_know(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f);
	f.result.cpu_kernel = 19 * SEC / 10;
	assert_says(&f, "\nsockctl was busy 95 % of the time: it may be the limit.\n");
	f.result.short_errno = EADDRNOTAVAIL;
	f.result.short_of = SEC / 2;
	f.result.most_open = 40;
	assert_says(&f,
		"\nFor 500 ms this end could open no more connections: Cannot assign requested address.\n");
	assert_says(&f, "\nNo more than 40 connections were open.\n");
	f.result.errors[LOAD_CLOSED] = 1000;
	f.result.connections = 1000;
	assert_says(&f, "\nThe server closes after a reply: see --connect-each.\n");
	f.plan.duration_usec = 0;
	f.plan.count = 3000;
	assert_says(&f, "\nGiven up: no connection for 5s, 2,000 greetings were not sent.\n");
}

static void test_nothing_answered_has_no_chart(void **state)
{
	_cleanup_(deinit) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	init(&f);
	f.result.answered = f.result.answered_in_time = 0;
	f.result.errors[LOAD_TIMEOUT] = 50;
	text = printed(&f);
	assert_string_equal(text, "--- localhost port 8080, 50 connections, 2.000 s ---\n"
				  "0 greetings/s, 0 answered\n"
				  "50 lost: no reply within 5s\n");
}

static void test_exit_statuses(void **state)
{
	static const struct {
		enum load_error error;
		uint64_t answered;
		enum exit_status status;
	} cases[] = {
		{ LOAD_CONNECT, 1, EXIT_NO },
		{ LOAD_CLOSED, 1, EXIT_NO },
		{ LOAD_TIMEOUT, 1, EXIT_NO },
		{ LOAD_TIMEOUT, 0, EXIT_UNREACHABLE },
		{ LOAD_REFUSED, 1, EXIT_REFUSED },
		{ LOAD_WRONG, 1, EXIT_FOREIGN },
	};

	(void)state;
	assert_int_equal(bench_exit(&(struct load_result){ .answered = 1 }), EXIT_DONE);
	assert_int_equal(bench_exit(&(struct load_result){ .answered = 1, .unsent = 1 }), EXIT_NO);
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct load_result result = { .answered = cases[i].answered };

		result.errors[cases[i].error] = 1;
		assert_int_equal(bench_exit(&result), cases[i].status);
	}
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no %s", key);
	return value;
}

static void test_json(void **state)
{
	_cleanup_(deinit) struct fixture f;
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t sum = 0;

	(void)state;
	init(&f);
	f.result.errors[LOAD_CLOSED] = 3;
	bench_print_json(&f.run, out);
	fclose(out);
	struct json_object *object = json_tokener_parse(text);
	assert_non_null(object);
	assert_int_equal(json_object_get_int(get(object, "schema_version")), 1);
	assert_string_equal(json_object_get_string(get(object, "event")), "bench");
	assert_string_equal(json_object_get_string(get(object, "time")), "2023-11-14T22:13:20.000000Z");
	assert_string_equal(json_object_get_string(get(object, "address")), "127.0.0.1:8080");
	assert_int_equal(json_object_get_int(get(object, "greetings_per_second")), 500);
	assert_int_equal(json_object_get_int(get(get(object, "errors"), "closed")), 3);
	assert_int_equal(json_object_get_int(get(get(object, "latency_nsec"), "max")), 3300000);
	assert_null(get(object, "rate"));
	assert_null(get(object, "wrong_answer"));
	struct json_object *rows = get(object, "histogram");
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		sum += json_object_get_uint64(get(json_object_array_get_idx(rows, i), "count"));
	assert_int_equal(sum, 1000);
	json_object_put(object);
}

static void assert_progress(const struct fixture *f, struct bench_progress *progress, const char *expected)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	bench_progress_show(progress, &f->plan, &f->result, &f->style, out);
	fclose(out);
	assert_string_equal(text, expected);
}

static void test_progress(void **state)
{
	_cleanup_(deinit) struct fixture f;
	struct bench_progress progress = { 0 };
	struct load_result result;

	(void)state;
	init(&f);
	result = f.result;
	f.result.elapsed = 0;
	f.result.open = 17;
	assert_progress(&f, &progress, "17 of 50 connections");
	f.result.elapsed = SEC;
	f.result.answered = 400;
	assert_progress(&f, &progress, "\r\033[K#####----- 1 s, 400 greetings/s, p99 618 us, 0 lost");
	f.result.elapsed = SEC + SEC / 2;
	f.result.answered = 1000;
	f.result.errors[LOAD_CLOSED] = 2;
	assert_progress(&f, &progress, "\r\033[K########-- 2 s, 1,200 greetings/s, 2 lost, p99 618 us");
	f.style.columns = 36;
	f.style.utf8 = true;
	f.result.elapsed = 2 * SEC;
	assert_progress(&f, &progress, "\r\033[K██████████ 2 s, 0 greetings/s");
	f.result = result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_up),
		cmocka_unit_test(test_lists_percentiles_where_it_is_narrow),
		cmocka_unit_test(test_no_line_is_longer_than_the_terminal),
		cmocka_unit_test(test_says_what_the_load_was),
		cmocka_unit_test(test_says_what_went_wrong),
		cmocka_unit_test(test_says_what_one_must_know),
		cmocka_unit_test(test_nothing_answered_has_no_chart),
		cmocka_unit_test(test_exit_statuses),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests_name("bench-report", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/report-json.h"

#define NOON INT64_C(1714564800000000) /* 2024-05-01 12:00 UTC */

static struct netio_address address;

static int setup(void **state)
{
	struct netio_address parsed[NETIO_PARSE_MAX];

	(void)state;
	assert_int_equal(netio_parse("[::1]:8080", 1, parsed), 1);
	address = parsed[0];
	return 0;
}

static void assert_greeting(const struct greeting *greeting, const char *reply, const char *expected)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	report_json_greeting(out, greeting, reply, NOON);
	fclose(out);
	assert_string_equal(text, expected);

	struct json_object *parsed = json_tokener_parse(text);
	assert_non_null(parsed);
	json_object_put(parsed);
}

static void test_writes_an_answer(void **state)
{
	const struct greeting greeting = {
		.id = 2, .seq = 7, .address = &address, .began = 250, .connect_usec = 31, .rtt_usec = 213
	};

	(void)state;
	assert_greeting(&greeting, "I am SERVER",
		"{\"schema_version\":1,\"event\":\"greeting\",\"time\":\"2024-05-01T12:00:00.000250Z\","
		"\"id\":2,"
		"\"seq\":7,\"result\":\"answered\",\"address\":\"[::1]:8080\",\"connect_usec\":31,"
		"\"reply\":\"I am SERVER\",\"rtt_usec\":213}\n");
}

static void test_an_unnumbered_client_has_no_id(void **state)
{
	const struct greeting greeting = { .seq = 1, .address = &address };

	(void)state;
	assert_greeting(&greeting, "a/b\xff",
		"{\"schema_version\":1,\"event\":\"greeting\",\"time\":\"2024-05-01T12:00:00.000000Z\","
		"\"id\":null,"
		"\"seq\":1,\"result\":\"answered\",\"address\":\"[::1]:8080\",\"reply\":\"a/b\\\\xff\","
		"\"rtt_usec\":0}\n");
}

static void test_writes_a_refusal_and_something_else(void **state)
{
	char text[] = "\\xff\"";
	struct greeting greeting = { .id = 1, .seq = 1, .address = &address, .text = text };

	(void)state;
	greeting.result = GREETING_REFUSED;
	assert_greeting(&greeting, "I am SERVER",
		"{\"schema_version\":1,\"event\":\"greeting\",\"time\":\"2024-05-01T12:00:00.000000Z\","
		"\"id\":1,"
		"\"seq\":1,\"result\":\"refused\",\"address\":\"[::1]:8080\",\"reply\":\"\\\\xff\\\"\","
		"\"rtt_usec\":0}\n");
	greeting.result = GREETING_FOREIGN;
	assert_greeting(&greeting, "I am SERVER",
		"{\"schema_version\":1,\"event\":\"greeting\",\"time\":\"2024-05-01T12:00:00.000000Z\","
		"\"id\":1,"
		"\"seq\":1,\"result\":\"foreign\",\"address\":\"[::1]:8080\",\"reply\":\"\\\\xff\\\"\","
		"\"rtt_usec\":0}\n");
}

static void test_writes_a_loss(void **state)
{
	char why[] = "cannot reach [::1]:8080: Connection refused";
	const struct greeting greeting = { .id = 1, .seq = 1, .result = GREETING_LOST, .text = why };

	(void)state;
	assert_greeting(&greeting, "I am SERVER",
		"{\"schema_version\":1,\"event\":\"greeting\",\"time\":\"2024-05-01T12:00:00.000000Z\","
		"\"id\":1,"
		"\"seq\":1,\"result\":\"lost\",\"error\":\"cannot reach [::1]:8080: Connection refused\"}\n");
}

static void test_sums_up(void **state)
{
	_cleanup_(tally_deinit) struct tally tally;
	_cleanup_(freep) char *text = NULL, *empty = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(tally_init(&tally), 0);
	tally_add(&tally, &(struct greeting){ .rtt_usec = 100 });
	tally_add(&tally, &(struct greeting){ .rtt_usec = 101 });
	tally_add(&tally, &(struct greeting){ .result = GREETING_LOST, .outage_usec = 9 });
	report_json_summary(out, &tally, NOON, 5000);
	fclose(out);
	assert_string_equal(text,
		"{\"schema_version\":1,\"event\":\"summary\",\"time\":\"2024-05-01T12:00:00.000000Z\","
		"\"duration_usec\":5000,\"sent\":3,\"answered\":2,\"refused\":0,\"foreign\":0,\"lost\":1,"
		"\"rtt_usec\":{\"min\":100,\"avg\":101,\"p50\":100,\"p99\":101,\"max\":101},"
		"\"longest_outage_usec\":9}\n");

	tally_deinit(&tally);
	assert_int_equal(tally_init(&tally), 0);
	out = open_memstream(&empty, &size);
	report_json_summary(out, &tally, NOON, 0);
	fclose(out);
	assert_null(strstr(empty, "rtt_usec"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_an_answer),
		cmocka_unit_test(test_an_unnumbered_client_has_no_id),
		cmocka_unit_test(test_writes_a_refusal_and_something_else),
		cmocka_unit_test(test_writes_a_loss),
		cmocka_unit_test(test_sums_up),
	};

	return cmocka_run_group_tests_name("report-json", tests, setup, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "sockctl/event-text.h"

/* What f prints. */
#define PRINTED(out, f) \
	({ \
		char *text_ = NULL; \
		size_t len_; \
		FILE *out = open_memstream(&text_, &len_); \
		assert_non_null(out); \
		f; \
		fclose(out); \
		text_; \
	})

/* 2024-05-01 12:00:00 UTC. */
#define NOON UINT64_C(1714564800000000)

static const struct event greeting = { 9, "greeting", 2, "rack A", "127.0.0.1:40312", 7, NOON };
static const struct event missing = { 10, "missing", 3, "", "", 0, NOON };
static const struct event_style plain = { 0 };
static const struct event_style coloured = { .color = true, .time_only = true };

static void test_is_a_line_for_people(void **state)
{
	_cleanup_(freep) char *text = PRINTED(out, event_text(&greeting, &plain, out));

	(void)state;
	assert_string_equal(
		text, "2024-05-01 12:00:00  greeting      client 2 (rack A)  127.0.0.1:40312  count 7\n");
}

static void test_leaves_out_what_is_not_there(void **state)
{
	_cleanup_(freep) char *text = PRINTED(out, event_text(&missing, &plain, out));

	(void)state;
	assert_string_equal(text, "2024-05-01 12:00:00  missing       client 3\n");
}

/* Who has just connected has not said who it is. */
static void test_knows_a_stranger_by_its_address(void **state)
{
	struct event event = { 9, "connected", 0, "", "127.0.0.1:40312", 0, NOON };
	_cleanup_(freep) char *connected = PRINTED(out, event_text(&event, &plain, out));
	event.peer = "";
	_cleanup_(freep) char *nowhere = PRINTED(out, event_text(&event, &plain, out));
	event.peer = "127.0.0.1:40312";
	event.kind = "greeting";
	_cleanup_(freep) char *greeted = PRINTED(out, event_text(&event, &plain, out));

	(void)state;
	assert_string_equal(connected, "2024-05-01 12:00:00  connected     127.0.0.1:40312\n");
	assert_string_equal(nowhere, "2024-05-01 12:00:00  connected     an unnumbered client\n");
	assert_string_equal(
		greeted, "2024-05-01 12:00:00  greeting      an unnumbered client  127.0.0.1:40312\n");
}

static void test_colours_what_matters(void **state)
{
	_cleanup_(freep) char *text = PRINTED(out, event_text(&missing, &coloured, out));
	_cleanup_(freep) char *other = PRINTED(out, event_text(&greeting, &coloured, out));

	(void)state;
	assert_string_equal(text, "12:00:00  \033[1;31mmissing     \033[0m  client 3\n");
	assert_null(strchr(other, '\033'));
}

static void test_says_what_was_missed(void **state)
{
	_cleanup_(freep) char *one = PRINTED(out, event_text_missed(1, NOON, &plain, out));
	_cleanup_(freep) char *note = PRINTED(out, event_text_note("gone", NOON, &plain, out));

	(void)state;
	assert_string_equal(
		one, "2024-05-01 12:00:00  missed        1 greeting not shown: too many at once\n");
	assert_string_equal(note, "2024-05-01 12:00:00  note          gone\n");
}

static void test_names_the_unnumbered_and_cuts_long_names(void **state)
{
	char who[EVENT_WHO_MAX], name[300] = "";

	(void)state;
	assert_string_equal(event_who(0, "rack A", who), "an unnumbered client");
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(strlen(event_who(1, name, who)), EVENT_WHO_MAX - 1);
}

static void test_is_an_object_for_programs(void **state)
{
	_cleanup_(freep) char *text = PRINTED(out, event_json(&greeting, out));
	_cleanup_(freep) char *other = PRINTED(out, event_json(&missing, out));

	(void)state;
	assert_string_equal(text, "{\"schema_version\":1,\"seq\":9,\"event\":\"greeting\",\"time\":\"2024-05-"
				  "01T12:00:00.000000Z\",\"id\":2,"
				  "\"name\":\"rack A\",\"peer\":\"127.0.0.1:40312\",\"count\":7}\n");
	assert_non_null(strstr(other, "\"id\":3,\"name\":null,\"peer\":null,\"count\":0}"));
}

static void test_has_no_number_for_what_was_not_heard(void **state)
{
	struct event event = greeting;

	(void)state;
	event.seq = EVENT_NO_SEQ;
	_cleanup_(freep) char *text = PRINTED(out, event_json(&event, out));
	assert_null(strstr(text, "seq"));
}

static void test_tells_programs_of_gaps(void **state)
{
	_cleanup_(freep) char *missed = PRINTED(out, event_json_missed(5, out));
	_cleanup_(freep) char *gap = PRINTED(out, event_json_note("gap", NOON, out));

	(void)state;
	assert_string_equal(missed, "{\"schema_version\":1,\"event\":\"missed\",\"count\":5}\n");
	assert_string_equal(
		gap, "{\"schema_version\":1,\"event\":\"gap\",\"time\":\"2024-05-01T12:00:00.000000Z\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_a_line_for_people),
		cmocka_unit_test(test_leaves_out_what_is_not_there),
		cmocka_unit_test(test_knows_a_stranger_by_its_address),
		cmocka_unit_test(test_colours_what_matters),
		cmocka_unit_test(test_says_what_was_missed),
		cmocka_unit_test(test_names_the_unnumbered_and_cuts_long_names),
		cmocka_unit_test(test_is_an_object_for_programs),
		cmocka_unit_test(test_has_no_number_for_what_was_not_heard),
		cmocka_unit_test(test_tells_programs_of_gaps),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("event-text", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "common/duration.h"
#include "sockctl/moment.h"

/* 2024-05-01 12:00:00 UTC. */
#define NOON (UINT64_C(1714564800) * USEC_PER_SEC)

static void assert_ago(uint64_t seconds, const char *expected)
{
	char text[MOMENT_TEXT_MAX];

	assert_string_equal(moment_ago(NOON - seconds * USEC_PER_SEC, NOON, text), expected);
}

static void test_says_how_long_ago(void **state)
{
	(void)state;
	assert_ago(1, "1 s ago");
	assert_ago(12, "12 s ago");
	assert_ago(119, "119 s ago");
	assert_ago(120, "2 min ago");
	assert_ago(7199, "119 min ago");
	assert_ago(7200, "2 h ago");
	assert_ago(172799, "47 h ago");
	assert_ago(172800, "2 d ago");
	assert_ago(86400 * 936, "936 d ago");
}

static void test_rounds_down(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	assert_string_equal(moment_ago(NOON - 1999999, NOON, text), "1 s ago");
}

static void test_says_now_within_a_second_and_after_a_clock_step(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	assert_ago(0, "now");
	assert_string_equal(moment_ago(NOON + 5 * USEC_PER_SEC, NOON, text), "now");
}

static void test_says_never(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	assert_string_equal(moment_ago(0, NOON, text), "never");
}

static void test_writes_times_in_utc(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	assert_string_equal(moment_utc(0, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(moment_utc(NOON + 250, text), "2024-05-01T12:00:00.000250Z");
	assert_string_equal(moment_utc(NOON + 999999, text), "2024-05-01T12:00:00.999999Z");
}

static void test_survives_times_beyond_all_calendars(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	moment_utc(UINT64_MAX, text);
	moment_local(UINT64_MAX, text);
	moment_local_time(UINT64_MAX, text);
	moment_ago(1, UINT64_MAX, text);
}

static void test_writes_times_in_the_local_zone(void **state)
{
	char text[MOMENT_TEXT_MAX];

	(void)state;
	setenv("TZ", "XXX-2", 1);
	tzset();
	assert_string_equal(moment_local(NOON, text), "2024-05-01 14:00:00");
	assert_string_equal(moment_local_time(NOON, text), "14:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_how_long_ago),
		cmocka_unit_test(test_rounds_down),
		cmocka_unit_test(test_says_now_within_a_second_and_after_a_clock_step),
		cmocka_unit_test(test_says_never),
		cmocka_unit_test(test_writes_times_in_utc),
		cmocka_unit_test(test_survives_times_beyond_all_calendars),
		cmocka_unit_test(test_writes_times_in_the_local_zone),
	};

	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}

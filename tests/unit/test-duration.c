#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/duration.h"

static void assert_span(const char *text, uint64_t expected)
{
	uint64_t usec = 42;

	if (duration_parse(text, &usec) != 0)
		fail_msg("\"%s\" is refused", text);
	if (usec != expected)
		fail_msg("\"%s\" is read as %lu us", text, (unsigned long)usec);
}

static void assert_refused(const char *text, int error)
{
	uint64_t usec = 42;

	if (duration_parse(text, &usec) != error)
		fail_msg("\"%s\" is not refused as it should be", text);
	assert_int_equal(usec, 42);
}

static void test_reads_a_bare_number_as_seconds(void **state)
{
	(void)state;
	assert_span("0", 0);
	assert_span("10", 10 * USEC_PER_SEC);
	assert_span("1.5", 1500 * USEC_PER_MSEC);
	assert_span("007", 7 * USEC_PER_SEC);
}

static void test_reads_every_unit(void **state)
{
	static const struct {
		const char *units[6];
		uint64_t usec;
	} cases[] = {
		{ { "us", "usec", "\xc2\xb5s", "\xce\xbcs" }, 2 },
		{ { "ms", "msec" }, 2 * USEC_PER_MSEC },
		{ { "s", "sec", "second", "seconds" }, 2 * USEC_PER_SEC },
		{ { "m", "min", "minute", "minutes" }, 120 * USEC_PER_SEC },
		{ { "h", "hr", "hour", "hours" }, 7200 * USEC_PER_SEC },
		{ { "d", "day", "days" }, 172800 * USEC_PER_SEC },
		{ { "w", "week", "weeks" }, 1209600 * USEC_PER_SEC },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		for (const char *const *unit = cases[i].units; *unit; unit++) {
			char text[32] = "2";

			strcat(text, *unit);
			assert_span(text, cases[i].usec);
		}
}

static void test_adds_up_parts_with_or_without_space(void **state)
{
	(void)state;
	assert_span("1h 30min", 5400 * USEC_PER_SEC);
	assert_span("1h30min", 5400 * USEC_PER_SEC);
	assert_span(" 1 h  30 min ", 5400 * USEC_PER_SEC);
	assert_span("1min 5", 65 * USEC_PER_SEC);
	assert_span("30min 1h", 5400 * USEC_PER_SEC);
}

static void test_reads_fractions_to_the_microsecond(void **state)
{
	(void)state;
	assert_span("1.5h", 5400 * USEC_PER_SEC);
	assert_span("0.000001s", 1);
	assert_span("0.0000019s", 1);
	assert_span("1.000ms", USEC_PER_MSEC);
	assert_span("1.9us", 1);
}

static void test_refuses_what_is_no_span(void **state)
{
	static const char *const texts[] = { "", " ", "s", "ms 5", "-1", "-1s", "+1s", "1 parsec", "1S", "1M",
		"1y", "1.s", ".5s", "1..5s", "1,5s", "5s!", "1e3", "0x10", "infinity", "10 s s", "1ss",
		"5\xc2" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(texts); i++)
		assert_refused(texts[i], -EINVAL);
}

static void test_refuses_what_does_not_fit_64_bits(void **state)
{
	(void)state;
	assert_span("18446744073709551615us", UINT64_MAX);
	assert_refused("18446744073709551616us", -ERANGE);
	assert_refused("18446744073709551615s", -ERANGE);
	assert_refused("18446744073709.551616s", -ERANGE);
	assert_refused("18446744073709551615us 1us", -ERANGE);
	assert_refused("99999999999999999999999999999w", -ERANGE);
}

static void test_names_the_syntax_error_before_the_overflow(void **state)
{
	(void)state;
	assert_refused("18446744073709551615us 1us nonsense", -EINVAL);
}

static void test_formats_as_people_write(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1us" },
		{ 250 * USEC_PER_MSEC, "250ms" },
		{ 1500 * USEC_PER_MSEC, "1s 500ms" },
		{ 10 * USEC_PER_SEC, "10s" },
		{ 90 * USEC_PER_SEC, "1min 30s" },
		{ 300 * USEC_PER_SEC, "5min" },
		{ 86400 * USEC_PER_SEC, "1d" },
		{ 604800 * USEC_PER_SEC, "1w" },
	};
	char text[DURATION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(duration_format(cases[i].usec, text), cases[i].text);
}

static void test_reads_back_what_it_formats(void **state)
{
	char text[DURATION_TEXT_MAX];

	(void)state;
	for (uint64_t usec = UINT64_MAX; usec > 0; usec = usec / 3 * 2)
		assert_span(duration_format(usec, text), usec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_bare_number_as_seconds),
		cmocka_unit_test(test_reads_every_unit),
		cmocka_unit_test(test_adds_up_parts_with_or_without_space),
		cmocka_unit_test(test_reads_fractions_to_the_microsecond),
		cmocka_unit_test(test_refuses_what_is_no_span),
		cmocka_unit_test(test_refuses_what_does_not_fit_64_bits),
		cmocka_unit_test(test_names_the_syntax_error_before_the_overflow),
		cmocka_unit_test(test_formats_as_people_write),
		cmocka_unit_test(test_reads_back_what_it_formats),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}

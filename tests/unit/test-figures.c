#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "sockctl/figures.h"

static void test_counts(void **state)
{
	char text[FIGURES_TEXT_MAX];

	(void)state;
	assert_string_equal(figures_count(0, text), "0");
	assert_string_equal(figures_count(999, text), "999");
	assert_string_equal(figures_count(1000, text), "1,000");
	assert_string_equal(figures_count(162340, text), "162,340");
	assert_string_equal(figures_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

static void test_times(void **state)
{
	static const struct {
		uint64_t nsec;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1 ns" },
		{ 812, "812 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 9994, "9.99 us" },
		{ 9996, "10.0 us" },
		{ 22440, "22.4 us" },
		{ 99949, "99.9 us" },
		{ 99960, "100 us" },
		{ 999499, "999 us" },
		{ 999500, "1.00 ms" },
		{ 3712000, "3.71 ms" },
		{ 12000000000, "12.0 s" },
		{ 1234000000000, "1,234 s" },
		{ UINT64_MAX, "18,446,744,074 s" },
	};
	char text[FIGURES_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(figures_time(cases[i].nsec, text), cases[i].text);
}

static void test_round_times(void **state)
{
	char text[FIGURES_TEXT_MAX];

	(void)state;
	assert_string_equal(figures_round_time(0, text), "0");
	assert_string_equal(figures_round_time(900, text), "900 ns");
	assert_string_equal(figures_round_time(20000, text), "20 us");
	assert_string_equal(figures_round_time(1000000, text), "1 ms");
	assert_string_equal(figures_round_time(1500000, text), "1.5 ms");
	assert_string_equal(figures_round_time(200000000, text), "200 ms");
}

static void test_shares(void **state)
{
	char text[FIGURES_TEXT_MAX];

	(void)state;
	assert_string_equal(figures_share(0, 0, text), "0 %");
	assert_string_equal(figures_share(0, 9, text), "0 %");
	assert_string_equal(figures_share(9, 9, text), "100 %");
	assert_string_equal(figures_share(1, 3, text), "33.3 %");
	assert_string_equal(figures_share(1, 1000000, text), "<0.1 %");
	assert_string_equal(figures_share(999999, 1000000, text), "99.9 %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_round_times),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}

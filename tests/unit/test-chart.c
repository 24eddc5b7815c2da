#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/chart.h"

#define USEC UINT64_C(1000)

static struct histogram *histogram_of(const uint64_t *usecs, size_t n)
{
	struct histogram *h = histogram_new();

	assert_non_null(h);
	for (size_t i = 0; i < n; i++)
		histogram_add(h, usecs[i] * USEC);
	return h;
}

#define HISTOGRAM(...) \
	histogram_of((const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void test_nothing_has_no_rows(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();
	struct chart_row rows[CHART_ROWS_MAX];

	(void)state;
	assert_int_equal(chart_rows(h, 12, rows), 0);
}

static void test_one_value_has_one_row(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = HISTOGRAM(115);
	struct chart_row rows[CHART_ROWS_MAX];

	(void)state;
	assert_int_equal(chart_rows(h, 12, rows), 1);
	assert_int_equal(rows[0].from, 110 * USEC);
	assert_int_equal(rows[0].to, UINT64_MAX);
	assert_int_equal(rows[0].count, 1);
}

static void test_a_scale_is_as_fine_as_the_rows_allow(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = HISTOGRAM(105, 160, 190, 450, 990);
	struct chart_row rows[CHART_ROWS_MAX];

	(void)state;
	assert_int_equal(chart_rows(h, 20, rows), 20);
	assert_int_equal(chart_rows(h, 19, rows), 10);
	assert_int_equal(chart_rows(h, 9, rows), 6);
	assert_int_equal(rows[1].from, 150 * USEC);
	assert_int_equal(rows[1].to, 200 * USEC);
	assert_int_equal(rows[1].count, 2);
	assert_int_equal(rows[5].count, 1);
	assert_int_equal(chart_rows(h, 5, rows), 3);
	assert_int_equal(chart_rows(h, 1, rows), 1);
	assert_int_equal(rows[0].count, 5);
}

static void test_every_value_is_in_a_row(void **state)
{
	(void)state;
	for (size_t max = 1; max <= CHART_ROWS_MAX; max++) {
		_cleanup_(histogram_freep) struct histogram *h = histogram_new();
		struct chart_row rows[CHART_ROWS_MAX];
		uint64_t sum = 0;

		for (uint64_t value = 0; value < UINT64_C(1) << 45; value += 1 + value / 3)
			histogram_add(h, value);
		size_t n = chart_rows(h, max, rows);
		for (size_t i = 0; i < n; i++) {
			assert_true(i == 0 || rows[i].from == rows[i - 1].to);
			sum += rows[i].count;
		}
		assert_true(n > 0);
		assert_int_equal(sum, histogram_count(h));
	}
}

static void assert_drawn(const struct histogram *h, const struct chart_style *style, const char *expected)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	chart_print(h, style, out);
	fclose(out);
	assert_string_equal(text, expected);
}

static void test_draws_bars(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = HISTOGRAM(110, 120, 230, 240, 260, 270, 620);
	struct chart_style style = { .columns = 60, .rows = 3 };

	(void)state;
	assert_drawn(h, &style,
		"   100 us ############              28.6 %\n"
		"   200 us ########################  57.1 % p50\n"
		"   500 us ######                    14.3 % p90 p99 p99.9 max\n");
	style.utf8 = true;
	assert_drawn(h, &style,
		"   100 us ████████████              28.6 %\n"
		"   200 us ████████████████████████  57.1 % p50\n"
		"   500 us ██████                    14.3 % p90 p99 p99.9 max\n");
	style.columns = 57;
	assert_drawn(h, &style,
		"   100 us ██████████▌            28.6 %\n"
		"   200 us █████████████████████  57.1 % p50\n"
		"   500 us █████▎                 14.3 % p90 p99 p99.9 max\n");
}

static void test_leaves_the_marks_out_where_it_is_narrow(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = HISTOGRAM(110, 230, 240);
	const struct chart_style style = { .columns = 26, .rows = 2 };

	(void)state;
	assert_drawn(h, &style,
		"   100 us ####      33.3 %\n"
		"   200 us ########  66.7 %\n");
}

static void test_what_is_there_is_seen(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();
	struct chart_style style = { .columns = 30, .rows = 2 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		histogram_add(h, 230 * USEC);
	histogram_add(h, 110 * USEC);
	assert_drawn(h, &style,
		"   100 us :             <0.1 %\n"
		"   200 us ############  99.9 %\n");
	style.utf8 = true;
	style.color = true;
	assert_drawn(h, &style,
		"   100 us \033[36m▏\033[0m             <0.1 %\n"
		"   200 us \033[36m████████████\033[0m  99.9 %\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_has_no_rows),
		cmocka_unit_test(test_one_value_has_one_row),
		cmocka_unit_test(test_a_scale_is_as_fine_as_the_rows_allow),
		cmocka_unit_test(test_every_value_is_in_a_row),
		cmocka_unit_test(test_draws_bars),
		cmocka_unit_test(test_leaves_the_marks_out_where_it_is_narrow),
		cmocka_unit_test(test_what_is_there_is_seen),
	};

	return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}

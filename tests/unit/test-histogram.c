#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/histogram.h"

static void test_is_all_zero_while_empty(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	assert_int_equal(histogram_count(h), 0);
	assert_int_equal(histogram_min(h), 0);
	assert_int_equal(histogram_max(h), 0);
	assert_true(histogram_mean(h) == 0);
	assert_int_equal(histogram_percentile(h, 50), 0);
}

static void test_one_value_is_every_percentile(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 213, 1000003, (UINT64_C(1) << 40) - 1 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(values); i++) {
		_cleanup_(histogram_freep) struct histogram *h = histogram_new();

		histogram_add(h, values[i]);
		assert_int_equal(histogram_count(h), 1);
		assert_int_equal(histogram_min(h), values[i]);
		assert_int_equal(histogram_max(h), values[i]);
		assert_true(histogram_mean(h) == (double)values[i]);
		assert_int_equal(histogram_percentile(h, 0.001), values[i]);
		assert_int_equal(histogram_percentile(h, 50), values[i]);
		assert_int_equal(histogram_percentile(h, 100), values[i]);
	}
}

static void test_small_values_are_exact(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	for (uint64_t value = 1; value <= 100; value++)
		histogram_add(h, value);
	for (int percent = 1; percent <= 100; percent++)
		assert_int_equal(histogram_percentile(h, percent), percent);
	assert_int_equal(histogram_percentile(h, 0.5), 1);
	assert_int_equal(histogram_percentile(h, 50.5), 51);
	assert_true(histogram_mean(h) == 50.5);
}

static void test_every_value_is_kept_to_one_in_64(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < UINT64_C(1) << 39; value += 1 + value / 7) {
		_cleanup_(histogram_freep) struct histogram *h = histogram_new();

		histogram_add(h, 0);
		histogram_add(h, value);
		histogram_add(h, (UINT64_C(1) << 40) - 1);

		uint64_t kept = histogram_percentile(h, 50);
		uint64_t off = kept > value ? kept - value : value - kept;
		assert_true(off * 64 <= value);
	}
}

static void test_larger_values_count_as_the_largest(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	histogram_add(h, UINT64_MAX);
	assert_int_equal(histogram_max(h), (UINT64_C(1) << 40) - 1);
	assert_int_equal(histogram_percentile(h, 50), (UINT64_C(1) << 40) - 1);
}

static void test_percentiles_never_leave_what_was_added(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	histogram_add(h, 1000000);
	histogram_add(h, 1000001);
	histogram_add(h, 1000002);
	for (int percent = 1; percent <= 100; percent++) {
		assert_true(histogram_percentile(h, percent) >= 1000000);
		assert_true(histogram_percentile(h, percent) <= 1000002);
	}
}

static void test_counts_what_is_below(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	assert_int_equal(histogram_below(h, UINT64_MAX), 0);
	for (uint64_t value = 0; value <= 100; value++)
		histogram_add(h, value);
	histogram_add(h, UINT64_MAX);
	assert_int_equal(histogram_below(h, 0), 0);
	assert_int_equal(histogram_below(h, 1), 1);
	assert_int_equal(histogram_below(h, 50), 50);
	assert_int_equal(histogram_below(h, 101), 101);
	assert_int_equal(histogram_below(h, UINT64_MAX), 102);
}

static void test_is_as_new_when_cleared(void **state)
{
	_cleanup_(histogram_freep) struct histogram *h = histogram_new();

	(void)state;
	histogram_add(h, 7);
	histogram_clear(h);
	assert_int_equal(histogram_count(h), 0);
	assert_int_equal(histogram_max(h), 0);
	histogram_add(h, 9);
	assert_int_equal(histogram_min(h), 9);
	assert_int_equal(histogram_percentile(h, 50), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_all_zero_while_empty),
		cmocka_unit_test(test_one_value_is_every_percentile),
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_every_value_is_kept_to_one_in_64),
		cmocka_unit_test(test_larger_values_count_as_the_largest),
		cmocka_unit_test(test_percentiles_never_leave_what_was_added),
		cmocka_unit_test(test_counts_what_is_below),
		cmocka_unit_test(test_is_as_new_when_cleared),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}

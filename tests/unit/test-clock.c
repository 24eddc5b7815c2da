#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/duration.h"

#define SLEEP_USEC 1500

static void test_counts_what_passes_in_both_units(void **state)
{
	const struct timespec nap = { .tv_nsec = SLEEP_USEC * 1000 };
	uint64_t usec = clock_usec(CLOCK_MONOTONIC), nsec = clock_nsec(CLOCK_MONOTONIC);

	(void)state;
	assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL), 0);
	assert_true(clock_nsec(CLOCK_MONOTONIC) - nsec >= SLEEP_USEC * 1000);
	assert_true(clock_usec(CLOCK_MONOTONIC) - usec >= SLEEP_USEC);
	assert_true(nsec / 1000 >= usec);
}

static void test_knows_the_time_of_day(void **state)
{
	time_t before = time(NULL);
	uint64_t now = clock_usec(CLOCK_REALTIME);

	(void)state;
	assert_true(now / USEC_PER_SEC + 1 >= (uint64_t)before); /* time(2) reads a coarser clock */
	assert_true(now / USEC_PER_SEC <= (uint64_t)time(NULL) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_what_passes_in_both_units),
		cmocka_unit_test(test_knows_the_time_of_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

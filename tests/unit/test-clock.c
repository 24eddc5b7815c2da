#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <unistd.h>

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

static void test_arms_a_timer(void **state)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct pollfd wait = { .fd = timer, .events = POLLIN };
	uint64_t expirations;

	(void)state;
	assert_true(timer >= 0);
	assert_int_equal(clock_arm(timer, 0), 0); /* at once */
	assert_int_equal(poll(&wait, 1, 20000), 1);
	assert_int_equal(read(timer, &expirations, sizeof(expirations)), sizeof(expirations));
	assert_int_equal(clock_arm(timer, clock_usec(CLOCK_MONOTONIC) + 3600 * USEC_PER_SEC), 0);
	assert_int_equal(poll(&wait, 1, 20), 0);
	close(timer);
	assert_int_equal(clock_arm(-1, 0), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_what_passes_in_both_units),
		cmocka_unit_test(test_knows_the_time_of_day),
		cmocka_unit_test(test_arms_a_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

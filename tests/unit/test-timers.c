#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/cleanup.h"
#include "sockctl/timers.h"

#define N 500

static void test_takes_the_earliest_first(void **state)
{
	_cleanup_(timers_deinit) struct timers timers;
	struct timer waits[N] = { 0 };
	uint64_t last = 0;

	(void)state;
	assert_int_equal(timers_init(&timers, N), 0);
	for (size_t i = 0; i < N; i++)
		timer_set(&timers, &waits[i], 1 + (i * 7919) % 1009);
	for (size_t i = 0; i < N; i++) {
		uint64_t next = timers_next(&timers);
		struct timer *timer = timers_take_due(&timers, 2000);

		assert_non_null(timer);
		assert_int_equal(timer->due, next);
		assert_int_equal(timer->place, 0);
		assert_true(timer->due >= last);
		last = timer->due;
	}
	assert_null(timers_take_due(&timers, 2000));
	assert_true(timers_next(&timers) == TIMER_NEVER);
}

static void test_takes_none_before_it_is_due(void **state)
{
	_cleanup_(timers_deinit) struct timers timers;
	struct timer wait = { 0 };

	(void)state;
	assert_int_equal(timers_init(&timers, 1), 0);
	timer_set(&timers, &wait, 10);
	assert_null(timers_take_due(&timers, 9));
	assert_ptr_equal(timers_take_due(&timers, 10), &wait);
}

static void test_equals_come_in_their_order(void **state)
{
	_cleanup_(timers_deinit) struct timers timers;
	struct timer waits[N] = { 0 };

	(void)state;
	assert_int_equal(timers_init(&timers, N), 0);
	for (size_t i = N; i > 0; i--)
		timer_set(&timers, &waits[i - 1], 5);
	for (size_t i = 0; i < N; i++)
		assert_ptr_equal(timers_take_due(&timers, 5), &waits[i]);
}

static void test_moves_and_clears(void **state)
{
	_cleanup_(timers_deinit) struct timers timers;
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	assert_int_equal(timers_init(&timers, 3), 0);
	timer_set(&timers, &a, 1);
	timer_set(&timers, &b, 2);
	timer_set(&timers, &c, 3);
	timer_set(&timers, &a, 4);
	assert_int_equal(timers_next(&timers), 2);
	timer_clear(&timers, &b);
	timer_clear(&timers, &b);
	assert_int_equal(timers_next(&timers), 3);
	timer_set(&timers, &c, TIMER_NEVER);
	assert_ptr_equal(timers_take_due(&timers, 9), &a);
	assert_null(timers_take_due(&timers, TIMER_NEVER));
}

/* Whatever is set, moved and cleared, the earliest is always the one that a plain scan finds. */
static void test_agrees_with_a_plain_scan(void **state)
{
	_cleanup_(timers_deinit) struct timers timers;
	struct timer waits[40] = { 0 };

	(void)state;
	srand(1);
	assert_int_equal(timers_init(&timers, ELEMENTS(waits)), 0);
	for (int i = 0; i < 20000; i++) {
		struct timer *timer = &waits[(size_t)rand() % ELEMENTS(waits)];
		uint64_t least = TIMER_NEVER;

		if (rand() % 3)
			timer_set(&timers, timer, (uint64_t)rand() % 100);
		else
			timer_clear(&timers, timer);
		for (size_t j = 0; j < ELEMENTS(waits); j++)
			if (waits[j].place && waits[j].due < least)
				least = waits[j].due;
		assert_true(timers_next(&timers) == least);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_the_earliest_first),
		cmocka_unit_test(test_takes_none_before_it_is_due),
		cmocka_unit_test(test_equals_come_in_their_order),
		cmocka_unit_test(test_moves_and_clears),
		cmocka_unit_test(test_agrees_with_a_plain_scan),
	};

	return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "greeterd/deadlines.h"

static void test_nothing_is_due_in_an_empty_queue(void **state)
{
	struct deadlines queue;

	(void)state;
	deadlines_init(&queue, 10);
	assert_null(deadlines_due(&queue, UINT64_MAX));
	assert_true(deadlines_next(&queue) == DEADLINE_NEVER);
}

static void test_a_wait_is_due_when_its_span_is_over(void **state)
{
	struct deadlines queue;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&queue, 10);
	assert_false(deadline_waits(&wait));
	deadline_start(&queue, &wait, 100);
	assert_true(deadline_waits(&wait));
	assert_int_equal(deadlines_next(&queue), 110);
	assert_null(deadlines_due(&queue, 109));
	assert_ptr_equal(deadlines_due(&queue, 110), &wait);
	assert_ptr_equal(deadlines_due(&queue, 111), &wait);
}

static void test_waits_end_in_the_order_they_began(void **state)
{
	struct deadlines queue;
	struct deadline waits[5] = { 0 };

	(void)state;
	deadlines_init(&queue, 10);
	for (size_t i = 0; i < ELEMENTS(waits); i++)
		deadline_start(&queue, &waits[i], 100 + i);
	for (size_t i = 0; i < ELEMENTS(waits); i++) {
		assert_ptr_equal(deadlines_due(&queue, 200), &waits[i]);
		deadline_stop(&waits[i]);
	}
	assert_null(deadlines_due(&queue, 200));
}

static void test_starting_anew_puts_a_wait_off(void **state)
{
	struct deadlines queue;
	struct deadline first = { .next = NULL }, second = { .next = NULL };

	(void)state;
	deadlines_init(&queue, 10);
	deadline_start(&queue, &first, 100);
	deadline_start(&queue, &second, 101);
	deadline_start(&queue, &first, 105);
	assert_ptr_equal(deadlines_due(&queue, 111), &second);
	deadline_stop(&second);
	assert_null(deadlines_due(&queue, 114));
	assert_ptr_equal(deadlines_due(&queue, 115), &first);
}

static void test_a_wait_moves_to_the_queue_it_is_started_in(void **state)
{
	struct deadlines brief, lengthy;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&brief, 10);
	deadlines_init(&lengthy, 1000);
	deadline_start(&brief, &wait, 100);
	deadline_start(&lengthy, &wait, 105);
	assert_null(deadlines_due(&brief, UINT64_MAX - 1));
	assert_int_equal(deadlines_next(&lengthy), 1105);
	deadline_stop(&wait);
	assert_true(deadlines_next(&lengthy) == DEADLINE_NEVER);
}

static void test_stopping_what_does_not_wait_is_no_matter(void **state)
{
	struct deadlines queue;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&queue, 10);
	deadline_stop(&wait);
	deadline_start(&queue, &wait, 1);
	deadline_stop(&wait);
	deadline_stop(&wait);
	assert_false(deadline_waits(&wait));
	assert_null(deadlines_due(&queue, UINT64_MAX));
}

static void test_stopping_one_in_the_middle_leaves_the_others(void **state)
{
	struct deadlines queue;
	struct deadline waits[3] = { 0 };

	(void)state;
	deadlines_init(&queue, 10);
	for (size_t i = 0; i < ELEMENTS(waits); i++)
		deadline_start(&queue, &waits[i], i);
	deadline_stop(&waits[1]);
	assert_ptr_equal(deadlines_due(&queue, 100), &waits[0]);
	deadline_stop(&waits[0]);
	assert_ptr_equal(deadlines_due(&queue, 100), &waits[2]);
}

static void test_a_span_of_never_is_never_due(void **state)
{
	struct deadlines queue;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&queue, DEADLINE_NEVER);
	for (uint64_t now = 0; now < 2; now++) {
		deadline_start(&queue, &wait, now);
		assert_null(deadlines_due(&queue, UINT64_MAX));
		assert_true(deadlines_next(&queue) == DEADLINE_NEVER);
	}
}

static void test_a_sum_beyond_64_bits_is_never(void **state)
{
	struct deadlines queue;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&queue, 10);
	deadline_start(&queue, &wait, UINT64_MAX - 5);
	assert_null(deadlines_due(&queue, UINT64_MAX));
	assert_true(deadlines_next(&queue) == DEADLINE_NEVER);
}

static void test_a_span_of_zero_is_due_at_once(void **state)
{
	struct deadlines queue;
	struct deadline wait = { .next = NULL };

	(void)state;
	deadlines_init(&queue, 0);
	deadline_start(&queue, &wait, 7);
	assert_ptr_equal(deadlines_due(&queue, 7), &wait);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_due_in_an_empty_queue),
		cmocka_unit_test(test_a_wait_is_due_when_its_span_is_over),
		cmocka_unit_test(test_waits_end_in_the_order_they_began),
		cmocka_unit_test(test_starting_anew_puts_a_wait_off),
		cmocka_unit_test(test_a_wait_moves_to_the_queue_it_is_started_in),
		cmocka_unit_test(test_stopping_what_does_not_wait_is_no_matter),
		cmocka_unit_test(test_stopping_one_in_the_middle_leaves_the_others),
		cmocka_unit_test(test_a_span_of_never_is_never_due),
		cmocka_unit_test(test_a_sum_beyond_64_bits_is_never),
		cmocka_unit_test(test_a_span_of_zero_is_due_at_once),
	};

	return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sockctl/tally.h"

static enum exit_status exit_of(uint64_t answered, uint64_t refused, uint64_t foreign, uint64_t lost)
{
	const uint64_t results[] = {
		[GREETING_ANSWERED] = answered,
		[GREETING_REFUSED] = refused,
		[GREETING_FOREIGN] = foreign,
		[GREETING_LOST] = lost,
	};
	_cleanup_(tally_deinit) struct tally tally;

	assert_int_equal(tally_init(&tally), 0);
	for (size_t i = 0; i < ELEMENTS(results); i++)
		for (uint64_t n = 0; n < results[i]; n++)
			tally_add(&tally, &(struct greeting){ .result = (enum greeting_result)i });
	assert_int_equal(tally_sent(&tally), answered + refused + foreign + lost);
	return tally_exit(&tally);
}

static void test_all_answered_is_done(void **state)
{
	(void)state;
	assert_int_equal(exit_of(3, 0, 0, 0), EXIT_DONE);
	assert_int_equal(exit_of(0, 0, 0, 0), EXIT_DONE);
}

static void test_some_lost_is_no(void **state)
{
	(void)state;
	assert_int_equal(exit_of(1, 0, 0, 9), EXIT_NO);
}

static void test_nothing_answered_is_unreachable(void **state)
{
	(void)state;
	assert_int_equal(exit_of(0, 0, 0, 1), EXIT_UNREACHABLE);
}

static void test_refused_outweighs_lost(void **state)
{
	(void)state;
	assert_int_equal(exit_of(5, 1, 0, 5), EXIT_REFUSED);
	assert_int_equal(exit_of(0, 1, 0, 0), EXIT_REFUSED);
}

static void test_foreign_outweighs_all(void **state)
{
	(void)state;
	assert_int_equal(exit_of(5, 5, 1, 5), EXIT_FOREIGN);
}

static void test_only_replies_count_for_the_round_trip(void **state)
{
	_cleanup_(tally_deinit) struct tally tally;

	(void)state;
	assert_int_equal(tally_init(&tally), 0);
	tally_add(&tally, &(struct greeting){ .result = GREETING_ANSWERED, .rtt_usec = 7 });
	tally_add(&tally, &(struct greeting){ .result = GREETING_REFUSED, .rtt_usec = 1 });
	assert_int_equal(histogram_count(tally.rtt), 1);
	assert_int_equal(histogram_max(tally.rtt), 7);
}

static void test_keeps_the_longest_outage(void **state)
{
	_cleanup_(tally_deinit) struct tally tally;

	(void)state;
	assert_int_equal(tally_init(&tally), 0);
	tally_add(&tally, &(struct greeting){ .result = GREETING_LOST, .outage_usec = 5 });
	tally_add(&tally, &(struct greeting){ .result = GREETING_ANSWERED, .outage_usec = 9 });
	tally_add(&tally, &(struct greeting){ .result = GREETING_LOST, .outage_usec = 6 });
	assert_int_equal(tally.longest_outage_usec, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_answered_is_done),
		cmocka_unit_test(test_some_lost_is_no),
		cmocka_unit_test(test_nothing_answered_is_unreachable),
		cmocka_unit_test(test_refused_outweighs_lost),
		cmocka_unit_test(test_foreign_outweighs_all),
		cmocka_unit_test(test_only_replies_count_for_the_round_trip),
		cmocka_unit_test(test_keeps_the_longest_outage),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}

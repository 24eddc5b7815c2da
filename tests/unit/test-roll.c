#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

#include "greeterd/roll.h"

#define MAX_ID 65535

static void test_counts_from_one(void **state)
{
	_cleanup_(roll_freep) struct roll *roll = NULL;

	(void)state;
	assert_int_equal(roll_new(MAX_ID, &roll), 0);
	for (uint64_t count = 1; count <= 1000; count++)
		assert_int_equal(roll_record(roll, 7), count);
}

static void test_clients_do_not_share_a_count(void **state)
{
	_cleanup_(roll_freep) struct roll *roll = NULL;

	(void)state;
	assert_int_equal(roll_new(MAX_ID, &roll), 0);
	for (uint32_t id = 0; id <= MAX_ID; id++)
		assert_int_equal(roll_record(roll, id), 1);
	for (uint32_t id = MAX_ID; id > 0; id--)
		assert_int_equal(roll_record(roll, id), 2);
	assert_int_equal(roll_record(roll, 0), 2);
}

static void test_holds_the_smallest_roll(void **state)
{
	_cleanup_(roll_freep) struct roll *roll = NULL;

	(void)state;
	assert_int_equal(roll_new(1, &roll), 0);
	assert_int_equal(roll_record(roll, 0), 1);
	assert_int_equal(roll_record(roll, 1), 1);
}

static void test_says_when_there_is_no_memory(void **state)
{
	struct roll *roll = NULL;
	struct rlimit before, tight;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = (struct rlimit){ (rlim_t)16 << 30, before.rlim_max }; /* half of what the roll would be */
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	assert_int_equal(roll_new(UINT32_MAX, &roll), -ENOMEM);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_null(roll);
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	roll_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_from_one),
		cmocka_unit_test(test_clients_do_not_share_a_count),
		cmocka_unit_test(test_holds_the_smallest_roll),
		cmocka_unit_test(test_says_when_there_is_no_memory),
		cmocka_unit_test(test_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

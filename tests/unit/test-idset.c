#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/idset.h"

static struct idset *parse(const char *text)
{
	struct idset *set = NULL;

	if (idset_parse(text, 1000, &set) != 0)
		fail_msg("\"%s\" is refused", text);
	return set;
}

static void assert_refused(const char *text, int error)
{
	struct idset *set = NULL;

	if (idset_parse(text, 1000, &set) != error)
		fail_msg("\"%s\" is not refused as it should be", text);
	assert_null(set);
}

static void assert_ranges(const char *text, size_t n, const struct idset_range *ranges)
{
	_cleanup_(idset_freep) struct idset *set = parse(text);

	assert_int_equal(set->n_ranges, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(set->ranges[i].first, ranges[i].first);
		assert_int_equal(set->ranges[i].last, ranges[i].last);
	}
}

static void test_reads_ids_and_ranges(void **state)
{
	(void)state;
	assert_ranges("2", 1, (struct idset_range[]){ { 2, 2 } });
	assert_ranges("1-3", 1, (struct idset_range[]){ { 1, 3 } });
	assert_ranges("1,4,9", 3, (struct idset_range[]){ { 1, 1 }, { 4, 4 }, { 9, 9 } });
	assert_ranges("1-20, 40", 2, (struct idset_range[]){ { 1, 20 }, { 40, 40 } });
	assert_ranges("5-5", 1, (struct idset_range[]){ { 5, 5 } });
}

static void test_sorts_and_merges(void **state)
{
	(void)state;
	assert_ranges("9,4,1", 3, (struct idset_range[]){ { 1, 1 }, { 4, 4 }, { 9, 9 } });
	assert_ranges("3,1,2", 1, (struct idset_range[]){ { 1, 3 } });
	assert_ranges("5-9,1-6", 1, (struct idset_range[]){ { 1, 9 } });
	assert_ranges("1-9,2-3,9", 1, (struct idset_range[]){ { 1, 9 } });
	assert_ranges("1-3,5-7", 2, (struct idset_range[]){ { 1, 3 }, { 5, 7 } });
}

static void test_refuses_id_zero(void **state)
{
	(void)state;
	assert_refused("0", -EINVAL);
	assert_refused("0-3", -EINVAL);
	assert_refused("1,0", -EINVAL);
}

static void test_refuses_what_is_no_list(void **state)
{
	static const char *const texts[] = { "", ",", "1,", ",1", "1,,2", "1-", "-1", "1-2-3", "3-1", "+1",
		"01", "1-03", " 1", "1 ", "1 ,2", "1 2", "1.5", "one", "1;2", "0x1" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(texts); i++)
		assert_refused(texts[i], -EINVAL);
}

static void test_refuses_ids_over_the_limit(void **state)
{
	(void)state;
	assert_refused("1001", -ERANGE);
	assert_refused("1-1001", -ERANGE);
	assert_refused("1,99999999999999999999", -ERANGE);
	assert_ranges("1-1000", 1, (struct idset_range[]){ { 1, 1000 } });
}

static void test_reaches_the_largest_32_bit_id(void **state)
{
	struct idset *set = NULL;

	(void)state;
	assert_int_equal(idset_parse("4294967295,1-4294967294", UINT32_MAX, &set), 0);
	assert_int_equal(set->n_ranges, 1);
	assert_int_equal(idset_count(set), UINT32_MAX);
	assert_int_equal(idset_next(set, UINT32_MAX - 1), UINT32_MAX);
	assert_int_equal(idset_next(set, UINT32_MAX), 0);
	idset_free(set);
	assert_int_equal(idset_parse("4294967296", UINT32_MAX, &set), -ERANGE);
}

static void test_walks_over_the_ids_in_order(void **state)
{
	static const uint32_t expected[] = { 2, 4, 5, 6, 900 };
	_cleanup_(idset_freep) struct idset *set = parse("900,4-6,2");
	size_t n = 0;

	(void)state;
	for (uint32_t id = idset_next(set, 0); id > 0; id = idset_next(set, id)) {
		assert_true(n < ELEMENTS(expected));
		assert_int_equal(id, expected[n++]);
	}
	assert_int_equal(n, ELEMENTS(expected));
	assert_int_equal(idset_count(set), ELEMENTS(expected));
}

static void test_knows_what_it_contains(void **state)
{
	_cleanup_(idset_freep) struct idset *set = parse("900,4-6,2");

	(void)state;
	for (uint32_t id = 0; id <= 1001; id++)
		assert_int_equal(idset_contains(set, id), id == 2 || (id >= 4 && id <= 6) || id == 900);
}

static void test_frees_nothing_as_nothing(void **state)
{
	(void)state;
	idset_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_ids_and_ranges),
		cmocka_unit_test(test_sorts_and_merges),
		cmocka_unit_test(test_refuses_id_zero),
		cmocka_unit_test(test_refuses_what_is_no_list),
		cmocka_unit_test(test_refuses_ids_over_the_limit),
		cmocka_unit_test(test_reaches_the_largest_32_bit_id),
		cmocka_unit_test(test_walks_over_the_ids_in_order),
		cmocka_unit_test(test_knows_what_it_contains),
		cmocka_unit_test(test_frees_nothing_as_nothing),
	};

	return cmocka_run_group_tests_name("idset", tests, NULL, NULL);
}

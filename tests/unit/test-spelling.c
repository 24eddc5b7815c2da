#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/spelling.h"

static void assert_distance(const char *a, const char *b, size_t expected)
{
	assert_int_equal(spelling_distance(a, b), expected);
	assert_int_equal(spelling_distance(b, a), expected);
}

static void test_counts_letters_inserted_left_out_and_changed(void **state)
{
	(void)state;
	assert_distance("port", "port", 0);
	assert_distance("port", "ports", 1);
	assert_distance("port", "prt", 1);
	assert_distance("port", "part", 1);
	assert_distance("port", "prot", 2);
	assert_distance("kitten", "sitting", 3);
	assert_distance("", "port", 4);
	assert_distance("", "", 0);
}

static void test_takes_no_account_of_case(void **state)
{
	(void)state;
	assert_distance("Port", "pORT", 0);
}

static void test_compares_no_long_names(void **state)
{
	char name[SPELLING_MAX + 2] = "";

	(void)state;
	memset(name, 'x', SPELLING_MAX);
	assert_distance(name, "", SPELLING_MAX);
	assert_distance(name, name, 0);
	name[SPELLING_MAX] = 'x';
	assert_distance(name, "", SIZE_MAX);
	assert_distance(name, name, SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_letters_inserted_left_out_and_changed),
		cmocka_unit_test(test_takes_no_account_of_case),
		cmocka_unit_test(test_compares_no_long_names),
	};

	return cmocka_run_group_tests_name("spelling", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/table.h"

static const struct table_column columns[] = {
	{ "ID", true, false, 0 },
	{ "NAME", false, true, 0.1 },
	{ "STATE", false, false, 0 },
};

static void assert_table(
	const struct table_style *style, const char *name, const char *color, const char *expected)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *const one[] = { "7", name, "present" }, *const other[] = { "12", "b", "late" };

	assert_int_equal(table_new(columns, ELEMENTS(columns), style, &table), 0);
	assert_int_equal(table_add(table, one, NULL, 0), 0);
	assert_int_equal(table_add(table, other, color, 2), 0);
	assert_int_equal(table_text(table, &text), 0);
	assert_string_equal(text, expected);
}

static void test_aligns_columns(void **state)
{
	(void)state;
	assert_table(&(struct table_style){ .legend = true }, "rack A", NULL,
		"ID  NAME    STATE\n"
		" 7  rack A  present\n"
		"12  b       late\n");
}

static void test_leaves_out_the_head(void **state)
{
	(void)state;
	assert_table(&(struct table_style){ 0 }, "rack A", NULL,
		" 7  rack A  present\n"
		"12  b       late\n");
}

static void test_colours_a_cell(void **state)
{
	(void)state;
	assert_table(&(struct table_style){ .color = true }, "a", "\033[33m",
		" 7  a     present\n"
		"12  b     \033[33mlate\033[0m\n");
}

static void test_has_no_colour_unless_wanted(void **state)
{
	(void)state;
	assert_table(&(struct table_style){ 0 }, "a", "\033[33m",
		" 7  a     present\n"
		"12  b     late\n");
}

static void test_cuts_what_may_be_cut_to_the_width(void **state)
{
	(void)state;
	assert_table(&(struct table_style){ .width = 19 }, "a very long name", NULL,
		" 7  a very  present\n"
		"12  b       late\n");
}

static void test_shares_a_width_that_is_short(void **state)
{
	static const struct table_column two[] = { { "NAME", false, true, 0.1 },
		{ "FROM", false, true, 0.6 } };
	const struct table_style style = { .legend = true, .width = 30 };
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *const cells[] = { "a name that is far too long", "127.0.0.1:40312" };

	(void)state;
	assert_int_equal(table_new(two, ELEMENTS(two), &style, &table), 0);
	assert_int_equal(table_add(table, cells, NULL, 0), 0);
	assert_int_equal(table_text(table, &text), 0);
	assert_string_equal(text, "NAME           FROM\n"
				  "a name that i  127.0.0.1:40312\n");
}

static void test_leaves_out_the_last_columns_that_do_not_fit(void **state)
{
	static const size_t widths[] = { 17, 13, 12, 8, 7, 1 };
	static const char *const texts[] = {
		"ID  NAME  STATE\n12  a na  missing\n",
		"ID  NAME\n12  a name th\n",
		"ID  NAME\n12  a name t\n",
		"ID  NAME\n12  a na\n",
		"ID\n12\n",
		"ID\n12\n",
	};
	const char *const cells[] = { "12", "a name that is far too long", "missing" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(widths); i++) {
		const struct table_style style = { .legend = true, .width = widths[i] };
		_cleanup_(table_freep) struct table *table = NULL;
		_cleanup_(freep) char *text = NULL;

		assert_int_equal(table_new(columns, ELEMENTS(columns), &style, &table), 0);
		assert_int_equal(table_add(table, cells, NULL, 0), 0);
		assert_int_equal(table_text(table, &text), 0);
		assert_string_equal(text, texts[i]);
	}
}

static void test_is_as_wide_as_it_gets_without_a_width(void **state)
{
	char name[301] = "", expected[800];

	(void)state;
	memset(name, 'n', 300);
	snprintf(expected, sizeof(expected), " 7  %s  present\n12  b%299s  late\n", name, "");
	assert_table(&(struct table_style){ 0 }, name, NULL, expected);
}

static void test_is_empty_without_lines(void **state)
{
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	assert_int_equal(
		table_new(columns, ELEMENTS(columns), &(struct table_style){ .legend = true }, &table), 0);
	assert_int_equal(table_text(table, &text), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aligns_columns),
		cmocka_unit_test(test_leaves_out_the_head),
		cmocka_unit_test(test_colours_a_cell),
		cmocka_unit_test(test_has_no_colour_unless_wanted),
		cmocka_unit_test(test_cuts_what_may_be_cut_to_the_width),
		cmocka_unit_test(test_shares_a_width_that_is_short),
		cmocka_unit_test(test_leaves_out_the_last_columns_that_do_not_fit),
		cmocka_unit_test(test_is_as_wide_as_it_gets_without_a_width),
		cmocka_unit_test(test_is_empty_without_lines),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

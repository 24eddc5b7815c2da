#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/escape.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static void assert_escaped(const char *data, size_t len, const char *expected)
{
	char text[1024];

	assert_true(ESCAPE_SIZE(len) <= sizeof(text));
	assert_int_equal(
		escape_text(data, len, text, ESCAPE_SIZE(len) < 4 ? 4 : ESCAPE_SIZE(len)), strlen(expected));
	assert_string_equal(text, expected);
}

static void test_leaves_printable_ascii_alone(void **state)
{
	char printable[128];
	size_t n = 0;

	(void)state;
	for (char c = ' '; c <= '~'; c++)
		if (c != '\\')
			printable[n++] = c;
	printable[n] = '\0';
	assert_escaped(printable, n, printable);
}

static void test_of_nothing_makes_the_empty_text(void **state)
{
	(void)state;
	assert_escaped("", 0, "");
}

static void test_names_the_usual_control_bytes(void **state)
{
	(void)state;
	assert_escaped(BYTES("a\nb\rc\td\\e\0f"), "a\\nb\\rc\\td\\\\e\\0f");
}

static void test_writes_other_bytes_in_hexadecimal(void **state)
{
	(void)state;
	assert_escaped(BYTES("\x1b[31m\x7f\x80\xff\x01\xc3\xa9"), "\\x1b[31m\\x7f\\x80\\xff\\x01\\xc3\\xa9");
}

static void test_lets_no_byte_through_but_printable_ascii(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char text[ESCAPE_SIZE(1)];
		size_t len = escape_text(&(char){ (char)byte }, 1, text, sizeof(text));

		assert_true(len >= 1 && len < sizeof(text));
		assert_int_equal(strlen(text), len);
		for (size_t i = 0; i < len; i++)
			assert_in_range(text[i], ' ', '~');
	}
}

/* In a buffer of each size: what fits, whole escapes only, and "..." where something is missing. */
static void test_cuts_between_escapes_and_says_so(void **state)
{
	static const char data[] = "ab\ncd\x01"
				   "e";
	static const char whole[] = "ab\\ncd\\x01e";
	static const char *const cut[] = {
		[4] = "...",
		[5] = "a...",
		[6] = "ab...",
		[7] = "ab...",
		[8] = "ab\\n...",
		[9] = "ab\\nc...",
		[10] = "ab\\ncd...",
		[11] = "ab\\ncd...",
		[12] = whole,
	};

	(void)state;
	for (size_t size = 4; size < ELEMENTS(cut); size++) {
		_cleanup_(freep) char *text = malloc(size);

		assert_non_null(text);
		assert_int_equal(escape_text(data, sizeof(data) - 1, text, size), strlen(cut[size]));
		assert_string_equal(text, cut[size]);
	}
}

static void test_stays_inside_the_buffer_with_any_bytes(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		char data[40];
		size_t len = (size_t)rand_r(&seed) % sizeof(data), size = 4 + (size_t)rand_r(&seed) % 100;
		_cleanup_(freep) char *text = malloc(size);

		assert_non_null(text);
		for (size_t i = 0; i < len; i++)
			data[i] = (char)rand_r(&seed);
		size_t written = escape_text(data, len, text, size);
		assert_true(written < size);
		assert_int_equal(strnlen(text, size), written);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_printable_ascii_alone),
		cmocka_unit_test(test_of_nothing_makes_the_empty_text),
		cmocka_unit_test(test_names_the_usual_control_bytes),
		cmocka_unit_test(test_writes_other_bytes_in_hexadecimal),
		cmocka_unit_test(test_lets_no_byte_through_but_printable_ascii),
		cmocka_unit_test(test_cuts_between_escapes_and_says_so),
		cmocka_unit_test(test_stays_inside_the_buffer_with_any_bytes),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}

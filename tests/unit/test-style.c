#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "sockctl/style.h"

/* A terminal of our own. */
static int open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_reads_the_three_words(void **state)
{
	enum style_color color = STYLE_AUTO;

	(void)state;
	assert_int_equal(style_parse("never", &color), 0);
	assert_int_equal(color, STYLE_NEVER);
	assert_int_equal(style_parse("always", &color), 0);
	assert_int_equal(color, STYLE_ALWAYS);
	assert_int_equal(style_parse("sometimes", &color), -EINVAL);
	assert_int_equal(color, STYLE_ALWAYS);
	assert_int_equal(style_parse("auto", &color), 0);
	assert_int_equal(color, STYLE_AUTO);
}

static void test_colours_a_terminal_only(void **state)
{
	_cleanup_(closep) int terminal = open_terminal(), file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(style_wanted(STYLE_AUTO, terminal));
	assert_false(style_wanted(STYLE_AUTO, file));
	assert_true(style_wanted(STYLE_ALWAYS, file));
	assert_false(style_wanted(STYLE_NEVER, terminal));
}

static void test_obeys_no_color_unless_told_otherwise(void **state)
{
	_cleanup_(closep) int terminal = open_terminal();

	(void)state;
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	assert_false(style_wanted(STYLE_AUTO, terminal));
	assert_true(style_wanted(STYLE_ALWAYS, terminal));
	setenv("NO_COLOR", "", 1); /* no-color.org: an empty one does not count */
	assert_true(style_wanted(STYLE_AUTO, terminal));
}

static void test_leaves_a_dumb_terminal_alone(void **state)
{
	_cleanup_(closep) int terminal = open_terminal();

	(void)state;
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(style_wanted(STYLE_AUTO, terminal));
	unsetenv("TERM");
	assert_false(style_wanted(STYLE_AUTO, terminal));
}

static void test_has_a_style_for_every_state(void **state)
{
	const char *const states[] = { "new", "present", "late", "missing", "returned", "paused" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(states); i++)
		assert_non_null(style_of(states[i]));
	assert_null(style_of("greeting"));
	assert_null(style_of(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_the_three_words),
		cmocka_unit_test(test_colours_a_terminal_only),
		cmocka_unit_test(test_obeys_no_color_unless_told_otherwise),
		cmocka_unit_test(test_leaves_a_dumb_terminal_alone),
		cmocka_unit_test(test_has_a_style_for_every_state),
	};

	return cmocka_run_group_tests_name("style", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sockctl/control-errors.h"
#include "sockctl/exits.h"

static void test_a_refusal_is_5(void **state)
{
	(void)state;
	assert_int_equal(control_error_status("org.freedesktop.DBus.Error.AccessDenied"), EXIT_REFUSED);
	assert_int_equal(control_error_status("org.greeterd1.Error.InvalidSettings"), EXIT_REFUSED);
	assert_int_equal(control_error_status("org.greeterd1.Error.NobodyThoughtOfIt"), EXIT_REFUSED);
}

static void test_nobody_there_is_3(void **state)
{
	(void)state;
	assert_int_equal(control_error_status("org.freedesktop.DBus.Error.ServiceUnknown"), EXIT_UNREACHABLE);
	assert_int_equal(control_error_status("org.freedesktop.DBus.Error.NoReply"), EXIT_UNREACHABLE);
	assert_int_equal(control_error_status("org.freedesktop.systemd1.NoSuchUnit"), EXIT_UNREACHABLE);
	assert_int_equal(
		control_error_status("org.freedesktop.DBus.Error.Spawn.ChildExited"), EXIT_UNREACHABLE);
	assert_int_equal(control_error_status(""), EXIT_UNREACHABLE);
}

static void test_another_interface_is_4(void **state)
{
	(void)state;
	assert_int_equal(control_error_status("org.freedesktop.DBus.Error.UnknownMethod"), EXIT_FOREIGN);
}

static void test_says_in_other_words_what_the_bus_says_badly(void **state)
{
	(void)state;
	assert_non_null(control_error_hint("org.freedesktop.DBus.Error.ServiceUnknown"));
	assert_non_null(control_error_hint("org.freedesktop.DBus.Error.AccessDenied"));
	assert_null(control_error_hint("org.greeterd1.Error.NoSuchClient"));
	assert_null(control_error_hint("com.example.Error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_refusal_is_5),
		cmocka_unit_test(test_nobody_there_is_3),
		cmocka_unit_test(test_another_interface_is_4),
		cmocka_unit_test(test_says_in_other_words_what_the_bus_says_badly),
	};

	return cmocka_run_group_tests_name("control-errors", tests, NULL, NULL);
}

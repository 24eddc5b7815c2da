#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <syslog.h>

#include "greeterd/messages.h"

static void test_every_id_is_a_128_bit_number_in_lower_case(void **state)
{
	(void)state;
	for (enum message message = 0; message < MESSAGES; message++) {
		const char *id = message_info(message)->id;

		assert_non_null(id);
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	}
}

static void test_no_two_messages_share_an_id(void **state)
{
	(void)state;
	for (enum message a = 0; a < MESSAGES; a++)
		for (enum message b = a + 1; b < MESSAGES; b++)
			assert_string_not_equal(message_info(a)->id, message_info(b)->id);
}

static void test_levels_leave_emergencies_to_the_kernel(void **state)
{
	(void)state;
	for (enum message message = 0; message < MESSAGES; message++)
		assert_in_range(message_info(message)->level, LOG_ERR, LOG_DEBUG);
}

static void test_only_details_are_hidden_without_verbose(void **state)
{
	(void)state;
	for (enum message message = 0; message < MESSAGES; message++)
		assert_int_equal(message_info(message)->level == LOG_DEBUG, message == MESSAGE_DETAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_id_is_a_128_bit_number_in_lower_case),
		cmocka_unit_test(test_no_two_messages_share_an_id),
		cmocka_unit_test(test_levels_leave_emergencies_to_the_kernel),
		cmocka_unit_test(test_only_details_are_hidden_without_verbose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

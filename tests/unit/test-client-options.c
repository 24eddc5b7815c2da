#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sockctl/client-options.h"

/* Standard error in a file of memory while this is in scope. */
struct capture {
	int said, before;
	char text[1024];
};

static void capture_begin(struct capture *c)
{
	*c = (struct capture){ .said = memfd_create("said", MFD_CLOEXEC), .before = dup(STDERR_FILENO) };
	assert_true(c->said >= 0 && c->before >= 0);
	dup2(c->said, STDERR_FILENO);
}

static const char *capture_end(struct capture *c)
{
	dup2(c->before, STDERR_FILENO);
	assert_true(pread(c->said, c->text, sizeof(c->text) - 1, 0) >= 0);
	close(c->said);
	close(c->before);
	return c->text;
}

static void test_numbers_have_a_range(void **state)
{
	static const struct {
		const char *arg;
		uint64_t min, max;
		const char *said; /* NULL: taken */
	} cases[] = {
		{ "1", 1, 1024, NULL },
		{ "1024", 1, 1024, NULL },
		{ "0", 1, 1024, "sockctl x: --n '0': a number from 1 to 1024 was expected\n" },
		{ "1025", 1, 1024, "sockctl x: --n '1025': a number from 1 to 1024 was expected\n" },
		{ "0", 0, UINT64_MAX, NULL },
		{ "x", 0, UINT64_MAX, "sockctl x: --n 'x': a number was expected, 0 for no end\n" },
		{ "0", 1, UINT64_MAX, "sockctl x: --n '0': a number was expected from 1 up\n" },
		{ "+1", 1, UINT64_MAX, "sockctl x: --n '+1': a number was expected from 1 up\n" },
		{ "1k", 1, 1024, "sockctl x: --n '1k': a number from 1 to 1024 was expected\n" },
	};
	struct client_options options = client_options_new("sockctl x");

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct capture capture;
		uint64_t number = 77;

		capture_begin(&capture);
		int r = client_options_number(
			&options, "n", cases[i].arg, cases[i].min, cases[i].max, &number);
		assert_string_equal(capture_end(&capture), cases[i].said ? cases[i].said : "");
		assert_int_equal(r, cases[i].said ? -EINVAL : 0);
		assert_int_equal(number, cases[i].said ? 77 : strtoull(cases[i].arg, NULL, 10));
	}
}

static void test_leaves_what_it_does_not_know(void **state)
{
	struct client_options options = client_options_new("sockctl x");

	(void)state;
	assert_int_equal(client_options_take(&options, 'v', NULL), -EINVAL);
	assert_int_equal(client_options_take(&options, CLIENT_KEYS, NULL), -EINVAL);
}

static void write_settings(char path[static 32], const char *text)
{
	strcpy(path, "/tmp/greeterd-test.XXXXXX");
	_cleanup_(closep) int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_settings_are_read_where_they_are_needed(void **state)
{
	struct client_options options = client_options_new("sockctl x");
	struct settings *settings;
	char path[32];

	(void)state;
	unsetenv("SOCKCTL_PORT");
	write_settings(path, "port = 9000;\nreply = \"Hi\";\n");
	options.config = path;
	settings = client_options_settings(&options, false);
	assert_non_null(settings);
	assert_int_equal(settings->port, 9000);
	assert_string_equal(settings->reply, "Hi");
	settings_free(settings);

	options.reply = "Hi";
	options.target.port = "8080";
	assert_null(client_options_settings(&options, false));
	unlink(path);
}

static void test_settings_of_no_use_are_passed_over(void **state)
{
	struct client_options options = client_options_new("sockctl x");
	struct capture capture;
	char path[32];

	(void)state;
	write_settings(path, "prot = 9000;\n");
	options.config = path;
	capture_begin(&capture);
	assert_null(client_options_settings(&options, false));
	assert_string_equal(capture_end(&capture), "");
	capture_begin(&capture);
	assert_null(client_options_settings(&options, true));
	assert_non_null(strstr(capture_end(&capture), "the settings are passed over\n"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_have_a_range),
		cmocka_unit_test(test_leaves_what_it_does_not_know),
		cmocka_unit_test(test_settings_are_read_where_they_are_needed),
		cmocka_unit_test(test_settings_of_no_use_are_passed_over),
	};

	return cmocka_run_group_tests_name("client-options", tests, NULL, NULL);
}

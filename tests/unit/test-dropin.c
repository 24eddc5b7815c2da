#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/settings.h"
#include "generator/dropin.h"

#define HEAD "# Written by greeterd-generator(8) at boot and at each daemon-reload. See greeterd.conf(5).\n"
#define SOCKET "[Socket]\nListenStream=\n"
#define BOTH HEAD SOCKET "BindIPv6Only=both\n"
#define APART HEAD SOCKET "BindIPv6Only=ipv6-only\n"

static char *text_for(const char *conf, const char *source)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	struct settings_report report = { 0 };
	char *text = NULL;

	if (settings_parse(conf, strlen(conf), "test", &settings, &report) < 0)
		fail_msg("%s: %s", conf, report.n_lines > 0 ? report.lines[0] : "refused");
	assert_int_equal(dropin_text(settings, source, &text), 0);
	return text;
}

static void assert_dropin(const char *conf, const char *expected)
{
	_cleanup_(freep) char *text = text_for(conf, NULL);

	assert_string_equal(text, expected);
}

static void test_says_the_default_port_too(void **state)
{
	(void)state;
	assert_dropin("", BOTH "ListenStream=8080\n");
	assert_dropin("port = 8080; listen = [ \"*\" ];", BOTH "ListenStream=8080\n");
}

static void test_follows_the_port(void **state)
{
	(void)state;
	assert_dropin("port = 9000;", BOTH "ListenStream=9000\n");
	assert_dropin("port = 9000; listen = [ \"127.0.0.1\" ];", BOTH "ListenStream=127.0.0.1:9000\n");
}

static void test_keeps_a_port_that_an_address_names(void **state)
{
	(void)state;
	assert_dropin("port = 9000; listen = [ \"*:7000\", \"192.0.2.7:7001\" ];",
		BOTH "ListenStream=7000\nListenStream=192.0.2.7:7001\n");
}

static void test_keeps_the_order_of_many_addresses(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"[2001:db8::1]:9000\", \"/run/greet.sock\", \"127.0.0.1\", \"*:1\" ];",
		BOTH "ListenStream=[2001:db8::1]:9000\nListenStream=/run/greet.sock\n"
		     "ListenStream=127.0.0.1:8080\nListenStream=1\n");
}

static void test_writes_as_many_as_there_may_be(void **state)
{
	char conf[1024] = "listen = [ \"*:1\"", *end = conf + strlen(conf);
	_cleanup_(freep) char *text = NULL;
	size_t lines = 0;

	(void)state;
	for (int i = 2; i <= SETTINGS_LISTEN_MAX; i++)
		end += snprintf(end, (size_t)(conf + sizeof(conf) - end), ", \"*:%d\"", i);
	strcpy(end, " ];");
	text = text_for(conf, NULL);
	for (const char *at = text; (at = strstr(at, "\nListenStream=")); at++)
		lines++;
	assert_int_equal(lines, 1 + SETTINGS_LISTEN_MAX);
}

static void test_takes_both_families_named_apart_for_a_star(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"[::]\", \"127.0.0.1:1\", \"0.0.0.0\" ];",
		BOTH "ListenStream=127.0.0.1:1\nListenStream=8080\n");
}

static void test_leaves_one_family_to_itself(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"0.0.0.0\" ];", BOTH "ListenStream=0.0.0.0:8080\n");
	assert_dropin("listen = [ \"[::]\" ];", APART "ListenStream=[::]:8080\n");
}

static void test_keeps_ipv6_out_of_the_way_of_ipv4(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"[::]\", \"127.0.0.1\" ];",
		APART "ListenStream=[::]:8080\nListenStream=127.0.0.1:8080\n");
	assert_dropin("listen = [ \"*\", \"[::]:9000\" ];",
		APART "ListenStream=0.0.0.0:8080\nListenStream=[::]:8080\nListenStream=[::]:9000\n");
	assert_dropin("listen = [ \"[::]:1\", \"0.0.0.0:2\" ];",
		APART "ListenStream=[::]:1\nListenStream=0.0.0.0:2\n");
}

static void test_puts_the_scope_behind_the_port(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"[fe80::1%1]:9000\" ];", BOTH "ListenStream=[fe80::1]:9000%%1\n");
}

static void test_shows_a_mapped_address_as_ipv4(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"[::ffff:127.0.0.1]:9000\" ];", BOTH "ListenStream=127.0.0.1:9000\n");
}

static void test_doubles_what_begins_a_specifier(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"/run/%n%%.sock\" ];", BOTH "ListenStream=/run/%%n%%%%.sock\n");
}

static void test_leaves_blanks_and_quotes_inside_of_a_path(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"/run/a  \\\"b\\\" 'c' \\\\d;#e\" ];",
		BOTH "ListenStream=/run/a  \"b\" 'c' \\d;#e\n");
}

static void test_guards_the_end_of_a_path(void **state)
{
	(void)state;
	assert_dropin("listen = [ \"/run/blank \" ];", BOTH "ListenStream=/run/blank %i\n");
	assert_dropin("listen = [ \"/run/back\\\\\" ];", BOTH "ListenStream=/run/back\\%i\n");
}

static void test_writes_the_longest_path(void **state)
{
	char path[108], conf[160], expected[1024];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	snprintf(conf, sizeof(conf), "listen = [ \"%s\" ];", path);
	snprintf(expected, sizeof(expected), BOTH "ListenStream=%s\n", path);
	assert_dropin(conf, expected);
}

static void test_names_the_file_that_it_comes_from(void **state)
{
	_cleanup_(freep) char *text = text_for("", "/etc/100%/greeterd.conf");

	(void)state;
	assert_string_equal(text, HEAD "[Unit]\nSourcePath=/etc/100%%/greeterd.conf\n\n" SOCKET
				       "BindIPv6Only=both\nListenStream=8080\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_the_default_port_too),
		cmocka_unit_test(test_follows_the_port),
		cmocka_unit_test(test_keeps_a_port_that_an_address_names),
		cmocka_unit_test(test_keeps_the_order_of_many_addresses),
		cmocka_unit_test(test_writes_as_many_as_there_may_be),
		cmocka_unit_test(test_takes_both_families_named_apart_for_a_star),
		cmocka_unit_test(test_leaves_one_family_to_itself),
		cmocka_unit_test(test_keeps_ipv6_out_of_the_way_of_ipv4),
		cmocka_unit_test(test_puts_the_scope_behind_the_port),
		cmocka_unit_test(test_shows_a_mapped_address_as_ipv4),
		cmocka_unit_test(test_doubles_what_begins_a_specifier),
		cmocka_unit_test(test_leaves_blanks_and_quotes_inside_of_a_path),
		cmocka_unit_test(test_guards_the_end_of_a_path),
		cmocka_unit_test(test_writes_the_longest_path),
		cmocka_unit_test(test_names_the_file_that_it_comes_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

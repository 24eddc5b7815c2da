#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockctl/target.h"

static const struct target_request nothing = { .default_port = 8080 };

static int forget_environment(void **state)
{
	(void)state;
	unsetenv("SOCKCTL_HOST");
	unsetenv("SOCKCTL_PORT");
	return 0;
}

/* What a request resolves to: the addresses and the name, or the error. */
static void assert_resolves(const struct target_request *request, const char *expected)
{
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL;
	char text[NETIO_TEXT_MAX], all[1024] = "";
	int r = target_resolve(request, &target, &error);

	if (r < 0) {
		assert_null(target);
		snprintf(all, sizeof(all), "%d %s", r, error ? error : "");
	}
	for (size_t i = 0; target && i < target->n_addresses; i++) {
		if (i > 0)
			strcat(all, " ");
		strcat(all, netio_format(&target->addresses[i], text));
	}
	assert_string_equal(all, expected);
}

static void test_defaults_to_loopback_and_the_settings_port(void **state)
{
	struct target_request request = nothing;

	(void)state;
	assert_true(target_needs_port(&request));
	assert_resolves(&request, "127.0.0.1:8080");
	request.default_port = 9000;
	assert_resolves(&request, "127.0.0.1:9000");
	request.family = AF_INET6;
	assert_resolves(&request, "[::1]:9000");
}

static void test_the_environment_comes_before_the_default(void **state)
{
	(void)state;
	setenv("SOCKCTL_HOST", "127.0.0.3", 1);
	setenv("SOCKCTL_PORT", "81", 1);
	assert_false(target_needs_port(&nothing));
	assert_resolves(&nothing, "127.0.0.3:81");
	setenv("SOCKCTL_HOST", "", 1);
	setenv("SOCKCTL_PORT", "", 1);
	assert_true(target_needs_port(&nothing));
	assert_resolves(&nothing, "127.0.0.1:8080");
}

static void test_the_request_comes_before_the_environment(void **state)
{
	const struct target_request request = { .host = "127.0.0.4", .port = "82" };

	(void)state;
	setenv("SOCKCTL_HOST", "127.0.0.3", 1);
	setenv("SOCKCTL_PORT", "nonsense", 1);
	assert_false(target_needs_port(&request));
	assert_resolves(&request, "127.0.0.4:82");
}

static void test_takes_ipv6_with_and_without_brackets(void **state)
{
	(void)state;
	assert_resolves(&(struct target_request){ .host = "::1", .port = "1" }, "[::1]:1");
	assert_resolves(&(struct target_request){ .host = "[::1]", .port = "65535" }, "[::1]:65535");
}

static void test_refuses_what_is_no_port(void **state)
{
	static const char *const ports[] = { "0", "65536", "-1", "+1", " 1", "1 ", "http", "", "0x50",
		"99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(ports); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "%d --port '%s': ports run from 1 to 65535", -EINVAL,
			ports[i]);
		assert_resolves(&(struct target_request){ .port = ports[i] }, expected);
	}
	setenv("SOCKCTL_PORT", "0", 1);
	assert_resolves(&nothing, "-22 SOCKCTL_PORT '0': ports run from 1 to 65535");
}

static void test_refuses_an_empty_host(void **state)
{
	(void)state;
	assert_resolves(&(struct target_request){ .host = "" }, "-22 --host: no host given");
}

static void test_says_why_a_name_does_not_resolve(void **state)
{
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL;
	const struct target_request request = { .host = "no-such-host.invalid", .default_port = 1 };

	(void)state;
	assert_int_equal(target_resolve(&request, &target, &error), -EHOSTUNREACH);
	assert_non_null(strstr(error, "cannot resolve 'no-such-host.invalid': "));
}

static void test_an_address_of_the_other_family_does_not_resolve(void **state)
{
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL, *error6 = NULL;
	struct target_request request = { .host = "::1", .family = AF_INET, .default_port = 1 };

	(void)state;
	assert_int_equal(target_resolve(&request, &target, &error), -EHOSTUNREACH);
	assert_non_null(strstr(error, "'::1' for IPv4: "));
	request.host = "127.0.0.1";
	request.family = AF_INET6;
	assert_int_equal(target_resolve(&request, &target, &error6), -EHOSTUNREACH);
	assert_non_null(strstr(error6, "for IPv6: "));
}

/* A machine may lack /etc/hosts. */
static void need_localhost(void)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		skip();
	freeaddrinfo(found);
}

static void test_a_name_is_named_in_errors_and_an_address_is_not(void **state)
{
	_cleanup_(target_freep) struct target *name = NULL, *address = NULL;
	_cleanup_(freep) char *error = NULL;
	struct target_request request = { .host = "localhost", .default_port = 9 };

	(void)state;
	need_localhost();
	assert_int_equal(target_resolve(&request, &name, &error), 0);
	assert_string_equal(name->name, "localhost port 9");
	request.host = "127.0.0.1";
	assert_int_equal(target_resolve(&request, &address, &error), 0);
	assert_null(address->name);
}

static void test_no_address_comes_twice(void **state)
{
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL;
	const struct target_request request = { .host = "localhost", .default_port = 9 };

	(void)state;
	need_localhost();
	assert_int_equal(target_resolve(&request, &target, &error), 0);
	for (size_t i = 0; i < target->n_addresses; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(netio_equal(&target->addresses[i], &target->addresses[j]));
}

static void test_takes_paths(void **state)
{
	char longest[200];

	(void)state;
	assert_resolves(&(struct target_request){ .unix_path = "/run/greet.sock" }, "/run/greet.sock");
	assert_resolves(&(struct target_request){ .unix_path = "here.sock" }, "here.sock");
	assert_resolves(&(struct target_request){ .unix_path = "@name" }, "@name");
	assert_resolves(&(struct target_request){ .unix_path = "" }, "-22 --unix: no path given");
	assert_false(target_needs_port(&(struct target_request){ .unix_path = "x" }));
	memset(longest, 'x', 107);
	longest[107] = '\0';
	assert_resolves(&(struct target_request){ .unix_path = longest }, longest);
	strcat(longest, "x");
	assert_resolves(&(struct target_request){ .unix_path = longest },
		"-22 --unix: a path of 108 bytes, sockets have at most 107");
	target_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_defaults_to_loopback_and_the_settings_port, forget_environment),
		cmocka_unit_test_setup(test_the_environment_comes_before_the_default, forget_environment),
		cmocka_unit_test_setup(test_the_request_comes_before_the_environment, forget_environment),
		cmocka_unit_test_setup(test_takes_ipv6_with_and_without_brackets, forget_environment),
		cmocka_unit_test_setup(test_refuses_what_is_no_port, forget_environment),
		cmocka_unit_test_setup(test_refuses_an_empty_host, forget_environment),
		cmocka_unit_test_setup(test_says_why_a_name_does_not_resolve, forget_environment),
		cmocka_unit_test_setup(
			test_an_address_of_the_other_family_does_not_resolve, forget_environment),
		cmocka_unit_test_setup(
			test_a_name_is_named_in_errors_and_an_address_is_not, forget_environment),
		cmocka_unit_test_setup(test_no_address_comes_twice, forget_environment),
		cmocka_unit_test_setup(test_takes_paths, forget_environment),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}

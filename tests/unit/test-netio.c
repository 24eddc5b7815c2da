#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"

#define PATH_64 "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PATH_107 PATH_64 "/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct netio_address parse_one(const char *text)
{
	struct netio_address address[NETIO_PARSE_MAX];

	assert_int_equal(netio_parse(text, 8080, address), 1);
	return address[0];
}

static void assert_shown(const struct netio_address *address, const char *expected)
{
	char text[NETIO_TEXT_MAX];

	assert_ptr_equal(netio_format(address, text), text);
	assert_string_equal(text, expected);
}

static void test_parses_what_it_shows(void **state)
{
	static const struct {
		const char *text, *shown;
	} addresses[] = {
		{ "192.0.2.7", "192.0.2.7:8080" },
		{ "192.0.2.7:1", "192.0.2.7:1" },
		{ "192.0.2.7:65535", "192.0.2.7:65535" },
		{ "0.0.0.0", "0.0.0.0:8080" },
		{ "[2001:db8::1]", "[2001:db8::1]:8080" },
		{ "[2001:DB8:0::1]:9000", "[2001:db8::1]:9000" },
		{ "[::]:9000", "[::]:9000" },
		{ "[::ffff:192.0.2.7]:9000", "192.0.2.7:9000" },
		{ "/run/greeterd/greet.sock", "/run/greeterd/greet.sock" },
		{ "/run/with space:80", "/run/with space:80" },
		{ PATH_107, PATH_107 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(addresses); i++) {
		struct netio_address address = parse_one(addresses[i].text);

		assert_shown(&address, addresses[i].shown);
	}
}

static void test_a_star_stands_for_both_families(void **state)
{
	struct netio_address both[NETIO_PARSE_MAX];

	(void)state;
	assert_int_equal(netio_parse("*", 8080, both), 2);
	assert_shown(&both[0], "0.0.0.0:8080");
	assert_shown(&both[1], "[::]:8080");
	assert_int_equal(netio_parse("*:9000", 8080, both), 2);
	assert_shown(&both[0], "0.0.0.0:9000");
	assert_shown(&both[1], "[::]:9000");
}

static void test_takes_a_zone_by_name_and_by_number(void **state)
{
	unsigned int lo = if_nametoindex("lo");
	char expected[NETIO_TEXT_MAX];
	struct netio_address address;

	(void)state;
	if (lo == 0)
		skip();
	snprintf(expected, sizeof(expected), "[fe80::1%%%u]:8080", lo);
	address = parse_one("[fe80::1%lo]");
	assert_shown(&address, expected);
	address = parse_one("[fe80::1%77]:8080");
	assert_shown(&address, "[fe80::1%77]:8080");
}

static void test_refuses_what_is_no_numeric_address(void **state)
{
	static const char *const wrong[] = { "", ":", ":80", "localhost", "example.org:80", "1.2.3",
		"1.2.3.4.5", "256.0.0.1", "127.0.0.1 ", " 127.0.0.1", "0x7f.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:080", "127.0.0.1:65536", "127.0.0.1:4294967297",
		"127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:8o", "::1", "::1:80", "[", "[]", "[::1", "[::1]80",
		"[::1]:", "[::1]:0", "[::1] ", "[127.0.0.1]", "[*]", "**", "* :80", "[:::1]", "[fe80::1%]",
		"[fe80::1%nosuchdevice]", "[fe80::1%0]", "[fe80::1%-1]", "[fe80::1%+2]", "[fe80::1% 2]",
		"[fe80::1%2x]", "[fe80::1%4294967298]", "[fe80::1%18446744073709551618]", "relative/path",
		"@abstract" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		struct netio_address address[NETIO_PARSE_MAX];

		if (netio_parse(wrong[i], 8080, address) != -EINVAL)
			fail_msg("\"%s\" is no address", wrong[i]);
	}
}

static void test_refuses_a_host_of_any_length(void **state)
{
	char text[600];

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		struct netio_address address[NETIO_PARSE_MAX];

		memset(text, '1', len);
		text[len] = '\0';
		assert_int_equal(netio_parse(text, 8080, address), -EINVAL);
	}
}

static void test_refuses_a_path_too_long_and_leaves_the_result_alone(void **state)
{
	struct netio_address address[NETIO_PARSE_MAX], before[NETIO_PARSE_MAX];

	(void)state;
	memset(address, 0x5a, sizeof(address));
	memcpy(before, address, sizeof(before));
	assert_int_equal(netio_parse(PATH_107 "c", 8080, address), -ENAMETOOLONG);
	assert_memory_equal(address, before, sizeof(before));
}

static void test_shows_unix_addresses_without_a_path(void **state)
{
	struct netio_address unnamed = { .len = sizeof(sa_family_t), .un.sun_family = AF_UNIX };
	struct netio_address abstract = { .len = offsetof(struct sockaddr_un, sun_path) + 6,
		.un = { .sun_family = AF_UNIX, .sun_path = "\0greet" } };
	struct netio_address endless = { .len = sizeof(struct sockaddr_un), .un.sun_family = AF_UNIX };
	char expected[NETIO_TEXT_MAX] = "";

	(void)state;
	assert_shown(&unnamed, "unix:unnamed");
	assert_shown(&abstract, "@greet");
	memset(endless.un.sun_path, 'p', sizeof(endless.un.sun_path)); /* no NUL: unix(7), BUGS */
	memset(expected, 'p', sizeof(endless.un.sun_path));
	assert_shown(&endless, expected);
}

static void test_shows_the_number_of_a_family_it_does_not_know(void **state)
{
	struct netio_address address = { .len = sizeof(struct sockaddr), .any.sa_family = AF_APPLETALK };

	(void)state;
	assert_shown(&address, "family 5");
}

static void test_compares_addresses_by_what_they_name(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} pairs[] = {
		{ "127.0.0.1", "127.0.0.1:8080", true },
		{ "127.0.0.1", "127.0.0.1:8081", false },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "127.0.0.1", "[::ffff:127.0.0.1]", true },
		{ "127.0.0.1", "[::1]", false },
		{ "[::1]", "[0:0::1]:8080", true },
		{ "[::1]", "[::1]:1", false },
		{ "[fe80::1%7]", "[fe80::1%7]", true },
		{ "[fe80::1%7]", "[fe80::1%8]", false },
		{ "/run/a", "/run/a", true },
		{ "/run/a", "/run/b", false },
		{ "/run/a", "127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(pairs); i++) {
		struct netio_address a = parse_one(pairs[i].a), b = parse_one(pairs[i].b);

		assert_int_equal(netio_equal(&a, &b), pairs[i].equal);
		assert_int_equal(netio_equal(&b, &a), pairs[i].equal);
	}
}

static void test_addresses_of_an_unknown_family_equal_none(void **state)
{
	struct netio_address a = { .len = sizeof(struct sockaddr), .any.sa_family = AF_APPLETALK };
	struct netio_address b = { .len = sizeof(struct sockaddr), .any.sa_family = AF_X25 };

	(void)state;
	assert_false(netio_equal(&a, &b));
}

/* Listens at a free port or path, connects, accepts: the descriptors and the peer as the server sees it. */
struct pair {
	int listener, client, server;
	struct netio_address local;
	struct netio_peer peer;
};

static void open_pair(struct pair *pair, struct netio_address *at)
{
	struct netio_address from = { .len = sizeof(from.storage) };
	int failed;
	socklen_t len = sizeof(failed);

	pair->listener = netio_listen(at, 8);
	assert_true(pair->listener >= 0);
	assert_int_equal(netio_local(pair->listener, &pair->local), 0);
	pair->client = netio_connect(&pair->local);
	assert_true(pair->client >= 0);
	assert_int_equal(poll(&(struct pollfd){ .fd = pair->client, .events = POLLOUT }, 1, 5000), 1);
	assert_int_equal(getsockopt(pair->client, SOL_SOCKET, SO_ERROR, &failed, &len), 0);
	assert_int_equal(failed, 0);
	assert_int_equal(poll(&(struct pollfd){ .fd = pair->listener, .events = POLLIN }, 1, 5000), 1);
	pair->server = accept4(pair->listener, &from.any, &from.len, SOCK_CLOEXEC);
	assert_true(pair->server >= 0);
	netio_peer_from(pair->server, &from, &pair->peer);
}

static void close_pair(struct pair *pair)
{
	close(pair->server);
	close(pair->client);
	close(pair->listener);
}

static void assert_peer_shown(const struct netio_peer *peer, const char *expected)
{
	char text[NETIO_TEXT_MAX];

	assert_string_equal(netio_peer_format(peer, text), expected);
}

static void assert_private(int fd)
{
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void test_connects_over_ipv4(void **state)
{
	struct netio_address at = parse_one("127.0.0.1"), client;
	struct pair pair;
	char expected[NETIO_TEXT_MAX];

	(void)state;
	at.in.sin_port = 0;
	open_pair(&pair, &at);
	assert_private(pair.listener);
	assert_private(pair.client);
	assert_int_equal(netio_local(pair.client, &client), 0);
	assert_int_equal(pair.peer.family, AF_INET);
	assert_peer_shown(&pair.peer, netio_format(&client, expected));
	close_pair(&pair);
}

static void test_connects_over_ipv6(void **state)
{
	struct netio_address at = parse_one("[::1]"), client;
	struct pair pair;
	char expected[NETIO_TEXT_MAX];
	int only = 0;
	socklen_t len = sizeof(only);

	(void)state;
	at.in6.sin6_port = 0;
	_cleanup_(closep) int probe = netio_listen(&at, 1);
	if (probe == -EADDRNOTAVAIL || probe == -EAFNOSUPPORT)
		skip();
	open_pair(&pair, &at);
	assert_int_equal(getsockopt(pair.listener, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len), 0);
	assert_int_equal(only, 1);
	assert_int_equal(netio_local(pair.client, &client), 0);
	assert_int_equal(pair.peer.family, AF_INET6);
	assert_peer_shown(&pair.peer, netio_format(&client, expected));
	close_pair(&pair);
}

static void test_connects_over_unix_and_knows_who(void **state)
{
	char folder[] = "/tmp/test-netio.XXXXXX", path[64], expected[NETIO_TEXT_MAX];
	struct pair pair;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/greet.sock", folder);
	struct netio_address at = parse_one(path);
	open_pair(&pair, &at);
	assert_shown(&pair.local, path);
	assert_int_equal(pair.peer.family, AF_UNIX);
	snprintf(expected, sizeof(expected), "unix:pid=%d,uid=%u", getpid(), getuid());
	assert_peer_shown(&pair.peer, expected);
	close_pair(&pair);
	unlink(path);
	rmdir(folder);
}

static void test_listening_twice_at_one_place_fails(void **state)
{
	struct netio_address at = parse_one("127.0.0.1"), taken;

	(void)state;
	at.in.sin_port = 0;
	_cleanup_(closep) int first = netio_listen(&at, 8);
	assert_true(first >= 0);
	assert_int_equal(netio_local(first, &taken), 0);
	assert_int_equal(netio_listen(&taken, 8), -EADDRINUSE);
}

static void test_failures_are_the_errno_of_the_call(void **state)
{
	struct netio_address strange = { .len = sizeof(struct sockaddr), .any.sa_family = AF_MAX };
	struct netio_address nowhere = parse_one("/nonexistent/folder/greet.sock"), kept = strange;

	(void)state;
	assert_int_equal(netio_listen(&strange, 8), -EAFNOSUPPORT);
	assert_int_equal(netio_connect(&strange), -EAFNOSUPPORT);
	assert_int_equal(netio_listen(&nowhere, 8), -ENOENT);
	assert_int_equal(netio_connect(&nowhere), -ENOENT);
	assert_int_equal(netio_local(-1, &kept), -EBADF);
	assert_memory_equal(&kept, &strange, sizeof(kept));
}

static struct netio_peer peer_of(const char *text)
{
	struct netio_address address = parse_one(text);
	struct netio_peer peer;

	netio_peer_from(-1, &address, &peer);
	return peer;
}

static void test_a_peer_takes_24_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct netio_peer), 24);
}

static void test_shows_peers_as_people_write_them(void **state)
{
	struct netio_peer v4 = peer_of("127.0.0.1:40312"), mapped = peer_of("[::ffff:192.0.2.7]:40312");
	struct netio_peer v6 = peer_of("[2001:db8::1]:40312"), link = peer_of("[fe80::1%77]:40312");

	(void)state;
	assert_peer_shown(&v4, "127.0.0.1:40312");
	assert_peer_shown(&mapped, "192.0.2.7:40312");
	assert_int_equal(mapped.family, AF_INET);
	assert_peer_shown(&v6, "[2001:db8::1]:40312");
	assert_peer_shown(&link, "[fe80::1%77]:40312");
}

static void test_a_source_is_an_address_or_a_user(void **state)
{
	struct netio_peer a = peer_of("127.0.0.1:1"), b = peer_of("127.0.0.1:2"), c = peer_of("127.0.0.2:1");
	struct netio_peer mapped = peer_of("[::ffff:127.0.0.1]:3"), v6 = peer_of("[::1]:1");
	struct netio_peer link7 = peer_of("[fe80::1%7]:1"), link8 = peer_of("[fe80::1%8]:1");
	struct netio_peer user = { .family = AF_UNIX, .unix_peer = { .pid = 1, .uid = 1000 } };
	struct netio_peer same = { .family = AF_UNIX, .unix_peer = { .pid = 2, .uid = 1000 } };
	struct netio_peer other = { .family = AF_UNIX, .unix_peer = { .pid = 1, .uid = 1001 } };

	(void)state;
	assert_int_equal(netio_peer_compare_source(&a, &b), 0);
	assert_int_equal(netio_peer_compare_source(&a, &mapped), 0);
	assert_int_not_equal(netio_peer_compare_source(&a, &c), 0);
	assert_int_not_equal(netio_peer_compare_source(&a, &v6), 0);
	assert_int_not_equal(netio_peer_compare_source(&link7, &link8), 0);
	assert_int_equal(netio_peer_compare_source(&user, &same), 0);
	assert_int_not_equal(netio_peer_compare_source(&user, &other), 0);
	assert_int_not_equal(netio_peer_compare_source(&user, &a), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses_what_it_shows),
		cmocka_unit_test(test_a_star_stands_for_both_families),
		cmocka_unit_test(test_takes_a_zone_by_name_and_by_number),
		cmocka_unit_test(test_refuses_what_is_no_numeric_address),
		cmocka_unit_test(test_refuses_a_host_of_any_length),
		cmocka_unit_test(test_refuses_a_path_too_long_and_leaves_the_result_alone),
		cmocka_unit_test(test_shows_unix_addresses_without_a_path),
		cmocka_unit_test(test_shows_the_number_of_a_family_it_does_not_know),
		cmocka_unit_test(test_compares_addresses_by_what_they_name),
		cmocka_unit_test(test_addresses_of_an_unknown_family_equal_none),
		cmocka_unit_test(test_connects_over_ipv4),
		cmocka_unit_test(test_connects_over_ipv6),
		cmocka_unit_test(test_connects_over_unix_and_knows_who),
		cmocka_unit_test(test_listening_twice_at_one_place_fails),
		cmocka_unit_test(test_failures_are_the_errno_of_the_call),
		cmocka_unit_test(test_a_peer_takes_24_bytes),
		cmocka_unit_test(test_shows_peers_as_people_write_them),
		cmocka_unit_test(test_a_source_is_an_address_or_a_user),
	};

	return cmocka_run_group_tests_name("netio", tests, NULL, NULL);
}

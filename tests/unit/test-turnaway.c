#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/turnaway.h"

#define SHUTDOWN "ERR shutdown the server is stopping\n"

static void assert_hears(int fd, const char *expected)
{
	char text[256] = "";

	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), (ssize_t)strlen(expected));
	assert_string_equal(text, expected);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0); /* and then the end, not a reset */
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void test_says_why_and_closes(void **state)
{
	int pair[2];

	(void)state;
	make_pair(pair);
	turn_away(pair[0], PROTOCOL_REFUSAL_SHUTDOWN, 1000);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	assert_hears(pair[1], SHUTDOWN);
	close(pair[1]);
}

static void test_who_has_spoken_already_is_told_so_too(void **state)
{
	int pair[2];

	(void)state;
	make_pair(pair);
	assert_int_equal(send(pair[1], "I am client 2\n", 14, 0), 14);
	turn_away(pair[0], PROTOCOL_REFUSAL_BUSY, 1000);
	assert_hears(pair[1], "ERR busy too many connections, try again later\n");
	close(pair[1]);
}

static void test_who_has_gone_stops_nothing(void **state)
{
	int pair[2];

	(void)state;
	make_pair(pair);
	close(pair[1]);
	turn_away(pair[0], PROTOCOL_REFUSAL_BUSY, 1000);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
}

static void test_who_does_not_read_is_not_waited_for(void **state)
{
	char bytes[4096] = "";
	int pair[2];

	(void)state;
	make_pair(pair);
	while (send(pair[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	turn_away(pair[0], PROTOCOL_REFUSAL_BUSY, 1000);
	close(pair[1]);
}

static void test_turns_away_all_who_wait_and_no_more(void **state)
{
	struct netio_address address[NETIO_PARSE_MAX];
	int listener, clients[100];

	(void)state;
	assert_int_equal(netio_parse("127.0.0.1", 0, address), 1);
	listener = netio_listen(&address[0], 200);
	assert_true(listener >= 0);
	assert_int_equal(netio_local(listener, &address[0]), 0);
	for (size_t i = 0; i < ELEMENTS(clients); i++) {
		struct pollfd ready = { .events = POLLOUT };

		clients[i] = ready.fd = netio_connect(&address[0]);
		assert_true(clients[i] >= 0);
		assert_int_equal(poll(&ready, 1, 5000), 1);
		if (i % 2)
			assert_int_equal(send(clients[i], "I am client 2\n", 14, 0), 14);
	}
	assert_int_equal(turn_away_waiting(listener, PROTOCOL_REFUSAL_SHUTDOWN, 1000), ELEMENTS(clients));
	assert_int_equal(turn_away_waiting(listener, PROTOCOL_REFUSAL_SHUTDOWN, 1000), 0);
	for (size_t i = 0; i < ELEMENTS(clients); i++) {
		assert_int_equal(fcntl(clients[i], F_SETFL, 0), 0);
		assert_hears(clients[i], SHUTDOWN);
		close(clients[i]);
	}
	close(listener);
}

static void test_what_is_no_listener_has_nobody_waiting(void **state)
{
	(void)state;
	assert_int_equal(turn_away_waiting(-1, PROTOCOL_REFUSAL_SHUTDOWN, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_why_and_closes),
		cmocka_unit_test(test_who_has_spoken_already_is_told_so_too),
		cmocka_unit_test(test_who_has_gone_stops_nothing),
		cmocka_unit_test(test_who_does_not_read_is_not_waited_for),
		cmocka_unit_test(test_turns_away_all_who_wait_and_no_more),
		cmocka_unit_test(test_what_is_no_listener_has_nobody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sockctl/greeter.h"

#define TIMEOUT UINT64_C(5000000)
#define START UINT64_C(1000000)
#define NAME "127.0.0.1:8080"

/* A greeter on one end of a socketpair, the test being the server at the other. */
struct fixture {
	struct netio_address address;
	struct greeter_plan plan;
	struct greeter greeter;
	int server;
};

static struct netio_address loopback(uint16_t port)
{
	return (struct netio_address){
		.len = sizeof(struct sockaddr_in),
		.in = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			.sin_port = htons(port) },
	};
}

static void init(struct fixture *f, uint32_t id)
{
	int pair[2];

	*f = (struct fixture){ .address = loopback(8080) };
	f->plan = (struct greeter_plan){
		.addresses = &f->address, .n_addresses = 1, .reply = "I am SERVER", .timeout_usec = TIMEOUT
	};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	greeter_init(&f->greeter, &f->plan, id);
	greeter_adopt(&f->greeter, pair[0]);
	f->server = pair[1];
}

static void deinit(struct fixture *f)
{
	greeter_deinit(&f->greeter);
	closep(&f->server);
}

static void greet(struct fixture *f, uint64_t now)
{
	assert_int_equal(greeter_greet(&f->greeter, now, false), 0);
}

static void serve(struct fixture *f, const char *text, uint64_t now)
{
	assert_int_equal(send(f->server, text, strlen(text), 0), strlen(text));
	assert_false(greeter_ready(&f->greeter, now));
}

static void hang_up(struct fixture *f, uint64_t now)
{
	close(f->server);
	f->server = -1;
	assert_false(greeter_ready(&f->greeter, now));
}

static void assert_result(struct fixture *f, enum greeting_result result, const char *text)
{
	assert_true(greeter_resting(&f->greeter));
	assert_int_equal(f->greeter.greeting.result, result);
	if (text)
		assert_string_equal(f->greeter.greeting.text, text);
	else
		assert_null(f->greeter.greeting.text);
}

static void assert_server_reads(struct fixture *f, const char *expected)
{
	char text[256] = "";

	assert_int_equal(recv(f->server, text, sizeof(text) - 1, 0), strlen(expected));
	assert_string_equal(text, expected);
}

static void test_greets_and_takes_the_reply(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 2);
	greet(&f, START);
	assert_server_reads(&f, "I am client 2\n");
	assert_false(greeter_resting(&f.greeter));
	assert_int_equal(greeter_deadline(&f.greeter), START + TIMEOUT);
	serve(&f, "I am SERVER\n", START + 213);
	assert_result(&f, GREETING_ANSWERED, NULL);
	assert_int_equal(f.greeter.greeting.rtt_usec, 213);
	assert_int_equal(f.greeter.greeting.seq, 1);
	assert_int_equal(f.greeter.greeting.ended, START + 213);
	assert_true(greeter_deadline(&f.greeter) == GREETER_NEVER);
	assert_ptr_equal(f.greeter.greeting.address, &f.address);
}

static void test_greets_unnumbered(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 0);
	greet(&f, START);
	assert_server_reads(&f, "I am client\n");
}

static void test_takes_every_end(void **state)
{
	static const struct {
		const char *reply, *end;
	} replies[] = {
		{ "I am SERVER\n", "\n" },
		{ "I am SERVER\r\n", "\r\n" },
		{ "I am SERVER<br>", "<br>" },
		{ "\n\r\nI am SERVER<BR>", "<BR>" },
		{ "I am SERVER\nand more", "\n" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(replies); i++) {
		_cleanup_(deinit) struct fixture f;

		init(&f, 1);
		greet(&f, START);
		serve(&f, replies[i].reply, START + 5);
		assert_result(&f, GREETING_ANSWERED, NULL);
		assert_string_equal(f.greeter.greeting.end, replies[i].end);
	}
}

static void test_takes_a_reply_byte_by_byte(void **state)
{
	_cleanup_(deinit) struct fixture f;
	const char *reply = "I am SERVER<br>";

	(void)state;
	init(&f, 1);
	greet(&f, START);
	for (size_t i = 0; reply[i]; i++) {
		assert_false(greeter_resting(&f.greeter));
		serve(&f, (char[]){ reply[i], '\0' }, START + 10 * (i + 1));
	}
	assert_result(&f, GREETING_ANSWERED, NULL);
	assert_int_equal(f.greeter.greeting.rtt_usec, 10 * strlen(reply));
}

static void test_a_reply_without_end_is_over_when_quiet(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "I am SERVER", START + 100);
	assert_int_equal(greeter_deadline(&f.greeter), START + 100 + GREETER_SETTLE_USEC);
	greeter_due(&f.greeter, START + 99 + GREETER_SETTLE_USEC);
	assert_false(greeter_resting(&f.greeter));
	greeter_due(&f.greeter, START + 100 + GREETER_SETTLE_USEC);
	assert_result(&f, GREETING_ANSWERED, NULL);
	assert_int_equal(f.greeter.greeting.rtt_usec, 100); /* of the last byte, not of the wait */
	assert_string_equal(f.greeter.greeting.end, "");
	assert_true(f.greeter.fd >= 0);
}

static void test_a_reply_without_end_is_over_when_closed(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "I am SERVER", START + 100);
	hang_up(&f, START + 200);
	assert_result(&f, GREETING_ANSWERED, NULL);
	assert_int_equal(f.greeter.greeting.rtt_usec, 100);
	assert_int_equal(f.greeter.fd, -1);
}

static void test_a_reply_that_comes_with_the_close_counts(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	assert_int_equal(send(f.server, "I am SERVER\n", 12, 0), 12);
	hang_up(&f, START + 50);
	assert_result(&f, GREETING_ANSWERED, NULL);
	assert_int_equal(f.greeter.fd, -1);
}

static void test_half_a_reply_is_none(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "I am SER", START + 1);
	hang_up(&f, START + 2);
	assert_result(&f, GREETING_FOREIGN, "I am SER");
}

static void test_a_close_without_a_reply_is_a_loss(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	assert_server_reads(&f, "I am client 1\n");
	hang_up(&f, START + 2);
	assert_result(&f, GREETING_LOST, NAME " closed the connection without a reply");
	assert_int_equal(f.greeter.fd, -1);
}

static void test_a_reset_is_a_loss(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	hang_up(&f, START + 2); /* with the greeting unread, unix(7): ECONNRESET */
	assert_result(&f, GREETING_LOST, NAME ": Connection reset by peer");
}

static void test_silence_is_a_loss(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	greeter_due(&f.greeter, START + TIMEOUT - 1);
	assert_false(greeter_resting(&f.greeter));
	greeter_due(&f.greeter, START + TIMEOUT);
	assert_result(&f, GREETING_LOST, NAME ": no reply within 5s");
	assert_int_equal(f.greeter.fd, -1); /* a late reply must not pass for the next one */
	assert_int_equal(f.greeter.greeting.outage_usec, TIMEOUT);
}

static void test_blank_lines_are_no_reply(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "\n\r\n", START + 1);
	greeter_due(&f.greeter, START + 1 + GREETER_SETTLE_USEC);
	assert_false(greeter_resting(&f.greeter));
	greeter_due(&f.greeter, START + TIMEOUT);
	assert_result(&f, GREETING_LOST, NAME ": no reply within 5s");
}

static void test_endless_blank_lines_are_not_the_protocol(void **state)
{
	_cleanup_(deinit) struct fixture f;
	char blanks[1024];

	(void)state;
	memset(blanks, '\n', sizeof(blanks) - 1);
	blanks[sizeof(blanks) - 1] = '\0';
	init(&f, 1);
	greet(&f, START);
	serve(&f, blanks, START + 1);
	assert_true(greeter_resting(&f.greeter));
	assert_int_equal(f.greeter.greeting.result, GREETING_FOREIGN);
}

static void test_a_refusal_keeps_the_connection(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "ERR id client numbers run from 1 to 9\n", START + 1);
	assert_result(&f, GREETING_REFUSED, "ERR id client numbers run from 1 to 9");
	assert_true(f.greeter.fd >= 0);
}

static void test_something_else_is_escaped(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "\xff\033[2J\\\n", START + 1);
	assert_result(&f, GREETING_FOREIGN, "\\xff\\x1b[2J\\\\");
	assert_int_equal(f.greeter.fd, -1);
}

static void test_a_line_without_end_is_cut(void **state)
{
	_cleanup_(deinit) struct fixture f;
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	init(&f, 1);
	greet(&f, START);
	serve(&f, text, START + 1);
	assert_true(greeter_resting(&f.greeter));
	assert_int_equal(f.greeter.greeting.result, GREETING_FOREIGN);
	assert_true(strlen(f.greeter.greeting.text) <= 2 * PROTOCOL_REPLY_MAX);
}

static void test_one_connection_serves_all_greetings(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 3);
	for (uint64_t seq = 1; seq <= 4; seq++) {
		greet(&f, START * seq);
		assert_server_reads(&f, "I am client 3\n");
		serve(&f, "I am SERVER", START * seq + 1);
		greeter_due(&f.greeter, START * seq + 1 + GREETER_SETTLE_USEC);
		assert_result(&f, GREETING_ANSWERED, NULL);
		assert_int_equal(f.greeter.greeting.seq, seq);
	}
	assert_int_equal(f.greeter.n_connections, 1);
}

static void test_what_comes_unasked_answers_nothing(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	assert_int_equal(
		send(f.server, "I am SERVER\n", 12, 0), 12); /* not read yet when the greeting begins */
	greet(&f, START);
	assert_false(greeter_ready(&f.greeter, START + 1));
	assert_false(greeter_resting(&f.greeter));
	serve(&f, "I am SERVER\n", START + 2);
	assert_int_equal(f.greeter.greeting.rtt_usec, 2);
	serve(&f, "I am SERVER\n", START + 3);
	assert_true(greeter_resting(&f.greeter));
	assert_int_equal(f.greeter.greeting.seq, 1);
}

static void test_a_flood_unasked_ends_the_connection(void **state)
{
	_cleanup_(deinit) struct fixture f;
	char flood[5000];

	(void)state;
	memset(flood, 'x', sizeof(flood) - 1);
	flood[sizeof(flood) - 1] = '\0';
	init(&f, 1);
	serve(&f, flood, START);
	assert_int_equal(f.greeter.fd, -1);
	assert_true(greeter_resting(&f.greeter));
}

static void test_a_close_at_rest_is_no_loss(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	hang_up(&f, START);
	assert_int_equal(f.greeter.fd, -1);
	assert_true(greeter_resting(&f.greeter));
	assert_int_equal(f.greeter.greeting.seq, 0);
}

static void test_an_outage_lasts_to_the_next_reply(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	serve(&f, "ERR busy\n", START + 10);
	assert_int_equal(f.greeter.greeting.outage_usec, 10);
	greet(&f, 2 * START);
	serve(&f, "ERR busy\n", 2 * START + 10);
	assert_int_equal(f.greeter.greeting.outage_usec, START + 10);
	greet(&f, 3 * START);
	serve(&f, "I am SERVER\n", 3 * START + 10);
	assert_int_equal(f.greeter.greeting.outage_usec, 2 * START + 10);
	greet(&f, 4 * START);
	serve(&f, "I am SERVER\n", 4 * START + 10);
	assert_int_equal(f.greeter.greeting.outage_usec, 0);
}

static void test_no_timeout_is_no_deadline(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	f.plan.timeout_usec = UINT64_MAX;
	greet(&f, START);
	assert_true(greeter_deadline(&f.greeter) == GREETER_NEVER);
}

/* A listener on a port of its own; *ret says where. */
static int listener(struct netio_address *ret)
{
	*ret = loopback(0);

	int fd = netio_listen(ret, 5);
	assert_true(fd >= 0);
	assert_int_equal(netio_local(fd, ret), 0);
	return fd;
}

/* An address that refuses: held, so that no other process listens there meanwhile, but not listened on. */
static int refuser(struct netio_address *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret = loopback(0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &ret->any, ret->len), 0);
	assert_int_equal(netio_local(fd, ret), 0);
	return fd;
}

static void wait_until_connected(const struct greeter *greeter)
{
	struct pollfd wait = { .fd = greeter->fd, .events = POLLOUT };

	assert_int_equal(poll(&wait, 1, 10000), 1);
}

static void test_tries_every_address(void **state)
{
	_cleanup_(closep) int bad = -1, good = -1;
	_cleanup_(greeter_deinit) struct greeter greeter;
	struct netio_address addresses[2];
	struct greeter_plan plan = { addresses, 2, "host port 1", "I am SERVER", TIMEOUT };

	(void)state;
	bad = refuser(&addresses[0]);
	good = listener(&addresses[1]);
	greeter_init(&greeter, &plan, 1);
	for (uint64_t now = START; now < 3 * START;
		now += START) { /* the second time, the good one comes first */
		assert_int_equal(greeter_greet(&greeter, now, false), 0);
		while (greeter.state == GREETER_CONNECTING) {
			wait_until_connected(&greeter);
			(void)greeter_ready(&greeter, now + 7);
		}
		assert_int_equal(greeter.state, GREETER_LISTENING);
		assert_ptr_equal(greeter.greeting.address, &addresses[1]);
		/* To the address that answered; at least 1, as 0 means none. */
		assert_int_equal(greeter.greeting.connect_usec, now == START ? 1 : 7);
		greeter_due(&greeter, now + TIMEOUT);
		assert_true(greeter_resting(&greeter));
	}
}

static void test_names_every_address_that_failed(void **state)
{
	_cleanup_(closep) int bad = -1, worse = -1;
	_cleanup_(greeter_deinit) struct greeter greeter;
	struct netio_address addresses[2];
	struct greeter_plan plan = { addresses, 2, "host port 1", "I am SERVER", TIMEOUT };
	char first[NETIO_TEXT_MAX], second[NETIO_TEXT_MAX], expected[512];

	(void)state;
	bad = refuser(&addresses[0]);
	worse = refuser(&addresses[1]);
	greeter_init(&greeter, &plan, 1);
	assert_int_equal(greeter_greet(&greeter, START, true), 0);
	while (greeter.state == GREETER_CONNECTING) {
		wait_until_connected(&greeter);
		(void)greeter_ready(&greeter, START + 7);
	}
	snprintf(expected, sizeof(expected),
		"cannot reach host port 1: %s: Connection refused; %s: Connection refused",
		netio_format(&addresses[0], first), netio_format(&addresses[1], second));
	assert_int_equal(greeter.greeting.result, GREETING_LOST);
	assert_string_equal(greeter.greeting.text, expected);
	assert_null(greeter.greeting.address);
}

static void test_the_timeout_is_shared_between_addresses(void **state)
{
	_cleanup_(greeter_deinit) struct greeter greeter;
	_cleanup_(closep) int fd = -1;
	struct netio_address addresses[2];
	struct greeter_plan plan = { addresses, 2, NULL, "I am SERVER", TIMEOUT };

	(void)state;
	fd = listener(&addresses[0]);
	addresses[1] = addresses[0];
	greeter_init(&greeter, &plan, 1);
	assert_int_equal(greeter_greet(&greeter, START, false), 0);
	assert_int_equal(greeter_deadline(&greeter), START + TIMEOUT / 2);
	greeter_due(&greeter, START + TIMEOUT / 2);
	assert_int_equal(greeter.state, GREETER_CONNECTING);
	assert_int_equal(greeter_deadline(&greeter), START + TIMEOUT);
	greeter_due(&greeter, START + TIMEOUT);
	assert_true(greeter_resting(&greeter));
	assert_int_equal(greeter.greeting.result, GREETING_LOST);
	assert_non_null(strstr(greeter.greeting.text, "timed out; "));
}

static void test_begins_nothing_when_short_of_descriptors(void **state)
{
	_cleanup_(greeter_deinit) struct greeter greeter;
	struct netio_address address = loopback(1);
	struct greeter_plan plan = { &address, 1, NULL, "I am SERVER", TIMEOUT };
	struct rlimit before, none;

	(void)state;
	greeter_init(&greeter, &plan, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int patient = greeter_greet(&greeter, START, true);
	uint64_t seq = greeter.greeting.seq;
	int impatient = greeter_greet(&greeter, START, false);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(patient, -EMFILE);
	assert_int_equal(seq, 0);
	assert_int_equal(impatient, 0);
	assert_int_equal(greeter.greeting.result, GREETING_LOST);
	assert_string_equal(greeter.greeting.text, "cannot reach 127.0.0.1:1: Too many open files");
}

static void test_tries_a_full_unix_backlog_again(void **state)
{
	_cleanup_(greeter_deinit) struct greeter greeter;
	_cleanup_(closep) int server = -1, filler = -1, accepted = -1;
	struct netio_address address = { .un.sun_family = AF_UNIX };
	struct greeter_plan plan = { &address, 1, NULL, "I am SERVER", TIMEOUT };
	int n = snprintf(address.un.sun_path + 1, 64, "greeterd-test-%d", getpid());

	(void)state;
	address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	server = netio_listen(&address, 0);
	assert_true(server >= 0);
	filler = netio_connect(&address);
	assert_true(filler >= 0);
	greeter_init(&greeter, &plan, 1);
	assert_int_equal(greeter_greet(&greeter, START, false), 0);
	assert_int_equal(greeter.state, GREETER_RETRYING);

	uint64_t again = greeter_deadline(&greeter);
	assert_true(again < START + TIMEOUT);
	greeter_due(&greeter, again);
	assert_int_equal(greeter.state, GREETER_RETRYING);
	accepted = accept(server, NULL, NULL);
	assert_true(accepted >= 0);
	greeter_due(&greeter, greeter_deadline(&greeter));
	assert_int_equal(greeter.state, GREETER_CONNECTING);
	assert_true(greeter_ready(&greeter, START + 30000));
	assert_int_equal(greeter.state, GREETER_LISTENING);
	greeter_due(&greeter, START + TIMEOUT);

	assert_int_equal(
		greeter_greet(&greeter, 10 * START, false), 0); /* full again: the lost one waits in it */
	assert_int_equal(greeter.state, GREETER_RETRYING);
	greeter_due(&greeter, 10 * START + TIMEOUT);
	assert_int_equal(greeter.greeting.result, GREETING_LOST);
	assert_non_null(strstr(greeter.greeting.text, "timed out"));
}

static void test_sends_a_greeting_in_pieces_when_it_must(void **state)
{
	_cleanup_(deinit) struct fixture f;
	char block[4096] = "";
	ssize_t n;
	size_t filled = 0;

	(void)state;
	init(&f, 1);
	while ((n = send(f.greeter.fd, block, sizeof(block), 0)) > 0)
		filled += (size_t)n;
	greet(&f, START);
	assert_int_equal(f.greeter.state, GREETER_SENDING);
	while (filled > 0) {
		n = recv(f.server, block, filled < sizeof(block) ? filled : sizeof(block), 0);
		assert_true(n > 0);
		filled -= (size_t)n;
	}
	assert_false(greeter_ready(&f.greeter, START + 1));
	assert_int_equal(f.greeter.state, GREETER_LISTENING);
	assert_server_reads(&f, "I am client 1\n");
}

static void test_a_busy_server_is_heard_though_it_has_closed(void **state)
{
	_cleanup_(deinit) struct fixture f;

	(void)state;
	init(&f, 1);
	greet(&f, START);
	assert_server_reads(&f, "I am client 1\n");
	assert_int_equal(send(f.server, "ERR busy\n", 9, 0), 9);
	hang_up(&f, START + 1);
	assert_result(&f, GREETING_REFUSED, "ERR busy");
	assert_int_equal(f.greeter.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greets_and_takes_the_reply),
		cmocka_unit_test(test_greets_unnumbered),
		cmocka_unit_test(test_takes_every_end),
		cmocka_unit_test(test_takes_a_reply_byte_by_byte),
		cmocka_unit_test(test_a_reply_without_end_is_over_when_quiet),
		cmocka_unit_test(test_a_reply_without_end_is_over_when_closed),
		cmocka_unit_test(test_a_reply_that_comes_with_the_close_counts),
		cmocka_unit_test(test_half_a_reply_is_none),
		cmocka_unit_test(test_a_close_without_a_reply_is_a_loss),
		cmocka_unit_test(test_a_reset_is_a_loss),
		cmocka_unit_test(test_silence_is_a_loss),
		cmocka_unit_test(test_blank_lines_are_no_reply),
		cmocka_unit_test(test_endless_blank_lines_are_not_the_protocol),
		cmocka_unit_test(test_a_refusal_keeps_the_connection),
		cmocka_unit_test(test_something_else_is_escaped),
		cmocka_unit_test(test_a_line_without_end_is_cut),
		cmocka_unit_test(test_one_connection_serves_all_greetings),
		cmocka_unit_test(test_what_comes_unasked_answers_nothing),
		cmocka_unit_test(test_a_flood_unasked_ends_the_connection),
		cmocka_unit_test(test_a_close_at_rest_is_no_loss),
		cmocka_unit_test(test_an_outage_lasts_to_the_next_reply),
		cmocka_unit_test(test_no_timeout_is_no_deadline),
		cmocka_unit_test(test_tries_every_address),
		cmocka_unit_test(test_names_every_address_that_failed),
		cmocka_unit_test(test_the_timeout_is_shared_between_addresses),
		cmocka_unit_test(test_begins_nothing_when_short_of_descriptors),
		cmocka_unit_test(test_tries_a_full_unix_backlog_again),
		cmocka_unit_test(test_sends_a_greeting_in_pieces_when_it_must),
		cmocka_unit_test(test_a_busy_server_is_heard_though_it_has_closed),
	};

	return cmocka_run_group_tests_name("greeter", tests, NULL, NULL);
}

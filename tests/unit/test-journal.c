#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/journal.h"

#define T0 (1000 * USEC_PER_SEC) /* when the tests begin */
#define MSEC (USEC_PER_SEC / 1000)
#define MAX_ID 65535
#define OUTPUT_SIZE (256 * 1024)
#define FLOOD 4000      /* greetings that no receiver's buffer holds */
#define PATIENCE_SEC 60 /* something blocked */

/* A journal and who receives what it says. */
struct fixture {
	char folder[32], path[64];
	int fd; /* lines: what was written; native: journald's socket, -1 while it is gone */
	struct journal *journal;
	char output[OUTPUT_SIZE]; /* what was received last */
};

static const struct netio_peer peer = { .family = AF_INET, .port = 40312, .ip = { 127, 0, 0, 1 } };

static struct fixture *new_fixture(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	alarm(PATIENCE_SEC);
	*state = fixture;
	return fixture;
}

static int set_up_lines(void **state)
{
	struct fixture *fixture = new_fixture(state);

	fixture->fd = memfd_create("lines", MFD_CLOEXEC);
	assert_true(fixture->fd >= 0);
	return 0;
}

static void start_journald(struct fixture *fixture)
{
	struct netio_address address[NETIO_PARSE_MAX];

	assert_int_equal(netio_parse(fixture->path, 0, address), 1);
	fixture->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fixture->fd, &address[0].any, address[0].len), 0);
}

static void stop_journald(struct fixture *fixture)
{
	close(TAKE_FD(fixture->fd));
	unlink(fixture->path);
}

static int set_up_native(void **state)
{
	struct fixture *fixture = new_fixture(state);

	strcpy(fixture->folder, "/tmp/test-journal.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
	start_journald(fixture);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	alarm(0);
	journal_free(fixture->journal);
	closep(&fixture->fd);
	if (fixture->folder[0]) {
		unlink(fixture->path);
		assert_int_equal(rmdir(fixture->folder), 0);
	}
	free(fixture);
	return 0;
}

static struct journal *open_with(struct fixture *fixture, struct journal_setup setup)
{
	setup.fd = fixture->fd;
	setup.max_id = MAX_ID;
	if (fixture->path[0])
		setup.socket = fixture->path;
	assert_int_equal(journal_new(&setup, &fixture->journal), 0);
	return fixture->journal;
}

static struct journal *open_journal(struct fixture *fixture, uint32_t burst)
{
	return open_with(fixture, (struct journal_setup){ .burst = burst });
}

static void greet(struct journal *journal, uint32_t id, uint64_t now)
{
	char text[32];
	int len = id ? snprintf(text, sizeof(text), "I am client %" PRIu32, id)
		     : snprintf(text, sizeof(text), "I am CLIENT");

	journal_greeting(journal, &peer, id, 1, 7, text, (size_t)len, now);
}

static void greet_times(struct journal *journal, uint32_t id, unsigned times, uint64_t now)
{
	while (times-- > 0)
		greet(journal, id, now);
}

/* All lines since the last call. */
static const char *lines(struct fixture *fixture)
{
	ssize_t len;

	lseek(fixture->fd, 0, SEEK_SET);
	len = read(fixture->fd, fixture->output, OUTPUT_SIZE - 1);
	assert_true(len >= 0);
	fixture->output[len] = '\0';
	assert_int_equal(ftruncate(fixture->fd, 0), 0);
	lseek(fixture->fd, 0, SEEK_SET);
	return fixture->output;
}

/* The next datagram, or NULL when there is none. */
static const char *datagram(struct fixture *fixture)
{
	ssize_t len = recv(fixture->fd, fixture->output, OUTPUT_SIZE - 1, 0);

	if (len < 0)
		return NULL;
	fixture->output[len] = '\0';
	assert_int_equal(strlen(fixture->output), len);
	return fixture->output;
}

/* The next datagram is this message with these fields, and no more than these. */
static void assert_datagram(
	struct fixture *fixture, enum message message, const char *text, const char *fields)
{
	const struct message_info *info = message_info(message);
	const char *received = datagram(fixture);
	char expected[2048];

	assert_non_null(received);
	snprintf(expected, sizeof(expected),
		"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=greeterd\nMESSAGE_ID=%s\n%s", text, info->level,
		info->id, fields);
	assert_string_equal(received, expected);
}

/* How many events a message stands for: the number before " more ", or 1. */
static uint64_t events_of(const char *message)
{
	const char *more = strstr(message, " more greeting"), *number = more;

	if (!more)
		return 1;
	while (number > message && number[-1] >= '0' && number[-1] <= '9')
		number--;
	return strtoull(number, NULL, 10);
}

/* Reads all datagrams there are. Returns how many greetings they tell of. */
static uint64_t drain_datagrams(struct fixture *fixture)
{
	uint64_t sum = 0;
	const char *message;

	while ((message = datagram(fixture)))
		sum += events_of(message);
	return sum;
}

/* The same of lines, whole ones. */
static uint64_t count_lines(char *text)
{
	uint64_t sum = 0;
	char *rest = text, *line;

	assert_true(text[0] == '\0' || text[strlen(text) - 1] == '\n');
	while ((line = strsep(&rest, "\n")) && rest) {
		assert_int_equal(strncmp(line, "client", 6), 0);
		sum += events_of(line);
	}
	return sum;
}

/* Reads all that a non-blocking descriptor has. */
static char *drain(struct fixture *fixture, int fd)
{
	size_t used = 0;
	ssize_t len;

	while ((len = read(fd, fixture->output + used, OUTPUT_SIZE - 1 - used)) > 0)
		used += (size_t)len;
	fixture->output[used] = '\0';
	return fixture->output;
}

static void test_writes_a_line_for_each_event(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 200);

	greet(journal, 2, T0);
	greet(journal, 0, T0);
	journal_disconnect(journal, &peer, 2, T0);
	journal_disconnect(journal, &peer, 0, T0);
	journal_refusal(journal, &peer, PROTOCOL_REFUSAL_SYNTAX, "hello", 5, T0);
	journal_refusal(journal, &peer, PROTOCOL_REFUSAL_TIMEOUT, NULL, 0, T0);
	journal_say(journal, MESSAGE_LISTENING, "listening on %s", "127.0.0.1:8080");
	assert_string_equal(lines(fixture), ""); /* until it is flushed */
	journal_flush(journal, T0);
	assert_string_equal(lines(fixture), "client 2 at 127.0.0.1:40312: I am client 2\n"
					    "client at 127.0.0.1:40312: I am CLIENT\n"
					    "client 2 at 127.0.0.1:40312 disconnected\n"
					    "client at 127.0.0.1:40312 disconnected\n"
					    "client at 127.0.0.1:40312 refused (syntax): hello\n"
					    "client at 127.0.0.1:40312 refused (timeout)\n"
					    "listening on 127.0.0.1:8080\n");
	journal_flush(journal, T0);
	assert_string_equal(lines(fixture), "");
}

static void test_sets_the_fields_of_each_message(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 200);

	greet(journal, 2, T0);
	greet(journal, 0, T0);
	journal_disconnect(journal, &peer, 2, T0);
	journal_refusal(journal, &peer, PROTOCOL_REFUSAL_ID, "I am client 0", 13, T0);
	journal_say(journal, MESSAGE_STOPPING, "stopping");
	journal_flush(journal, T0);
	assert_datagram(fixture, MESSAGE_GREETING, "client 2 at 127.0.0.1:40312: I am client 2",
		"GREETERD_CLIENT_ID=2\nGREETERD_PEER=127.0.0.1:40312\nGREETERD_COUNT=7\n");
	assert_datagram(fixture, MESSAGE_GREETING, "client at 127.0.0.1:40312: I am CLIENT",
		"GREETERD_CLIENT_ID=0\nGREETERD_PEER=127.0.0.1:40312\nGREETERD_COUNT=7\n");
	assert_datagram(fixture, MESSAGE_DISCONNECT, "client 2 at 127.0.0.1:40312 disconnected",
		"GREETERD_CLIENT_ID=2\nGREETERD_PEER=127.0.0.1:40312\n");
	assert_datagram(fixture, MESSAGE_REFUSAL, "client at 127.0.0.1:40312 refused (id): I am client 0",
		"GREETERD_PEER=127.0.0.1:40312\nGREETERD_REFUSAL=id\n");
	assert_datagram(fixture, MESSAGE_STOPPING, "stopping", "");
	assert_null(datagram(fixture));
}

static void test_a_peer_cannot_begin_a_field_or_a_line(void **state)
{
	static const char hostile[] = "x\nMESSAGE_ID=0\r\x1b[2J\0\x7f\xff\\";
	static const char shown[] = "x\\nMESSAGE_ID=0\\r\\x1b[2J\\0\\x7f\\xff\\\\";
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 200);
	char text[512];

	journal_refusal(journal, &peer, PROTOCOL_REFUSAL_SYNTAX, hostile, sizeof(hostile) - 1, T0);
	journal_greeting(journal, &peer, 1, 1, 1, hostile, sizeof(hostile) - 1, T0);
	journal_flush(journal, T0);
	snprintf(text, sizeof(text), "client at 127.0.0.1:40312 refused (syntax): %s", shown);
	assert_datagram(
		fixture, MESSAGE_REFUSAL, text, "GREETERD_PEER=127.0.0.1:40312\nGREETERD_REFUSAL=syntax\n");
	snprintf(text, sizeof(text), "client 1 at 127.0.0.1:40312: %s", shown);
	assert_datagram(fixture, MESSAGE_GREETING, text,
		"GREETERD_CLIENT_ID=1\nGREETERD_PEER=127.0.0.1:40312\nGREETERD_COUNT=1\n");
}

static void test_what_is_said_stays_on_one_line(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 200);

	journal_say(journal, MESSAGE_PROBLEM, "%s: \u00fc\\", "a\nPRIORITY=0\r\n\t\x1b[2J\x7f");
	journal_flush(journal, T0);
	assert_datagram(fixture, MESSAGE_PROBLEM, "a?PRIORITY=0????[2J?: \u00fc\\", "");
}

static void test_the_longest_text_is_cut_within_its_entry(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 200);
	char hostile[2000];
	const char *message;

	memset(hostile, '\xff', sizeof(hostile));
	journal_refusal(journal, &peer, PROTOCOL_REFUSAL_LONG, hostile, sizeof(hostile), T0);
	journal_say(journal, MESSAGE_PROBLEM, "%.*s", (int)sizeof(hostile), hostile);
	journal_flush(journal, T0);
	message = datagram(fixture);
	assert_non_null(message);
	assert_non_null(strstr(message, "\\xff...\nPRIORITY=5\n"));
	assert_non_null(strstr(message, "\nGREETERD_REFUSAL=long\n"));
	message = datagram(fixture);
	assert_non_null(message);
	assert_non_null(strstr(message, "\xff\nPRIORITY=4\n"));
	assert_int_equal(message[strlen(message) - 1], '\n');
}

static void test_beyond_the_burst_greetings_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 3);

	assert_true(journal_next(journal) == UINT64_MAX);
	greet_times(journal, 2, 3, T0);
	assert_true(journal_next(journal) == UINT64_MAX);
	greet(journal, 2, T0 + 1);
	greet_times(journal, 5, 2, T0 + 999999);
	greet(journal, 0, T0 + 999999);
	assert_true(journal_next(journal) == T0 + USEC_PER_SEC);
	journal_flush(journal, T0 + 999999);
	assert_string_equal(lines(fixture), "client 2 at 127.0.0.1:40312: I am client 2\n"
					    "client 2 at 127.0.0.1:40312: I am client 2\n"
					    "client 2 at 127.0.0.1:40312: I am client 2\n");
	assert_true(journal_next(journal) == T0 + USEC_PER_SEC);
	journal_flush(journal, T0 + USEC_PER_SEC);
	assert_string_equal(lines(fixture),
		"client: 1 more greeting\nclient 5: 2 more greetings\nclient 2: 1 more greeting\n");
	assert_true(journal_next(journal) == UINT64_MAX);
}

static void test_of_the_same_greetings_each_has_its_count_and_the_surplus_is_summed(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 2);

	journal_greeting(journal, &peer, 2, 5, 9, "I am client 2", 13, T0);
	journal_flush(journal, T0);
	assert_non_null(strstr(datagram(fixture), "\nGREETERD_COUNT=5\n"));
	assert_non_null(strstr(datagram(fixture), "\nGREETERD_COUNT=6\n"));
	assert_null(datagram(fixture));
	journal_flush(journal, T0 + USEC_PER_SEC);
	assert_datagram(fixture, MESSAGE_SUMMARY, "client 2: 3 more greetings",
		"GREETERD_CLIENT_ID=2\nGREETERD_SURPLUS=3\n");
}

static void test_another_burst_counts_from_there_on(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 1);

	greet_times(journal, 2, 2, T0);
	journal_set_burst(journal, 2);
	greet_times(journal, 2, 2, T0);
	journal_flush(journal, T0 + USEC_PER_SEC);
	assert_string_equal(lines(fixture), "client 2 at 127.0.0.1:40312: I am client 2\n"
					    "client 2 at 127.0.0.1:40312: I am client 2\n"
					    "client 2: 2 more greetings\n");
}

static void test_every_second_has_a_burst_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 3);

	for (unsigned second = 0; second < 5; second++) {
		greet_times(journal, 9, 4, T0 + second * USEC_PER_SEC);
		journal_flush(journal, T0 + second * USEC_PER_SEC);
		lines(fixture);
		assert_int_equal(
			strncmp(fixture->output, "client 9: 1 more greeting\n", 26) == 0, second > 0);
		assert_int_equal(count_lines(fixture->output), second > 0 ? 4 : 3);
	}
}

static void test_a_summary_has_its_count_as_a_field(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 1);

	greet_times(journal, MAX_ID, 6, T0);
	for (int i = 0; i < 3; i++) {
		journal_disconnect(journal, &peer, 1, T0);
		journal_refusal(journal, &peer, PROTOCOL_REFUSAL_ID, "", 0, T0);
	}
	journal_flush(journal, T0);
	for (int i = 0; i < 3; i++)
		assert_non_null(datagram(fixture));
	assert_null(datagram(fixture));
	journal_flush(journal, journal_next(journal));
	assert_datagram(fixture, MESSAGE_SUMMARY, "client 65535: 5 more greetings",
		"GREETERD_CLIENT_ID=65535\nGREETERD_SURPLUS=5\n");
	assert_datagram(fixture, MESSAGE_SUMMARY, "2 more disconnects", "GREETERD_SURPLUS=2\n");
	assert_datagram(fixture, MESSAGE_SUMMARY, "2 more refusals", "GREETERD_SURPLUS=2\n");
	assert_null(datagram(fixture));
	assert_true(journal_next(journal) == UINT64_MAX);
}

static void test_counts_every_client_apart_up_to_the_last(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 1);
	char *rest, *line;
	uint32_t expected = MAX_ID;

	greet(journal, 1, T0);
	for (uint32_t id = MAX_ID - 2000; id <= MAX_ID; id++)
		greet_times(journal, id, id % 3 + 1, T0);
	journal_flush(journal, T0);
	lines(fixture);
	journal_flush(journal, T0 + USEC_PER_SEC);
	for (unsigned flushes = 0; journal_next(journal) <= T0 + USEC_PER_SEC; flushes++) {
		assert_true(flushes < 10); /* some at a time: nobody is served meanwhile */
		journal_flush(journal, T0 + USEC_PER_SEC);
	}
	rest = fixture->output;
	lines(fixture);
	while ((line = strsep(&rest, "\n")) && rest) {
		uint32_t id = (uint32_t)strtoul(line + strlen("client "), NULL, 10);

		assert_int_equal(id, expected);
		assert_int_equal(events_of(line), id % 3 + 1);
		expected--;
	}
	assert_int_equal(expected, MAX_ID - 2001);
}

static void test_the_last_flush_says_all(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 1);
	char *rest = fixture->output;
	const char *line;
	uint64_t sum = 0;

	for (uint32_t id = 1; id <= 5000; id++)
		greet(journal, id, T0);
	journal_flush(journal, T0);
	journal_flush(journal, UINT64_MAX);
	lines(fixture);
	while ((line = strsep(&rest, "\n")) && rest)
		sum += events_of(line);
	assert_int_equal(sum, 5000);
}

static void test_without_a_burst_every_greeting_has_an_entry(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	for (unsigned i = 0; i < 1000; i++)
		greet(journal, MAX_ID, T0);
	assert_true(journal_next(journal) == UINT64_MAX);
	journal_flush(journal, T0);
	lines(fixture);
	assert_null(strstr(fixture->output, "more"));
	assert_int_equal(count_lines(fixture->output), 1000);
}

static void test_details_are_for_the_verbose(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	journal_say(journal, MESSAGE_DETAIL, "detail");
	journal_say(journal, MESSAGE_STOPPING, "stopping");
	journal_flush(journal, T0);
	assert_string_equal(lines(fixture), "stopping\n");
	journal_free(journal);
	journal = open_with(fixture, (struct journal_setup){ .verbose = true });
	journal_say(journal, MESSAGE_DETAIL, "detail %d", 1);
	journal_flush(journal, T0);
	assert_string_equal(lines(fixture), "detail 1\n");
}

/* A pipe in place of the memory file: fixture->fd its writing end, blocking as standard error is. */
static int make_pipe(struct fixture *fixture)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	close(fixture->fd);
	fixture->fd = fds[1];
	return fds[0];
}

static void test_a_full_pipe_costs_entries_but_no_count(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(closep) int reader = make_pipe(fixture);
	struct journal *journal = open_journal(fixture, 0);
	uint64_t said, now = T0;

	for (unsigned i = 0; i < FLOOD; i++) {
		greet(journal, i % 10, now);
		if (i % 7 == 0)
			journal_flush(journal, now++);
	}
	journal_flush(journal, now);
	said = count_lines(drain(fixture, reader));
	assert_in_range(said, 1, FLOOD - 1);
	now = journal_next(journal);
	assert_true(now > T0 && now < UINT64_MAX);
	journal_flush(journal, now);
	said += count_lines(drain(fixture, reader));
	assert_int_equal(said, FLOOD);
	assert_true(journal_next(journal) == UINT64_MAX);
}

static void test_a_pipe_that_stays_full_is_tried_soon_and_then_seldom(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(closep) int reader = make_pipe(fixture);
	struct journal *journal = open_journal(fixture, 0);
	uint64_t now = T0, wait = 0;

	greet_times(journal, 1, FLOOD, now);
	for (int i = 0; i < 20; i++) {
		uint64_t next;

		journal_flush(journal, now);
		next = journal_next(journal);
		assert_in_range(next - now, i == 0 ? 1 : wait, i == 0 ? USEC_PER_SEC : 2 * wait);
		wait = next - now;
		now = next;
	}
	assert_in_range(wait, USEC_PER_SEC / 10, USEC_PER_SEC);
	assert_in_range(count_lines(drain(fixture, reader)), 1, FLOOD - 1);
}

static void test_a_busy_journald_is_tried_again_within_milliseconds(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	for (uint64_t now = T0; now < T0 + 100 * MSEC; now += 10 * MSEC) {
		greet_times(journal, 1, FLOOD, now);
		journal_flush(journal, now);
		assert_in_range(drain_datagrams(fixture), 1, FLOOD - 1);
	}
}

static void test_the_last_flush_gives_up_on_a_full_pipe(void **state)
{
	struct fixture *fixture = *state;
	int reader = make_pipe(fixture);
	struct journal *journal = open_journal(fixture, 0);

	greet_times(journal, 1, FLOOD, T0);
	journal_say(journal, MESSAGE_STOPPING, "stopping");
	journal_flush(journal, UINT64_MAX);
	close(reader);
}

/* poll(2) says that a terminal takes more as long as there is room for one byte. */
static void test_a_terminal_that_stands_still_blocks_nothing(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(closep) int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct journal *journal;
	char name[64];

	assert_true(terminal >= 0);
	assert_int_equal(unlockpt(terminal), 0);
	assert_int_equal(ptsname_r(terminal, name, sizeof(name)), 0);
	close(fixture->fd);
	fixture->fd = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	assert_true(fixture->fd >= 0);
	journal = open_journal(fixture, 0);
	greet_times(journal, 1, FLOOD, T0);
	journal_flush(journal, T0);
	assert_true(journal_next(journal) < UINT64_MAX);
	assert_false(fcntl(fixture->fd, F_GETFL) & O_NONBLOCK); /* others write there too */
}

static void test_a_reader_that_left_stops_nothing(void **state)
{
	struct fixture *fixture = *state;
	int reader = make_pipe(fixture);
	struct journal *journal = open_journal(fixture, 0);

	close(reader);
	for (unsigned i = 0; i < 100; i++) {
		greet(journal, 1, T0 + i);
		journal_flush(journal, T0 + i);
	}
	assert_true(journal_next(journal) < UINT64_MAX);
}

static void test_a_line_that_was_begun_is_finished(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);
	const struct rlimit tight = { 100, RLIM_INFINITY }; /* bytes of a file: as when a disk is full */
	const struct rlimit open = { RLIM_INFINITY, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	greet_times(journal, 3, 5, T0);
	journal_flush(journal, T0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &open), 0);
	greet(journal, 3, T0 + 1); /* it is not tried again so soon */
	journal_flush(journal, T0 + 1);
	assert_true(journal_next(journal) < UINT64_MAX);
	for (uint64_t now; (now = journal_next(journal)) < UINT64_MAX;)
		journal_flush(journal, now);
	assert_string_equal(lines(fixture), "client 3 at 127.0.0.1:40312: I am client 3\n"
					    "client 3 at 127.0.0.1:40312: I am client 3\n"
					    "client 3 at 127.0.0.1:40312: I am client 3\n"
					    "client 3: 3 more greetings\n");
}

/* Flushes when journal_next() says so, reading all along. Returns how many greetings were told of. */
static uint64_t catch_up(struct fixture *fixture)
{
	uint64_t sum = drain_datagrams(fixture);

	for (uint64_t now; (now = journal_next(fixture->journal)) < UINT64_MAX;) {
		journal_flush(fixture->journal, now);
		sum += drain_datagrams(fixture);
	}
	return sum;
}

static void test_a_journald_that_does_not_read_costs_no_count(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);
	uint64_t said;

	for (unsigned i = 0; i < FLOOD; i++) {
		greet(journal, i % 5, T0 + i * 500);
		if (i % 10 == 0)
			journal_flush(journal, T0 + i * 500);
	}
	journal_flush(journal, T0 + FLOOD * 500);
	said = drain_datagrams(fixture);
	assert_in_range(said, 1, FLOOD - 1);
	assert_int_equal(said + catch_up(fixture), FLOOD);
}

static void test_counts_are_exact_while_journald_comes_and_goes(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 20);
	uint64_t said = 0, now = T0;

	for (unsigned round = 0; round < 40; round++, now += 170 * USEC_PER_MSEC) {
		greet_times(journal, round % 7, 50, now);
		if (round % 8 == 3) {
			said += drain_datagrams(fixture);
			stop_journald(fixture);
		}
		journal_flush(journal, now);
		if (round % 8 == 6)
			start_journald(fixture);
		if (fixture->fd >= 0 && round % 3 == 0)
			said += drain_datagrams(fixture);
	}
	if (fixture->fd < 0)
		start_journald(fixture);
	assert_int_equal(said + catch_up(fixture), 40 * 50);
}

static void test_finds_a_journald_that_came_back(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	stop_journald(fixture);
	greet(journal, 4, T0);
	journal_flush(journal, T0);
	assert_true(journal_next(journal) > T0 && journal_next(journal) < UINT64_MAX);
	start_journald(fixture);
	greet(journal, 4, journal_next(journal));
	journal_flush(journal, journal_next(journal));
	assert_int_equal(catch_up(fixture), 2);
	stop_journald(fixture);
	start_journald(fixture);
	greet(journal, 6, T0 + 10 * USEC_PER_SEC);
	journal_flush(journal, T0 + 10 * USEC_PER_SEC);
	assert_non_null(datagram(fixture)); /* at once: the burst before the first failure is not lost */
}

struct reader {
	struct fixture *fixture;
	atomic_bool last; /* nothing will come any more */
	uint64_t sum;
};

static void *read_all(void *data)
{
	struct reader *reader = data;
	struct pollfd ready = { .fd = reader->fixture->fd, .events = POLLIN };
	bool last;

	do {
		last = atomic_load(&reader->last);
		(void)poll(&ready, 1, 1);
		reader->sum += drain_datagrams(reader->fixture);
	} while (!last);
	return NULL;
}

static void test_the_end_waits_for_a_journald_that_is_busy(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);
	struct reader reader = { .fixture = fixture };
	pthread_t thread;

	for (uint32_t id = 1; id <= 200; id++)
		greet_times(journal, id, FLOOD / 200, T0);
	journal_flush(journal, T0);
	assert_true(journal_next(journal) < UINT64_MAX); /* it took no more */
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	journal_end(journal, PATIENCE_SEC * USEC_PER_SEC);
	atomic_store(&reader.last, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.sum, FLOOD);
}

static void test_the_end_does_not_wait_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	greet_times(journal, 1, FLOOD, T0);
	journal_end(journal, 20 * USEC_PER_MSEC);
	assert_in_range(drain_datagrams(fixture), 1, FLOOD - 1);
	greet_times(journal, 1, FLOOD, T0);
	stop_journald(fixture);
	journal_end(journal, 20 * USEC_PER_MSEC);
}

static void test_other_messages_are_counted_when_they_get_lost(void **state)
{
	struct fixture *fixture = *state;
	struct journal *journal = open_journal(fixture, 0);

	stop_journald(fixture);
	journal_say(journal, MESSAGE_PROBLEM, "nobody hears this");
	journal_flush(journal, T0);
	start_journald(fixture);
	journal_flush(journal, T0 + USEC_PER_SEC);
	assert_datagram(fixture, MESSAGE_SUMMARY, "1 more message", "GREETERD_SURPLUS=1\n");
}

static void test_a_missing_journald_is_an_error_at_first(void **state)
{
	struct fixture *fixture = *state;
	struct journal_setup setup = { .socket = fixture->path, .max_id = 1 };

	stop_journald(fixture);
	assert_int_equal(journal_new(&setup, &fixture->journal), -ENOENT);
	setup.socket = "no path";
	assert_int_equal(journal_new(&setup, &fixture->journal), -EINVAL);
	assert_null(fixture->journal);
}

static void test_the_smallest_journal_counts_its_one_client(void **state)
{
	struct fixture *fixture = *state;
	const struct journal_setup setup = { .fd = fixture->fd, .max_id = 1, .burst = 1 };

	assert_int_equal(journal_new(&setup, &fixture->journal), 0);
	greet_times(fixture->journal, 1, 3, T0);
	journal_flush(fixture->journal, T0);
	journal_flush(fixture->journal, T0 + USEC_PER_SEC);
	assert_non_null(strstr(lines(fixture), "client 1: 2 more greetings\n"));
}

static void test_owns_the_stream_that_the_environment_names(void **state)
{
	const struct fixture *fixture = *state;
	static const char *const garbage[] = { "", ":", "1", "1:", ":1", "a:b", "1:2x", "1 2",
		"99999999999999999999999999:1", "%s%n" };
	char right[64], wrong[80];
	struct stat st;

	assert_int_equal(fstat(fixture->fd, &st), 0);
	snprintf(right, sizeof(right), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_true(journal_owns(fixture->fd, right));
	assert_false(journal_owns(fixture->fd, NULL));
	assert_false(journal_owns(-1, right));
	snprintf(wrong, sizeof(wrong), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
	assert_false(journal_owns(fixture->fd, wrong));
	snprintf(wrong, sizeof(wrong), "%ju:%ju", (uintmax_t)st.st_dev + 1, (uintmax_t)st.st_ino);
	assert_false(journal_owns(fixture->fd, wrong));
	snprintf(wrong, sizeof(wrong), "%s:", right);
	assert_false(journal_owns(fixture->fd, wrong));
	for (size_t i = 0; i < ELEMENTS(garbage); i++)
		assert_false(journal_owns(fixture->fd, garbage[i]));
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	journal_free(NULL);
}

#define LINES(f) cmocka_unit_test_setup_teardown(f, set_up_lines, tear_down)
#define NATIVE(f) cmocka_unit_test_setup_teardown(f, set_up_native, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINES(test_writes_a_line_for_each_event),
		NATIVE(test_sets_the_fields_of_each_message),
		NATIVE(test_a_peer_cannot_begin_a_field_or_a_line),
		NATIVE(test_what_is_said_stays_on_one_line),
		NATIVE(test_the_longest_text_is_cut_within_its_entry),
		LINES(test_beyond_the_burst_greetings_are_counted),
		NATIVE(test_of_the_same_greetings_each_has_its_count_and_the_surplus_is_summed),
		LINES(test_another_burst_counts_from_there_on),
		LINES(test_every_second_has_a_burst_of_its_own),
		NATIVE(test_a_summary_has_its_count_as_a_field),
		LINES(test_counts_every_client_apart_up_to_the_last),
		LINES(test_the_last_flush_says_all),
		LINES(test_without_a_burst_every_greeting_has_an_entry),
		LINES(test_details_are_for_the_verbose),
		LINES(test_a_full_pipe_costs_entries_but_no_count),
		LINES(test_a_pipe_that_stays_full_is_tried_soon_and_then_seldom),
		LINES(test_a_terminal_that_stands_still_blocks_nothing),
		NATIVE(test_a_busy_journald_is_tried_again_within_milliseconds),
		LINES(test_the_last_flush_gives_up_on_a_full_pipe),
		LINES(test_a_reader_that_left_stops_nothing),
		LINES(test_a_line_that_was_begun_is_finished),
		NATIVE(test_a_journald_that_does_not_read_costs_no_count),
		NATIVE(test_counts_are_exact_while_journald_comes_and_goes),
		NATIVE(test_finds_a_journald_that_came_back),
		NATIVE(test_the_end_waits_for_a_journald_that_is_busy),
		NATIVE(test_the_end_does_not_wait_for_ever),
		NATIVE(test_other_messages_are_counted_when_they_get_lost),
		NATIVE(test_a_missing_journald_is_an_error_at_first),
		LINES(test_the_smallest_journal_counts_its_one_client),
		LINES(test_owns_the_stream_that_the_environment_names),
		cmocka_unit_test(test_free_takes_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

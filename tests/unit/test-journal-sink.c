#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/journal-sink.h"

#define LINE(text) ((struct iovec){ (text), strlen(text) })

static void closeps(int (*fds)[2])
{
	closep(&(*fds)[0]);
	closep(&(*fds)[1]);
}

static struct journal_sink line_sink(int fd)
{
	struct journal_sink sink;

	assert_int_equal(journal_sink_open(&sink, NULL, fd), 0);
	return sink;
}

static void test_writes_lines_in_their_order(void **state)
{
	_cleanup_(closeps) int ends[2] = { -1, -1 };
	char one[] = "one\n", two[] = "two\n", got[16] = "";
	struct iovec lines[] = { LINE(one), LINE(two) };
	bool torn = true;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct journal_sink sink = line_sink(ends[1]);
	assert_int_equal(journal_sink_send(&sink, lines, 2, &torn), 2);
	assert_false(torn);
	assert_int_equal(read(ends[0], got, sizeof(got)), 8);
	assert_string_equal(got, "one\ntwo\n");
}

/* The pipe blocks, as standard error does: its flags are shared with others and not ours to change. */
static void test_does_not_wait_for_a_full_pipe(void **state)
{
	_cleanup_(closeps) int ends[2] = { -1, -1 };
	char block[PIPE_BUF];
	struct iovec lines[] = { { memset(block, 'x', sizeof(block)), sizeof(block) } };
	bool torn = false;
	int r;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct journal_sink sink = line_sink(ends[1]);
	alarm(60); /* it blocks */
	while ((r = journal_sink_send(&sink, lines, 1, &torn)) == 1)
		continue;
	alarm(0);
	assert_int_equal(r, -EAGAIN);
	assert_false(torn);
}

static void test_tells_the_rest_of_a_line_taken_in_part(void **state)
{
	enum { SIZE = 1024 * 1024 };
	_cleanup_(closeps) int ends[2] = { -1, -1 };
	_cleanup_(freep) char *text = calloc(1, SIZE);
	struct iovec line = { text, SIZE };
	bool torn = false;

	(void)state;
	assert_non_null(text);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	struct journal_sink sink = line_sink(ends[1]);
	assert_int_equal(journal_sink_send(&sink, &line, 1, &torn), 0);
	assert_true(torn);
	assert_in_range(line.iov_len, 1, SIZE - 1);
	assert_ptr_equal(line.iov_base, text + (SIZE - line.iov_len));
	assert_int_equal(journal_sink_send(&sink, &line, 1, &torn), -EAGAIN);
	assert_true(torn); /* still: nothing has become of it */
}

static void test_leaves_a_descriptor_for_lines_open(void **state)
{
	_cleanup_(closeps) int ends[2] = { -1, -1 };

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct journal_sink sink = line_sink(ends[1]);
	journal_sink_close(&sink);
	assert_true(fcntl(ends[1], F_GETFD) >= 0);
}

/* A socket of journald's kind, and where it is. */
struct journald {
	char folder[32], path[64];
	int fd;
};

static void start(struct journald *journald)
{
	struct netio_address address[NETIO_PARSE_MAX];

	assert_int_equal(netio_parse(journald->path, 0, address), 1);
	journald->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(journald->fd, &address[0].any, address[0].len), 0);
}

static void stop(struct journald *journald)
{
	close(TAKE_FD(journald->fd));
	unlink(journald->path);
}

static int set_up(void **state)
{
	struct journald *journald = calloc(1, sizeof(*journald));

	assert_non_null(journald);
	strcpy(journald->folder, "/tmp/test-journal-sink.XXXXXX");
	assert_non_null(mkdtemp(journald->folder));
	snprintf(journald->path, sizeof(journald->path), "%s/socket", journald->folder);
	start(journald);
	*state = journald;
	return 0;
}

static int tear_down(void **state)
{
	struct journald *journald = *state;

	closep(&journald->fd);
	unlink(journald->path);
	assert_int_equal(rmdir(journald->folder), 0);
	free(journald);
	return 0;
}

static void assert_receives(const struct journald *journald, const char *expected)
{
	char got[16] = "";

	assert_int_equal(recv(journald->fd, got, sizeof(got), 0), strlen(expected));
	assert_string_equal(got, expected);
}

static void test_sends_a_datagram_for_each_entry(void **state)
{
	struct journald *journald = *state;
	_cleanup_(journal_sink_close) struct journal_sink sink = { .fd = -1 };
	char one[] = "A=1\n", two[] = "A=2\n";
	struct iovec entries[] = { LINE(one), LINE(two) };
	bool torn = true;

	assert_int_equal(journal_sink_open(&sink, journald->path, -1), 0);
	assert_int_equal(journal_sink_send(&sink, entries, 2, &torn), 2);
	assert_false(torn);
	assert_receives(journald, one);
	assert_receives(journald, two);
}

static void test_finds_journald_again_on_a_new_socket(void **state)
{
	struct journald *journald = *state;
	_cleanup_(journal_sink_close) struct journal_sink sink = { .fd = -1 };
	char entry[] = "A=1\n";
	struct iovec entries[] = { LINE(entry) };
	bool torn = false;

	assert_int_equal(journal_sink_open(&sink, journald->path, -1), 0);
	stop(journald);
	assert_true(journal_sink_send(&sink, entries, 1, &torn) < 0);
	start(journald);
	assert_int_equal(journal_sink_send(&sink, entries, 1, &torn), 1);
	assert_receives(journald, entry);
}

static void test_fails_where_there_is_no_journald(void **state)
{
	struct journald *journald = *state;
	struct journal_sink sink;

	stop(journald);
	assert_int_equal(journal_sink_open(&sink, journald->path, -1), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_lines_in_their_order),
		cmocka_unit_test(test_does_not_wait_for_a_full_pipe),
		cmocka_unit_test(test_tells_the_rest_of_a_line_taken_in_part),
		cmocka_unit_test(test_leaves_a_descriptor_for_lines_open),
		cmocka_unit_test_setup_teardown(test_sends_a_datagram_for_each_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_finds_journald_again_on_a_new_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fails_where_there_is_no_journald, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("journal-sink", tests, NULL, NULL);
}

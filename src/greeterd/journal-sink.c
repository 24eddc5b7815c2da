#include "greeterd/journal-sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"

#define SEND_BUFFER (8 * 1024 * 1024) /* asked for; the kernel caps it */

static int connect_socket(int fd, const char *path)
{
	struct netio_address address[NETIO_PARSE_MAX];
	int r = netio_parse(path, 0, address);

	if (r < 0)
		return r;
	return connect(fd, &address[0].any, address[0].len) < 0 ? -errno : 0;
}

static int open_socket(const char *path)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int size = SEND_BUFFER;
	int r;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	r = connect_socket(fd, path);
	return r < 0 ? r : TAKE_FD(fd);
}

/*
 * The same terminal or pipe once more, non-blocking for us alone: poll(2) promises room for a byte of a
 * terminal, and none of a pipe that others write to as well. Returns fd for other files, or where that is not
 * allowed.
 */
static int open_unblocked(int fd)
{
	struct stat st;
	char path[32];
	int own;

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return own < 0 ? fd : own;
}

int journal_sink_open(struct journal_sink *ret, const char *socket, int fd)
{
	int own = socket ? open_socket(socket) : open_unblocked(fd);

	if (own < 0)
		return own;
	*ret = (struct journal_sink){ .fd = own, .owned = own != fd, .socket = socket };
	return 0;
}

void journal_sink_close(struct journal_sink *sink)
{
	if (sink->owned)
		close(sink->fd);
	*sink = (struct journal_sink){ .fd = -1 };
}

/* A pipe that is writable takes PIPE_BUF bytes without blocking: pipe(7). */
static int write_lines(const struct journal_sink *sink, struct iovec *lines, size_t n, bool *ret_torn)
{
	struct pollfd ready = { .fd = sink->fd, .events = POLLOUT };
	size_t len = lines[0].iov_len, batch = 1, taken;
	ssize_t written;

	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLOUT))
		return -EAGAIN;
	for (; batch < n && len + lines[batch].iov_len <= PIPE_BUF; batch++)
		len += lines[batch].iov_len;
	written = writev(sink->fd, lines, (int)batch);
	if (written <= 0)
		return written < 0 ? -errno : -EAGAIN;
	len = (size_t)written;
	for (taken = 0; taken < batch && len >= lines[taken].iov_len; taken++)
		len -= lines[taken].iov_len;
	*ret_torn = len > 0;
	if (len > 0) {
		lines[taken].iov_base = (char *)lines[taken].iov_base + len;
		lines[taken].iov_len -= len;
	}
	return (int)taken;
}

static int send_datagrams(const struct journal_sink *sink, struct iovec *datagrams, size_t n, bool *ret_torn)
{
	struct mmsghdr messages[JOURNAL_SINK_ENTRIES_MAX];
	int sent;

	for (size_t i = 0; i < n; i++)
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &datagrams[i], .msg_iovlen = 1 } };
	sent = sendmmsg(sink->fd, messages, (unsigned int)n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && connect_socket(sink->fd, sink->socket) == 0)
		/* journald came back on a new socket */
		sent = sendmmsg(sink->fd, messages, (unsigned int)n, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	*ret_torn = false;
	return sent;
}

int journal_sink_send(const struct journal_sink *sink, struct iovec *entries, size_t n, bool *ret_torn)
{
	assert(n > 0 && n <= JOURNAL_SINK_ENTRIES_MAX);
	return sink->socket ? send_datagrams(sink, entries, n, ret_torn)
			    : write_lines(sink, entries, n, ret_torn);
}

bool journal_sink_wait(const struct journal_sink *sink, int timeout_msec)
{
	struct pollfd ready = { .fd = sink->fd, .events = POLLOUT };

	return poll(&ready, 1, timeout_msec) > 0;
}

/*
 * bare [PORT]: the least that a server can do, and so the limit for all others: one reply to each newline,
 * whatever stands before it. It keeps nothing of a connection, reads no clock, and gives up on a peer that
 * does not read.
 *
 * Without PORT it serves the listening socket that it finds at descriptor 3, as systemd would pass it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD 3
#define EVENTS 512
#define REPLY "I am SERVER\n"
#define REPLY_LEN (sizeof(REPLY) - 1)
#define REPLIES_MAX 1024 /* to one chunk */

static int open_listener(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 65535) < 0)
		return -1;
	return fd;
}

static int watch(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static void take_connections(int set, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		if (watch(set, fd) < 0)
			close(fd);
}

static void answer(int fd, const char *replies)
{
	char chunk[REPLIES_MAX];
	size_t lines = 0;
	ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	for (ssize_t i = 0; i < n; i++)
		lines += chunk[i] == '\n';
	if (n <= 0 || (lines > 0 && send(fd, replies, lines * REPLY_LEN, MSG_NOSIGNAL) !=
					    (ssize_t)(lines * REPLY_LEN)))
		close(fd);
}

int main(int argc, char **argv)
{
	static char replies[REPLIES_MAX * REPLY_LEN];
	struct epoll_event events[EVENTS];
	int listener = argc > 1 ? open_listener((uint16_t)atoi(argv[1])) : LISTEN_FD;
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct rlimit limit;

	for (size_t i = 0; i < REPLIES_MAX; i++)
		memcpy(replies + i * REPLY_LEN, REPLY, REPLY_LEN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* accept4() must not wait. The flag belongs to the socket, whoever opened it. */
	if (listener < 0 || fcntl(listener, F_SETFL, O_NONBLOCK) < 0 || set < 0 || watch(set, listener) < 0) {
		perror("bare");
		return 1;
	}
	for (;;) {
		int n = epoll_wait(set, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				take_connections(set, listener);
			else
				answer(events[i].data.fd, replies);
		}
	}
}

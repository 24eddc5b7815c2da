/*
 * exercise-server: the server of the original exercise, which answers each chunk that it receives, and its
 * unruly relatives. For tests: loopback only, gone after a minute.
 *
 * exercise-server MODE [UNIX-SOCKET]   prints the port it listens on (or the path), then what happens, a line
 * each: "accept", "got BYTES" (escaped), "closed".
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/escape.h"
#include "common/netio.h"

#define LIFETIME 60 /* seconds */
#define CONNECTIONS_MAX 4096
#define NEVER INT64_MAX

struct mode {
	const char *name;
	const char *reply;    /* to each chunk; "": none */
	const char *greeting; /* to each connection, unasked */
	int delay_ms;         /* before a reply */
	bool closes;          /* behind its first answer, even where that is none */
	bool odd_only;        /* client numbers that are even get no reply */
	bool first_is_late;   /* "client 1" alone waits for delay_ms */
};

static const struct mode modes[] = {
	{ .name = "br", .reply = "I am SERVER<br>" },
	{ .name = "lf", .reply = "I am SERVER\n" },
	{ .name = "bare", .reply = "I am SERVER" },
	{ .name = "bare-close", .reply = "I am SERVER", .closes = true },
	{ .name = "close", .reply = "I am SERVER<br>", .closes = true },
	{ .name = "slow", .reply = "I am SERVER\n", .delay_ms = 100 },
	{ .name = "late-first", .reply = "I am SERVER\n", .delay_ms = 200, .first_is_late = true },
	{ .name = "twice", .reply = "I am SERVER\nI am SERVER\n" },
	{ .name = "odd", .reply = "I am SERVER\n", .odd_only = true },
	{ .name = "silent", .reply = "" },
	{ .name = "hangup", .reply = "", .closes = true },
	{ .name = "half", .reply = "I am SER", .closes = true },
	{ .name = "http", .reply = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", .closes = true },
	{ .name = "binary", .reply = "\xff\xfe\033[31m\x80\n" },
	{ .name = "id", .reply = "ERR id client numbers run from 1 to 65535\n" },
	{ .name = "busy", .reply = "", .greeting = "ERR busy too many connections\n", .closes = true },
};

struct server {
	const struct mode *mode;
	struct pollfd fds[CONNECTIONS_MAX]; /* the first one listens */
	int64_t due[CONNECTIONS_MAX];       /* when a reply is to be sent */
	nfds_t n;
};

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drop(struct server *s, nfds_t i)
{
	close(s->fds[i].fd);
	s->n--;
	s->fds[i] = s->fds[s->n];
	s->due[i] = s->due[s->n];
	puts("closed");
}

/* Returns false when the connection is gone. */
static bool answer(struct server *s, nfds_t i, const char *text)
{
	s->due[i] = NEVER;
	if (text[0] && send(s->fds[i].fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
		drop(s, i);
		return false;
	}
	if (s->mode->closes) {
		drop(s, i);
		return false;
	}
	return true;
}

static void take_connection(struct server *s)
{
	int fd = accept4(s->fds[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->n == CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	puts("accept");
	s->due[s->n] = NEVER;
	s->fds[s->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (s->mode->greeting)
		(void)answer(s, s->n - 1, s->mode->greeting);
}

static void take_chunk(struct server *s, nfds_t i)
{
	char chunk[4097], text[ESCAPE_SIZE(sizeof(chunk))];
	ssize_t n = recv(s->fds[i].fd, chunk, sizeof(chunk) - 1, 0);
	unsigned int id = 0;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			drop(s, i);
		return;
	}
	escape_text(chunk, (size_t)n, text, sizeof(text));
	printf("got %s\n", text);
	chunk[n] = '\0';
	(void)sscanf(chunk, "I am client %u", &id);
	if (s->mode->odd_only && id % 2 == 0)
		return;
	if (s->mode->delay_ms > 0 && (!s->mode->first_is_late || id == 1))
		s->due[i] = clock_ms() + s->mode->delay_ms;
	else
		(void)answer(s, i, s->mode->reply);
}

static int next_due(const struct server *s)
{
	int64_t next = NEVER, now = clock_ms();

	for (nfds_t i = 1; i < s->n; i++)
		next = s->due[i] < next ? s->due[i] : next;
	if (next == NEVER)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

static void serve(struct server *s)
{
	while (poll(s->fds, s->n, next_due(s)) >= 0) {
		int64_t now = clock_ms();

		for (nfds_t i = s->n - 1; i > 0; i--) { /* downwards: a drop moves the last one */
			if (s->due[i] <= now && !answer(s, i, s->mode->reply))
				continue;
			if (s->fds[i].revents)
				take_chunk(s, i);
		}
		if (s->fds[0].revents)
			take_connection(s);
	}
}

static int open_listener(const char *path)
{
	struct netio_address addresses[NETIO_PARSE_MAX] = { {
		.len = sizeof(addresses->in),
		.in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
	} };

	if (path && netio_parse(path, 0, addresses) != 1)
		return -EINVAL;

	int fd = netio_listen(addresses, CONNECTIONS_MAX);
	if (fd < 0 || netio_local(fd, addresses) < 0)
		return fd;
	if (path)
		puts(path);
	else
		printf("%u\n", ntohs(addresses->in.sin_port));
	return fd;
}

int main(int argc, char **argv)
{
	static struct server server;

	for (size_t i = 0; i < ELEMENTS(modes) && argc > 1; i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			server.mode = &modes[i];
	if (!server.mode) {
		fprintf(stderr, "exercise-server: MODE [UNIX-SOCKET]\n");
		return 2;
	}
	alarm(LIFETIME);
	setvbuf(stdout, NULL, _IOLBF, 0);
	server.fds[0] = (struct pollfd){ .fd = open_listener(argv[2]), .events = POLLIN };
	server.n = 1;
	if (server.fds[0].fd < 0) {
		fprintf(stderr, "exercise-server: cannot listen\n");
		return 1;
	}
	serve(&server);
	return 1;
}

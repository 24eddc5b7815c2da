/*
 * steady PORT CONNECTIONS SECONDS: clients that greet without pause, each on one connection that it never
 * opens again.
 *
 * Each greets anew as soon as it is answered, for that long; then each waits for its last answer. A right
 * answer is "I am SERVER", or a line of one letter alone. Prints "greeted N answered N lost N wrong N broken
 * N": lost is what was never answered, broken counts the connections that ended under way. Exits 0 only when
 * all was answered rightly and nothing broke.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1000
#define LINE_MAX_ 256
#define LAST_ANSWER_SECONDS 15

struct client {
	int fd; /* -1: broken */
	bool waits;
	size_t len;
	char line[LINE_MAX_];
};

struct tally {
	uint64_t greeted, answered, wrong, broken;
	size_t waiting;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int connect_to(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("connect");
		exit(1);
	}
	return fd;
}

static void break_off(struct client *client, struct tally *tally)
{
	close(client->fd);
	client->fd = -1;
	tally->broken++;
	tally->waiting -= client->waits;
}

static void greet(struct client *client, struct tally *tally, size_t id)
{
	char greeting[32];
	int len = snprintf(greeting, sizeof(greeting), "I am client %zu\n", id);

	client->waits = true;
	tally->greeted++;
	tally->waiting++;
	if (send(client->fd, greeting, (size_t)len, MSG_NOSIGNAL) != len)
		break_off(client, tally);
}

static bool is_right(const char *line, size_t len)
{
	if (len == 11 && memcmp(line, "I am SERVER", 11) == 0)
		return true;
	return len > 1 && memcmp(line, line + 1, len - 1) == 0;
}

/* Reads what is there; whether that made an answer complete. */
static bool read_answer(struct client *client, struct tally *tally)
{
	ssize_t n = recv(
		client->fd, client->line + client->len, sizeof(client->line) - client->len, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		break_off(client, tally);
		return false;
	}
	client->len += (size_t)n;
	if (client->line[client->len - 1] != '\n' && client->len < sizeof(client->line))
		return false;
	tally->answered++;
	if (!is_right(client->line, client->len - 1)) {
		tally->wrong++;
		fprintf(stderr, "wrong: %.*s", (int)client->len, client->line);
	}
	tally->waiting--;
	client->waits = false;
	client->len = 0;
	return true;
}

int main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MAX];
	struct epoll_event events[64];
	struct tally tally = { 0 };
	size_t n_clients = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	int set = epoll_create1(0);

	if (argc != 4 || n_clients == 0 || n_clients > CONNECTIONS_MAX || set < 0)
		return 2;

	double end = now() + atof(argv[3]);
	for (size_t i = 0; i < n_clients; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };

		clients[i].fd = connect_to((uint16_t)atoi(argv[1]));
		epoll_ctl(set, EPOLL_CTL_ADD, clients[i].fd, &event);
		greet(&clients[i], &tally, i + 1);
	}
	while (tally.waiting > 0 && now() < end + LAST_ANSWER_SECONDS) {
		int n = epoll_wait(set, events, 64, 100);

		for (int i = 0; i < n; i++) {
			struct client *client = &clients[events[i].data.u64];

			if (read_answer(client, &tally) && now() < end)
				greet(client, &tally, events[i].data.u64 + 1);
		}
	}
	printf("greeted %ju answered %ju lost %ju wrong %ju broken %ju\n", (uintmax_t)tally.greeted,
		(uintmax_t)tally.answered, (uintmax_t)(tally.greeted - tally.answered),
		(uintmax_t)tally.wrong, (uintmax_t)tally.broken);
	return tally.greeted == tally.answered && tally.wrong == 0 && tally.broken == 0 ? 0 : 1;
}

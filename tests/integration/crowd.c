/*
 * crowd PORT COUNT: so many connections to 127.0.0.1, one after the other, each of which greets once and then
 * rests.
 *
 * Prints "resting" when the last one was answered, and ends when its standard input does, or after a minute.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIFETIME_SECONDS 60

static const char greeting[] = "I am client 2\n", reply[] = "I am SERVER\n";

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void add(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	char answer[sizeof(reply)] = "";
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connect");
	if (send(fd, greeting, strlen(greeting), MSG_NOSIGNAL) < 0)
		fail("send");
	if (recv(fd, answer, strlen(reply), MSG_WAITALL) < 0)
		fail("recv");
	if (strcmp(answer, reply) != 0) {
		fprintf(stderr, "answered: %s\n", answer);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	char byte;

	if (argc != 3)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		fail("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fail("setrlimit");
	alarm(LIFETIME_SECONDS);
	for (int i = 0; i < atoi(argv[2]); i++)
		add((uint16_t)atoi(argv[1]));
	puts("resting");
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}

/*
 * cold GREETERD SOCKCTL PORT RUNS: what systemd costs the first client, in interleaved runs.
 *
 * "plain": a listener of our own, and GREETERD executed with it as soon as a client connects. "cold": the
 * same client at PORT of 127.0.0.1, whose service is stopped before each run. The client is a socket of ours,
 * timed from connecting to the reply, or the whole of SOCKCTL hello, timed from its start to its end. Prints
 * for both clients the median of plain and cold, and of their ratios run by run.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 200
#define LISTEN_FD 3
#define AFTERMATH_USEC 50000 /* what stopping a service leaves to do is no part of starting it */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
}

/* A client in two steps, so that the server can be started in between. */
struct client {
	const char *name;
	int (*begin)(const char *sockctl, uint16_t port);
	void (*end)(int started);
};

static int begin_greeting(const char *sockctl, uint16_t port)
{
	struct sockaddr_in to = loopback(port);
	const struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)sockctl;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connect");
	if (send(fd, "I am client 1\n", 14, MSG_NOSIGNAL) != 14)
		fail("send");
	return fd;
}

static void end_greeting(int fd)
{
	char reply[12];

	if (recv(fd, reply, sizeof(reply), MSG_WAITALL) != sizeof(reply) ||
		memcmp(reply, "I am SERVER\n", 12) != 0)
		fail("reply");
	close(fd);
}

static int begin_hello(const char *sockctl, uint16_t port)
{
	char text[8];
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return (int)pid;
	snprintf(text, sizeof(text), "%u", port);
	if (!freopen("/dev/null", "w", stdout))
		_exit(1);
	execl(sockctl, sockctl, "hello", "--id", "1", "--host", "127.0.0.1", "--port", text, (char *)NULL);
	_exit(1);
}

static void end_hello(int pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("sockctl hello");
}

static const struct client clients[] = {
	{ "from connecting to the reply", begin_greeting, end_greeting },
	{ "the whole of sockctl hello", begin_hello, end_hello },
};
#define CLIENTS (sizeof(clients) / sizeof(*clients))

static pid_t execute(const char *program, int listener)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;

	char own[16];
	snprintf(own, sizeof(own), "%d", (int)getpid());
	setenv("LISTEN_PID", own, 1);
	setenv("LISTEN_FDS", "1", 1);
	dup2(listener, LISTEN_FD);
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	execl(program, program, (char *)NULL);
	_exit(1);
}

static double plain(const struct client *client, const char *program, const char *sockctl)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd waiting = { .fd = listener, .events = POLLIN };

	if (bind(listener, (const struct sockaddr *)&address, len) < 0 || listen(listener, 16) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		fail("listener");

	double began = now();
	int started = client->begin(sockctl, ntohs(address.sin_port));
	if (poll(&waiting, 1, 10000) != 1)
		fail("no client");
	pid_t pid = execute(program, listener);
	client->end(started);
	double took = now() - began;

	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	close(listener);
	return took;
}

static double cold(const struct client *client, const char *sockctl, uint16_t port)
{
	if (system("systemctl stop greeterd.service 2>/dev/null") != 0)
		fail("systemctl stop");
	usleep(AFTERMATH_USEC);

	double began = now();
	client->end(client->begin(sockctl, port));
	return now() - began;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), ascending);
	return values[n / 2];
}

int main(int argc, char **argv)
{
	static double plains[CLIENTS][RUNS_MAX], colds[CLIENTS][RUNS_MAX], ratios[CLIENTS][RUNS_MAX];
	int runs = argc == 5 ? atoi(argv[4]) : 0;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	for (int i = 0; i < runs; i++) {
		for (size_t c = 0; c < CLIENTS; c++) {
			plains[c][i] = plain(&clients[c], argv[1], argv[2]);
			colds[c][i] = cold(&clients[c], argv[2], (uint16_t)atoi(argv[3]));
			ratios[c][i] = colds[c][i] / plains[c][i];
		}
	}
	for (size_t c = 0; c < CLIENTS; c++)
		printf("%s: plain %.2f ms, cold %.2f ms, ratio %.2f (medians of %d runs)\n", clients[c].name,
			median(plains[c], runs), median(colds[c], runs), median(ratios[c], runs), runs);
	return 0;
}

/*
 * cold GREETERD PORT RUNS: what systemd costs the first client, in interleaved runs.
 *
 * "plain": a listener of our own, GREETERD executed with it as systemd would, and the time from there to the
 * first reply. "cold": the time from connecting to PORT of 127.0.0.1, whose service is stopped before each
 * run, to the first reply. Prints the median of both, and of the ratios run by run.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
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

/* Connects, greets and waits for the reply. */
static void greet(uint16_t port)
{
	struct sockaddr_in to = loopback(port);
	const struct timeval patience = { .tv_sec = 10 };
	char reply[12];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connect");
	if (send(fd, "I am client 1\n", 14, MSG_NOSIGNAL) != 14)
		fail("send");
	if (recv(fd, reply, sizeof(reply), MSG_WAITALL) != sizeof(reply) ||
		memcmp(reply, "I am SERVER\n", 12) != 0)
		fail("reply");
	close(fd);
}

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

static double plain(const char *program)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (const struct sockaddr *)&address, len) < 0 || listen(listener, 16) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		fail("listener");

	double began = now();
	pid_t pid = execute(program, listener);
	greet(ntohs(address.sin_port));
	double took = now() - began;

	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	close(listener);
	return took;
}

static double cold(uint16_t port)
{
	if (system("systemctl stop greeterd.service 2>/dev/null") != 0)
		fail("systemctl stop");

	double began = now();
	greet(port);
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
	double plains[RUNS_MAX], colds[RUNS_MAX], ratios[RUNS_MAX];
	int runs = argc == 4 ? atoi(argv[3]) : 0;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	for (int i = 0; i < runs; i++) {
		plains[i] = plain(argv[1]);
		colds[i] = cold((uint16_t)atoi(argv[2]));
		ratios[i] = colds[i] / plains[i];
	}
	printf("plain %.2f ms, cold %.2f ms, ratio %.2f (medians of %d runs)\n", median(plains, runs),
		median(colds, runs), median(ratios, runs), runs);
	return 0;
}

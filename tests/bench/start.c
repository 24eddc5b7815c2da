/*
 * start PORT REQUEST ANSWER PROGRAM [ARGUMENT...]: how long a server takes from fork to its first reply.
 *
 * A client is there before it: connected to a listener on PORT of 127.0.0.1 that the program gets as systemd
 * would pass it, its request sent. Prints nanoseconds, and ends the program. With PORT 0 there is no client,
 * and the time is that until the program ends by itself.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_FD 3
#define PATIENCE 20 /* seconds */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int open_listener(const struct sockaddr_in *address)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, 16) < 0)
		fail("listener");
	return fd;
}

static int open_client(const struct sockaddr_in *address, const char *request)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
		send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		fail("client");
	return fd;
}

/* As systemd starts a service with a socket, whose standard error is the journal. */
static void become(char **command, int listener)
{
	char pid[16], stream[64];
	struct stat st;

	if (!freopen("/dev/null", "w", stderr) || fstat(STDERR_FILENO, &st) < 0)
		_exit(1);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("JOURNAL_STREAM", stream, 1);
	if (listener == LISTEN_FD)
		fcntl(listener, F_SETFD, 0); /* dup2() would leave it as it is, close-on-exec */
	else if (listener >= 0)
		dup2(listener, LISTEN_FD);
	execv(command[0], command);
	_exit(1);
}

static void read_answer(int fd, const char *answer)
{
	char got[512];
	size_t len = strlen(answer);

	if (len > sizeof(got) || recv(fd, got, len, MSG_WAITALL) != (ssize_t)len ||
		memcmp(got, answer, len) != 0) {
		fprintf(stderr, "start: no answer, or another one\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "start PORT REQUEST ANSWER PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int listener = address.sin_port ? open_listener(&address) : -1;
	int client = listener >= 0 ? open_client(&address, argv[2]) : -1;
	int status;

	alarm(PATIENCE);
	int64_t began = now();
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		become(argv + 4, listener);
	if (client >= 0)
		read_answer(client, argv[3]);
	else
		waitpid(pid, &status, 0);
	int64_t took = now() - began;
	if (client >= 0) {
		kill(pid, SIGTERM);
		waitpid(pid, &status, 0);
	} else if (status != 0) {
		fprintf(stderr, "start: %s failed\n", argv[4]);
		return 1;
	}
	printf("%" PRId64 "\n", took);
	return 0;
}

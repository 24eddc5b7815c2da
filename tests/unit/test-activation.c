#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/activation.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define FDS_MAX 4
#define PATH_SIZE 80
#define NOBODY 65534 /* no user with rights: nss-systemd(8) */

/* A folder of the test's own; what activation says ends up in said. */
struct fixture {
	char folder[32];
	char path[PATH_SIZE];
	char said[1024];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/test-activation.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/greet.sock", fixture->folder);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static void say(void *data, const char *sentence)
{
	char *said = data;
	size_t used = strlen(said);

	snprintf(said + used, 1024 - used, "%s\n", sentence);
}

/* A listening socket on any free port, or on a path. */
static int new_listener(const char *where)
{
	struct netio_address address[NETIO_PARSE_MAX];
	int fd;

	assert_int_equal(netio_parse(where, 0, address), 1);
	fd = netio_listen(&address[0], 5);
	assert_true(fd >= 0);
	return fd;
}

static bool has_ipv6(void)
{
	struct netio_address address[NETIO_PARSE_MAX];
	int fd;

	netio_parse("[::1]", 0, address);
	fd = netio_listen(&address[0], 1);
	closep(&fd);
	return fd >= 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int connect_to(const char *where)
{
	struct netio_address address[NETIO_PARSE_MAX];
	int fd;

	assert_int_equal(netio_parse(where, 0, address), 1);
	fd = netio_connect(&address[0]);
	closep(&fd);
	return fd < 0 ? fd : 0;
}

/* What activation_adopt() did in a process of its own, seen from there. */
struct adoption {
	int result;
	size_t n;
	bool inherited;
	int fds[FDS_MAX];
	size_t n_carriers;
	int carrier; /* the first */
	bool non_blocking[FDS_MAX], close_on_exec[FDS_MAX];
	bool open[FDS_MAX];      /* descriptors FIRST_FD and on: still open, after the adoption */
	bool open_when_over;     /* any that was adopted, after activation_close() */
	bool has_path_when_over; /* the path of the fixture, after activation_close() */
	bool environment_left;
	char said[1024];
};

/* What systemd does between fork(2) and execve(2): descriptors from 3 on, and three variables. names,
 * n_claimed as in sd_listen_fds(3). */
static void hand_over(const int *fds, size_t n, const char *names, const char *n_claimed)
{
	int aside[FDS_MAX];
	char pid[16];

	for (size_t i = 0; i < n; i++)
		aside[i] = fcntl(fds[i], F_DUPFD, 100);
	for (size_t i = 0; i < n; i++) {
		dup2(aside[i], FIRST_FD + (int)i); /* leaves FD_CLOEXEC off */
		fcntl(FIRST_FD + (int)i, F_SETFL, fcntl(FIRST_FD + (int)i, F_GETFL) & ~O_NONBLOCK);
		close(aside[i]);
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", n_claimed, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

static void adopt_here(struct adoption *adoption, const char *path)
{
	struct listeners listeners = { 0 };

	adoption->result = activation_adopt(&listeners, "greeterd-connections", say, adoption->said);
	adoption->n = listeners.n;
	adoption->inherited = listeners.inherited;
	adoption->n_carriers = listeners.n_carriers;
	adoption->carrier = listeners.n_carriers > 0 ? listeners.carriers[0] : -1;
	for (size_t i = 0; i < listeners.n && i < FDS_MAX; i++) {
		adoption->fds[i] = listeners.fds[i];
		adoption->non_blocking[i] = fcntl(listeners.fds[i], F_GETFL) & O_NONBLOCK;
		adoption->close_on_exec[i] = fcntl(listeners.fds[i], F_GETFD) & FD_CLOEXEC;
	}
	for (int i = 0; i < FDS_MAX; i++)
		adoption->open[i] = fcntl(FIRST_FD + i, F_GETFD) >= 0;
	adoption->environment_left = getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES");
	activation_close(&listeners);
	for (int i = 0; i < (int)(adoption->n + adoption->n_carriers); i++)
		adoption->open_when_over |= fcntl(FIRST_FD + i, F_GETFD) >= 0;
	adoption->has_path_when_over = exists(path);
}

/* Hands fds over to a child that adopts them. The descriptors of the test stay as they are. */
static struct adoption adopt(
	const struct fixture *fixture, const int *fds, size_t n, const char *names, const char *n_claimed)
{
	struct adoption *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct adoption adoption;
	int status;
	pid_t child;

	assert_true(shared != MAP_FAILED);
	fflush(NULL); /* nothing is to be written twice */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		hand_over(fds, n, names, n_claimed);
		adopt_here(shared, fixture->path);
		exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	adoption = *shared;
	munmap(shared, sizeof(*shared));
	return adoption;
}

static void test_adopts_listeners_of_every_family(void **state)
{
	const struct fixture *fixture = *state;
	int fds[3] = { new_listener("127.0.0.1"), new_listener(fixture->path), -1 };
	size_t n = 2;

	if (has_ipv6())
		fds[n++] = new_listener("[::1]");

	struct adoption adoption = adopt(fixture, fds, n, NULL, n == 3 ? "3" : "2");
	assert_int_equal(adoption.result, 0);
	assert_int_equal(adoption.n, n);
	assert_true(adoption.inherited);
	assert_string_equal(adoption.said, "");
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(adoption.fds[i], FIRST_FD + (int)i);
		assert_true(adoption.non_blocking[i]);
		assert_true(adoption.close_on_exec[i]);
	}
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static void test_leaves_the_path_of_an_adopted_socket(void **state)
{
	const struct fixture *fixture = *state;
	const int fd = new_listener(fixture->path);
	struct adoption adoption = adopt(fixture, &fd, 1, "greeterd.socket", "1");

	assert_int_equal(adoption.n, 1);
	assert_true(adoption.has_path_when_over);
	assert_int_equal(connect_to(fixture->path), 0); /* nor was it shut down */
	close(fd);
}

static void test_takes_the_variables_from_the_environment(void **state)
{
	const int fd = new_listener("127.0.0.1");

	assert_false(adopt(*state, &fd, 1, "greeterd.socket", "1").environment_left);
	close(fd);
}

static void test_closes_strangers_and_names_them(void **state)
{
	const int good = new_listener("127.0.0.1");
	int pipe_fds[2], pair[2], datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);

	const int fds[] = { datagram, pair[0], good, pipe_fds[0] };
	struct adoption adoption = adopt(*state, fds, ELEMENTS(fds), "udp:accepted:good:fifo", "4");
	assert_int_equal(adoption.result, 0);
	assert_int_equal(adoption.n, 1);
	assert_int_equal(adoption.fds[0], 5);
	assert_false(adoption.open[0] || adoption.open[1] || adoption.open[3]);
	assert_true(adoption.open[2]);
	assert_non_null(strstr(adoption.said, "descriptor 3 (udp) is no listening stream socket"));
	assert_non_null(strstr(adoption.said, "descriptor 4 (accepted) is"));
	assert_non_null(strstr(adoption.said, "descriptor 6 (fifo) is"));
	assert_null(strstr(adoption.said, "(good)"));
	for (size_t i = 0; i < ELEMENTS(fds); i++)
		close(fds[i]);
	close(pipe_fds[1]);
	close(pair[1]);
}

static void test_tells_the_remedy_after_the_longest_name(void **state)
{
	char name[256];
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	memset(name, 'n', 255); /* as long as FileDescriptorName= of systemd.socket(5) may be */
	name[255] = '\0';

	struct adoption adoption = adopt(*state, pipe_fds, 1, name, "1");
	assert_non_null(strstr(adoption.said, name));
	assert_non_null(strstr(adoption.said, "Accept=no\n"));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void test_says_when_nothing_handed_over_is_of_use(void **state)
{
	int fds[2];
	struct adoption adoption;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	adoption = adopt(*state, fds, 2, NULL, "2");
	assert_int_equal(adoption.result, -EINVAL);
	assert_int_equal(adoption.n, 0);
	assert_false(adoption.inherited); /* the result is untouched */
	assert_false(adoption.open[0] || adoption.open[1]);
	close(fds[0]);
	close(fds[1]);
}

static void test_refuses_variables_that_make_no_sense(void **state)
{
	const int fd = new_listener("127.0.0.1");

	assert_int_equal(adopt(*state, &fd, 1, NULL, "many").result, -EINVAL);
	assert_int_equal(adopt(*state, &fd, 1, NULL, "-1").result, -EINVAL);
	close(fd);
}

static void test_adopts_nothing_where_nothing_is_handed_over(void **state)
{
	struct listeners listeners = { 0 };
	char said[1024] = "";

	(void)state;
	unsetenv("LISTEN_PID");
	assert_int_equal(activation_adopt(&listeners, "greeterd-connections", say, said), -ENOENT);
	setenv("LISTEN_PID", "1", 1); /* for another process */
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(activation_adopt(&listeners, "greeterd-connections", say, said), -ENOENT);
	assert_string_equal(said, "");
	activation_close(&listeners);
}

/* Binds the words of a listen setting, each port a free one. */
static int bind_words(struct fixture *fixture, const char *first, const char *second, struct listeners *ret)
{
	char *words[] = { (char *)first, (char *)second };
	const struct settings settings = { .listen = words, .n_listen = second ? 2 : 1 };

	fixture->said[0] = '\0';
	return activation_bind(&settings, ret, say, fixture->said);
}

static struct netio_address local(const struct listeners *listeners, size_t i)
{
	struct netio_address address;

	assert_true(i < listeners->n);
	assert_int_equal(netio_local(listeners->fds[i], &address), 0);
	return address;
}

static void test_binds_ipv4_and_unix_sockets(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };

	assert_int_equal(bind_words(fixture, "127.0.0.1", fixture->path, &listeners), 0);
	assert_int_equal(listeners.n, 2);
	assert_false(listeners.inherited);
	assert_int_equal(local(&listeners, 0).any.sa_family, AF_INET);
	assert_string_equal(local(&listeners, 1).un.sun_path, fixture->path);
	for (size_t i = 0; i < listeners.n; i++) {
		assert_true(fcntl(listeners.fds[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(listeners.fds[i], F_GETFD) & FD_CLOEXEC);
	}
	assert_string_equal(fixture->said, "");
	assert_int_equal(connect_to(fixture->path), 0);
	activation_close(&listeners);
	assert_false(exists(fixture->path));
	assert_null(listeners.fds);
	activation_close(&listeners);
}

static void test_binds_both_families_for_a_star(void **state)
{
	struct listeners listeners = { 0 };

	if (!has_ipv6())
		skip();
	assert_int_equal(bind_words(*state, "*", "[::1]", &listeners), 0);
	assert_int_equal(listeners.n, 3);
	assert_int_equal(local(&listeners, 0).any.sa_family, AF_INET);
	assert_int_equal(local(&listeners, 1).any.sa_family, AF_INET6);
	assert_int_equal(local(&listeners, 2).any.sa_family, AF_INET6);
	activation_close(&listeners);
}

static void test_takes_over_the_path_of_a_dead_socket(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };

	close(new_listener(fixture->path));
	assert_true(exists(fixture->path));
	assert_int_equal(bind_words(fixture, fixture->path, NULL, &listeners), 0);
	assert_int_equal(connect_to(fixture->path), 0);
	activation_close(&listeners);
}

static void test_says_why_a_dead_socket_cannot_be_removed(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };
	const uid_t user = geteuid();
	int r;

	close(new_listener(fixture->path));
	assert_int_equal(chmod(fixture->path, 0666), 0);
	assert_int_equal(chmod(fixture->folder, 0555), 0);
	if (user == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	r = bind_words(fixture, fixture->path, NULL, &listeners);
	if (user == 0)
		assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(fixture->folder, 0700), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(fixture->said, strerror(EACCES)));
	assert_true(exists(fixture->path));
}

static void test_leaves_the_path_of_a_live_socket(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };
	int live = new_listener(fixture->path);

	assert_int_equal(bind_words(fixture, fixture->path, NULL, &listeners), -EADDRINUSE);
	assert_non_null(strstr(fixture->said, "cannot listen on "));
	assert_non_null(strstr(fixture->said, fixture->path));
	assert_non_null(strstr(fixture->said, strerror(EADDRINUSE)));
	assert_int_equal(connect_to(fixture->path), 0);
	close(live);
}

static void test_never_removes_a_file_that_is_no_socket(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };
	char target[PATH_SIZE];

	close(open(fixture->path, O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(bind_words(fixture, fixture->path, NULL, &listeners), -EADDRINUSE);
	assert_true(exists(fixture->path));
	unlink(fixture->path);

	snprintf(target, sizeof(target), "%s/dead.sock", fixture->folder);
	close(new_listener(target));
	assert_int_equal(symlink(target, fixture->path), 0);
	assert_int_equal(bind_words(fixture, fixture->path, NULL, &listeners), -EADDRINUSE);
	assert_true(exists(fixture->path));
	assert_true(exists(target));
	unlink(target);
}

static void test_a_failed_bind_undoes_the_others(void **state)
{
	struct fixture *fixture = *state;
	struct listeners listeners = { 0 };
	char busy[NETIO_TEXT_MAX];
	struct netio_address address;
	int taken = new_listener("127.0.0.1");

	assert_int_equal(netio_local(taken, &address), 0);
	netio_format(&address, busy);
	assert_int_equal(bind_words(fixture, fixture->path, busy, &listeners), -EADDRINUSE);
	assert_non_null(strstr(fixture->said, busy));
	assert_false(exists(fixture->path));
	assert_int_equal(listeners.n, 0);
	close(taken);
}

static void test_says_a_folder_that_is_not_there(void **state)
{
	struct listeners listeners = { 0 };
	struct fixture *fixture = *state;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/none/greet.sock", fixture->folder);
	assert_int_equal(bind_words(fixture, path, NULL, &listeners), -ENOENT);
	assert_non_null(strstr(fixture->said, path));
	assert_int_equal(bind_words(fixture, "no address", NULL, &listeners), -EINVAL);
}

static void test_keeps_the_carriers_apart(void **state)
{
	int pair[2], fds[3];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	fds[0] = pair[0];
	fds[1] = new_listener("127.0.0.1");
	fds[2] = pair[1];

	struct adoption adoption =
		adopt(*state, fds, 3, "greeterd-connections:greeterd.socket:greeterd-connections", "3");
	assert_int_equal(adoption.result, 0);
	assert_int_equal(adoption.n, 1);
	assert_int_equal(adoption.fds[0], FIRST_FD + 1);
	assert_int_equal(adoption.n_carriers, 2);
	assert_int_equal(adoption.carrier, FIRST_FD);
	assert_string_equal(adoption.said, "");
	assert_false(adoption.open_when_over);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
}

static void test_carriers_alone_are_nothing_to_listen_on(void **state)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);

	struct adoption adoption = adopt(*state, pair, 1, "greeterd-connections", "1");
	assert_int_equal(adoption.result, -EINVAL);
	assert_false(adoption.open[0]);
	close(pair[0]);
	close(pair[1]);
}

/* Whether sockets bound to these addresses are what the settings name. */
static bool matches(const int *fds, size_t n, uint16_t port, const char *first, const char *second)
{
	const char *words[] = { first, second };
	struct settings settings = {
		.port = port, .listen = (char **)(uintptr_t)words, .n_listen = second ? 2 : 1
	};
	struct listeners listeners = { .fds = (int *)(uintptr_t)fds, .n = n, .inherited = true };

	return activation_matches(&listeners, &settings);
}

static uint16_t port_of(int fd)
{
	struct netio_address address;

	assert_int_equal(netio_local(fd, &address), 0);
	return ntohs(address.any.sa_family == AF_INET ? address.in.sin_port : address.in6.sin6_port);
}

static void test_matches_the_addresses_that_are_named(void **state)
{
	const struct fixture *fixture = *state;
	const int fds[] = { new_listener("127.0.0.1"), new_listener(fixture->path) };
	uint16_t port = port_of(fds[0]);

	assert_true(matches(fds, 2, port, "127.0.0.1", fixture->path));
	assert_true(matches(fds, 2, port, fixture->path, "127.0.0.1"));  /* in any order */
	assert_false(matches(fds, 2, port, "127.0.0.1", NULL));          /* one too many */
	assert_false(matches(fds, 1, port, "127.0.0.1", fixture->path)); /* one too few */
	assert_false(matches(fds, 1, (uint16_t)(port ^ 1), "127.0.0.1", NULL));
	assert_false(matches(fds, 1, port, "127.0.0.2", NULL));
	assert_false(matches(fds, 1, port, "*", NULL));
	close(fds[0]);
	close(fds[1]);
}

static void test_of_a_star_ipv4_alone_will_do(void **state)
{
	const int fd = new_listener("0.0.0.0");

	(void)state;
	assert_true(matches(&fd, 1, port_of(fd), "*", NULL));
	close(fd);
}

/* What systemd binds for "ListenStream=8080", and the same for IPv6 alone. */
static int new_ipv6_listener(int only)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void test_a_dual_stack_socket_stands_for_both(void **state)
{
	int dual, only;

	(void)state;
	if (!has_ipv6())
		skip();
	dual = new_ipv6_listener(0);
	only = new_ipv6_listener(1);
	assert_true(matches(&dual, 1, port_of(dual), "*", NULL));
	assert_true(matches(&dual, 1, port_of(dual), "0.0.0.0", "[::]"));
	assert_false(matches(&only, 1, port_of(only), "*", NULL));
	assert_true(matches(&only, 1, port_of(only), "[::]", NULL));
	close(dual);
	close(only);
}

static void test_knows_a_service_by_its_own_pid(void **state)
{
	char pid[32];

	(void)state;
	unsetenv("SYSTEMD_EXEC_PID");
	assert_false(activation_is_service());
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("SYSTEMD_EXEC_PID", pid, 1);
	assert_true(activation_is_service());
	snprintf(pid, sizeof(pid), "%d", getppid()); /* a shell that systemd started, say */
	setenv("SYSTEMD_EXEC_PID", pid, 1);
	assert_false(activation_is_service());
	setenv("SYSTEMD_EXEC_PID", "", 1);
	assert_false(activation_is_service());
	unsetenv("SYSTEMD_EXEC_PID");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_adopts_listeners_of_every_family),
		CASE(test_leaves_the_path_of_an_adopted_socket),
		CASE(test_takes_the_variables_from_the_environment),
		CASE(test_closes_strangers_and_names_them),
		CASE(test_tells_the_remedy_after_the_longest_name),
		CASE(test_says_when_nothing_handed_over_is_of_use),
		CASE(test_refuses_variables_that_make_no_sense),
		CASE(test_adopts_nothing_where_nothing_is_handed_over),
		CASE(test_binds_ipv4_and_unix_sockets),
		CASE(test_binds_both_families_for_a_star),
		CASE(test_takes_over_the_path_of_a_dead_socket),
		CASE(test_says_why_a_dead_socket_cannot_be_removed),
		CASE(test_leaves_the_path_of_a_live_socket),
		CASE(test_never_removes_a_file_that_is_no_socket),
		CASE(test_a_failed_bind_undoes_the_others),
		CASE(test_says_a_folder_that_is_not_there),
		CASE(test_keeps_the_carriers_apart),
		CASE(test_carriers_alone_are_nothing_to_listen_on),
		CASE(test_matches_the_addresses_that_are_named),
		CASE(test_of_a_star_ipv4_alone_will_do),
		CASE(test_a_dual_stack_socket_stands_for_both),
		CASE(test_knows_a_service_by_its_own_pid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "greeterd/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netio.h"

#define BACKLOG 4096    /* the kernel caps it at net.core.somaxconn */
#define FD_NAME_MAX 255 /* FileDescriptorName= of systemd.socket(5) */

static void free_names(char ***names)
{
	for (char **name = *names; name && *name; name++)
		free(*name);
	free(*names);
}

static int add(int **fds, size_t *n, int fd)
{
	int *grown = realloc(*fds, (*n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[(*n)++] = fd;
	*fds = grown;
	return 0;
}

/* Accepted connections inherit it: a reply waits for no acknowledgement of the one before. No matter for
 * AF_UNIX. */
static void set_no_delay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int adopt_one(struct listeners *listeners, int fd, const char *name, activation_say say, void *data)
{
	char sentence[FD_NAME_MAX + 160];

	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
		snprintf(sentence, sizeof(sentence),
			"descriptor %d (%s) is no listening stream socket and is closed; the socket unit "
			"needs ListenStream= and Accept=no",
			fd, name);
		say(data, sentence);
		close(fd);
		return 0;
	}
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	set_no_delay(fd);
	return add(&listeners->fds, &listeners->n, fd);
}

int activation_adopt(struct listeners *ret, const char *stored_name, activation_say say, void *data)
{
	_cleanup_(free_names) char **names = NULL;
	struct listeners listeners = { .inherited = true };
	int n = sd_listen_fds_with_names(1, &names);

	if (n < 0)
		return n;
	if (n == 0)
		return -ENOENT;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i, r;

		if (strcmp(names[i], stored_name) == 0)
			r = add(&listeners.carriers, &listeners.n_carriers, fd);
		else
			r = adopt_one(&listeners, fd, names[i], say, data);

		if (r < 0) {
			activation_close(&listeners);
			return r;
		}
	}
	if (listeners.n == 0) {
		activation_close(&listeners);
		return -EINVAL;
	}
	*ret = listeners;
	return 0;
}

/* Whether the path of an AF_UNIX address is a socket that nobody listens on any more. Other files refuse a
 * connection too: unix(7). */
static bool is_stale(const struct netio_address *address)
{
	_cleanup_(closep) int fd = netio_connect(address);
	struct stat st;

	return fd == -ECONNREFUSED && lstat(address->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int listen_on(const struct netio_address *address)
{
	int fd = netio_listen(address, BACKLOG);

	if (fd == -EADDRINUSE && address->any.sa_family == AF_UNIX && is_stale(address)) {
		if (unlink(address->un.sun_path) < 0)
			return -errno;
		fd = netio_listen(address, BACKLOG);
	}
	if (fd >= 0)
		set_no_delay(fd);
	return fd;
}

/* Binds what one word of the listen setting stands for. On a machine without IPv6, "*" is IPv4 alone. */
static int bind_word(
	struct listeners *listeners, const char *word, uint16_t port, activation_say say, void *data)
{
	struct netio_address addresses[NETIO_PARSE_MAX];
	int n = netio_parse(word, port, addresses);

	for (int i = 0; i < n; i++) {
		char text[NETIO_TEXT_MAX], sentence[NETIO_TEXT_MAX + 80];
		int fd = listen_on(&addresses[i]);

		if (fd == -EAFNOSUPPORT && i > 0)
			continue;
		if (fd < 0) {
			snprintf(sentence, sizeof(sentence), "cannot listen on %s: %s",
				netio_format(&addresses[i], text), strerror(-fd));
			say(data, sentence);
			return fd;
		}

		int r = add(&listeners->fds, &listeners->n, fd);
		if (r < 0) {
			close(fd);
			return r;
		}
	}
	return n < 0 ? n : 0;
}

int activation_bind(const struct settings *settings, struct listeners *ret, activation_say say, void *data)
{
	struct listeners listeners = { .inherited = false };

	for (size_t i = 0; i < settings->n_listen; i++) {
		int r = bind_word(&listeners, settings->listen[i], settings->port, say, data);

		if (r < 0) {
			activation_close(&listeners);
			return r;
		}
	}
	*ret = listeners;
	return 0;
}

/* Whether an IPv6 socket takes IPv4 connections as well. */
static bool is_dual_stack(int fd)
{
	int only = 1;
	socklen_t len = sizeof(only);

	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && !only;
}

/* Whether the listening socket fd, bound to local, is what greets at wanted. */
static bool serves(int fd, const struct netio_address *local, const struct netio_address *wanted)
{
	if (netio_equal(local, wanted))
		return true;
	return wanted->any.sa_family == AF_INET && wanted->in.sin_addr.s_addr == htonl(INADDR_ANY) &&
	       local->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&local->in6.sin6_addr) &&
	       local->in6.sin6_port == wanted->in.sin_port && is_dual_stack(fd);
}

/* Ticks off the listeners that serve what a word of the listen setting stands for. Of "*", IPv4 alone will
 * do. */
static bool word_is_served(const struct listeners *listeners, const char *word, uint16_t port, bool *ticks)
{
	struct netio_address wanted[NETIO_PARSE_MAX], local;
	int n = netio_parse(word, port, wanted);
	bool first = false;

	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < listeners->n; k++) {
			if (netio_local(listeners->fds[k], &local) < 0 ||
				!serves(listeners->fds[k], &local, &wanted[i]))
				continue;
			ticks[k] = true;
			first |= i == 0;
		}
	}
	return first;
}

bool activation_matches(const struct listeners *listeners, const struct settings *settings)
{
	_cleanup_(freep) bool *ticks = calloc(listeners->n, sizeof(*ticks));

	if (!ticks)
		return true; /* nothing to say then */
	for (size_t i = 0; i < settings->n_listen; i++)
		if (!word_is_served(listeners, settings->listen[i], settings->port, ticks))
			return false;
	for (size_t i = 0; i < listeners->n; i++)
		if (!ticks[i])
			return false;
	return true;
}

bool activation_is_service(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID");

	return pid && strtol(pid, NULL, 10) == getpid();
}

void activation_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++) {
		struct netio_address address;

		if (!listeners->inherited && netio_local(listeners->fds[i], &address) == 0 &&
			address.any.sa_family == AF_UNIX)
			unlink(address.un.sun_path);
		close(listeners->fds[i]);
	}
	for (size_t i = 0; i < listeners->n_carriers; i++)
		close(listeners->carriers[i]);
	free(listeners->fds);
	free(listeners->carriers);
	*listeners = (struct listeners){ 0 };
}

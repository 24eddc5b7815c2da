/*
 * netio.h: addresses and stream sockets: TCP over IPv4 and IPv6, AF_UNIX.
 *
 * Functions return 0 or a descriptor that the caller owns, or -errno. Descriptors are made O_CLOEXEC and
 * O_NONBLOCK. Callable from any thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A local or remote socket address of any of the three families. */
struct netio_address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
};

/* Room for every text that netio_format() and netio_peer_format() write, with the NUL. */
#define NETIO_TEXT_MAX 128

/* The most addresses that one word of netio_parse() stands for. */
#define NETIO_PARSE_MAX 2

/*
 * Reads a listen address as in greeterd.conf(5): "*", "192.0.2.7", "[2001:db8::1]:9000", "*:9000",
 * "/run/greeterd/greet.sock". Numeric addresses only; default_port goes where none is named. "*" stands for
 * two: 0.0.0.0 and [::]. Returns how many addresses were written; -EINVAL for what is no address,
 * -ENAMETOOLONG for a path that AF_UNIX cannot hold, ret untouched.
 */
int netio_parse(const char *text, uint16_t default_port, struct netio_address ret[static NETIO_PARSE_MAX]);

/* "127.0.0.1:8080", "[::1]:8080", "/run/greet.sock"; an IPv4 address mapped into IPv6 is shown as IPv4.
 * Returns text. */
const char *netio_format(const struct netio_address *address, char text[static NETIO_TEXT_MAX]);

/* Whether two addresses name the same place; "::ffff:a.b.c.d" and "a.b.c.d" do. */
bool netio_equal(const struct netio_address *a, const struct netio_address *b);

/* Binds and listens: SO_REUSEADDR for TCP, IPV6_V6ONLY for IPv6. Errors of socket(2), bind(2), listen(2). */
int netio_listen(const struct netio_address *address, int backlog);

/* Begins to connect. The descriptor becomes writable when connected or failed (SO_ERROR). Errors of
 * socket(2), connect(2) but -EINPROGRESS. */
int netio_connect(const struct netio_address *address);

/* The address that a socket is bound to: getsockname(2). */
int netio_local(int fd, struct netio_address *ret);

/* Who is at the other end of a connection, in 24 bytes. */
struct netio_peer {
	uint8_t family; /* AF_INET, AF_INET6 or AF_UNIX; an IPv4 address mapped into IPv6 is AF_INET */
	uint8_t unused;
	uint16_t port; /* host byte order */
	uint32_t scope;
	union {
		uint8_t ip[16]; /* network byte order; IPv4 in the first four */
		struct {
			uint32_t pid, uid; /* of who connected: SO_PEERCRED, unix(7) */
		} unix_peer;
	};
};

/* From the address that accept(2) gave; fd is asked for its credentials when that is AF_UNIX. */
void netio_peer_from(int fd, const struct netio_address *address, struct netio_peer *ret);

/* "127.0.0.1:40312", "[fe80::1%2]:40312", "unix:pid=812,uid=1000". Returns text. */
const char *netio_peer_format(const struct netio_peer *peer, char text[static NETIO_TEXT_MAX]);

/* Orders peers by their source alone: the IP address, or the user of AF_UNIX. 0: the same source; else as
 * memcmp(3). */
int netio_peer_compare_source(const struct netio_peer *a, const struct netio_peer *b);

#include "common/netio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static void set_in(struct netio_address *address, struct in_addr ip, uint16_t port)
{
	*address = (struct netio_address){
		.len = sizeof(address->in),
		.in = { .sin_family = AF_INET, .sin_addr = ip, .sin_port = htons(port) },
	};
}

static void set_in6(struct netio_address *address, struct in6_addr ip, uint32_t scope, uint16_t port)
{
	*address = (struct netio_address){
		.len = sizeof(address->in6),
		.in6 = { .sin6_family = AF_INET6,
			.sin6_addr = ip,
			.sin6_scope_id = scope,
			.sin6_port = htons(port) },
	};
}

static int parse_path(const char *path, struct netio_address *ret)
{
	size_t len = strlen(path);

	if (len >= sizeof(ret->un.sun_path))
		return -ENAMETOOLONG;
	*ret = (struct netio_address){ .un.sun_family = AF_UNIX };
	memcpy(ret->un.sun_path, path, len + 1);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 1;
}

/* A port from 1 to 65535 in plain digits. */
static int parse_port(const char *text, uint16_t *ret)
{
	uint32_t port = 0;

	if (text[0] == '0')
		return -EINVAL;
	for (size_t i = 0; text[i]; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		port = port * 10 + (uint32_t)(text[i] - '0');
		if (port > UINT16_MAX)
			return -EINVAL;
	}
	if (port == 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* Splits "HOST", "HOST:PORT", "[HOST]", "[HOST]:PORT", where only a bracketed host may hold colons. */
static int split_port(const char *text, char host[static NETIO_TEXT_MAX], uint16_t *port)
{
	const char *begin = text, *end, *rest;

	if (text[0] == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (!end)
			return -EINVAL;
		rest = end + 1;
	} else {
		end = rest = text + strcspn(text, ":");
	}
	if (end == begin || end - begin >= NETIO_TEXT_MAX)
		return -EINVAL;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	if (*rest == '\0')
		return 0;
	return *rest == ':' ? parse_port(rest + 1, port) : -EINVAL;
}

/* "fe80::1%eth0" or "fe80::1%2" into address and scope. */
static int parse_in6(char *host, struct in6_addr *ip, uint32_t *scope)
{
	char *zone = strchr(host, '%');

	*scope = 0;
	if (zone) {
		*zone++ = '\0';
		*scope = if_nametoindex(zone);
		if (*scope == 0 && strlen(zone) <= 9 && zone[strspn(zone, "0123456789")] == '\0')
			*scope = (uint32_t)strtoul(zone, NULL, 10);
		if (*scope == 0)
			return -EINVAL;
	}
	return inet_pton(AF_INET6, host, ip) == 1 ? 0 : -EINVAL;
}

int netio_parse(const char *text, uint16_t default_port, struct netio_address ret[static NETIO_PARSE_MAX])
{
	char host[NETIO_TEXT_MAX];
	uint16_t port = default_port;
	struct in_addr ip;
	struct in6_addr ip6;
	uint32_t scope;

	if (text[0] == '/')
		return parse_path(text, ret);
	if (split_port(text, host, &port) < 0)
		return -EINVAL;
	if (text[0] == '[') {
		if (parse_in6(host, &ip6, &scope) < 0)
			return -EINVAL;
		set_in6(ret, ip6, scope, port);
		return 1;
	}
	if (strcmp(host, "*") == 0) {
		set_in(ret, (struct in_addr){ INADDR_ANY }, port);
		set_in6(ret + 1, in6addr_any, 0, port);
		return 2;
	}
	if (inet_pton(AF_INET, host, &ip) != 1)
		return -EINVAL;
	set_in(ret, ip, port);
	return 1;
}

/* The IPv4 address that an IPv6 one maps: RFC 4291, section 2.5.5.2. */
static struct in_addr mapped(const struct in6_addr *ip)
{
	struct in_addr in;

	memcpy(&in, ip->s6_addr + 12, sizeof(in));
	return in;
}

static void format_in(const void *ip, uint16_t port, char text[static NETIO_TEXT_MAX])
{
	char digits[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, ip, digits, sizeof(digits));
	snprintf(text, NETIO_TEXT_MAX, "%s:%u", digits, port);
}

static void format_in6(const void *ip, uint32_t scope, uint16_t port, char text[static NETIO_TEXT_MAX])
{
	char digits[INET6_ADDRSTRLEN], zone[16] = "";

	inet_ntop(AF_INET6, ip, digits, sizeof(digits));
	if (scope)
		snprintf(zone, sizeof(zone), "%%%" PRIu32, scope);
	snprintf(text, NETIO_TEXT_MAX, "[%s%s]:%u", digits, zone, port);
}

static void format_un(const struct netio_address *address, char text[static NETIO_TEXT_MAX])
{
	size_t len = address->len - offsetof(struct sockaddr_un, sun_path);
	const char *path = address->un.sun_path;

	if (address->len <= offsetof(struct sockaddr_un, sun_path))
		snprintf(text, NETIO_TEXT_MAX, "unix:unnamed");
	else if (path[0] == '\0') /* the abstract namespace of unix(7) */
		snprintf(text, NETIO_TEXT_MAX, "@%.*s", (int)len - 1, path + 1);
	else
		snprintf(text, NETIO_TEXT_MAX, "%.*s", (int)len, path);
}

const char *netio_format(const struct netio_address *address, char text[static NETIO_TEXT_MAX])
{
	const struct sockaddr_in6 *in6 = &address->in6;

	switch (address->any.sa_family) {
	case AF_INET:
		format_in(&address->in.sin_addr, ntohs(address->in.sin_port), text);
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			format_in(&in6->sin6_addr.s6_addr[12], ntohs(in6->sin6_port), text);
		else
			format_in6(&in6->sin6_addr, in6->sin6_scope_id, ntohs(in6->sin6_port), text);
		break;
	case AF_UNIX:
		format_un(address, text);
		break;
	default:
		snprintf(text, NETIO_TEXT_MAX, "family %d", address->any.sa_family);
		break;
	}
	return text;
}

/* One spelling for each TCP address, so that bytes compare; none for other families. */
static struct netio_address canonical(const struct netio_address *address)
{
	struct netio_address c = { .len = 0 };

	if (address->any.sa_family == AF_INET)
		set_in(&c, address->in.sin_addr, ntohs(address->in.sin_port));
	else if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		set_in(&c, mapped(&address->in6.sin6_addr), ntohs(address->in6.sin6_port));
	else if (address->any.sa_family == AF_INET6)
		set_in6(&c, address->in6.sin6_addr, address->in6.sin6_scope_id,
			ntohs(address->in6.sin6_port));
	return c;
}

bool netio_equal(const struct netio_address *a, const struct netio_address *b)
{
	char a_path[NETIO_TEXT_MAX], b_path[NETIO_TEXT_MAX];

	if (a->any.sa_family == AF_UNIX || b->any.sa_family == AF_UNIX)
		return a->any.sa_family == b->any.sa_family &&
		       strcmp(netio_format(a, a_path), netio_format(b, b_path)) == 0;

	struct netio_address ca = canonical(a), cb = canonical(b);
	return ca.len > 0 && ca.len == cb.len && memcmp(&ca.storage, &cb.storage, ca.len) == 0;
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int netio_listen(const struct netio_address *address, int backlog)
{
	_cleanup_(closep) int fd = new_socket(address->any.sa_family);
	const int on = 1;

	if (fd < 0)
		return fd;
	if (address->any.sa_family != AF_UNIX &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address->any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, &address->any, address->len) < 0)
		return -errno;
	if (listen(fd, backlog) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int netio_connect(const struct netio_address *address)
{
	_cleanup_(closep) int fd = new_socket(address->any.sa_family);

	if (fd < 0)
		return fd;
	if (connect(fd, &address->any, address->len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

int netio_local(int fd, struct netio_address *ret)
{
	struct netio_address address = { .len = sizeof(address.storage) };

	if (getsockname(fd, &address.any, &address.len) < 0)
		return -errno;
	*ret = address;
	return 0;
}

void netio_peer_from(int fd, const struct netio_address *address, struct netio_peer *ret)
{
	struct netio_peer peer = { .family = (uint8_t)address->any.sa_family };
	const struct sockaddr_in6 *in6 = &address->in6;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);

	switch (address->any.sa_family) {
	case AF_INET:
		peer.port = ntohs(address->in.sin_port);
		memcpy(peer.ip, &address->in.sin_addr, sizeof(address->in.sin_addr));
		break;
	case AF_INET6:
		peer.port = ntohs(in6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			peer.family = AF_INET;
			memcpy(peer.ip, in6->sin6_addr.s6_addr + 12, 4);
			break;
		}
		peer.scope = in6->sin6_scope_id;
		memcpy(peer.ip, &in6->sin6_addr, sizeof(in6->sin6_addr));
		break;
	default:
		peer.family = AF_UNIX;
		(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len); /* zeros say: not known */
		peer.unix_peer.pid = (uint32_t)who.pid;
		peer.unix_peer.uid = who.uid;
		break;
	}
	*ret = peer;
}

const char *netio_peer_format(const struct netio_peer *peer, char text[static NETIO_TEXT_MAX])
{
	if (peer->family == AF_INET)
		format_in(peer->ip, peer->port, text);
	else if (peer->family == AF_INET6)
		format_in6(peer->ip, peer->scope, peer->port, text);
	else
		snprintf(text, NETIO_TEXT_MAX, "unix:pid=%" PRIu32 ",uid=%" PRIu32, peer->unix_peer.pid,
			peer->unix_peer.uid);
	return text;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int netio_peer_compare_source(const struct netio_peer *a, const struct netio_peer *b)
{
	if (a->family != b->family)
		return compare_numbers(a->family, b->family);
	if (a->family == AF_UNIX)
		return compare_numbers(a->unix_peer.uid, b->unix_peer.uid);
	if (a->scope != b->scope)
		return compare_numbers(a->scope, b->scope);
	return memcmp(a->ip, b->ip, sizeof(a->ip));
}

#include "sockctl/target.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENV_HOST "SOCKCTL_HOST"
#define ENV_PORT "SOCKCTL_PORT"

static void addrinfo_free(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

/* Says what is wrong; returns error. */
__attribute__((format(printf, 3, 4))) static int fail(char **ret_error, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(ret_error, format, args) < 0)
		*ret_error = NULL;
	va_end(args);
	return error;
}

/* A variable that is set to something. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

bool target_needs_port(const struct target_request *request)
{
	return !request->unix_path && !request->port && !environment(ENV_PORT);
}

static int choose_port(const struct target_request *request, uint16_t *ret, char **ret_error)
{
	const char *text = request->port ? request->port : environment(ENV_PORT);
	char *end;

	if (!text) {
		*ret = request->default_port;
		return 0;
	}

	unsigned long port = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || port == 0 || port > UINT16_MAX)
		return fail(ret_error, -EINVAL, "%s '%s': ports run from 1 to 65535",
			request->port ? "--port" : ENV_PORT, text);
	*ret = (uint16_t)port;
	return 0;
}

static int add_address(struct target *target, const struct netio_address *address)
{
	struct netio_address *more;

	for (size_t i = 0; i < target->n_addresses; i++)
		if (netio_equal(&target->addresses[i], address))
			return 0;
	more = reallocarray(target->addresses, target->n_addresses + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	target->addresses = more;
	target->addresses[target->n_addresses++] = *address;
	return 0;
}

static int resolve_path(const char *path, struct target *target, char **ret_error)
{
	struct netio_address address = { .un.sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len == 0)
		return fail(ret_error, -EINVAL, "--unix: no path given");
	if (len >= sizeof(address.un.sun_path))
		return fail(ret_error, -EINVAL, "--unix: a path of %zu bytes, sockets have at most %zu", len,
			sizeof(address.un.sun_path) - 1);
	memcpy(address.un.sun_path, path, len);
	address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	if (path[0] == '@') { /* unix(7): a NUL in front, none behind */
		address.un.sun_path[0] = '\0';
		address.len--;
	}
	return add_address(target, &address);
}

/* The host without the brackets that an IPv6 address may wear. */
static char *bare_host(const char *host)
{
	size_t len = strlen(host);

	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		return strndup(host + 1, len - 2);
	return strdup(host);
}

static int resolve_host(const char *name, uint16_t port, int family, struct target *target, char **ret_error)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST
	};
	_cleanup_(addrinfo_free) struct addrinfo *list = NULL;
	_cleanup_(freep) char *host = bare_host(name);
	char service[8];
	int r;

	if (!host)
		return -ENOMEM;
	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &list);
	if (r != 0) {
		if (asprintf(&target->name, "%s port %u", name, port) < 0) {
			target->name = NULL;
			return -ENOMEM;
		}
		hints.ai_flags = AI_NUMERICSERV;
		r = getaddrinfo(host, service, &hints, &list);
	}
	if (r != 0)
		return fail(ret_error, -EHOSTUNREACH, "cannot resolve '%s'%s: %s", name,
			family == AF_INET    ? " for IPv4"
			: family == AF_INET6 ? " for IPv6"
					     : "",
			r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		struct netio_address address = { .len = info->ai_addrlen };

		memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
		r = add_address(target, &address);
		if (r < 0)
			return r;
	}
	return 0;
}

int target_resolve(const struct target_request *request, struct target **ret, char **ret_error)
{
	_cleanup_(target_freep) struct target *target = calloc(1, sizeof(*target));
	const char *host = request->host ? request->host : environment(ENV_HOST);
	uint16_t port = 0;
	int r;

	*ret_error = NULL;
	if (!target)
		return -ENOMEM;
	if (request->unix_path) {
		r = resolve_path(request->unix_path, target, ret_error);
	} else if (host && !host[0]) {
		r = fail(ret_error, -EINVAL, "--host: no host given");
	} else {
		if (!host)
			host = request->family == AF_INET6 ? "::1" : TARGET_DEFAULT_HOST;
		r = choose_port(request, &port, ret_error);
		if (r == 0)
			r = resolve_host(host, port, request->family, target, ret_error);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(target);
	return 0;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	free(target->name);
	free(target->addresses);
	free(target);
}

#include "generator/dropin.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/netio.h"

struct addresses {
	struct netio_address items[SETTINGS_LISTEN_MAX * NETIO_PARSE_MAX];
	size_t n;
};

static void collect(const struct settings *settings, struct addresses *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < settings->n_listen; i++) {
		int n = netio_parse(settings->listen[i], settings->port, ret->items + ret->n);

		ret->n += n > 0 ? (size_t)n : 0;
	}
}

static bool is_any4(const struct netio_address *address)
{
	return address->any.sa_family == AF_INET && address->in.sin_addr.s_addr == INADDR_ANY;
}

static bool is_any6(const struct netio_address *address)
{
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

/* Whether 0.0.0.0 and [::] are both among the addresses, with this port in network byte order. */
static bool is_paired(const struct addresses *addresses, in_port_t port)
{
	bool any4 = false, any6 = false;

	for (size_t i = 0; i < addresses->n; i++) {
		const struct netio_address *address = &addresses->items[i];

		any4 = any4 || (is_any4(address) && address->in.sin_port == port);
		any6 = any6 || (is_any6(address) && address->in6.sin6_port == port);
	}
	return any4 && any6;
}

/* Whether each [::] has a 0.0.0.0 beside it, so that one socket can serve both. */
static bool all_paired(const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (is_any6(&addresses->items[i]) && !is_paired(addresses, addresses->items[i].in6.sin6_port))
			return false;
	return true;
}

/*
 * A value as unit files have it: "%" begins a specifier, systemd.unit(5). Blanks at the end of a line are cut
 * off and a backslash there joins it to the next, but not before %i, which is empty in a unit that is no
 * instance.
 */
static void write_value(FILE *out, const char *value)
{
	char last = '\0';

	for (; *value; value++) {
		last = *value;
		if (last == '%')
			fputc('%', out);
		fputc(last, out);
	}
	if (last == ' ' || last == '\\')
		fputs("%i", out);
	fputc('\n', out);
}

/* systemd.socket(5) puts the scope of an IPv6 address behind the port: "[fe80::1]:8080%2". */
static void write_address(FILE *out, const struct netio_address *address)
{
	struct netio_address plain = *address;
	char text[NETIO_TEXT_MAX + 16];
	uint32_t scope = 0;
	size_t len;

	if (address->any.sa_family == AF_INET6) {
		scope = address->in6.sin6_scope_id;
		plain.in6.sin6_scope_id = 0;
	}
	len = strlen(netio_format(&plain, text));
	if (scope)
		snprintf(text + len, sizeof(text) - len, "%%%" PRIu32, scope);
	fputs("ListenStream=", out);
	write_value(out, text);
}

/*
 * A port alone is all that a machine without IPv6 can do, without a complaint in its log at each boot; and a
 * drop-in of the administrator may then name a port alone, too, and have both families. It takes
 * BindIPv6Only=both, which a [::] that is meant for IPv6 only does not bear.
 */
static void write_addresses(FILE *out, const struct addresses *addresses)
{
	bool both = all_paired(addresses);

	fprintf(out, "BindIPv6Only=%s\n", both ? "both" : "ipv6-only");
	for (size_t i = 0; i < addresses->n; i++) {
		const struct netio_address *address = &addresses->items[i];

		if (both && is_any4(address) && is_paired(addresses, address->in.sin_port))
			fprintf(out, "ListenStream=%u\n", ntohs(address->in.sin_port));
		else if (!both || !is_any6(address))
			write_address(out, address);
	}
}

static void write_dropin(FILE *out, const struct addresses *addresses, const char *source)
{
	fputs("# Written by greeterd-generator(8) at boot and at each daemon-reload. See greeterd.conf(5).\n",
		out);
	if (source) {
		fputs("[Unit]\nSourcePath=", out);
		write_value(out, source);
		fputc('\n', out);
	}
	fputs("[Socket]\nListenStream=\n", out);
	write_addresses(out, addresses);
}

int dropin_text(const struct settings *settings, const char *source, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	struct addresses addresses;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	collect(settings, &addresses);
	write_dropin(out, &addresses, source);
	if (fclose(out) == EOF)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	return 0;
}

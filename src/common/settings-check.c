#include "common/settings-check.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/netio.h"
#include "common/protocol.h"

#define QUOTE_(text) #text
#define QUOTE(macro) QUOTE_(macro)

/*
 * The length of the printable character that text begins with, in UTF-8 as RFC 3629 limits it; 0 when that is
 * none: a control character, or bytes that are no UTF-8.
 */
static size_t printable(const char *text)
{
	static const struct {
		uint8_t mask, bits;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0x20 }, { 0xe0, 0xc0, 0xa0 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t n = 0; n < ELEMENTS(forms); n++) {
		uint32_t code = bytes[0] & (uint8_t)~forms[n].mask;

		if ((bytes[0] & forms[n].mask) != forms[n].bits)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((bytes[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (bytes[i] & 0x3f);
		}
		if (code < forms[n].least || code == 0x7f || (code >= 0xd800 && code <= 0xdfff) ||
			code > 0x10ffff)
			return 0;
		return n + 1;
	}
	return 0;
}

static bool is_printable(const char *text)
{
	while (*text) {
		size_t n = printable(text);

		if (n == 0)
			return false;
		text += n;
	}
	return true;
}

const char *settings_reply_fault(const char *text)
{
	size_t len = strlen(text);

	if (len > PROTOCOL_REPLY_TEXT_MAX)
		return "is longer than " QUOTE(PROTOCOL_REPLY_TEXT_MAX) " bytes";
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return "is not printable ASCII";
	if (text[strspn(text, " ")] == '\0')
		return "is blank, which clients pass over";
	if (strcasestr(text, protocol_end_bytes(PROTOCOL_END_BR)))
		return "holds <br>, which ends a reply";
	if (strncmp(text, "ERR ", strlen("ERR ")) == 0)
		return "begins like a refusal";
	return NULL;
}

const char *settings_name_fault(const char *text)
{
	if (strlen(text) > SETTINGS_NAME_MAX)
		return "is longer than " QUOTE(SETTINGS_NAME_MAX) " bytes";
	return is_printable(text) ? NULL : "is not printable UTF-8";
}

const char *settings_listen_fault(const char *text)
{
	struct netio_address addresses[NETIO_PARSE_MAX];

	if (!is_printable(text))
		return "is not printable UTF-8";
	return netio_parse(text, PROTOCOL_DEFAULT_PORT, addresses) < 0 ? "is not an address" : NULL;
}

static bool is_any(const struct netio_address *address)
{
	if (address->any.sa_family == AF_INET)
		return address->in.sin_addr.s_addr == INADDR_ANY;
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

/* Whether two sockets cannot listen on them side by side. */
static bool in_the_way(const struct netio_address *a, const struct netio_address *b)
{
	if (netio_equal(a, b))
		return true;
	if (a->any.sa_family != b->any.sa_family || !(is_any(a) || is_any(b)))
		return false;
	return a->any.sa_family == AF_INET ? a->in.sin_port == b->in.sin_port
					   : a->in6.sin6_port == b->in6.sin6_port;
}

static void check_listen(const struct settings_draft *draft)
{
	const struct settings *settings = draft->settings;
	struct netio_address all[SETTINGS_LISTEN_MAX * NETIO_PARSE_MAX];
	size_t owner[ELEMENTS(all)], n = 0;

	for (size_t i = 0; i < settings->n_listen; i++) {
		int added = netio_parse(settings->listen[i], settings->port, all + n);
		size_t rival = n;

		for (size_t a = n; added > 0 && a < n + (size_t)added; a++) {
			owner[a] = i;
			for (size_t b = 0; b < n && rival == n; b++)
				if (in_the_way(&all[a], &all[b]))
					rival = b;
		}
		if (rival < n)
			settings_found(draft->findings, draft->listen_source, draft->listen_lines[i],
				"listen", "\"%s\" is in the way of \"%s\"; expected each address once",
				settings->listen[i], settings->listen[owner[rival]]);
		n += added > 0 ? (size_t)added : 0;
	}
}

/* The least id that is in both, or 0. */
static uint32_t common_id(const struct idset *a, const struct idset *b)
{
	size_t i = 0, j = 0;

	while (i < a->n_ranges && j < b->n_ranges) {
		const struct idset_range *x = &a->ranges[i], *y = &b->ranges[j];

		if (x->last < y->first)
			i++;
		else if (y->last < x->first)
			j++;
		else
			return x->first > y->first ? x->first : y->first;
	}
	return 0;
}

static void check_expect(const struct settings_draft *draft)
{
	const struct settings *settings = draft->settings;

	for (size_t i = 0; i < settings->n_expect; i++) {
		const struct idset *ids = settings->expect[i].ids;
		uint32_t last = ids->ranges[ids->n_ranges - 1].last;

		if (last > settings->max_id)
			settings_found(draft->findings, draft->expect_source, draft->expect_lines[i],
				"expect.id", "%" PRIu32 " is over max_id; expected 1 to %" PRIu32, last,
				settings->max_id);
		for (size_t j = 0; j < i; j++) {
			uint32_t id = common_id(ids, settings->expect[j].ids);

			if (id == 0)
				continue;
			settings_found(draft->findings, draft->expect_source, draft->expect_lines[i],
				"expect.id",
				"client %" PRIu32 " is in the group of line %u too; "
				"expected it in one",
				id, draft->expect_lines[j]);
			break;
		}
	}
}

void settings_check(const struct settings_draft *draft)
{
	const struct settings_findings *findings = draft->findings;

	if (settings_findings_spare(findings, "listen") && settings_findings_spare(findings, "port"))
		check_listen(draft);
	if (settings_findings_spare(findings, "expect") && settings_findings_spare(findings, "max_id"))
		check_expect(draft);
}

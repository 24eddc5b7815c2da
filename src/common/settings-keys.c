#include "common/settings-keys.h"

#include <string.h>

#include "common/duration.h"
#include "common/protocol.h"
#include "common/spelling.h"

#define QUOTE_(text) #text
#define QUOTE(macro) QUOTE_(macro)

#define USEC_s USEC_PER_SEC
#define USEC_h (3600 * USEC_PER_SEC)
#define USEC_w (7 * 24 * USEC_h)

#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

#define INTEGER(NAME, UNIT, MIN, MAX, DEFAULT, RELOADABLE) \
	{ \
		.name = #NAME, .type = "integer", .unit = UNIT, .range = QUOTE(MIN) " to " QUOTE(MAX), \
		.default_value = QUOTE(DEFAULT), .reloadable = RELOADABLE, .kind = SETTINGS_INTEGER, \
		.min = MIN, .max = MAX, MEMBER(struct settings, NAME) \
	}
#define DURATION(TYPE, NAME, MIN, MIN_UNIT, MAX, MAX_UNIT, DEFAULT) \
	{ \
		.name = #NAME, .type = "duration", .unit = "time span", \
		.range = #MIN #MIN_UNIT " to " #MAX #MAX_UNIT, .default_value = DEFAULT, .reloadable = true, \
		.kind = SETTINGS_DURATION, .min = MIN * USEC_##MIN_UNIT, .max = MAX * USEC_##MAX_UNIT, \
		MEMBER(TYPE, NAME##_usec) \
	}

static const struct settings_key keys[] = {
	INTEGER(port, "TCP port", 1, 65535, PROTOCOL_DEFAULT_PORT, false),
	{ .name = "listen",
		.type = "list",
		.unit = "addresses",
		.range = "1 to " QUOTE(SETTINGS_LISTEN_MAX) " numeric addresses or paths",
		.default_value = "[ \"*\" ]",
		.reloadable = false,
		.kind = SETTINGS_LISTEN },
	{ .name = "reply",
		.type = "string",
		.unit = "text",
		.range = "1 to " QUOTE(PROTOCOL_REPLY_TEXT_MAX) " printable ASCII characters",
		.default_value = "\"" PROTOCOL_DEFAULT_REPLY "\"",
		.reloadable = true,
		.kind = SETTINGS_REPLY,
		MEMBER(struct settings, reply) },
	INTEGER(max_id, "client number", 1, 10000000, PROTOCOL_DEFAULT_MAX_ID, false),
	INTEGER(max_connections, "connections", 1, 1000000, 16384, true),
	INTEGER(max_connections_per_source, "connections", 0, 1000000, 0, true),
	DURATION(struct settings, settle, 0, s, 10, s, "\"250ms\""),
	DURATION(struct settings, greeting_timeout, 0, s, 1, h, "\"10s\""),
	DURATION(struct settings, idle_timeout, 0, s, 1, w, "\"5min\""),
	DURATION(struct settings, idle_exit, 0, s, 24, h, "\"0\""),
	INTEGER(journal_burst, "greetings a second", 0, 1000000, 200, true),
	INTEGER(workers, "threads", 0, 64, 1, false),
	{ .name = "expect",
		.type = "list",
		.unit = "groups of clients",
		.range = "0 to " QUOTE(SETTINGS_EXPECT_MAX) " groups",
		.default_value = "( )",
		.reloadable = true,
		.kind = SETTINGS_EXPECT },
};

static const struct settings_key expect_keys[] = {
	{ .name = "id",
		.type = "string",
		.unit = "client numbers",
		.range = "1 to max_id",
		.reloadable = true,
		.kind = SETTINGS_IDS,
		MEMBER(struct settings_expect, ids) },
	DURATION(struct settings_expect, every, 1, s, 1, w, NULL),
	DURATION(struct settings_expect, grace, 0, s, 1, w, "\"30s\""),
	{ .name = "name",
		.type = "string",
		.unit = "text",
		.range = "0 to " QUOTE(SETTINGS_NAME_MAX) " bytes of printable UTF-8",
		.default_value = "\"\"",
		.reloadable = true,
		.kind = SETTINGS_NAME,
		MEMBER(struct settings_expect, name) },
};

const struct settings_key *settings_keys(size_t *ret_n)
{
	*ret_n = ELEMENTS(keys);
	return keys;
}

const struct settings_key *settings_expect_keys(size_t *ret_n)
{
	*ret_n = ELEMENTS(expect_keys);
	return expect_keys;
}

const struct settings_key *settings_key_find(settings_table *table, const char *name, size_t len)
{
	size_t n;
	const struct settings_key *all = table(&n);

	for (size_t i = 0; i < n; i++)
		if (strlen(all[i].name) == len && memcmp(all[i].name, name, len) == 0)
			return &all[i];
	return NULL;
}

const struct settings_key *settings_key_nearest(settings_table *table, const char *name)
{
	size_t n, least = strlen(name) / 3 + 2; /* more letters than that are not a slip */
	const struct settings_key *all = table(&n), *nearest = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = spelling_distance(name, all[i].name);

		if (d < least) {
			least = d;
			nearest = &all[i];
		}
	}
	return nearest;
}

const char *settings_key_expected(const struct settings_key *key)
{
	static const char *const texts[] = {
		[SETTINGS_INTEGER] = "an integer, ",
		[SETTINGS_DURATION] = "a time span such as \"10s\" or 10, ",
		[SETTINGS_REPLY] = "a string, ",
		[SETTINGS_NAME] = "a string, ",
		[SETTINGS_IDS] = "client numbers such as \"1-3,7\", ",
		[SETTINGS_LISTEN] = "a list of strings, ",
		[SETTINGS_EXPECT] = "a list of groups, ",
	};

	return texts[key->kind];
}

void settings_key_store(const struct settings_key *key, void *base, uint64_t value)
{
	void *member = (char *)base + key->offset;

	if (key->size == sizeof(uint16_t))
		*(uint16_t *)member = (uint16_t)value;
	else if (key->size == sizeof(uint32_t))
		*(uint32_t *)member = (uint32_t)value;
	else
		*(uint64_t *)member = value;
}

uint64_t settings_key_fetch(const struct settings_key *key, const void *base)
{
	const void *member = (const char *)base + key->offset;

	if (key->size == sizeof(uint16_t))
		return *(const uint16_t *)member;
	if (key->size == sizeof(uint32_t))
		return *(const uint32_t *)member;
	return *(const uint64_t *)member;
}

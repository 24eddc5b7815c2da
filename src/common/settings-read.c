/* The sole user of libconfig, whose types stay in here; so it holds the readers of all kinds of values. */
#include "common/settings-read.h"

#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/escape.h"
#include "common/idset.h"
#include "common/settings-check.h"
#include "common/settings-keys.h"
#include "common/settings-text.h"

/* A value on its way into base, which is the draft's settings or one group of "expect". */
struct reading {
	struct settings_draft *draft;
	const struct settings_source *source;
	const struct settings_key *key;
	const config_setting_t *value;
	void *base;
	const char *prefix; /* of the keys around it in messages */
	char path[SETTINGS_KEY_SHOWN];
};

#define SHOWN_MAX 80

static const char *type_of(const config_setting_t *value)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "a boolean";
	case CONFIG_TYPE_GROUP:
		return "a group";
	default:
		return "a list";
	}
}

/* Says what is wrong at a value, and what its key takes. */
#define FOUND(r, format, ...) \
	settings_found((r)->draft->findings, (r)->source, line_of(r), (r)->path, format "; expected %s%s", \
		__VA_ARGS__, settings_key_expected((r)->key), (r)->key->range)

static unsigned line_of(const struct reading *r)
{
	return config_setting_source_line(r->value);
}

static bool is_string(const config_setting_t *value)
{
	return config_setting_type(value) == CONFIG_TYPE_STRING;
}

static bool get_integer(const config_setting_t *value, long long *ret)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_INT:
		*ret = config_setting_get_int(value);
		return true;
	case CONFIG_TYPE_INT64:
		*ret = config_setting_get_int64(value);
		return true;
	default:
		return false;
	}
}

static int read_integer(const struct reading *r)
{
	long long number;

	if (!get_integer(r->value, &number))
		FOUND(r, "%s", type_of(r->value));
	else if (number < 0 || (uint64_t)number < r->key->min || (uint64_t)number > r->key->max)
		FOUND(r, "%lld is out of range", number);
	else
		settings_key_store(r->key, r->base, (uint64_t)number);
	return 0;
}

static int read_duration(const struct reading *r)
{
	const char *text = config_setting_get_string(r->value);
	char safe[SHOWN_MAX];
	long long seconds;
	uint64_t usec;

	if (is_string(r->value)) {
		escape_text(text, strlen(text), safe, sizeof(safe));
		if (duration_parse(text, &usec) == -EINVAL) {
			FOUND(r, "\"%s\" is not a time span", safe);
			return 0;
		}
		if (duration_parse(text, &usec) < 0)
			usec = UINT64_MAX;
	} else if (get_integer(r->value, &seconds)) {
		snprintf(safe, sizeof(safe), "%lld", seconds);
		usec = seconds < 0 ? UINT64_MAX : (uint64_t)seconds * USEC_PER_SEC;
	} else {
		FOUND(r, "%s", type_of(r->value));
		return 0;
	}
	if (usec < r->key->min || usec > r->key->max)
		FOUND(r, "%s is out of range", safe);
	else
		settings_key_store(r->key, r->base, usec);
	return 0;
}

/* The string that is the value, or NULL with a finding: not a string, or at fault as the check says. */
static const char *get_text(const struct reading *r, const char *(*fault_of)(const char *))
{
	const char *text = config_setting_get_string(r->value), *fault;
	char safe[SHOWN_MAX];

	if (!is_string(r->value)) {
		FOUND(r, "%s", type_of(r->value));
		return NULL;
	}
	fault = fault_of(text);
	if (!fault)
		return text;
	escape_text(text, strlen(text), safe, sizeof(safe));
	FOUND(r, "\"%s\" %s", safe, fault);
	return NULL;
}

static int store_text(const struct reading *r, const char *text)
{
	char **member = (char **)((char *)r->base + r->key->offset);
	char *copy;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

static int read_reply(const struct reading *r)
{
	return store_text(r, get_text(r, settings_reply_fault));
}

static int read_name(const struct reading *r)
{
	return store_text(r, get_text(r, settings_name_fault));
}

/* max_id may be set later, even by another file: settings_check() compares. */
static int read_ids(const struct reading *r)
{
	struct settings_expect *group = r->base;
	const char *text = config_setting_get_string(r->value);
	char safe[SHOWN_MAX];
	struct idset *ids;
	int error;

	if (!is_string(r->value)) {
		FOUND(r, "%s", type_of(r->value));
		return 0;
	}
	error = idset_parse(text, UINT32_MAX, &ids);
	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		escape_text(text, strlen(text), safe, sizeof(safe));
		FOUND(r, "\"%s\" %s", safe,
			error == -ERANGE ? "is out of range" : "is not a list of client numbers");
		return 0;
	}
	group->ids = ids;
	return 0;
}

static bool is_list(const config_setting_t *value)
{
	return config_setting_is_list(value) || config_setting_is_array(value);
}

static int read_listen(const struct reading *r)
{
	struct settings *settings = r->draft->settings;
	unsigned lines[SETTINGS_LISTEN_MAX] = { 0 };
	int n = config_setting_length(r->value), kept = 0;
	char **listen;

	if (!is_list(r->value)) {
		FOUND(r, "%s", type_of(r->value));
		return 0;
	}
	if (n < 1 || n > SETTINGS_LISTEN_MAX) {
		FOUND(r, "%d addresses", n);
		return 0;
	}
	listen = calloc((size_t)n, sizeof(*listen));
	if (!listen)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		struct reading element = *r;
		const char *text;

		element.value = config_setting_get_elem(r->value, (unsigned)i);
		text = get_text(&element, settings_listen_fault);
		if (!text)
			continue;
		lines[kept] = line_of(&element);
		listen[kept] = strdup(text);
		if (!listen[kept]) {
			settings_listen_free(listen, (size_t)n);
			return -ENOMEM;
		}
		kept++;
	}
	if (kept < n) {
		settings_listen_free(listen, (size_t)kept);
		return 0;
	}
	settings_listen_free(settings->listen, settings->n_listen);
	settings->listen = listen;
	settings->n_listen = (size_t)n;
	r->draft->listen_source = r->source;
	memcpy(r->draft->listen_lines, lines, sizeof(lines));
	return 0;
}

static int read_expect(const struct reading *r);

/* Reads one value into base, as the type of its key asks. */
static int read_value(const struct reading *r)
{
	static int (*const readers[])(const struct reading *) = {
		[SETTINGS_INTEGER] = read_integer,
		[SETTINGS_DURATION] = read_duration,
		[SETTINGS_REPLY] = read_reply,
		[SETTINGS_NAME] = read_name,
		[SETTINGS_IDS] = read_ids,
		[SETTINGS_LISTEN] = read_listen,
		[SETTINGS_EXPECT] = read_expect,
	};

	return readers[r->key->kind](r);
}

static void found_unknown(const struct reading *r, settings_table *table)
{
	const char *name = config_setting_name(r->value);
	const struct settings_key *nearest = settings_key_nearest(table, name);

	settings_found(r->draft->findings, r->source, line_of(r), r->path,
		nearest ? "unknown key; did you mean %s?" : "unknown key; expected one of %s",
		nearest ? nearest->name : "greeterd.conf(5)");
}

/* Reads what a group sets into base; r tells the rest. */
static int read_group(
	const struct reading *r, const config_setting_t *group, settings_table *table, void *base)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		struct reading member = *r;
		const char *name;
		int error;

		member.value = config_setting_get_elem(group, (unsigned)i);
		member.base = base;
		name = config_setting_name(member.value);
		snprintf(member.path, sizeof(member.path), "%s%.40s", r->prefix, name);
		member.key = settings_key_find(table, name, strlen(name));
		if (!member.key) {
			found_unknown(&member, table);
			continue;
		}
		error = read_value(&member);
		if (error < 0)
			return error;
	}
	return 0;
}

/* Reads the table's defaults into base by the same way as a file. */
static int read_defaults(const struct reading *r, settings_table *table, void *base)
{
	char text[1024] = "";
	size_t n, len = 0;
	const struct settings_key *keys = table(&n);
	config_t config;
	int error;

	for (size_t i = 0; i < n; i++)
		if (keys[i].default_value)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s = %s;\n", keys[i].name,
				keys[i].default_value);
	config_init(&config);
	error = config_read_string(&config, text) ? read_group(r, config_root_setting(&config), table, base)
						  : -ENOMEM;
	config_destroy(&config);
	return error;
}

static int read_expect_group(const struct reading *r, struct settings_expect *group)
{
	size_t n;
	const struct settings_key *keys = settings_expect_keys(&n);
	int error;

	if (!config_setting_is_group(r->value)) {
		FOUND(r, "%s", type_of(r->value));
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!keys[i].default_value && !config_setting_get_member(r->value, keys[i].name))
			settings_found(r->draft->findings, r->source, line_of(r), r->path,
				"a group without %s; expected %s%s", keys[i].name,
				settings_key_expected(&keys[i]), keys[i].range);

	struct reading members = *r;
	members.prefix = "expect.";
	error = read_defaults(&members, settings_expect_keys, group);
	return error < 0 ? error : read_group(&members, r->value, settings_expect_keys, group);
}

static int read_expect(const struct reading *r)
{
	struct settings *settings = r->draft->settings;
	size_t before = r->draft->findings->n;
	unsigned lines[SETTINGS_EXPECT_MAX] = { 0 };
	int n = config_setting_length(r->value), error = 0;
	struct settings_expect *expect;

	if (!is_list(r->value)) {
		FOUND(r, "%s", type_of(r->value));
		return 0;
	}
	if (n > SETTINGS_EXPECT_MAX) {
		FOUND(r, "%d groups", n);
		return 0;
	}
	expect = calloc((size_t)n + 1, sizeof(*expect));
	if (!expect)
		return -ENOMEM;
	for (int i = 0; i < n && error == 0; i++) {
		struct reading element = *r;

		element.value = config_setting_get_elem(r->value, (unsigned)i);
		lines[i] = line_of(&element);
		error = read_expect_group(&element, &expect[i]);
	}
	if (error < 0 || r->draft->findings->n > before) {
		settings_expect_free(expect, (size_t)n);
		return error;
	}
	settings_expect_free(settings->expect, settings->n_expect);
	settings->expect = expect;
	settings->n_expect = (size_t)n;
	r->draft->expect_source = r->source;
	memcpy(r->draft->expect_lines, lines, sizeof(lines));
	return 0;
}

int settings_read(
	struct settings_draft *draft, const struct settings_source *source, const char *text, size_t len)
{
	const struct reading r = { .draft = draft, .source = source, .prefix = "" };
	_cleanup_(freep) char *clean = NULL;
	config_t config;
	int error = settings_text_clean(source, text, len, draft->findings, &clean);

	if (error < 0 || !clean)
		return error;
	config_init(&config);
	if (config_read_string(&config, clean))
		error = read_group(&r, config_root_setting(&config), settings_keys, draft->settings);
	else
		settings_found(draft->findings, source, (unsigned)config_error_line(&config), NULL,
			"%s; expected settings of the form: port = 8080;", config_error_text(&config));
	config_destroy(&config);
	return error;
}

int settings_read_defaults(struct settings_draft *draft)
{
	static const struct settings_source source = { .name = "defaults" };
	const struct reading r = { .draft = draft, .source = &source, .prefix = "" };

	return read_defaults(&r, settings_keys, draft->settings);
}

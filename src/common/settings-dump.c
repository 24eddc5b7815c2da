#include <inttypes.h>
#include <stdio.h>

#include "common/duration.h"
#include "common/settings-keys.h"
#include "common/settings.h"

/* A string as libconfig reads it back; settings hold no control characters. */
static void dump_text(const char *text, FILE *out)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void dump_ids(const struct idset *ids, FILE *out)
{
	putc('"', out);
	for (size_t i = 0; i < ids->n_ranges; i++) {
		const struct idset_range *range = &ids->ranges[i];

		fprintf(out, "%s%" PRIu32, i > 0 ? "," : "", range->first);
		if (range->last > range->first)
			fprintf(out, "-%" PRIu32, range->last);
	}
	putc('"', out);
}

static void dump_listen(const struct settings *settings, FILE *out)
{
	fputs("[ ", out);
	for (size_t i = 0; i < settings->n_listen; i++) {
		fputs(i > 0 ? ", " : "", out);
		dump_text(settings->listen[i], out);
	}
	fputs(" ]", out);
}

static void dump_value(const struct settings_key *key, const void *base, FILE *out);

static void dump_expect(const struct settings *settings, FILE *out)
{
	size_t n;
	const struct settings_key *keys = settings_expect_keys(&n);

	fputs("( ", out);
	for (size_t i = 0; i < settings->n_expect; i++) {
		fputs(i > 0 ? ",\n\t{ " : "\n\t{ ", out);
		for (size_t k = 0; k < n; k++) {
			fprintf(out, "%s = ", keys[k].name);
			dump_value(&keys[k], &settings->expect[i], out);
			fputs("; ", out);
		}
		putc('}', out);
	}
	fputs(settings->n_expect > 0 ? "\n)" : ")", out);
}

static void dump_value(const struct settings_key *key, const void *base, FILE *out)
{
	const void *member = (const char *)base + key->offset;
	char duration[DURATION_TEXT_MAX];

	switch (key->kind) {
	case SETTINGS_INTEGER:
		fprintf(out, "%" PRIu64, settings_key_fetch(key, base));
		break;
	case SETTINGS_DURATION:
		fprintf(out, "\"%s\"", duration_format(settings_key_fetch(key, base), duration));
		break;
	case SETTINGS_REPLY:
	case SETTINGS_NAME:
		dump_text(*(char *const *)member, out);
		break;
	case SETTINGS_IDS:
		dump_ids(*(struct idset *const *)member, out);
		break;
	case SETTINGS_LISTEN:
		dump_listen(base, out);
		break;
	case SETTINGS_EXPECT:
		dump_expect(base, out);
		break;
	}
}

void settings_dump(const struct settings *settings, FILE *out)
{
	size_t n;
	const struct settings_key *keys = settings_keys(&n);

	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s# %s, %s; %s\n%s = ", i > 0 ? "\n" : "", keys[i].unit, keys[i].range,
			keys[i].reloadable ? "changed by a reload" : "changed by a restart only",
			keys[i].name);
		dump_value(&keys[i], settings, out);
		fputs(";\n", out);
	}
}

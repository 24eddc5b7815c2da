/*
 * settings-read.h: one text of settings, read by libconfig into a draft that several texts build up.
 *
 * The draft is its owner's; settings_read() replaces in it, key by key, what the text sets. One thread.
 */
#pragma once

#include <stddef.h>

#include "common/settings-findings.h"

/* Settings in the making, and where in which file the lists were set, for what is found out later. */
struct settings_draft {
	struct settings *settings;
	struct settings_findings *findings;

	const struct settings_source *listen_source, *expect_source;
	unsigned listen_lines[SETTINGS_LISTEN_MAX];
	unsigned expect_lines[SETTINGS_EXPECT_MAX];
};

/* Both return 0, whatever was found, or -ENOMEM. */
int settings_read_defaults(struct settings_draft *draft);
int settings_read(
	struct settings_draft *draft, const struct settings_source *source, const char *text, size_t len);

void settings_listen_free(char **listen, size_t n);
void settings_expect_free(struct settings_expect *expect, size_t n);

/*
 * settings-draft.h: settings in the making, which several texts build up, and how what they hold is freed.
 *
 * A draft belongs to who loads; its settings are handed out when they are complete. One thread.
 */
#pragma once

#include <stddef.h>

#include "common/settings-findings.h"

/* With the settings, where in which file the lists were set, for what is found out later. */
struct settings_draft {
	struct settings *settings;
	struct settings_findings *findings;

	const struct settings_source *listen_source, *expect_source;
	unsigned listen_lines[SETTINGS_LISTEN_MAX];
	unsigned expect_lines[SETTINGS_EXPECT_MAX];
};

/* Free the list and its n elements. */
void settings_listen_free(char **listen, size_t n);
void settings_expect_free(struct settings_expect *expect, size_t n);

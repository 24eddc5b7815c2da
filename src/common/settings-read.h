/*
 * settings-read.h: one text of settings, read by libconfig into a draft that several texts build up.
 *
 * The draft is its owner's; settings_read() replaces in it, key by key, what the text sets. One thread.
 */
#pragma once

#include <stddef.h>

#include "common/settings-draft.h"

/* Both return 0, whatever was found, or -ENOMEM. */
int settings_read_defaults(struct settings_draft *draft);
int settings_read(
	struct settings_draft *draft, const struct settings_source *source, const char *text, size_t len);

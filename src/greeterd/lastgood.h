/*
 * lastgood.h: the last good settings, beside the daemon's state: what it starts on when the settings file is
 * broken.
 *
 * A file that settings_load() reads, of all settings that were in force. Main thread, when it starts or
 * reloads.
 */
#pragma once

#include "common/settings.h"

/* The name of the file inside of the state folder. */
#define LASTGOOD_NAME "last-good.conf"

/* Writes them, at once or not at all, unless they stand there already. Returns 0 or the -errno of the folder
 * or the file. */
int lastgood_save(const char *folder, const struct settings *settings);

/* Returns 0, -ENOENT when there are none, or the errors of settings_load(). */
int lastgood_load(const char *folder, struct settings **ret);

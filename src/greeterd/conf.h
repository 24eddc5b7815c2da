/*
 * conf.h: which settings greeterd runs with: those of its file; where that is broken, the last good ones.
 *
 * Main thread. Settings are owned by the caller: settings_free().
 */
#pragma once

#include "common/settings.h"

/*
 * The settings of file; with NULL those of the default place, where the file may be missing: that stands for
 * an empty one. Returns as settings_load().
 */
int conf_load(const char *file, struct settings **ret, struct settings_report *report);

/*
 * What to start with: conf_load(), or what the state folder (NULL: none) holds as the last good settings when
 * that fails. *ret_last_good: whether it is those. The report holds what is wrong with the file either way.
 * Returns 0, or the error of conf_load() when there are no last good ones.
 */
int conf_load_for_start(const char *file, const char *state_dir, struct settings **ret, bool *ret_last_good,
	struct settings_report *report);

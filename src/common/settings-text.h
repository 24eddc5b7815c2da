/*
 * settings-text.h: the text of a settings file: read without being trapped, and cleaned before libconfig sees
 * it.
 *
 * Texts belong to the caller, who frees them. No state; any thread.
 */
#pragma once

#include <stddef.h>

#include "common/settings-findings.h"
#include "common/settings-grammar.h"

#define SETTINGS_KEYS_MAX 1000 /* settings in one file, those of groups counted too */

/*
 * Reads a regular file of at most SETTINGS_FILE_MAX bytes; a FIFO or a device does not block. Returns 0, or
 * -errno as settings_load() documents it, with a finding (but for -ENOMEM).
 */
int settings_text_read(const struct settings_source *source, struct settings_findings *findings,
	char **ret_text, size_t *ret_len);

/*
 * Copies text with everything blanked that libconfig must not see or would stop at: comments, @include, and
 * each top-level setting in which something was found here, so that the rest can still be checked. What is
 * found: integers that do not fit, duplicates, unfinished strings and comments, NUL escapes, all that is
 * against the grammar. The lines stay where they were.
 *
 * Returns 0 and a text that ends with a newline and NUL; *ret_clean is NULL when it is not worth reading on
 * (a NUL byte, too many keys, too deep), which is found too. -ENOMEM.
 */
int settings_text_clean(const struct settings_source *source, const char *text, size_t len,
	struct settings_findings *findings, char **ret_clean);

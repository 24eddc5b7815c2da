/*
 * settings-check.h: what is wrong with values that have the right type.
 *
 * Pure; any thread.
 */
#pragma once

#include "common/settings-draft.h"

/* Each returns NULL for a good value, else what is wrong with it, as the end of a sentence. */
const char *settings_reply_fault(const char *text);
const char *settings_name_fault(const char *text);
const char *settings_listen_fault(const char *text);

/* Finds what only all texts together show: ids over max_id or in two groups, addresses that collide. */
void settings_check(const struct settings_draft *draft);

/*
 * settings-keys.h: looking things up in the table of settings.h, for the other settings-*.c files.
 *
 * Pure; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

/* One of settings_keys(), settings_expect_keys(). */
typedef const struct settings_key *settings_table(size_t *ret_n);

/* The key that the first len bytes of name spell, or NULL. */
const struct settings_key *settings_key_find(settings_table *table, const char *name, size_t len);

/* The key whose name is nearest to a mistyped one, or NULL when none is near. */
const struct settings_key *settings_key_nearest(settings_table *table, const char *name);

/* What a message says is expected, before the key's range: "an integer, ". */
const char *settings_key_expected(const struct settings_key *key);

/* Writes and reads an integer or a duration inside of the struct that the table describes. */
void settings_key_store(const struct settings_key *key, void *base, uint64_t value);
uint64_t settings_key_fetch(const struct settings_key *key, const void *base);

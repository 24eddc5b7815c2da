/*
 * settings.h: greeterd.conf(5), from one table of keys. The sole user of libconfig.
 *
 * settings_load() makes a struct settings, its owner frees it with settings_free(); nobody changes it in
 * between, so any thread may read it. The programs call settings_load() from the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/idset.h"

#define SETTINGS_FILE_MAX (64 * 1024) /* bytes of a file */

struct settings_expect {
	struct idset *ids;
	char *name; /* never NULL */
	uint64_t every_usec, grace_usec;
};

struct settings {
	uint16_t port;
	char **listen; /* as written; each one passes netio_parse() */
	size_t n_listen;
	char *reply;
	uint32_t max_id;
	uint32_t max_connections;
	uint32_t max_connections_per_source; /* 0: no limit */
	uint64_t settle_usec;                /* 0: off; so for the next three */
	uint64_t greeting_timeout_usec;
	uint64_t idle_timeout_usec;
	uint64_t idle_exit_usec;
	uint32_t journal_burst; /* 0: no limit */
	uint32_t workers;       /* 0: one per CPU */
	struct settings_expect *expect;
	size_t n_expect;
};

/* What a load found wrong: complete lines "FILE:LINE: key: what is wrong; what was expected". Starts zeroed.
 */
struct settings_report {
	char **lines;
	size_t n_lines;
};

void settings_report_free(struct settings_report *report);

/*
 * Reads a file and the conf.d/(*).conf beside it, which override it in name order, key by key; a missing
 * conf.d is fine. Every key is optional. file NULL: the defaults.
 *
 * Returns 0 and the settings; -EINVAL when anything is wrong with the text, all of it in the report; the
 * errno of open(2) or read(2) when a file cannot be read (-ENOENT: the file itself is missing), with a line
 * in the report too; -ENOMEM. *ret is untouched on failure.
 */
int settings_load(const char *file, struct settings **ret, struct settings_report *report);

/* The same from text alone, without drop-ins; name stands for FILE in messages. text needs no NUL. */
int settings_parse(const char *text, size_t len, const char *name, struct settings **ret,
	struct settings_report *report);

void settings_free(struct settings *settings);
DEFINE_CLEANUP(struct settings *, settings_free)

/* Writes the settings as a file that settings_load() reads back as the same, each key with its unit and range
 * in a comment. */
void settings_dump(const struct settings *settings, FILE *out);

/* The table, for the checks that hold the manual and the sample file to it. */
struct settings_key {
	const char *name;
	const char *type;          /* "integer", "string", "duration", "list" */
	const char *range;         /* as people read it, with the unit: "1 to 65535" */
	const char *default_value; /* as libconfig writes it */
	bool reloadable;           /* whether a reload can change it */
};

const struct settings_key *settings_keys(size_t *ret_n);

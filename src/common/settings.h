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
#define SETTINGS_LISTEN_MAX 32        /* addresses */
#define SETTINGS_EXPECT_MAX 200       /* groups */
#define SETTINGS_NAME_MAX 64          /* bytes of a group's name */

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

/* What a load found wrong: whole lines "FILE:LINE: key: what is wrong; what was expected". Starts zeroed. */
struct settings_report {
	char **lines;
	size_t n_lines;
};

void settings_report_free(struct settings_report *report);

/*
 * Reads a file and the conf.d/(*).conf beside it, which override it in strcmp(3) order of their names, key by
 * key; a missing conf.d is fine. Every key is optional. file NULL: the defaults.
 *
 * Returns 0 and the settings; -EINVAL when anything is wrong with the text or a file is not a regular one,
 * all of it in the report, ordered by file and line; the error of open(2) or read(2) when a file cannot be
 * read (-ENOENT: the file itself is missing, which a drop-in never causes), or -EFBIG when it is over
 * SETTINGS_FILE_MAX, with a line in the report too; -ENOMEM. *ret is untouched on failure.
 */
int settings_load(const char *file, struct settings **ret, struct settings_report *report);

/* The same where the file itself may be missing: its drop-ins count all the same. */
int settings_load_default(const char *file, struct settings **ret, struct settings_report *report);

/* The same from text alone, without drop-ins; name stands for FILE in messages. text needs no NUL. */
int settings_parse(const char *text, size_t len, const char *name, struct settings **ret,
	struct settings_report *report);

void settings_free(struct settings *settings);
DEFINE_CLEANUP(struct settings *, settings_free)

/* Writes the settings as a file that settings_load() reads back as the same, each key with its unit and range
 * in a comment. */
void settings_dump(const struct settings *settings, FILE *out);

enum settings_kind {
	SETTINGS_INTEGER,
	SETTINGS_DURATION,
	SETTINGS_REPLY,
	SETTINGS_NAME,
	SETTINGS_IDS,
	SETTINGS_LISTEN,
	SETTINGS_EXPECT
};

/* A row of the table; the checks that hold the manual and the sample file to it read it too. */
struct settings_key {
	const char *name;
	const char *type;          /* "integer", "string", "duration", "list" */
	const char *unit;          /* what the value counts or is */
	const char *range;         /* as people read it: "1 to 65535", "0s to 10s" */
	const char *default_value; /* as libconfig writes it; NULL: must be given */
	bool reloadable;           /* whether a reload can change it */

	enum settings_kind kind;
	size_t offset, size; /* where it is in struct settings, or in struct settings_expect */
	uint64_t min, max;   /* of integers; of durations in microseconds */
};

const struct settings_key *settings_keys(size_t *ret_n);

/* The keys of a group in the list "expect". */
const struct settings_key *settings_expect_keys(size_t *ret_n);

#define SETTINGS_PENDING_MAX 32 /* more than there are keys */

/*
 * Makes fresh what a reload may make of running: the keys that need a restart are exchanged between the two,
 * so that fresh holds what is in force and running what waits for the restart. Returns how many of them
 * differ, their names in ret_pending.
 */
size_t settings_hold_back(struct settings *fresh, struct settings *running,
	const char *ret_pending[static SETTINGS_PENDING_MAX]);

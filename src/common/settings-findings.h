/*
 * settings-findings.h: what is wrong with settings, collected from all their files before it is reported.
 *
 * The findings belong to who declares them zeroed and are freed with settings_findings_free(). One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

/* A file that is read; it must outlive what is found in it. */
struct settings_source {
	const char *name;
	unsigned order; /* among the files of one load */
};

#define SETTINGS_KEY_SHOWN 64 /* room for a key in a message, with its NUL; longer ones are cut */

struct settings_finding {
	unsigned order, line;
	size_t sequence;
	char key[SETTINGS_KEY_SHOWN];
	char *text;
};

struct settings_findings {
	struct settings_finding *items;
	size_t n;
	bool no_memory; /* one could not be kept */
};

/* Notes "FILE:LINE: key: text"; line 0 stands for the file as a whole, key NULL for no key in particular. */
void settings_found(struct settings_findings *findings, const struct settings_source *source, unsigned line,
	const char *key, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether nothing was found that may have kept key, or a key in its groups, from being read. */
bool settings_findings_spare(const struct settings_findings *findings, const char *key);

/* Moves all of them, ordered by file and line, to the end of report. Returns 0 or -ENOMEM. */
int settings_findings_report(struct settings_findings *findings, struct settings_report *report);

void settings_findings_free(struct settings_findings *findings);

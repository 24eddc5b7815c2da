/*
 * report.h: what a run of greetings prints, as sockctl(1) describes it: text or JSON, summary, progress.
 *
 * A report owns its tally; the streams and texts are the caller's. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sockctl/greeter.h"
#include "sockctl/tally.h"

struct report_style {
	bool counting; /* a line per greeting as ping has it, and a summary */
	bool many;     /* several clients: lines say which */
	bool json, verbose, quiet;
	bool progress;       /* err is a terminal that shows nothing else */
	const char *reply;   /* the right one */
	uint64_t expected;   /* greetings in all; 0: not known */
	int64_t wall_offset; /* from the greetings' clock to the time of day, in microseconds */
	FILE *out, *err;
};

struct report {
	struct report_style style;
	struct tally tally;
	uint64_t began; /* on the greetings' clock */
	bool progress_shown;
	int error; /* of writing to out, 0 or -errno */
};

/* Returns 0 or -ENOMEM. */
int report_init(struct report *report, const struct report_style *style, uint64_t now);
void report_deinit(struct report *report);

void report_greeting(struct report *report, const struct greeting *greeting);

/* Shows how far it is, where style.progress has it. */
void report_progress(struct report *report, uint64_t now);

/* The end of the run; target names what was greeted. */
void report_summary(struct report *report, const char *target, uint64_t now);

/* Hands out's buffer on. Returns 0, or the -errno of the first write that failed. */
int report_flush(struct report *report);

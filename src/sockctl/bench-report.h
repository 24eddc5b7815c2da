/*
 * bench-report.h: what "sockctl bench" prints, as sockctl(1) describes it: progress, summary, JSON, and the
 * exit status. Pure: from a result to a stream.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sockctl/chart.h"
#include "sockctl/exits.h"
#include "sockctl/load.h"

/* Percentiles are a table of so many columns, or, where there are less, a list that is LIST_LINES longer. */
#define BENCH_TABLE_COLUMNS 79
#define BENCH_LIST_LINES 6

struct bench_run {
	const char *target; /* "localhost port 8080" */
	const struct load_plan *plan;
	const struct load_result *result;
	uint64_t began;   /* microseconds since the epoch */
	bool interrupted; /* by a signal */
};

/* What the run comes down to, as sockctl(1) has it. */
enum exit_status bench_exit(const struct load_result *result);

/* The summary, with a histogram: style->rows are its rows. */
void bench_print(const struct bench_run *run, const struct chart_style *style, FILE *out);

void bench_print_json(const struct bench_run *run, FILE *out);

/* How far it is: a line that is written again and again, in the place of the one before. */
struct bench_progress {
	uint64_t answered, elapsed; /* when the line was written last */
	bool shown;
};

void bench_progress_show(struct bench_progress *progress, const struct load_plan *plan,
	const struct load_result *so_far, const struct chart_style *style, FILE *out);
void bench_progress_hide(struct bench_progress *progress, FILE *out);

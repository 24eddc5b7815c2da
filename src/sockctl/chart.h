/*
 * chart.h: a histogram of times as bars on a terminal, on a scale of round times. Pure; the texts go to a
 * stream. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/histogram.h"

#define CHART_ROWS_MAX 128

struct chart_style {
	unsigned columns; /* no line is longer; but not less than CHART_COLUMNS_MIN */
	unsigned rows;    /* at most, from 3 to CHART_ROWS_MAX */
	bool utf8;        /* bars of block elements, in eighths of a column */
	bool color;
};

#define CHART_COLUMNS_MIN 24

/* A row: so many values from one round time to the next, in nanoseconds; the last row has no end. */
struct chart_row {
	uint64_t from, to; /* UINT64_MAX: no end */
	uint64_t count;
};

/*
 * Cuts the histogram into rows of the finest scale of which max of them reach from the least value to the
 * 99.9th percentile. Returns how many; 0 when it is empty.
 */
size_t chart_rows(const struct histogram *h, size_t max, struct chart_row ret[static CHART_ROWS_MAX]);

/* Prints a line for each row: where it begins, its bar, its share, and which percentiles lie in it. */
void chart_print(const struct histogram *h, const struct chart_style *style, FILE *out);

/*
 * histogram.h: how long things took, counted in buckets of constant relative width.
 *
 * A value is kept to within 1/64 (1.6 %) of itself, from 0 to 2^40 - 1; larger ones count as the largest. The
 * unit is the caller's. Fixed size, no allocation after histogram_new(). One thread at a time.
 */
#pragma once

#include <stdint.h>

#include "common/cleanup.h"

struct histogram;

/* Returns NULL when there is no memory. Freed with histogram_free(). */
struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);
DEFINE_CLEANUP(struct histogram *, histogram_free)

/* Takes out all that was added. */
void histogram_clear(struct histogram *h);

void histogram_add(struct histogram *h, uint64_t value);

/* All of these are 0 while nothing was added. Minimum, maximum and mean are exact. */
uint64_t histogram_count(const struct histogram *h);
uint64_t histogram_min(const struct histogram *h);
uint64_t histogram_max(const struct histogram *h);
double histogram_mean(const struct histogram *h);

/* How many values are below this one, to within the bucket. */
uint64_t histogram_below(const struct histogram *h, uint64_t value);

/*
 * The smallest recorded value (to within the bucket, never above the maximum) that at least percent % of all
 * values do not exceed: the nearest-rank percentile. percent: above 0, up to 100.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

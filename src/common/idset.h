/*
 * idset.h: lists of client numbers as people write them: "2", "1-3", "1,4,9", "1-20,40".
 *
 * An idset is owned by who parsed it and freed with idset_free(). It is never changed after, so any thread
 * may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

struct idset_range {
	uint32_t first, last; /* inclusive */
};

struct idset {
	size_t n_ranges;
	struct idset_range ranges[]; /* ascending, neither overlapping nor touching */
};

/*
 * Reads a list of ids and ranges from 1 to max_id, in any order, overlaps merged.
 *
 * Returns 0 and a new set; -EINVAL for what is no list (empty, 0, sign, leading zero, "3-1"), -ERANGE for an
 * id over max_id, -ENOMEM.
 */
int idset_parse(const char *text, uint32_t max_id, struct idset **ret);
void idset_free(struct idset *set);
DEFINE_CLEANUP(struct idset *, idset_free)

/* How many ids the set holds. */
uint64_t idset_count(const struct idset *set);
bool idset_contains(const struct idset *set, uint32_t id);

/* The smallest id of the set above id (0 to begin), or 0 after the last. */
uint32_t idset_next(const struct idset *set, uint32_t id);

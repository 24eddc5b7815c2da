/*
 * roll.h: who has greeted, and how often, since the daemon started.
 *
 * One counter for each client id and one for the unnumbered, in memory of which only the pages in use exist.
 * The worker's thread calls in here; recording is one store.
 */
#pragma once

#include <stdint.h>

#include "common/cleanup.h"

struct roll;

/* For ids from 1 to max_id. Returns 0 or -ENOMEM. */
int roll_new(uint32_t max_id, struct roll **ret);
void roll_free(struct roll *roll);
DEFINE_CLEANUP(struct roll *, roll_free)

/* Counts a greeting of client id (0: unnumbered; at most max_id). Returns how often that client has greeted
 * now. */
uint64_t roll_record(struct roll *roll, uint32_t id);

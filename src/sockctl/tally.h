/*
 * tally.h: what became of the greetings of a run, in numbers.
 *
 * Fixed size but for its histogram, which tally_init() makes and tally_deinit() frees. One thread at a time.
 */
#pragma once

#include <stdint.h>

#include "common/histogram.h"
#include "sockctl/exits.h"
#include "sockctl/greeter.h"

struct tally {
	uint64_t results[GREETING_LOST + 1]; /* by enum greeting_result */
	struct histogram *rtt;               /* of those answered, in microseconds */
	uint64_t longest_outage_usec;
};

/* Returns 0 or -ENOMEM. */
int tally_init(struct tally *tally);
void tally_deinit(struct tally *tally);

void tally_add(struct tally *tally, const struct greeting *greeting);

/* All greetings that are over. */
uint64_t tally_sent(const struct tally *tally);

/* What the run comes down to, as sockctl(1) has it. */
enum exit_status tally_exit(const struct tally *tally);

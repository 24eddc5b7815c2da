/* metrics.h: the daemon's state as metrics: text that is both OpenMetrics and Prometheus' own format. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sockctl/control.h"

#define METRICS_STATES 6

/* Zeroed, how many clients are in each state. */
struct metrics_states {
	uint64_t counts[METRICS_STATES];
};

void metrics_count(struct metrics_states *states, const struct client_list *page);

/* clients: with a sample for each of them, too, or NULL. json: the same as one object of JSON. */
void metrics_print(const struct daemon_status *status, const struct metrics_states *states,
	const struct client_list *clients, bool json, FILE *out);

/* metrics.h: the daemon's state as metrics in the text format of Prometheus. Pure. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "sockctl/control.h"

struct metrics_style {
	bool json;       /* the same as one object of JSON */
	bool per_client; /* a sample for each client, too */
};

void metrics_print(const struct daemon_status *status, const struct client_list *clients,
	const struct metrics_style *style, FILE *out);

/* report-json.h: greetings and summaries as JSON objects, one a line; the schema stands in sockctl(1). */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "sockctl/greeter.h"
#include "sockctl/tally.h"

/* wall_offset: from the greeting's clock to microseconds since the epoch. reply: the right one. */
void report_json_greeting(FILE *out, const struct greeting *greeting, const char *reply, int64_t wall_offset);

void report_json_summary(FILE *out, const struct tally *tally, int64_t began, uint64_t duration_usec);

/*
 * bench-options.h: the options of "sockctl bench", one table for parsing and --help.
 *
 * The texts are argv's. Main thread only, as options.h is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/options.h"
#include "sockctl/client-options.h"
#include "sockctl/style.h"

/* Without --connections, but for more --id than that. */
#define BENCH_CONNECTIONS 50

struct bench_options {
	struct client_options client;
	uint64_t connections, pipeline, count, rate; /* count, rate: 0: none */
	uint64_t duration_usec, warmup_usec;         /* duration: 0: none, there is a count then */
	bool connect_each;
	enum style_color color;
};

/*
 * Returns 0, or 1 when --help was asked for, and the options for bench_options_deinit(); -EINVAL when they
 * make no sense, which has been said on standard error; -ENOMEM.
 */
int bench_options_parse(int argc, char **argv, struct bench_options *ret);
void bench_options_deinit(struct bench_options *options);

extern const struct option_spec bench_options_table[];

void bench_options_help(FILE *out);

/*
 * hello-options.h: the options of "sockctl hello", one table for parsing and --help.
 *
 * The texts are argv's. Main thread only, as options.h is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/options.h"
#include "sockctl/client-options.h"

struct hello_options {
	struct client_options client;
	bool counting;  /* --count was given */
	uint64_t count; /* 0: until interrupted */
	uint64_t interval_usec;
	bool verbose, quiet;
};

/*
 * Returns 0, or 1 when --help was asked for, and the options for hello_options_deinit(); -EINVAL when they
 * make no sense, which has been said on standard error; -ENOMEM.
 */
int hello_options_parse(int argc, char **argv, struct hello_options *ret);
void hello_options_deinit(struct hello_options *options);

extern const struct option_spec hello_options_table[];

void hello_options_help(FILE *out);

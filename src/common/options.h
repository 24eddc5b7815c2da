/*
 * options.h: one table of a program's options, from which come its parsing and its --help.
 *
 * The tables are constant and belong to the programs. No state but the iterator's; main thread only
 * (getopt_long(3) keeps its own).
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"

struct option_spec {
	int key;          /* what options_next() returns: the short option's letter, or above 255 */
	const char *name; /* the long option, without its dashes */
	const char *arg;  /* what --help calls its argument; NULL: takes none */
	const char *help; /* one line */
};

#define OPTIONS_END \
	{ \
		0, NULL, NULL, NULL \
	}

enum {
	OPTIONS_DONE = -1, /* no option left: the operands begin at optind */
	OPTIONS_USAGE = -2 /* unknown option or missing argument: said on standard error */
};

struct options;

/*
 * Walks over argv by a table that ends with OPTIONS_END. Options may stand among the operands (argv is
 * reordered) unless stop_at_operand. Returns NULL when there is no memory.
 */
struct options *options_new(const struct option_spec *table, int argc, char **argv, int stop_at_operand);
void options_free(struct options *options);
DEFINE_CLEANUP(struct options *, options_free)

/* The next option's key, with its argument (or NULL) in *ret_arg; OPTIONS_DONE; OPTIONS_USAGE. */
int options_next(struct options *options, const char **ret_arg);

/* The table as lines of a --help text, the descriptions aligned. */
void options_help(const struct option_spec *table, FILE *out);

/* commands.h: the verbs of sockctl, one table. Main thread only. */
#pragma once

#include "common/options.h"
#include "sockctl/verb-options.h"

struct command {
	const char *name;
	const char *help;                  /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is "sockctl NAME", as messages begin */
	const struct option_spec *options;
	enum operands operands;
};

/* Ends with a command without a name. */
extern const struct command commands[];

/* The options that stand before a command. */
extern const struct option_spec commands_options[];

/* Runs sockctl with the arguments of main(). Returns an exit status as sockctl(1) lists them. */
int commands_run(int argc, char **argv);

/* commands.h: the verbs of sockctl, one table. */
#pragma once

#include <stdio.h>

struct command {
	const char *name;
	const char *arguments; /* as --help shows them */
	const char *help;      /* one line */
	int (*run)(int argc, char **argv);
};

/* Runs the verb that argv[0] names, with its arguments. Returns an exit status as sockctl(1) lists them. */
int commands_run(int argc, char **argv);

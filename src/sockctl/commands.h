/* commands.h: the verbs of sockctl, one table. Main thread only. */
#pragma once

struct command {
	const char *name;
	const char *help;                  /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is "sockctl NAME", as messages begin */
};

/* Runs sockctl with the arguments of main(). Returns an exit status as sockctl(1) lists them. */
int commands_run(int argc, char **argv);

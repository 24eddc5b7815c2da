/* cmdline.h: greeterd's command line, one table. Main thread only. */
#pragma once

#include <stdbool.h>

enum cmdline_action { CMDLINE_SERVE, CMDLINE_CHECK, CMDLINE_DUMP_CONFIG, CMDLINE_HELP, CMDLINE_VERSION };

struct cmdline {
	enum cmdline_action action;
	const char *config; /* the file of --config, or NULL */
	bool verbose;
	const char *state_dir; /* the folder of --state-dir, or NULL */
	bool user;
};

/* Returns 0; -EINVAL for a command line that makes no sense, -ENOMEM: said on standard error. */
int cmdline_parse(int argc, char **argv, struct cmdline *ret);

/* The text of --help, to standard output. */
void cmdline_help(void);

/* verbs.h: the verbs that speak to the daemon over D-Bus, in a file each: their option tables and their code.
 */
#pragma once

#include "common/options.h"

extern const struct option_spec roll_options[], watch_options[], wait_options[], status_options[],
	reload_options[], change_options[], metrics_options[];

/* argv[0] is "sockctl NAME", as messages begin. They return an exit status. */
int roll_run(int argc, char **argv);
int watch_run(int argc, char **argv);
int wait_run(int argc, char **argv);
int status_run(int argc, char **argv);
int reload_run(int argc, char **argv);
int pause_run(int argc, char **argv);
int resume_run(int argc, char **argv);
int forget_run(int argc, char **argv);
int metrics_run(int argc, char **argv);

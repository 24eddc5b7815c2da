/*
 * daemon.h: the life of the process: the event loop, signals, and what systemd is told of it.
 *
 * daemon_run() blocks SIGTERM and SIGINT for the calling thread and returns when one of them, or a failure,
 * has ended it.
 */
#pragma once

#include <stdbool.h>

#include "common/settings.h"

/* Exit statuses, besides 0: systemd.exec(5), "Process Exit Codes". */
enum {
	DAEMON_FAILURE = 1,
	DAEMON_USAGE = 2,
	DAEMON_CONFIG = 78 /* EX_CONFIG of sysexits(3): starting again will not help */
};

/* Serves until told to stop. verbose: the log holds details too. Returns an exit status; what failed has been
 * said. */
int daemon_run(const struct settings *settings, bool verbose);

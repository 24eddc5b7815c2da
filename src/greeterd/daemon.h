/*
 * daemon.h: the life of the process: the event loop, signals, reload, restart, idle exit, and what systemd is
 * told of it.
 *
 * daemon_run() blocks SIGTERM, SIGINT and SIGHUP for the calling thread and returns when one of the first
 * two, idle exit, or a failure has ended it.
 */
#pragma once

#include <stdbool.h>

struct daemon_options {
	const char *config;    /* the settings file; NULL: the default one */
	const char *state_dir; /* a folder for what must outlast a restart; NULL: none */
	bool verbose;          /* the log holds details too */
	bool user;             /* controlled over the user's bus, not the system's */
};

/* Serves until told to stop. Returns an exit status (exits.h); what failed has been said. */
int daemon_run(const struct daemon_options *options);

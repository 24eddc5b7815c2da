/*
 * inforce.h: the settings in force: how the daemon comes by them at the start, takes others at a reload, and
 * what it says of both.
 *
 * A struct inforce owns its settings. The server reads them: it is freed first. Main thread.
 */
#pragma once

#include <stdbool.h>

#include "common/settings.h"
#include "greeterd/activation.h"
#include "greeterd/journal.h"
#include "greeterd/server.h"

#define INFORCE_TROUBLE_MAX 448

struct inforce {
	const char *file;      /* NULL: the default one */
	const char *state_dir; /* where the last good settings lie; NULL: nowhere */
	struct settings *now;
	struct settings *replaced; /* by a reload, with what the file says and waits for a restart; or NULL */
	char trouble[INFORCE_TROUBLE_MAX];      /* what the status says of the settings, or "" */
	char port_trouble[INFORCE_TROUBLE_MAX]; /* the same of the sockets */
};

/*
 * The settings of the file, or the last good ones, and the journal that they ask for. With neither, tells
 * everybody who waits that nothing is served. Returns 0, or an exit status of exits.h: why has been said.
 */
int inforce_start(struct inforce *inforce, bool verbose, struct journal **ret);

/*
 * Reads the file again: all that it says and a reload can change comes into force, or nothing. Returns 0 and
 * the names of the keys that wait for a restart, or the error of settings_load() and its report. Both are
 * said, too.
 */
int inforce_reload(struct inforce *inforce, struct server *server, const struct listeners *listeners,
	struct journal *journal, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report);

/* Compares the sockets with settings that name where to listen; says it when they differ, and how that is
 * mended. */
void inforce_check_port(struct inforce *inforce, const struct settings *configured,
	const struct listeners *listeners, struct journal *journal);

void inforce_deinit(struct inforce *inforce);

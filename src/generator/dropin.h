/*
 * dropin.h: the drop-in that makes systemd listen where greeterd.conf(5) says.
 *
 * Pure: settings in, text out, no files and no network. Any thread.
 */
#pragma once

#include "common/settings.h"

/* The socket unit that it is for, and the drop-in's own name: early, so that an administrator's comes later.
 */
#define DROPIN_UNIT "greeterd.socket"
#define DROPIN_NAME "10-greeterd-conf.conf"

/*
 * Writes a drop-in as systemd.socket(5) has it: the addresses of the unit are forgotten, then each address of
 * settings->listen is a ListenStream=. source: absolute path of the file that the settings come from, which
 * makes systemctl(1) say so when it is newer than what systemd knows; NULL: none.
 *
 * Returns 0 and a text that the caller frees; -ENOMEM.
 */
int dropin_text(const struct settings *settings, const char *source, char **ret);

/*
 * activation.h: where the listening sockets come from: systemd, or the settings.
 *
 * Called once by main, before there are threads. A struct listeners is owned by who had it filled;
 * activation_close() ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

struct listeners {
	int *fds; /* listening stream sockets, O_NONBLOCK and O_CLOEXEC; never NULL when n > 0 */
	size_t n;
	bool inherited; /* systemd's: never shut down, no path of theirs unlinked */
	int *carriers;  /* with inherited: of connections that the process before handed over (handover.h) */
	size_t n_carriers;
};

/* How trouble is told: one sentence for the administrator. */
typedef void (*activation_say)(void *data, const char *sentence);

/*
 * Adopts the sockets handed over as sd_listen_fds(3) tells. Each one that is no listening stream socket is
 * said and closed. Returns 0 with at least one listener; -ENOENT when nothing was handed over; -EINVAL when
 * nothing of it was of use; -ENOMEM.
 */
int activation_adopt(struct listeners *ret, const char *stored_name, activation_say say, void *data);

/* Binds what the settings name, all of it or nothing. Returns 0; the error of the first that failed, after
 * saying which. */
int activation_bind(const struct settings *settings, struct listeners *ret, activation_say say, void *data);

/* Whether the listeners are just those that the settings name: one dual-stack IPv6 socket stands for IPv4 as
 * well. */
bool activation_matches(const struct listeners *listeners, const struct settings *settings);

/* Whether systemd itself started this process as a service: $SYSTEMD_EXEC_PID of systemd.exec(5). */
bool activation_is_service(void);

/* Closes them, and the carriers; unlinks the paths of AF_UNIX sockets that activation_bind() made. Safe on a
 * zeroed struct. */
void activation_close(struct listeners *listeners);

/* startup.h: what daemon.c does once, before its loop runs. Main thread. */
#pragma once

#include "common/settings.h"
#include "greeterd/activation.h"
#include "greeterd/journal.h"

/* The journal when standard error leads there, else lines on standard error. Returns as journal_new(). */
int startup_journal(const struct settings *settings, bool verbose, struct journal **ret);

/*
 * Adopts systemd's sockets, or binds those of the settings when run by hand. Returns 0, or an exit status of
 * daemon.h after saying what is wrong.
 */
int startup_listeners(const struct settings *settings, struct journal *journal, struct listeners *ret);

/* As many descriptors as we may have; says it when the connections that the settings allow are more. */
void startup_descriptors(const struct settings *settings, struct journal *journal);

/* "0.0.0.0:8080, [::]:8080": where the listeners really are, as getsockname(2) tells. */
void startup_describe(const struct listeners *listeners, char *text, size_t size);

/* startup.h: what daemon.c does once, before its loop runs. Main thread. */
#pragma once

#include <stdbool.h>

#include "common/settings.h"
#include "greeterd/activation.h"
#include "greeterd/journal.h"

/* The journal when standard error leads there, else lines on standard error. Returns as journal_new(). */
int startup_journal(const struct settings *settings, bool verbose, struct journal **ret);

/* What is wrong with the settings, line by line. */
void startup_say_report(struct journal *journal, const struct settings_report *report);

/* Nothing can be served, for what the report says: says it, and tells those who wait, or systemd would start
 * us for the same connections for ever. */
void startup_refuse_all(const struct settings_report *report, bool verbose);

/*
 * Adopts systemd's sockets, or binds those of the settings when run by hand. Returns 0, or an exit status of
 * exits.h after saying what is wrong.
 */
int startup_listeners(const struct settings *settings, struct journal *journal, struct listeners *ret);

/* As many descriptors as we may have; says it when the connections that the settings allow are more. */
void startup_descriptors(const struct settings *settings, struct journal *journal);

/* "0.0.0.0:8080, [::]:8080": where the listeners really are, as getsockname(2) tells. */
void startup_describe(const struct listeners *listeners, char *text, size_t size);

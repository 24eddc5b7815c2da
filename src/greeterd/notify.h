/*
 * notify.h: what systemd is told of the daemon: sd_notify(3). Without a service manager all of it does
 * nothing.
 *
 * Main thread. A struct notify belongs to who made it. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/cleanup.h"

#define NOTIFY_TEXT_MAX 1024

/* The name under which connections lie in the file descriptor store. */
#define NOTIFY_STORE_NAME "greeterd-connections"

/* Writes the status line as it is now. */
typedef void notify_describe(void *data, char text[static NOTIFY_TEXT_MAX]);

struct notify;

/* Returns 0, or the errors of sd_event_add_time(3). */
int notify_new(sd_event *event, notify_describe *describe, void *data, struct notify **ret);
void notify_free(struct notify *notify);
DEFINE_CLEANUP(struct notify *, notify_free)

/* READY=1 with the status: after start, and after a reload. */
void notify_ready(struct notify *notify, uint64_t now);

/* RELOADING=1, with the time, as Type=notify-reload of systemd.service(5) wants it. */
void notify_reloading(uint64_t now);

/* STOPPING=1, and that it may take so long. No change is told any more that happened before. */
void notify_stopping(struct notify *notify, const char *why, uint64_t usec);

/* Whether something that serves has come to a standstill, though the loop goes round. */
typedef bool notify_stuck(void *data);

/* WATCHDOG=1 three times in the span that systemd allows (WatchdogSec= of systemd.service(5)), if it wants to
 * hear of it, until stuck() says so. Returns 0, or the errors of sd_event_add_time(3). */
int notify_watchdog(struct notify *notify, notify_stuck *stuck);

/* Something that the status tells may have changed: it is sent at most once a second. */
void notify_changed(struct notify *notify, uint64_t now);

/* Puts a descriptor into the store and waits until systemd has it. Returns 0; -ENOENT without a service
 * manager; -errno. */
int notify_store(int fd);

/* Takes all out of the store again that notify_store() put there. */
void notify_clear_store(void);

/*
 * daemon-internal.h: what the daemon*.c files share of the daemon, and nobody else: daemon.c makes it and
 * ends it, daemon-loop.c is what happens in between.
 *
 * The struct lives in daemon_run(). Main thread, which has server_lock() but while it waits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "greeterd/activation.h"
#include "greeterd/attendance.h"
#include "greeterd/bus.h"
#include "greeterd/control.h"
#include "greeterd/heard.h"
#include "greeterd/inforce.h"
#include "greeterd/journal.h"
#include "greeterd/notify.h"
#include "greeterd/roll.h"
#include "greeterd/rollcall.h"
#include "greeterd/server.h"
#include "greeterd/watchers.h"

/* Members in the order in which they are made; daemon_deinit() goes backwards. */
struct daemon {
	struct inforce settings;
	struct journal *journal;
	struct listeners listeners;
	struct heard heard; /* of the roll, by any thread */
	struct roll *roll;
	struct rollcall *rollcall;
	struct watchers watchers;
	struct server *server;
	sd_event *event;
	struct notify *notify;
	struct control control;
	struct bus *bus;
	sd_event_source *sync_timer; /* armed while there is news for the disk */
	sd_event_source *idle_timer; /* armed while nobody is connected and idle_exit is on */
	uint64_t idle_span;          /* it goes off so long after that began; 0: it is not armed */
	bool stopping;
};

/* Adds to the event loop what it is to wait for; signals are blocked from here on. Returns 0, or the error of
 * sigprocmask(2), sd_event_add_*(3), notify_new(), notify_watchdog(). */
int daemon_open_loop(struct daemon *daemon);

/* Serves until something ends the loop. Returns 0, or the error that did. */
int daemon_run_loop(struct daemon *daemon);

/* Says what was heard. Returns whether there was anything. */
bool daemon_say_heard(struct daemon *daemon);

/* As the loop read it, CLOCK_MONOTONIC in microseconds. */
uint64_t daemon_now(const struct daemon *daemon);

/* Begins or ends the wait for the idle exit, after what it depends on may have changed. */
void daemon_update_idle(struct daemon *daemon);

/* For the control and the rollcall; data is the daemon. */
int daemon_reload(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report);
void daemon_changed(void *data);
void daemon_state_changed(void *data, uint32_t id, const char *group, enum attendance_state before,
	enum attendance_state after);

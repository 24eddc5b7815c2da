/*
 * rollcall.h: who should greet, and has not: what ties attendance.h to the settings, the roll, the journal
 * and the loop.
 *
 * Owned by the daemon, called from its loop only; its attendance is told of greetings by whoever serves, one
 * thread at a time. Each change of a client's state is kept in the roll, written to the journal, and told to
 * who made this. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "common/settings.h"
#include "greeterd/attendance.h"
#include "greeterd/journal.h"
#include "greeterd/roll.h"

struct rollcall;

struct rollcall_setup {
	sd_event *event;
	struct roll *roll;
	struct journal *journal;
	uint32_t max_id;
	/* A client's state has changed; NULL: nobody else wants to know. group: the name of its group, or "".
	 * Told by rollcall_served(), for the change itself may come about in any thread. */
	void (*changed)(void *data, uint32_t id, const char *group, enum attendance_state before,
		enum attendance_state after);
	void *data;
};

/* Nobody is expected yet. Returns 0, -ENOMEM, or the errors of sd_event_add_time(3). */
int rollcall_new(const struct rollcall_setup *setup, struct rollcall **ret);
void rollcall_free(struct rollcall *rollcall);
DEFINE_CLEANUP(struct rollcall *, rollcall_free)

/* Expects those of the settings from here on, which must outlive it, or the next call. Returns 0; or -ENOMEM:
 * those before stay, but for the names of their groups. */
int rollcall_configure(struct rollcall *rollcall, const struct settings *settings, uint64_t now);

/* To be called after each batch and whatever else may have changed a term or a state: tells of the changes,
 * and sets the timer for who is due next. */
void rollcall_served(struct rollcall *rollcall);

/* For reading, for greetings, and for pause, resume and forget. */
struct attendance *rollcall_attendance(struct rollcall *rollcall);

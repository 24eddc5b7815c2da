/*
 * attendance.h: who should greet (the setting expect), and who has not.
 *
 * Pure: no clock and no I/O. An attendance owns what it holds; one thread at a time, its callbacks on that
 * same thread. A greeting costs a few stores, a tick costs those clients that are due.
 *
 * Two clocks, in microseconds: spans are of CLOCK_MONOTONIC, which nobody sets and which stands still while
 * the machine sleeps. That it slept is seen in a tick, by how far CLOCK_BOOTTIME has gone ahead of it. The
 * time of day has no part in this: who is told of a change knows it better.
 *
 * A client is awaited for `every`, is late then, and missing after `grace` more. That term begins anew for
 * all when the daemon starts and when the machine wakes up: while nobody listened, nobody was late. Who is
 * known to be missing stays so until it greets.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/settings.h"

/* Kept in the state byte of a client's record: the numbers stay as they are. */
enum attendance_state {
	ATTENDANCE_UNEXPECTED, /* nobody waits for it */
	ATTENDANCE_NEW,        /* has not greeted since it was first expected, resumed or forgotten */
	ATTENDANCE_PRESENT,
	ATTENDANCE_LATE,
	ATTENDANCE_MISSING,
	ATTENDANCE_RETURNED, /* was missing, and has greeted once since */
	ATTENDANCE_PAUSED,   /* may come or not: nobody minds */
	ATTENDANCE_STATES
};

#define ATTENDANCE_NEVER UINT64_MAX

struct attendance_time {
	uint64_t monotonic, boottime; /* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
};

struct attendance_observer {
	/* A state has changed: told once, after the fact. now: CLOCK_MONOTONIC. Must not call in but to read.
	 */
	void (*changed)(void *data, uint32_t id, enum attendance_state before, enum attendance_state after,
		uint64_t now);
	/* The state that was last told of a client that is to be expected from here on, in this process or
	 * one before; ATTENDANCE_UNEXPECTED: none. */
	uint8_t (*remembered)(void *data, uint32_t id);
	void *data;
};

struct attendance;

/* For ids from 1 to max_id. Nobody is expected yet. Returns 0 or -ENOMEM. */
int attendance_new(uint32_t max_id, const struct attendance_observer *observer, struct attendance **ret);
void attendance_free(struct attendance *attendance);
DEFINE_CLEANUP(struct attendance *, attendance_free)

/*
 * Who is to be expected from here on; ids over max_id are nobody's. Clients that stay keep their state, and,
 * where their spans are the same, their term. One that is expected now has the state that is remembered,
 * which is no change; one that is not any more changes to ATTENDANCE_UNEXPECTED. Returns 0; or -ENOMEM, and
 * all is as before.
 */
int attendance_configure(struct attendance *attendance, const struct settings_expect *groups, size_t n_groups,
	const struct attendance_time *now);

/* Client id has greeted; any id. now: CLOCK_MONOTONIC, as everywhere below; it never goes back. */
void attendance_greeting(struct attendance *attendance, uint32_t id, uint64_t now);

/* Changes those that are due. What greeted before it must have been told before it. */
void attendance_tick(struct attendance *attendance, const struct attendance_time *now);

/* When a tick is next of use, or ATTENDANCE_NEVER. It may turn out to have been too early. */
uint64_t attendance_next(const struct attendance *attendance);

/* Return 0, or -ENOENT for a client that is not expected. A term begins anew with both of the latter. */
int attendance_pause(struct attendance *attendance, uint32_t id, uint64_t now);
int attendance_resume(struct attendance *attendance, uint32_t id, uint64_t now);
int attendance_forget(struct attendance *attendance, uint32_t id, uint64_t now);

enum attendance_state attendance_state(const struct attendance *attendance, uint32_t id);

/* The index of its group in what attendance_configure() was given, or SIZE_MAX. */
size_t attendance_group(const struct attendance *attendance, uint32_t id);

/* How many clients are in that state; of ATTENDANCE_UNEXPECTED: 0. */
size_t attendance_count(const struct attendance *attendance, enum attendance_state state);

/* "present", "missing", … */
const char *attendance_state_name(enum attendance_state state);

/* For unit tests only: how many clients ticks have looked at so far. */
uint64_t attendance_work(const struct attendance *attendance);

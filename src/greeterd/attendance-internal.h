/*
 * attendance-internal.h: what the attendance*.c files share of an attendance, and nobody else: attendance.c
 * waits, attendance-plan.c makes those who are waited for out of the setting expect.
 *
 * The attendance owns all of it; one thread at a time. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "greeterd/attendance.h"
#include "greeterd/deadlines.h"

/* Waits in one of the queues of its group, or in none when it is missing or paused. */
struct client {
	struct deadline wait;
	uint32_t id;
	uint16_t group;
	uint8_t state; /* enum attendance_state */
	bool in_grace; /* waits in the queue grace: its every is over */
};

/* All clients of a group wait equally long, so who began first is due first. */
struct group {
	struct deadlines every, grace;
};

/* What a configuration makes, and the next one replaces. */
struct plan {
	size_t n_groups, n_clients;
	struct group *groups;
	struct client *clients;
};

struct attendance {
	struct attendance_observer observer;
	uint32_t max_id;
	uint32_t *places; /* by id: 1 + the index of its client, or 0 */
	struct plan plan;
	uint64_t awake_since; /* no wait counts from before */
	uint64_t asleep;      /* how long the machine has slept so far */
	uint64_t next;        /* nobody is due before */
	size_t counts[ATTENDANCE_STATES];
	uint64_t work;
};

void attendance_plan_deinit(struct plan *plan);

/* NULL: nobody expects it. */
struct client *attendance_find(const struct attendance *attendance, uint32_t id);

/* Has the client wait in a queue of its group; now: when that began. */
void attendance_wait_in(
	struct attendance *attendance, struct client *client, struct deadlines *queue, uint64_t now);

/* From here on, nobody's wait counts from before. */
void attendance_listen_from(struct attendance *attendance, const struct attendance_time *now);

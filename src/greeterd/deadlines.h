/*
 * deadlines.h: many waits of the same length, kept in order at constant cost.
 *
 * A queue holds waits that all last equally long, so the one that began first ends first: starting,
 * restarting and stopping a wait is a few stores, and only what is due is ever looked at. The waiting objects
 * own their nodes; a queue owns nothing. One thread at a time. Times are in microseconds on any clock that
 * does not go back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

struct deadline {
	struct deadline *next, *previous; /* in a struct deadlines; NULL outside of it */
	uint64_t since;                   /* when the wait began */
};

struct deadlines {
	struct deadline head; /* of the ring, the longest-waiting first */
	uint64_t span;        /* how long each waits; DEADLINE_NEVER: for ever */
};

void deadlines_init(struct deadlines *queue, uint64_t span);

/* Begins a wait now, or begins it anew. now must not be less than any earlier one. */
void deadline_start(struct deadlines *queue, struct deadline *wait, uint64_t now);

/* Ends a wait, of whichever queue; one that does not wait is left alone. */
void deadline_stop(struct deadline *wait);

static inline bool deadline_waits(const struct deadline *wait)
{
	return wait->next;
}

/* The wait that has been due longest, or NULL. It stays in the queue. */
struct deadline *deadlines_due(const struct deadlines *queue, uint64_t now);

/* When the next wait will be due, or DEADLINE_NEVER. */
uint64_t deadlines_next(const struct deadlines *queue);

/* Moves all waits of from behind those of into, whatever their order: into is only good for emptying then. */
void deadlines_move_all(struct deadlines *into, struct deadlines *from);

/* The longest-waiting, due or not; NULL: none. */
struct deadline *deadlines_first(const struct deadlines *queue);

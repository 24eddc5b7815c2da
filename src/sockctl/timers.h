/*
 * timers.h: many waits of any length, the earliest at hand.
 *
 * A binary heap. The waiting objects own their nodes; struct timers owns the heap alone, whose size is fixed,
 * so that no wait can fail to begin. One thread at a time. Times are in microseconds on any clock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	uint64_t due;
	size_t place; /* in the heap, counted from 1; 0: does not wait */
};

struct timers {
	struct timer **heap;
	size_t n;
};

/* Room for capacity waits. Returns 0 or -ENOMEM. */
int timers_init(struct timers *timers, size_t capacity);
void timers_deinit(struct timers *timers);

/* Begins a wait, or begins it anew; TIMER_NEVER ends it. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t due);

/* Ends a wait; a timer that does not wait is left alone. */
void timer_clear(struct timers *timers, struct timer *timer);

/*
 * The wait that is due first, taken out, or NULL while none is due. Of waits due at the same time the one
 * that lies lowest in memory comes first: the elements of an array in their order.
 */
struct timer *timers_take_due(struct timers *timers, uint64_t now);

/* When the next wait is due, or TIMER_NEVER. */
uint64_t timers_next(const struct timers *timers);

/*
 * clock.h: the kernel's clocks, for those places where a time comes from; elsewhere it is passed in.
 *
 * Callable from any thread. CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME never fail to be read:
 * clock_gettime(2).
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "common/duration.h"

/* In nanoseconds. */
static inline uint64_t clock_nsec(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* In microseconds. */
static inline uint64_t clock_usec(clockid_t clock)
{
	return clock_nsec(clock) / NSEC_PER_USEC;
}

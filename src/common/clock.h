/*
 * clock.h: the kernel's clocks and their timers, for those places where a time comes from; elsewhere it is
 * passed in.
 *
 * Callable from any thread. CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME never fail to be read:
 * clock_gettime(2).
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
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

/* Has a timer of timerfd_create(2) go off at that time of its clock, in microseconds; 0: at once, where
 * timerfd_settime(2) would disarm it. Returns 0, or the error of that. */
static inline int clock_arm(int timer, uint64_t at)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(at / USEC_PER_SEC),
			.tv_nsec = at > 0 ? (long)(at % USEC_PER_SEC * NSEC_PER_USEC) : 1 },
	};

	return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

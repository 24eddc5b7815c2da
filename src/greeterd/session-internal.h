/*
 * session-internal.h: what session.c and session-record.c share of a session, and nobody else: session.c
 * serves it, session-record.c takes it from one process to the next.
 *
 * The worker that owns the session calls, in its thread. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "greeterd/session.h"

/* One allocation for what a session cannot be done with at once. */
struct session_held {
	size_t in_len, out_len;
	char bytes[]; /* the input, then the output */
};

/* Has a session that holds nothing hold input without a verdict and output not sent, and starts its waits.
 * Returns 0 or -ENOMEM. */
int session_go_on(struct session *session, struct session_shared *shared, const char *in, size_t in_len,
	const char *out, size_t out_len, uint64_t now);

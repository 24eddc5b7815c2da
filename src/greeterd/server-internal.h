/*
 * server-internal.h: what the server*.c files share of the server, and nobody else: server.c makes it, its
 * workers and their pool; server-desk.c takes down what happens on the connections.
 *
 * Each worker's thread calls server-desk.c, and what server.c has given to the pool and the worker to call;
 * all else is the main thread's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/netio.h"
#include "common/protocol.h"
#include "greeterd/admission.h"
#include "greeterd/pool.h"
#include "greeterd/server.h"
#include "greeterd/worker.h"

#define DESK_NOTES_MAX 16

/* A greeting that came n times in a row and is on the roll: what is still to be told of it. */
struct note {
	uint32_t id;
	uint32_t text_len;
	uint64_t n, count; /* count: of that client, with these */
	struct netio_peer peer;
	char text[PROTOCOL_LINE_MAX];
};

/* What a worker's observer is called with: its clock goes on with each batch. */
struct desk {
	struct server *server;
	struct worker *worker;
	uint64_t now, realtime; /* CLOCK_MONOTONIC, CLOCK_REALTIME in microseconds */
	size_t n_notes;
	struct note notes[DESK_NOTES_MAX]; /* none between batches */
};

/* Tells of what was noted: in the desk's thread with the lock held, or while the workers are paused. */
void server_desk_settle(struct desk *desk);

struct server {
	struct server_setup setup;
	struct admission *admission;
	struct pool *pool;
	size_t n_workers;
	struct desk desks[POOL_WORKERS_MAX];

	uint64_t realtime; /* of day, for the main thread */

	/* With the pool's lock held, or while the workers are paused: */
	struct server_counters counters;
	uint64_t now; /* of the latest batch of all: one thread's may be behind another's */
	uint64_t busy_reported_at;
	uint64_t busy_reported; /* how many of counters.refusals[BUSY] the journal knows of */
};

/* Its data is a struct desk. */
extern const struct worker_observer server_observer;

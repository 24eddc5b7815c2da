/*
 * server.h: the greeting service: listeners and workers, wired to the roll and the journal.
 *
 * The server owns its workers and its counters; listeners, roll and journal belong to who made it and must
 * outlive it. Called from the daemon's loop only. Times are CLOCK_MONOTONIC in microseconds and are passed
 * in.
 *
 * With one worker, server_dispatch() serves. With several (the setting workers) each serves in a thread of
 * its own, from server_start() on: then roll, attendance, journal and watchers are used by those threads too,
 * and the main thread holds server_lock() but while it waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/protocol.h"
#include "common/settings.h"
#include "greeterd/attendance.h"
#include "greeterd/journal.h"
#include "greeterd/roll.h"
#include "greeterd/watchers.h"

struct server;

struct server_setup {
	const struct settings *settings;
	const int *listeners; /* descriptors, listening and non-blocking */
	size_t n_listeners;
	struct roll *roll;
	struct journal *journal;
	struct attendance *attendance; /* NULL: nobody is expected */
	struct watchers *watchers;
};

struct server_counters {
	uint64_t connections; /* accepted so far, those turned away not included */
	uint64_t greetings;
	uint64_t newcomers; /* clients that greeted for the first time */
	uint64_t refusals[PROTOCOL_REFUSALS];
};

/* Returns 0, or the errors of worker_new() and pool_new(). */
int server_new(const struct server_setup *setup, struct server **ret);
void server_free(struct server *server);
DEFINE_CLEANUP(struct server *, server_free)

/* Starts the threads, if there are to be any, with the lock held then. To be called when all that was handed
 * over has been taken up. Returns 0, or the error of pthread_create(3). */
int server_start(struct server *server);

/* Around the waiting of the main thread. */
void server_lock(struct server *server);
void server_unlock(struct server *server);

/* Whether a thread has not come to an end with what it did when this was called last. */
bool server_is_stuck(struct server *server);

/* Readable when server_dispatch() has something to do. */
int server_fd(const struct server *server);

/* Serves what is ready and what is due, without waiting, or sees to it that the threads do. now must not go
 * back. Returns 0, or an error of epoll_wait(2). */
int server_dispatch(struct server *server, uint64_t now);

/* The time of day that greetings from here on are recorded with: CLOCK_REALTIME in microseconds. */
void server_set_realtime(struct server *server, uint64_t realtime);

/* Stops serving for good when nobody is connected. Returns whether it has stopped. */
bool server_stop_if_idle(struct server *server);

/* Accepts no more, answers what was received, ends all connections: those that do not read at deadline at the
 * latest. Returns 0, or the error of pthread_create(3), after server_hand_over(). */
int server_drain(struct server *server, uint64_t now, uint64_t deadline);

/* Stops all workers between two greetings; meanwhile the main thread does not have the lock. */
void server_pause(struct server *server);
void server_resume(struct server *server);

/* Takes other settings from here on, all of them at once; they must outlive the server, or the next reload.
 * To be called, and settings that are in force to be written to, while paused. */
void server_reload(struct server *server, const struct settings *settings);

/*
 * Accepts no more, answers what was received, and hands the connections over. Returns the descriptor that
 * carries them (handover.h), which the caller owns; -ENODATA when none is left; another -errno when they
 * cannot be handed over: drain then. Until then nobody is served.
 */
int server_hand_over(struct server *server, uint64_t now);

/* Takes up what server_hand_over() of another process returned. Returns how many connections, and *ret_lost
 * as handover_open(), which see. */
int server_take_up(struct server *server, int carrier, uint64_t now, size_t *ret_lost);

/* How many connections there are. */
size_t server_connections(const struct server *server);

/* With the lock held, or while paused. Greetings of a batch that is under way may not be in it yet. */
const struct server_counters *server_counters(const struct server *server);

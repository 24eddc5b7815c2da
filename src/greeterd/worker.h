/*
 * worker.h: a private epoll set and the connections in it: accepts, serves what is ready in batches, ends
 * what is due.
 *
 * A worker owns its sessions and descriptors, shares nothing but what its setup points to, and is used by one
 * thread at a time, but for what says "any thread". Its set is one descriptor, worker_fd(), that is readable
 * when worker_dispatch() has something to do. Times are CLOCK_MONOTONIC in microseconds and are passed in;
 * one reading serves a whole batch.
 *
 * Several workers can share listeners: the kernel wakes one of them for a connection (EPOLLEXCLUSIVE of
 * epoll_ctl(2)), mostly the same, so the one that accepts it asks who is to have it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "common/settings.h"
#include "greeterd/admission.h"
#include "greeterd/handover.h"
#include "greeterd/session.h"

struct worker;

/* What becomes of what happens on the connections, besides what struct session_observer hears. */
struct worker_observer {
	struct session_observer session;
	void (*connected)(void *data, const struct session *session);
	void (*disconnected)(void *data, const struct session *session);
	void (*busy)(void *data, int error); /* a newcomer was turned away: -EBUSY, -EDQUOT, -EMFILE, … */
};

/* All that it points to must outlive the worker. */
struct worker_setup {
	const struct settings *settings;
	const int *listeners; /* descriptors, listening and non-blocking; the worker does not close them */
	size_t n_listeners;
	struct admission *admission;
	const struct worker_observer *observer;
	void *observer_data; /* place()'s, too */
	/* Who is to have a connection that this worker has accepted: itself, or one of those that share the
	 * listeners. NULL: nobody else does. */
	struct worker *(*place)(void *data, struct worker *worker);
	/* Whom to ask for room when this worker finds none: each of them in turn, and itself once more, for
	 * what ended before the newcomer came may be for another to see. NULL without place. */
	struct worker *(*next)(void *data, struct worker *worker);
};

/* Returns 0; -ENOMEM, or the error of epoll_create1(2), timerfd_create(2), epoll_ctl(2), open(2). */
int worker_new(const struct worker_setup *setup, struct worker **ret);

/* Closes every connection as it is. */
void worker_free(struct worker *worker);
DEFINE_CLEANUP(struct worker *, worker_free)

int worker_fd(const struct worker *worker);

/* Serves one batch of what is ready, without waiting, and what is due: worker_wait(), then worker_serve().
 * Returns 0, or the error of epoll_wait(2). */
int worker_dispatch(struct worker *worker, uint64_t now);

/* Waits until something is ready, for so many milliseconds at most; -1: for ever. The one call that another
 * thread need not wait for: see worker_interrupted(). Returns 0, or the error of epoll_wait(2). */
int worker_wait(struct worker *worker, int timeout_msec);

/* Serves what worker_wait() found, and what is due. */
void worker_serve(struct worker *worker, uint64_t now);

/* Another thread than the one in worker_wait() has called in: what that finds, or has found, is not to be
 * served, for it may be gone. What is still there is found again. */
void worker_interrupted(struct worker *worker);

/* Any thread: has worker_wait() return. Only of a worker that shares its listeners. */
void worker_rouse(struct worker *worker);

/* Any thread: gives it a connection that another one has accepted. first: the one of those that have had no
 * room for it that was asked first; NULL: nobody was asked. Returns 0; -ENOSPC when too many wait already:
 * then fd stays the caller's. */
int worker_post(struct worker *worker, int fd, const struct netio_address *from, const struct worker *first);

/* Arms the set to be readable at that time, if nothing has made it so before; 0: at once; UINT64_MAX: no
 * need. */
void worker_wake_at(struct worker *worker, uint64_t at);

/*
 * Accepts no more, answers what was received, and ends the connections, some of them in each batch; those
 * that are not done with, or do not read what they are owed, end at deadline.
 */
void worker_drain(struct worker *worker, uint64_t now, uint64_t deadline);

/* Takes other settings from here on; connections stay as they are. */
void worker_reload(struct worker *worker, const struct settings *settings, uint64_t now);

/*
 * Accepts no more, answers a bounded part of what was received, and puts every connection into handover: it
 * stays open here, and rests, until worker_free() or worker_drain(). One that cannot be handed over is ended.
 */
void worker_hand_over(struct worker *worker, struct handover *handover, uint64_t now);

/* Takes up a connection that another process has handed over: a handover_take. now: of the latest batch. */
int worker_take_up(
	struct worker *worker, int fd, const struct session_record *record, const char *bytes, uint64_t now);

/* Any thread: how many connections there are, with those that are being turned away, or on their way to it.
 */
size_t worker_sessions(const struct worker *worker);

/*
 * worker-internal.h: what the worker*.c files share of a worker, and nobody else: worker.c has its batches
 * and its end, worker-accept.c how connections come in, worker-inbox.c how they come from another worker.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "common/duration.h"
#include "greeterd/worker.h"

/* How long nothing is accepted when not even a refusal is possible. */
#define WORKER_PAUSE_USEC (USEC_PER_SEC / 10)

/* What an epoll event is about: in the low bits of its pointer, which alignment leaves free. */
enum { TAG_SESSION, TAG_LISTENER, TAG_TIMER, TAG_INBOX, TAG_MASK = 3 };

#define WORKER_BATCH_MAX 256 /* ready descriptors a batch */

struct worker_inbox;

struct worker {
	struct worker_setup setup;
	int epoll_fd, timer_fd;
	int reserve_fd; /* given up to refuse a connection when descriptors have run out */
	uint64_t timer_at;
	uint64_t accepts_again_at; /* DEADLINE_NEVER: accepting is not paused */
	uint64_t drain_deadline;   /* DEADLINE_NEVER: not draining */
	bool closed;               /* nothing is accepted any more */
	bool handed_over;          /* the sessions go on in another process */
	struct deadlines draining; /* who has yet to be answered what was received */
	atomic_size_t n_sessions;  /* those in the inbox included */
	size_t n_turned_away;
	struct worker_inbox *inbox; /* NULL: nobody shares the listeners */
	bool has_arrivals;          /* in the inbox, for when the events have been served */
	bool interrupted;           /* the events are not to be served */
	int n_events;
	struct epoll_event events[WORKER_BATCH_MAX];
	struct session_shared shared;
};

/* epoll_ctl(2) on fd, whose events are about subject. Returns 0 or -errno. */
int worker_watch(const struct worker *worker, int operation, int fd, uint32_t events, const void *subject,
	unsigned tag);

/* The same of all listeners, though one should fail. Returns the first error. */
int worker_watch_listeners(const struct worker *worker, int operation, uint32_t events);

/* After a session was served: ends it when it is over, and asks for other events when it waits for others. */
void worker_settle_up(struct worker *worker, struct session *session, uint32_t events_before, int result);

/* A descriptor to be given up when there is no other. Returns it or -1. */
int worker_open_reserve(void);

/* Takes in what waits at a listener, a bounded number of connections; turns away those for which there is no
 * room. */
void worker_accept(struct worker *worker, int listener, uint64_t now);

/* Makes a session of a connection that was accepted. fd is taken over. first: as worker_post() has it. */
void worker_welcome(struct worker *worker, int fd, const struct netio_address *from,
	const struct worker *first, uint64_t now);

/* Returns 0, -ENOMEM, or the error of eventfd(2), epoll_ctl(2). */
int worker_inbox_open(struct worker *worker);

/* Closes the connections in it. */
void worker_inbox_close(struct worker *worker);

/* Welcomes all that is in the inbox. */
void worker_inbox_take(struct worker *worker, uint64_t now);

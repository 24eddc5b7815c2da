/*
 * load-internal.h: what the files of load share: load.c is the loop, load-phase.c what begins and ends when,
 * load-schedule.c which requests are due, load-connection.c the connections; load-reply.c judges what they
 * answer.
 *
 * A struct load lives as long as load_run() and is touched by its thread alone. All times are in nanoseconds
 * of CLOCK_MONOTONIC.
 */
#pragma once

#include "common/clock.h"
#include "common/duration.h"
#include "sockctl/load.h"

#define LOAD_NEVER UINT64_MAX

/* Timeouts are noticed so late at most. */
#define LOAD_SCAN_MAX (UINT64_C(250) * 1000 * 1000)

/* An exchange, as often in a row as can be under way at once: one send, one comparison for all of them. */
struct load_tiles {
	char *requests, *replies, *varying; /* varying: NULL where nothing does */
	size_t request_len, reply_len;      /* of one */
	size_t turn_len;                    /* of all requests that are sent in turn */
};

enum load_state { LOAD_CONNECTION_CLOSED, LOAD_CONNECTION_CONNECTING, LOAD_CONNECTION_OPEN };

struct load_connection {
	int fd; /* -1: none */
	enum load_state state;
	bool writing;             /* waits until it can be written to */
	bool fruitful;            /* has brought a reply */
	bool settled;             /* has come to a first end of connecting, good or bad */
	bool idling;              /* in the ring of those with room for a request */
	uint32_t in_flight, head; /* requests under way; the oldest one's place in due */
	const struct load_tiles *tiles;
	size_t send_from, owed;      /* the next byte to send, within a turn; how many are to be sent */
	size_t reply_at;             /* bytes of the oldest request's reply that are there */
	uint64_t *due;               /* a ring: from when the latency of each counts */
	uint64_t since;              /* connecting, or without a reply */
	size_t first_address, tried; /* where trying began, how many failed since */
	char *line; /* owned: what is no right reply, as far as it has come; NULL: never needed yet */
	size_t line_len;
	uint64_t again_at; /* in the queue of those that failed */
	struct load_connection *next;
};

struct load_queue {
	struct load_connection *first, **end;
};

enum load_phase {
	LOAD_CONNECTING, /* nothing is sent yet */
	LOAD_WARMING_UP,
	LOAD_MEASURING,
	LOAD_CATCHING_UP, /* what was due is still sent, nothing new becomes due */
	LOAD_DRAINING,    /* nothing is sent any more, replies still come */
	LOAD_OVER
};

struct load {
	const struct load_plan *plan;
	const struct load_listener *listener;
	struct load_result result;
	enum load_phase phase;
	int epoll;
	bool finely; /* waits to the nanosecond */
	int error;   /* ends the run */
	uint64_t now;
	uint64_t timeout;
	uint64_t phase_began, phase_ends;
	uint64_t cpu_user, cpu_kernel; /* when measuring began */

	struct load_tiles *tiles;
	size_t n_tiles;
	struct load_connection *connections;
	uint64_t *dues;
	size_t n_settled, n_connecting;
	size_t address; /* the last one that worked */
	uint64_t in_flight;
	uint64_t issued; /* of plan->count */

	uint64_t schedule_began, schedule_ends, next_due, n_scheduled;
	struct load_connection **idle; /* a ring: who has room for a request that becomes due */
	size_t idle_at, n_idle;
	struct load_queue ready; /* to be connected at once */
	struct load_queue later; /* to be connected some time after they failed */
	uint64_t shortage_ends;  /* until then nobody connects; 0: there is none */
	uint64_t short_since;
	uint64_t next_scan, next_tick;
	uint64_t connected_at; /* when a connection was open last, or began to be */
	char *buffer;
};

#define LOAD_BUFFER ((size_t)256 * 1024)

static inline void load_enqueue(struct load_queue *queue, struct load_connection *c)
{
	c->next = NULL;
	*queue->end = c;
	queue->end = &c->next;
}

static inline struct load_connection *load_dequeue(struct load_queue *queue)
{
	struct load_connection *c = queue->first;

	queue->first = c->next;
	if (!queue->first)
		queue->end = &queue->first;
	return c;
}

/* a + b, or never. */
static inline uint64_t load_after(uint64_t a, uint64_t b)
{
	return b < LOAD_NEVER - a ? a + b : LOAD_NEVER;
}

static inline uint64_t load_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t load_nsec(uint64_t usec)
{
	return usec < LOAD_NEVER / NSEC_PER_USEC ? usec * NSEC_PER_USEC : LOAD_NEVER;
}

/* load-phase.c */
void load_enter(struct load *l, enum load_phase phase, uint64_t length);
void load_check_phase(struct load *l); /* goes on to the next one when it is time */
void load_take_stock(struct load *l);  /* brings the figures up to the present */
void load_end(struct load *l);

/* load-schedule.c. Whether another request is to be sent now, and from when its latency counts. */
bool load_claim(struct load *l, uint64_t *ret_due);
/* c has room for a request, once one is due. */
void load_idle(struct load *l, struct load_connection *c);
/* Those that have room get the requests that are due, in turns. */
void load_send_due(struct load *l);
uint64_t load_next_due(const struct load *l); /* that somebody has room for */
/* Counts what is due, but could not be sent and will not be. */
void load_give_up_unsent(struct load *l);

/* load-connection.c */
void load_connection_fill(struct load *l, struct load_connection *c); /* sends what there is to send */
void load_connection_ready(struct load *l, struct load_connection *c, uint32_t events);
void load_connection_resume(struct load *l, struct load_connection *c); /* from one of the queues */
void load_connection_check_timeout(struct load *l, struct load_connection *c);
void load_connection_deinit(struct load_connection *c);

/* load-reply.c */
int load_tiles_init(struct load_tiles *tiles, const struct load_exchange *exchange, size_t depth);
void load_tiles_deinit(struct load_tiles *tiles);
/* Counts what is answered or refused. False: what came is wrong, or was not asked for, which is counted; the
 * connection is to be given up. */
bool load_reply_take(struct load *l, struct load_connection *c, const char *data, size_t n);
/* The connection ended; whether what came last is a refusal without its end, which is counted. */
void load_reply_end(struct load *l, struct load_connection *c);

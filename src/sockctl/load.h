/*
 * load.h: a load on a server that answers requests in order, any number on a connection: throughput, latency,
 * errors.
 *
 * One thread, one epoll set. load_run() owns all that it opens and returns when the run is over; the plan and
 * its bytes are the caller's. It takes no signals and writes nothing: a listener may end it. Times of the
 * plan are in microseconds, those measured in nanoseconds of CLOCK_MONOTONIC.
 *
 * Every request that was sent has one outcome: it is answered, with the reply that was expected, byte for
 * byte; or it is one of the errors below; or it was still under way when an interrupt ended the run. What
 * comes unasked for is another error, one for each connection, which is given up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/histogram.h"
#include "common/netio.h"

/* The most requests under way on one connection. */
#define LOAD_DEPTH_MAX 1024

/* A request and what answers it; or several of the same length, which stand one after the other, are answered
 * alike and sent in turn, by each connection from the first on: with connect_each that is all it sends. */
struct load_exchange {
	const char *request;
	size_t request_len; /* of one */
	const char *reply;
	size_t reply_len;
	const char *varying; /* reply_len bytes: where not 0, any byte of the reply is right; NULL: nowhere */
	size_t n_requests;   /* 0: one */
};

struct load_plan {
	const struct netio_address
		*addresses; /* of one server: where one cannot be reached, the next is tried */
	size_t n_addresses;
	const struct load_exchange *exchanges; /* connection i makes number i modulo n_exchanges */
	size_t n_exchanges;
	size_t connections;
	size_t depth;        /* requests under way on each, up to LOAD_DEPTH_MAX; 1 with connect_each */
	bool connect_each;   /* a new connection for each request; its latency counts from connecting */
	const char *refusal; /* how a line, ended by LF, begins that refuses a request; NULL: none does */
	uint64_t rate; /* requests a second, of all connections together; 0: as fast as they are answered */
	uint64_t warmup_usec;   /* before what is counted */
	uint64_t duration_usec; /* then, 0: without end; what was sent until then is still waited for */
	uint64_t count;         /* requests to send; 0: without end. One of both must be given */
	uint64_t timeout_usec;  /* for a reply, for a connection, at most 15 minutes */
	uint64_t tick_usec;     /* how often tick() is called; 0: never */
};

enum load_error {
	LOAD_CONNECT, /* no connection could be made; of a request only with connect_each */
	LOAD_CLOSED,  /* the connection was closed or broke before the reply was complete */
	LOAD_TIMEOUT, /* no reply in time; the connection is given up */
	LOAD_REFUSED, /* answered with a refusal */
	LOAD_WRONG,   /* answered with something else; the connection is given up, with all requests on it */
	LOAD_ERRORS
};

#define LOAD_SAMPLE_MAX 64

struct load_result {
	uint64_t sent, answered, errors[LOAD_ERRORS];
	uint64_t under_way;            /* sent, and given up by an interrupt */
	uint64_t unsent;               /* with a rate: due, and never sent */
	uint64_t elapsed;              /* from the first request on, until no more were sent; see below */
	uint64_t answered_in_time;     /* within elapsed: with it, the throughput */
	uint64_t connections;          /* that were made */
	size_t open, most_open;        /* now, and at once */
	uint64_t cpu_user, cpu_kernel; /* of this thread, within elapsed */
	uint64_t short_of;             /* for how long this end lacked a descriptor or a port */
	int connect_errno;             /* of the latest LOAD_CONNECT */
	int short_errno;               /* of the latest shortage: EMFILE, EADDRNOTAVAIL, ... */
	char sample[LOAD_SAMPLE_MAX];  /* of the first reply that was refused or wrong, as far as it was read
					*/
	size_t sample_len;
	const struct netio_address *address; /* of the latest connection; NULL: there was none */
	struct histogram *latency;    /* of what was answered; from when it was sent or, with a rate, due */
	struct histogram *connecting; /* how long connecting took */
};

/* Who is told how far it is, and may end the run: by returning anything but 0. */
struct load_listener {
	int (*tick)(void *userdata, const struct load_result *so_far); /* every tick_usec */
	int (*woken)(void *userdata);                                  /* fd can be read */
	int (*round)(void *userdata);                                  /* before each wait */
	int fd;                                                        /* -1: none */
	void *userdata;
};

/*
 * Connects all first (but with connect_each), then warms up, then counts.
 *
 * listener, and each of its functions, may be NULL. Returns 0, also when the listener ended the run, and a
 * result for load_result_deinit(). -ECONNREFUSED and the like when no connection could be made at all, which
 * are the errors of connect(2); -EINVAL for a plan that makes no sense; -ENOMEM. Descriptors are the caller's
 * to provide: see setrlimit(2).
 */
int load_run(const struct load_plan *plan, const struct load_listener *listener, struct load_result *ret);
void load_result_deinit(struct load_result *result);

/* Requests a second. */
double load_throughput(const struct load_result *result);

/*
 * swarm.h: many clients at once, on one thread: an epoll set, a timer, the signals that end a run.
 *
 * swarm_run() owns everything it makes and returns when the last greeting is over. Main thread only, as it
 * takes the signals.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/idset.h"
#include "sockctl/greeter.h"

struct swarm_plan {
	const struct greeter_plan *greeter;
	const struct idset *ids; /* NULL: one unnumbered client */
	uint64_t count;          /* greetings of each client; 0: until a signal ends the run */
	uint64_t interval_usec;  /* from one greeting of a client to its next */
	bool in_order;           /* results in order of id, not of arrival; only with a count of 1 */
	size_t max_connections;  /* open at once, at least 1; the other clients take turns */
	uint64_t tick_usec;      /* how often tick() is called; 0: never */
};

/* Who is told what happens. */
struct swarm_listener {
	void (*greeted)(void *userdata, const struct greeting *greeting);
	int (*batch_done)(void *userdata); /* after some greetings: time to flush; negative ends the run */
	void (*tick)(void *userdata);
	void *userdata;
};

/*
 * Returns 0 when all has been greeted; the number of the signal (SIGINT, SIGTERM, SIGHUP) that ended the run
 * before; what batch_done() returned when negative; the -errno of what could not be set up.
 */
int swarm_run(const struct swarm_plan *plan, const struct swarm_listener *listener);

/* Raises RLIMIT_NOFILE to its hard limit. Returns how many connections that leaves room for. */
size_t swarm_raise_limit(void);

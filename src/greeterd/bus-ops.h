/*
 * bus-ops.h: what the bus asks of the daemon. The daemon fills a struct bus_ops; the bus calls it from the
 * event loop, with the data that bus_new() was given.
 *
 * Times are CLOCK_REALTIME in microseconds, 0: never. Strings belong to the daemon and hold until the call
 * after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/idset.h"
#include "common/netio.h"
#include "common/protocol.h"
#include "common/settings.h"

struct bus_client {
	uint32_t id;       /* 0: the unnumbered */
	const char *name;  /* of its group of expect, or "" */
	const char *state; /* "new", "present", … */
	bool missing;
	uint64_t count, refusals;
	uint64_t first_seen, last_seen;
	struct netio_peer peer; /* family 0: unknown */
};

struct bus_values {
	uint32_t max_id;
	uint32_t connections, max_connections;
	uint32_t missing;
	uint64_t greetings;
	const uint64_t *refusals; /* PROTOCOL_REFUSALS of them */
	uint64_t started_at, reloaded_at;
	const char *port_trouble, *settings_trouble; /* "": none */
};

/* As the event loop read the clocks, in microseconds. */
struct bus_time {
	uint64_t monotonic, realtime; /* CLOCK_MONOTONIC, CLOCK_REALTIME */
};

enum bus_change { BUS_PAUSE, BUS_RESUME, BUS_FORGET };

/* Called for each address. Returns as sd_bus_message_append(3). */
typedef int bus_put(void *to, const char *address);

struct bus_ops {
	/* The known or expected client of the smallest id from first on. Returns 0; 1 where that would take
	 * too long: ret->id is where to go on; or -ENOENT when there is none. */
	int (*next)(void *data, uint32_t first, struct bus_client *ret);

	/* The name of its group of expect, or "". */
	const char *(*name)(void *data, uint32_t id);

	/* How many have greeted. */
	uint32_t (*clients)(void *data);

	void (*values)(void *data, struct bus_values *ret);

	/* Puts each address that is listened on, or with configured each that the settings name. Returns 0,
	 * or what put failed with. */
	int (*listen)(void *data, bool configured, bus_put *put, void *to);

	/* Reads the settings again: returns 0 and the keys that wait for a restart, or -errno and the report
	 * of what is wrong. */
	int (*reload)(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
		struct settings_report *report);

	/* Changes the clients of ids from *next on (0: from the first), looks at so many at most, and moves
	 * *next on: to 0 after the last. Returns how many were changed. */
	uint32_t (*change)(void *data, enum bus_change change, const struct idset *ids, uint32_t *next,
		unsigned looks, const struct bus_time *now);

	/* The number of watchers is another. */
	void (*watched)(void *data);

	/* Something that an administrator should know. */
	void (*say)(void *data, const char *sentence);
};

/* bus-state.h: what the bus-*.c share. The bus owns all of it. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "greeterd/bus-ops.h"
#include "greeterd/watchers.h"

#define BUS_NAME "org.greeterd1"
#define BUS_PATH "/org/greeterd1"
#define BUS_INTERFACE "org.greeterd1.Manager"

#define BUS_ERROR_NO_SUCH_CLIENT BUS_NAME ".Error.NoSuchClient"
#define BUS_ERROR_INVALID_SETTINGS BUS_NAME ".Error.InvalidSettings"
#define BUS_ERROR_INVALID_IDS BUS_NAME ".Error.InvalidIds"
#define BUS_ERROR_TOO_MANY_WATCHERS BUS_NAME ".Error.TooManyWatchers"
#define BUS_ERROR_NOT_WATCHING BUS_NAME ".Error.NotWatching"

/* Messages that may wait for a bus which does not read; events then count as missed. */
#define BUS_QUEUE_MAX 256

#define BUS_JOBS_MAX 16
#define BUS_JOBS_OF_ONE_MAX 2 /* of one caller, in a queue */

struct bus;

/* A call that is being answered, part by part (bus-work.c). */
struct bus_job {
	/* Makes a part of the reply. Returns 0 with more to come, 1 after the last, -errno. */
	int (*step)(struct bus *bus, struct bus_job *job);
	sd_bus_message *call, *reply;
	struct idset *ids; /* NULL: all */
	uint32_t next;     /* id that is to be looked at next */

	/* Of a list. */
	int missing_only;
	bool in_pages;
	uint32_t room; /* for so many clients */
	size_t size;   /* bytes of the reply, about */

	/* Of a change. */
	enum bus_change change;
	uint32_t changed;
};

/* Whole lists are long, and one at a time takes memory; pages are short, and need not wait for them. */
enum bus_queue_kind { BUS_CHANGES, BUS_PAGES, BUS_LISTS, BUS_QUEUES };

struct bus_queue {
	struct bus_job jobs[BUS_JOBS_MAX];
	size_t n;
};

struct bus {
	sd_event *event;
	bool user;
	const struct bus_ops *ops;
	void *data;
	struct watchers *watchers;

	sd_bus *connection;         /* NULL: none, or none yet */
	sd_event_source *reconnect; /* armed while there is no bus */
	uint64_t pause;             /* before it goes off */
	bool said;                  /* that control is missing */

	sd_event_source *send_timer; /* armed while events wait to be sent */
	bool send_armed;

	sd_event_source *properties_timer; /* armed while a change waits for its second to be over */
	bool properties_armed;
	uint64_t properties_sent; /* when, CLOCK_MONOTONIC */

	struct bus_queue queues[BUS_QUEUES];
	enum bus_queue_kind turn;    /* whose the next part is */
	sd_event_source *work_timer; /* armed while there is a job in one of them */
	bool served;                 /* others than the bus, since it went off last */
};

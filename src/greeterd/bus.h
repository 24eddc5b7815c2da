/*
 * bus.h: org.greeterd1 on D-Bus: org.greeterd1(5). With its bus-*.c the sole user of sd-bus in the daemon.
 *
 * A leaf: what it needs to know or do, it asks the daemon for (bus-ops.h); what happened, it takes from the
 * watchers. Main thread, attached to the event loop. Nothing waits for the bus: where there is none, or it
 * goes away, that is said once and tried again with growing pauses, and nothing but control is missing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "greeterd/bus-ops.h"
#include "greeterd/watchers.h"

struct bus;

/* All that it points to must outlive the bus. */
struct bus_setup {
	sd_event *event;
	bool user; /* the bus of the user, not of the system */
	struct watchers *watchers;
	const struct bus_ops *ops;
	void *data;
};

/* Returns 0, even without a bus; -ENOMEM or the errors of sd_event_add_time(3). */
int bus_new(const struct bus_setup *setup, struct bus **ret);

/* Whether systemd has a job to stop our unit, and not to restart it; false if it does not say so at once. */
bool bus_says_stop(struct bus *bus);

/* Sends what the watchers are still to be told, if the bus takes it at once. */
void bus_free(struct bus *bus);
DEFINE_CLEANUP(struct bus *, bus_free)

/* Events may have been added to the watchers: they are sent within 50 ms. To be called once a batch. */
void bus_served(struct bus *bus);

/* A client has another state: tells everybody at once. */
void bus_state_changed(
	struct bus *bus, uint32_t id, const char *name, const char *before, const char *after, uint64_t when);

/* Settings, troubles or the number of the missing may be others: told at most once a second. */
void bus_properties_changed(struct bus *bus);

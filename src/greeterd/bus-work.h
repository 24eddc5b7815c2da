/*
 * bus-work.h: calls that take long, answered in parts, so that a roll of a million clients holds up no
 * greeting.
 *
 * Called by who answers them; the parts are made from the event loop, in turn with who greets: one part at a
 * time, of each queue's first job in turn, with pauses while there is anybody else to serve.
 */
#pragma once

#include "greeterd/bus-state.h"

/* Puts a job into a queue, with the call that it answers, and takes over its reply and ids on success.
 * Returns 0, -EBUSY when there are too many, of all or of this caller, the errors of
 * sd_event_source_set_enabled(3). */
int bus_work_add(struct bus *bus, enum bus_queue_kind kind, const struct bus_job *job);

/* The handler of bus->work_timer. data: the struct bus. A timer takes its turn with who greets;
 * sd_event_add_defer(3) would run before everybody until the work is done. */
int bus_work_go_on(sd_event_source *source, uint64_t due, void *data);

/* Drops all jobs: there is nobody to answer. */
void bus_work_none(struct bus *bus);

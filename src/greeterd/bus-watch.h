/*
 * bus-watch.h: the watchers on the bus: subscriptions, and the signals that tell them events.
 *
 * A watcher is one connection to the bus, and is dropped when that goes. Each of its signals is followed by a
 * ping, unless one is not answered yet: so a watcher that does not read is noticed, and what would fill the
 * bus's memory is counted as missed instead.
 */
#pragma once

#include <stdint.h>

#include "greeterd/bus-state.h"

/* Watches ids, which it takes over on success, for this connection. Returns 0, -ENOSPC, -ENOMEM, or the
 * errors of sd_bus_add_match_async(3). */
int bus_watch(struct bus *bus, const char *name, struct idset *ids);

/* Sends it what it is still to be told, and no more from here on. Returns 0, or -ENOENT for who does not
 * watch.
 */
int bus_unwatch(struct bus *bus, const char *name);

/* There is no bus any more, or for it. */
void bus_watch_none(struct bus *bus);

/* Tells every watcher that reads. */
void bus_watch_send(struct bus *bus);

/* Arms the timer for bus_watch_send() if there is news. */
void bus_watch_soon(struct bus *bus);

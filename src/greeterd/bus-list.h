/*
 * bus-list.h: ListClients, answered in parts, so that a roll of a million clients holds up no greeting.
 *
 * Called by bus-manager.c; the parts are made from the event loop.
 */
#pragma once

#include "greeterd/bus-state.h"

/* Begins to answer: takes ids (NULL: all) over on success. Returns 0; -EBUSY when too many are being
 * answered; other errors of sd-bus. */
int bus_list(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only);

/* The handler of bus->list_timer, for the next part. data: the struct bus. A timer takes its turn with who
 * greets; sd_event_add_defer(3) would run before everybody until the list is done. */
int bus_list_go_on(sd_event_source *source, uint64_t due, void *data);

/* Drops all that are not answered. */
void bus_list_none(struct bus *bus);

/* A client as the struct (usstttts). */
int bus_list_append(sd_bus_message *message, const struct bus_client *client);

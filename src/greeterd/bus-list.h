/* bus-list.h: ListClients and ListClientsFrom, and a client as the bus shows it. Called by bus-manager.c. */
#pragma once

#include "greeterd/bus-state.h"

/* As many clients are listed at once: all that there can be by default. */
#define BUS_LIST_MAX 65536

/* As many are on a page, whatever the caller asks for. */
#define BUS_PAGE_MAX 4096

/* Begins to answer: takes ids (NULL: all) over on success. Returns 0; -EBUSY when too many are being
 * answered; other errors of sd-bus. */
int bus_list(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only);

/* The same for the first clients from id first on, as many as limit and BUS_PAGE_MAX say. */
int bus_list_page(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only, uint32_t first,
	uint32_t limit);

/* A client as the struct (usstttts). */
int bus_list_append(sd_bus_message *message, const struct bus_client *client);

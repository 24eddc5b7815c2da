/* control-internal.h: what the files of control share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "sockctl/control.h"

#define CONTROL_SERVICE "org.greeterd1"
#define CONTROL_PATH "/org/greeterd1"
#define CONTROL_INTERFACE "org.greeterd1.Manager"

struct control {
	struct control_target target;
	sd_bus *bus; /* NULL: the bus has gone, and is tried again */

	/* The watch. */
	const char *ids;
	const struct control_listener *listener;
	char *owner;    /* the daemon's unique name while it tells us, or NULL */
	uint64_t retry; /* when to try again, while it does not */
	sd_bus_slot *asked_watch;

	/* The roll that is being asked for. */
	sd_bus_slot *asked_clients;
	const char *asked_ids;
	struct client_list asked; /* the pages that have come */
	control_clients_fn answer;
	void *answer_userdata;
};

/* Opens the bus of control->target. Returns 0 or -errno. */
int control_connect(struct control *control);

#define CONTROL_PAGE_TYPES "usbu" /* of the arguments of ListClientsFrom */

/* Calls a method with arguments as sd_bus_message_append(3) takes them. Returns an exit status. */
int control_call(struct control *control, const char *interface, const char *method, sd_bus_message **ret,
	const char *types, ...);

/* Says that a reply makes no sense; returns its exit status. */
int control_strange(int r);

/* The clients of a reply to ListClientsFrom, which the list refers to from then on, and where the next page
 * begins. Returns 0 or -errno. */
int control_read_page(sd_bus_message *reply, struct client_list *ret, uint32_t *ret_next);

/* Subscribes to what is not a reply. Returns 0 or -errno. */
int control_match(struct control *control);

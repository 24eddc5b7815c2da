#include "greeterd/bus-list.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "greeterd/bus-work.h"

#define CLIENT_TYPE "(usstttts)"
#define SIZE_MAX_BYTES (24 * 1024 * 1024) /* a bus ends the connection for a message of 32 MiB */
#define CLIENT_SIZE 96                    /* of a client, without its name and its peer, with padding */

/* What a part costs at most, and what in it: about tenths of a microsecond. */
#define PART_COST 2048
#define LOOK_COST 2
#define APPEND_COST 20
#define NOBODY_COST 20

int bus_list_append(sd_bus_message *message, const struct bus_client *client)
{
	char peer[NETIO_TEXT_MAX] = "";

	if (client->peer.family != 0)
		netio_peer_format(&client->peer, peer);
	return sd_bus_message_append(message, CLIENT_TYPE, client->id, client->name, client->state,
		client->count, client->refusals, client->first_seen, client->last_seen, peer);
}

/* The next client that is asked for. Returns 0; 1 when it is still to be found; -ENOENT after the last. */
static int next_client(const struct bus *bus, struct bus_job *list, struct bus_client *ret)
{
	uint32_t from = list->next;
	int r;

	if (list->ids) {
		from = idset_next(list->ids, from > 0 ? from - 1 : 0);
		if (from == 0)
			return -ENOENT;
	}
	r = bus->ops->next(bus->data, from, ret);
	if (r >= 0)
		list->next = r > 0 ? ret->id : ret->id + 1;
	return r;
}

static bool is_asked_for(const struct bus_job *list, const struct bus_client *client)
{
	return (!list->ids || idset_contains(list->ids, client->id)) &&
	       (!list->missing_only || client->missing);
}

static int append(struct bus_job *list, const struct bus_client *client)
{
	list->size += CLIENT_SIZE + strlen(client->name);
	if (list->room == 0 || list->size > SIZE_MAX_BYTES)
		return -EMSGSIZE;
	list->room--;
	return bus_list_append(list->reply, client);
}

/* Returns 1: that was the whole reply. next: where another page begins, or 0. */
static int end(struct bus_job *list, uint32_t next)
{
	int r = sd_bus_message_close_container(list->reply);

	if (r >= 0 && list->in_pages)
		r = sd_bus_message_append(list->reply, "u", next);
	return r < 0 ? r : 1;
}

static int make_part(struct bus *bus, struct bus_job *list)
{
	for (unsigned cost = 0; cost < PART_COST;) {
		struct bus_client client;
		int r;

		if (list->in_pages && list->room == 0)
			return end(list, list->next);
		r = next_client(bus, list, &client);
		if (r == -ENOENT)
			return end(list, 0);
		cost += r > 0 ? NOBODY_COST : LOOK_COST;
		if (r == 0 && is_asked_for(list, &client)) {
			cost += APPEND_COST;
			r = append(list, &client);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int begin(struct bus *bus, struct bus_job *list)
{
	int r = sd_bus_message_new_method_return(list->call, &list->reply);

	if (r >= 0)
		r = sd_bus_message_open_container(list->reply, 'a', CLIENT_TYPE);
	if (r >= 0)
		r = bus_work_add(bus, list->in_pages ? BUS_PAGES : BUS_LISTS, list);
	if (r < 0)
		sd_bus_message_unref(list->reply);
	return r < 0 ? r : 0;
}

int bus_list(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only)
{
	struct bus_job list = {
		.step = make_part,
		.call = call,
		.ids = ids,
		.missing_only = missing_only,
		.room = BUS_LIST_MAX,
	};

	return begin(bus, &list);
}

int bus_list_page(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only, uint32_t first,
	uint32_t limit)
{
	struct bus_job list = {
		.step = make_part,
		.call = call,
		.ids = ids,
		.next = first,
		.missing_only = missing_only,
		.in_pages = true,
		.room = limit < BUS_PAGE_MAX ? limit : BUS_PAGE_MAX,
	};

	return begin(bus, &list);
}

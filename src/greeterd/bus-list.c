#include "greeterd/bus-list.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

#define CLIENT_TYPE "(usstttts)"
#define PART 256                          /* clients between two looks at who else wants to be served */
#define SIZE_MAX_BYTES (24 * 1024 * 1024) /* a bus ends the connection for a message of 32 MiB */
#define CLIENT_SIZE 96                    /* of a client, without its name and its peer, with padding */

int bus_list_append(sd_bus_message *message, const struct bus_client *client)
{
	char peer[NETIO_TEXT_MAX] = "";

	if (client->peer.family != 0)
		netio_peer_format(&client->peer, peer);
	return sd_bus_message_append(message, CLIENT_TYPE, client->id, client->name, client->state,
		client->count, client->refusals, client->first_seen, client->last_seen, peer);
}

static void list_deinit(struct bus_list *list)
{
	sd_bus_message_unref(list->call);
	sd_bus_message_unref(list->reply);
	idset_free(list->ids);
}

static void remove_first(struct bus *bus)
{
	list_deinit(&bus->lists[0]);
	bus->n_lists--;
	memmove(&bus->lists[0], &bus->lists[1], bus->n_lists * sizeof(bus->lists[0]));
	if (bus->n_lists == 0)
		(void)sd_event_source_set_enabled(bus->list_timer, SD_EVENT_OFF);
}

void bus_list_none(struct bus *bus)
{
	while (bus->n_lists > 0)
		remove_first(bus);
}

int bus_list(struct bus *bus, sd_bus_message *call, struct idset *ids, int missing_only)
{
	struct bus_list *list = &bus->lists[bus->n_lists];
	int r;

	if (bus->n_lists == BUS_LISTS_MAX)
		return -EBUSY;
	*list = (struct bus_list){ .missing_only = missing_only };
	r = sd_bus_message_new_method_return(call, &list->reply);
	if (r >= 0)
		r = sd_bus_message_open_container(list->reply, 'a', CLIENT_TYPE);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->list_timer, SD_EVENT_ONESHOT);
	if (r < 0) {
		list_deinit(list);
		return r;
	}
	list->call = sd_bus_message_ref(call);
	list->ids = ids;
	bus->n_lists++;
	return 0;
}

/* The next client that is asked for. Returns 0, or -ENOENT after the last. */
static int next_client(const struct bus *bus, struct bus_list *list, struct bus_client *ret)
{
	uint32_t from = list->next;
	int r;

	if (list->ids) {
		from = idset_next(list->ids, from > 0 ? from - 1 : 0);
		if (from == 0)
			return -ENOENT;
	}
	r = bus->ops->next(bus->data, from, ret);
	if (r < 0)
		return r;
	list->next = ret->id + 1;
	return 0;
}

static bool is_asked_for(const struct bus_list *list, const struct bus_client *client)
{
	return (!list->ids || idset_contains(list->ids, client->id)) &&
	       (!list->missing_only || client->missing);
}

/* Returns 1 after the last client, 0 with more to come, -errno. */
static int make_part(const struct bus *bus, struct bus_list *list)
{
	for (size_t i = 0; i < PART; i++) {
		struct bus_client client;
		int r = next_client(bus, list, &client);

		if (r == -ENOENT)
			return 1;
		if (r >= 0 && is_asked_for(list, &client)) {
			list->size += CLIENT_SIZE + strlen(client.name);
			r = list->size > SIZE_MAX_BYTES ? -EMSGSIZE : bus_list_append(list->reply, &client);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void fail(struct bus_list *list, int error)
{
	if (error == -EMSGSIZE)
		(void)sd_bus_reply_method_errorf(list->call, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"these clients do not fit into one message; ask for fewer ids");
	else
		(void)sd_bus_reply_method_errno(list->call, error, NULL);
}

int bus_list_go_on(sd_event_source *source, uint64_t due, void *data)
{
	struct bus *bus = data;
	struct bus_list *list = &bus->lists[0];
	int r = make_part(bus, list);

	(void)due;
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	if (r == 0)
		return 0;
	if (r > 0)
		r = sd_bus_message_close_container(list->reply);
	if (r >= 0)
		r = sd_bus_send(NULL, list->reply, NULL);
	if (r < 0)
		fail(list, r);
	remove_first(bus);
	return 0;
}

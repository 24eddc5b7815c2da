#include "greeterd/bus-watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"

#define SEND_USEC (USEC_PER_SEC / 20) /* from an event to the signal, and between two signals */
#define UNANSWERED_MAX 4              /* signals after a ping that is not answered */
#define MATCH_MAX 320                 /* a name on the bus has at most 255 bytes */

struct bus_watcher {
	struct watcher watcher; /* the first: watchers.h knows it by this */
	struct bus *bus;
	char *name;         /* of its connection: ":1.42" */
	sd_bus_slot *match; /* for the end of that */
	sd_bus_slot *ping;  /* not answered yet; NULL: none is under way */
	unsigned unanswered;
};

static struct bus_watcher *at(const struct bus *bus, size_t i)
{
	return (struct bus_watcher *)bus->watchers->all[i];
}

static struct bus_watcher *find(const struct bus *bus, const char *name)
{
	for (size_t i = 0; i < bus->watchers->n; i++)
		if (strcmp(at(bus, i)->name, name) == 0)
			return at(bus, i);
	return NULL;
}

static void watcher_free(struct bus_watcher *watcher)
{
	watchers_detach(watcher->bus->watchers, &watcher->watcher);
	sd_bus_slot_unref(watcher->match);
	sd_bus_slot_unref(watcher->ping);
	free(watcher->name);
	free(watcher);
}

static void drop(struct bus_watcher *watcher)
{
	struct bus *bus = watcher->bus;

	watcher_free(watcher);
	bus->ops->watched(bus->data);
}

static bool is_gone(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

static void ping(struct bus_watcher *watcher);

/* Any other answer is one of somebody who reads. */
static int on_pong(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus_watcher *watcher = data;

	(void)error;
	watcher->ping = sd_bus_slot_unref(watcher->ping);
	if (is_gone(sd_bus_message_get_error(message))) {
		drop(watcher);
		return 1;
	}
	if (watcher->unanswered > 1)
		ping(watcher);
	if (watcher_waits(&watcher->watcher)) {
		watcher->bus->watchers->news = true;
		bus_watch_soon(watcher->bus);
	}
	return 1;
}

static void ping(struct bus_watcher *watcher)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	sd_bus *connection = watcher->bus->connection;

	watcher->unanswered = 1;
	if (sd_bus_message_new_method_call(
		    connection, &message, watcher->name, "/", "org.freedesktop.DBus.Peer", "Ping") >= 0)
		(void)sd_bus_call_async(connection, &watcher->ping, message, on_pong, watcher, UINT64_MAX);
}

static int append_event(sd_bus_message *message, const struct bus *bus, const struct watch_event *event)
{
	char peer[NETIO_TEXT_MAX] = "";

	if (event->peer.family != 0)
		netio_peer_format(&event->peer, peer);
	return sd_bus_message_append(message, "(tsusstt)", event->seq, watch_kind_name(event->kind),
		event->id, bus->ops->name(bus->data, event->id), peer, event->count, event->when);
}

static int send_batch(const struct bus *bus, const struct bus_watcher *to)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	const struct watcher *watcher = &to->watcher;
	uint64_t first = watcher->n_events > 0 ? watcher->events[0].seq : bus->watchers->seq;
	int r = sd_bus_message_new_signal(bus->connection, &message, BUS_PATH, BUS_INTERFACE, "Events");

	if (r >= 0)
		r = sd_bus_message_set_destination(message, to->name);
	if (r >= 0)
		r = sd_bus_message_append(message, "tt", first, watcher->missed);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(tsusstt)");
	for (size_t i = 0; r >= 0 && i < watcher->n_events; i++)
		r = append_event(message, bus, &watcher->events[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? r : sd_bus_send(bus->connection, message, NULL);
}

static bool bus_reads(const struct bus *bus)
{
	uint64_t waiting;

	return bus->connection && sd_bus_get_n_queued_write(bus->connection, &waiting) >= 0 &&
	       waiting < BUS_QUEUE_MAX;
}

/* What cannot be sent stays, and what then finds no room is counted. */
static void send_to(struct bus_watcher *watcher)
{
	if (!watcher_waits(&watcher->watcher) || (watcher->ping && watcher->unanswered >= UNANSWERED_MAX))
		return;
	if (!bus_reads(watcher->bus) || send_batch(watcher->bus, watcher) < 0) {
		watcher->bus->watchers->news = true;
		return;
	}
	watcher_clear(&watcher->watcher);
	if (watcher->ping)
		watcher->unanswered++;
	else
		ping(watcher);
}

void bus_watch_send(struct bus *bus)
{
	bus->watchers->news = false;
	for (size_t i = 0; i < bus->watchers->n; i++)
		send_to(at(bus, i));
}

void bus_watch_soon(struct bus *bus)
{
	uint64_t now;

	if (bus->send_armed || !bus->watchers->news || bus->watchers->n == 0)
		return;
	(void)sd_event_now(bus->event, CLOCK_MONOTONIC, &now);
	bus->send_armed = sd_event_source_set_time(bus->send_timer, now + SEND_USEC) >= 0 &&
			  sd_event_source_set_enabled(bus->send_timer, SD_EVENT_ONESHOT) >= 0;
}

static int on_owner_changed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	const char *name, *before, *after;

	(void)error;
	if (sd_bus_message_read(message, "sss", &name, &before, &after) >= 0 && after[0] == '\0')
		drop(data);
	return 0;
}

/* It may have gone before the bus began to tell us: then nobody answers this. */
static int on_matched(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus_watcher *watcher = data;

	(void)message, (void)error;
	if (!watcher->ping)
		ping(watcher);
	return 0;
}

static int begin(struct bus_watcher *watcher, const char *name)
{
	char match[MATCH_MAX];

	watcher->name = strdup(name);
	if (!watcher->name)
		return -ENOMEM;
	snprintf(match, sizeof(match),
		"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
		"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
		name);
	return sd_bus_add_match_async(
		watcher->bus->connection, &watcher->match, match, on_owner_changed, on_matched, watcher);
}

int bus_watch(struct bus *bus, const char *name, struct idset *ids)
{
	struct bus_watcher *watcher = find(bus, name);
	int r;

	if (watcher) {
		watcher_set(&watcher->watcher, ids);
		return 0;
	}
	watcher = calloc(1, sizeof(*watcher));
	if (!watcher)
		return -ENOMEM;
	watcher->bus = bus;
	r = bus->watchers->n < WATCHERS_MAX ? begin(watcher, name) : -ENOSPC;
	if (r < 0) {
		watcher_free(watcher);
		return r;
	}
	(void)watchers_attach(bus->watchers, &watcher->watcher, ids); /* there is room */
	bus->ops->watched(bus->data);
	return 0;
}

int bus_unwatch(struct bus *bus, const char *name)
{
	struct bus_watcher *watcher = find(bus, name);

	if (!watcher)
		return -ENOENT;
	if (watcher_waits(&watcher->watcher) && bus_reads(bus))
		(void)send_batch(bus, watcher);
	drop(watcher);
	return 0;
}

void bus_watch_none(struct bus *bus)
{
	if (bus->watchers->n == 0)
		return;
	while (bus->watchers->n > 0)
		watcher_free(at(bus, 0));
	bus->ops->watched(bus->data);
}

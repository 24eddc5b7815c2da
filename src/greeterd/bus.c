#include "greeterd/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "greeterd/bus-manager.h"
#include "greeterd/bus-state.h"
#include "greeterd/bus-unit.h"
#include "greeterd/bus-watch.h"
#include "greeterd/bus-work.h"

#define PAUSE_FIRST_USEC (USEC_PER_SEC / 10)
#define PAUSE_MAX_USEC (10 * USEC_PER_SEC)
#define ACCURACY_USEC (USEC_PER_SEC / 100)
#define WORK_ACCURACY_USEC (USEC_PER_SEC / 10000)
#define SENTENCE_MAX 256
#define STOP_WAIT_USEC (60 * USEC_PER_SEC / 1000)
#define SIGNALS_MAX 65536 /* that may wait for a bus which does not read */
#define NAME_IN_QUEUE 2   /* DBUS_REQUEST_NAME_REPLY_IN_QUEUE */

static uint64_t bus_now(const struct bus *bus)
{
	uint64_t now = 0;

	(void)sd_event_now(bus->event, CLOCK_MONOTONIC, &now); /* fails for no clock that we ask for */
	return now;
}

/* --- the connection */

static void say_missing(struct bus *bus, const char *why)
{
	char sentence[SENTENCE_MAX];

	if (bus->said)
		return;
	bus->said = true;
	snprintf(sentence, sizeof(sentence),
		"no control over the %s bus: %s; greeting goes on, and control comes back by itself",
		bus->user ? "user" : "system", why);
	bus->ops->say(bus->data, sentence);
}

static void disconnect(struct bus *bus)
{
	bus_watch_none(bus);
	bus_work_none(bus);
	bus->connection = sd_bus_close_unref(bus->connection);
}

/* Not at once: this may be called by the connection that ends. */
static void connect_later(struct bus *bus)
{
	(void)sd_event_source_set_time(bus->reconnect, bus_now(bus) + bus->pause);
	(void)sd_event_source_set_enabled(bus->reconnect, SD_EVENT_ONESHOT);
	bus->pause = bus->pause * 2 > PAUSE_MAX_USEC ? PAUSE_MAX_USEC : bus->pause * 2;
}

static int on_disconnected(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;

	(void)message, (void)error;
	say_missing(bus, "the bus has gone");
	bus_watch_none(bus);
	bus_work_none(bus);
	connect_later(bus);
	return 0;
}

static int on_acquired(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct bus *bus = data;
	const char *name;

	(void)error;
	if (sd_bus_message_read(message, "s", &name) < 0 || strcmp(name, BUS_NAME) != 0)
		return 0;
	bus->pause = PAUSE_FIRST_USEC;
	if (bus->said)
		bus->ops->say(bus->data, "control over the bus is there again");
	bus->said = false;
	return 0;
}

/* That the name is ours, on_acquired() hears. An answer that says no is not asked for again on this
 * connection. */
static int on_requested(sd_bus_message *message, void *data, sd_bus_error *error)
{
	const sd_bus_error *refused = sd_bus_message_get_error(message);
	uint32_t result;

	(void)error;
	if (refused)
		say_missing(data, refused->message ? refused->message : refused->name);
	else if (sd_bus_message_read(message, "u", &result) >= 0 && result == NAME_IN_QUEUE)
		say_missing(data, "another process has the name " BUS_NAME);
	return 0;
}

static int open_connection(struct bus *bus)
{
	int r = bus->user ? sd_bus_open_user_with_description(&bus->connection, "greeterd")
			  : sd_bus_open_system_with_description(&bus->connection, "greeterd");

	if (r >= 0)
		r = sd_bus_attach_event(bus->connection, bus->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_add_object_vtable(
			bus->connection, NULL, BUS_PATH, BUS_INTERFACE, bus_manager_vtable, bus);
	if (r >= 0)
		r = sd_bus_match_signal_async(bus->connection, NULL, "org.freedesktop.DBus.Local",
			"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
			on_disconnected, NULL, bus);
	if (r >= 0)
		r = sd_bus_match_signal_async(bus->connection, NULL, "org.freedesktop.DBus",
			"/org/freedesktop/DBus", "org.freedesktop.DBus", "NameAcquired", on_acquired, NULL,
			bus);
	if (r >= 0)
		r = sd_bus_request_name_async(
			bus->connection, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_requested, bus);
	return r;
}

static int on_reconnect(sd_event_source *source, uint64_t due, void *data)
{
	struct bus *bus = data;
	int r;

	(void)source, (void)due;
	disconnect(bus);
	r = open_connection(bus);
	if (r < 0) {
		say_missing(bus, strerror(-r));
		disconnect(bus);
		connect_later(bus);
	}
	return 0;
}

/* --- what is told by itself */

static int on_send(sd_event_source *source, uint64_t due, void *data)
{
	struct bus *bus = data;

	(void)source, (void)due;
	bus->send_armed = false;
	bus_watch_send(bus);
	bus_watch_soon(bus);
	return 0;
}

void bus_served(struct bus *bus)
{
	bus->served = true;
	bus_watch_soon(bus);
}

static bool bus_takes(const struct bus *bus)
{
	uint64_t waiting;

	return bus->connection && sd_bus_is_ready(bus->connection) > 0 &&
	       sd_bus_get_n_queued_write(bus->connection, &waiting) >= 0 && waiting < SIGNALS_MAX;
}

void bus_state_changed(
	struct bus *bus, uint32_t id, const char *name, const char *before, const char *after, uint64_t when)
{
	if (bus_takes(bus))
		(void)sd_bus_emit_signal(bus->connection, BUS_PATH, BUS_INTERFACE, "ClientStateChanged",
			"ussst", id, name, before, after, when);
}

static int on_properties(sd_event_source *source, uint64_t due, void *data)
{
	struct bus *bus = data;

	(void)source, (void)due;
	bus->properties_armed = false;
	bus->properties_sent = bus_now(bus);
	if (bus_takes(bus))
		(void)bus_manager_changed(bus);
	return 0;
}

void bus_properties_changed(struct bus *bus)
{
	if (bus->properties_armed)
		return;
	bus->properties_armed =
		sd_event_source_set_time(bus->properties_timer, bus->properties_sent + USEC_PER_SEC) >= 0 &&
		sd_event_source_set_enabled(bus->properties_timer, SD_EVENT_ONESHOT) >= 0;
}

/* --- the end of the daemon */

bool bus_says_stop(struct bus *bus)
{
	return bus_unit_stops(bus->connection, STOP_WAIT_USEC);
}

/* --- begin and end */

static int add_timer(
	struct bus *bus, sd_event_source **source, uint64_t accuracy, sd_event_time_handler_t handler)
{
	int r = sd_event_add_time(bus->event, source, CLOCK_MONOTONIC, 0, accuracy, handler, bus);

	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

int bus_new(const struct bus_setup *setup, struct bus **ret)
{
	_cleanup_(bus_freep) struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	bus->event = sd_event_ref(setup->event);
	bus->user = setup->user;
	bus->watchers = setup->watchers;
	bus->ops = setup->ops;
	bus->data = setup->data;
	bus->pause = PAUSE_FIRST_USEC;
	r = add_timer(bus, &bus->reconnect, ACCURACY_USEC, on_reconnect);
	if (r >= 0)
		r = add_timer(bus, &bus->send_timer, ACCURACY_USEC, on_send);
	if (r >= 0)
		r = add_timer(bus, &bus->properties_timer, ACCURACY_USEC, on_properties);
	if (r >= 0)
		r = add_timer(bus, &bus->work_timer, WORK_ACCURACY_USEC, bus_work_go_on);
	if (r < 0)
		return r;
	(void)on_reconnect(bus->reconnect, 0, bus);
	*ret = TAKE_PTR(bus);
	return 0;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	bus_watch_send(bus);
	disconnect(bus);
	sd_event_source_disable_unref(bus->work_timer);
	sd_event_source_disable_unref(bus->properties_timer);
	sd_event_source_disable_unref(bus->send_timer);
	sd_event_source_disable_unref(bus->reconnect);
	sd_event_unref(bus->event);
	free(bus);
}

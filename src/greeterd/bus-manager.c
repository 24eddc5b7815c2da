#include "greeterd/bus-manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "config.h"
#include "greeterd/bus-list.h"
#include "greeterd/bus-watch.h"
#include "greeterd/bus-work.h"

#define IDS_TEXT_MAX 65536 /* bytes of a list of ids: parsing it must not hold up anybody */
#define CHANGE_LOOKS 256   /* at clients, in a part of a change */

/* --- properties */

static int get_version(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	(void)connection, (void)path, (void)interface, (void)property, (void)data, (void)error;
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

static int put_address(void *to, const char *address)
{
	return sd_bus_message_append(to, "s", address);
}

static int get_listen(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct bus *bus = data;
	bool configured = strcmp(property, "ConfiguredListen") == 0;
	int r = sd_bus_message_open_container(reply, 'a', "s");

	(void)connection, (void)path, (void)interface, (void)error;
	if (r >= 0)
		r = bus->ops->listen(bus->data, configured, put_address, reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_refusals(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct bus *bus = data;
	struct bus_values values;
	int r = sd_bus_message_open_container(reply, 'a', "{st}");

	(void)connection, (void)path, (void)interface, (void)property, (void)error;
	bus->ops->values(bus->data, &values);
	for (enum protocol_refusal i = 0; r >= 0 && i < PROTOCOL_REFUSALS; i++)
		r = sd_bus_message_append(reply, "{st}", protocol_refusal_code(i), values.refusals[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_clients(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct bus *bus = data;

	(void)connection, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "u", bus->ops->clients(bus->data));
}

static int get_watchers(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct bus *bus = data;

	(void)connection, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "u", (uint32_t)bus->watchers->n);
}

/* The properties that are just a member of struct bus_values. */
static const struct {
	const char *property;
	char type;
	size_t offset;
} members[] = {
	{ "PortTrouble", 's', offsetof(struct bus_values, port_trouble) },
	{ "SettingsTrouble", 's', offsetof(struct bus_values, settings_trouble) },
	{ "Connections", 'u', offsetof(struct bus_values, connections) },
	{ "MaxConnections", 'u', offsetof(struct bus_values, max_connections) },
	{ "Missing", 'u', offsetof(struct bus_values, missing) },
	{ "Greetings", 't', offsetof(struct bus_values, greetings) },
	{ "StartedAt", 't', offsetof(struct bus_values, started_at) },
	{ "ReloadedAt", 't', offsetof(struct bus_values, reloaded_at) },
};

static int get_member(sd_bus *connection, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *data, sd_bus_error *error)
{
	const struct bus *bus = data;
	struct bus_values values;
	size_t i = 0;
	const char *member;

	(void)connection, (void)path, (void)interface, (void)error;
	while (strcmp(members[i].property, property) != 0) /* the vtable names none but these */
		i++;
	bus->ops->values(bus->data, &values);
	member = (const char *)&values + members[i].offset;
	if (members[i].type == 's')
		return sd_bus_message_append_basic(reply, 's', *(const char *const *)(const void *)member);
	return sd_bus_message_append_basic(reply, members[i].type, member);
}

/* --- methods */

/* "" stands for all when that is allowed: *ret is NULL then. */
static int read_ids(
	struct bus *bus, sd_bus_message *call, bool all_allowed, struct idset **ret, sd_bus_error *error)
{
	struct bus_values values;
	const char *text;
	int r = sd_bus_message_read(call, "s", &text);

	if (r < 0)
		return r;
	if (all_allowed && text[0] == '\0') {
		*ret = NULL;
		return 0;
	}
	if (strlen(text) > IDS_TEXT_MAX)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID_IDS,
			"a list of ids may have %d bytes, this one has %zu", IDS_TEXT_MAX, strlen(text));
	bus->ops->values(bus->data, &values);
	r = idset_parse(text, values.max_id, ret);
	if (r == -EINVAL || r == -ERANGE)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID_IDS,
			"%.100s: expected ids and ranges from 1 to %" PRIu32 ", such as 1-3,9",
			text[0] ? text : "no ids", values.max_id);
	return r;
}

/* The answer to a call whose work was begun. */
static int begun(int r, sd_bus_error *error)
{
	if (r == -EBUSY)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"too many such calls are being answered; try again");
	return r < 0 ? r : 1;
}

static int on_list_clients(sd_bus_message *call, void *data, sd_bus_error *error)
{
	_cleanup_(idset_freep) struct idset *ids = NULL;
	struct bus *bus = data;
	int missing_only;
	int r = read_ids(bus, call, true, &ids, error);

	if (r >= 0)
		r = sd_bus_message_read(call, "b", &missing_only);
	if (r < 0)
		return r;
	r = bus_list(bus, call, ids, missing_only);
	if (r >= 0)
		ids = NULL;
	return begun(r, error);
}

static int on_list_clients_from(sd_bus_message *call, void *data, sd_bus_error *error)
{
	_cleanup_(idset_freep) struct idset *ids = NULL;
	struct bus *bus = data;
	uint32_t first, limit;
	int missing_only;
	int r = sd_bus_message_read(call, "u", &first);

	if (r >= 0)
		r = read_ids(bus, call, true, &ids, error);
	if (r >= 0)
		r = sd_bus_message_read(call, "bu", &missing_only, &limit);
	if (r < 0)
		return r;
	if (limit == 0)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "a page of no clients has no end");
	r = bus_list_page(bus, call, ids, missing_only, first, limit);
	if (r >= 0)
		ids = NULL;
	return begun(r, error);
}

static int on_get_client(sd_bus_message *call, void *data, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct bus *bus = data;
	struct bus_client client;
	uint32_t id;
	int r = sd_bus_message_read(call, "u", &id);

	if (r < 0)
		return r;
	r = bus->ops->next(bus->data, id, &client);
	if (r == -ENOENT || r > 0 || (r == 0 && client.id != id))
		return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_CLIENT,
			"client %" PRIu32 " has never greeted and is not expected", id);
	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = bus_list_append(reply, &client);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_watch(sd_bus_message *call, void *data, sd_bus_error *error)
{
	_cleanup_(idset_freep) struct idset *ids = NULL;
	struct bus *bus = data;
	int r = read_ids(bus, call, true, &ids, error);

	if (r < 0)
		return r;
	r = bus_watch(bus, sd_bus_message_get_sender(call), ids);
	if (r == -ENOSPC)
		return sd_bus_error_setf(error, BUS_ERROR_TOO_MANY_WATCHERS,
			"there are %d watchers already, and no more are served", WATCHERS_MAX);
	if (r < 0)
		return r;
	ids = NULL;
	return sd_bus_reply_method_return(call, "t", bus->watchers->seq);
}

static int on_unwatch(sd_bus_message *call, void *data, sd_bus_error *error)
{
	if (bus_unwatch(data, sd_bus_message_get_sender(call)) < 0)
		return sd_bus_error_set(error, BUS_ERROR_NOT_WATCHING, "this connection does not watch");
	return sd_bus_reply_method_return(call, NULL);
}

static int refuse_settings(const struct settings_report *report, int r, sd_bus_error *error)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(fclosep) FILE *lines = NULL;
	size_t len;

	if (report->n_lines == 0)
		return r;
	lines = open_memstream(&text, &len);
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_lines; i++)
		fprintf(lines, "%s%s", i > 0 ? "\n" : "", report->lines[i]);
	if (fflush(lines) != 0)
		return -ENOMEM;
	return sd_bus_error_set(error, BUS_ERROR_INVALID_SETTINGS, text);
}

static int on_reload(sd_bus_message *call, void *data, sd_bus_error *error)
{
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *pending[SETTINGS_PENDING_MAX];
	const struct bus *bus = data;
	size_t n_pending = 0;
	int r = bus->ops->reload(bus->data, pending, &n_pending, &report);

	if (r < 0)
		return refuse_settings(&report, r, error);
	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && i < n_pending; i++)
		r = sd_bus_message_append(reply, "s", pending[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int change_part(struct bus *bus, struct bus_job *job)
{
	struct bus_time now = { 0 };

	(void)sd_event_now(bus->event, CLOCK_MONOTONIC, &now.monotonic);
	(void)sd_event_now(bus->event, CLOCK_REALTIME, &now.realtime);
	job->changed += bus->ops->change(bus->data, job->change, job->ids, &job->next, CHANGE_LOOKS, &now);
	if (job->next != 0)
		return 0;
	int r = sd_bus_message_append(job->reply, "u", job->changed);
	return r < 0 ? r : 1;
}

static int change(sd_bus_message *call, struct bus *bus, enum bus_change what, sd_bus_error *error)
{
	struct bus_job job = { .step = change_part, .call = call, .change = what };
	int r = read_ids(bus, call, false, &job.ids, error);

	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &job.reply);
	if (r >= 0)
		r = bus_work_add(bus, BUS_CHANGES, &job);
	if (r < 0) {
		sd_bus_message_unref(job.reply);
		idset_free(job.ids);
	}
	return begun(r, error);
}

static int on_pause(sd_bus_message *call, void *data, sd_bus_error *error)
{
	return change(call, data, BUS_PAUSE, error);
}

static int on_resume(sd_bus_message *call, void *data, sd_bus_error *error)
{
	return change(call, data, BUS_RESUME, error);
}

static int on_forget(sd_bus_message *call, void *data, sd_bus_error *error)
{
	return change(call, data, BUS_FORGET, error);
}

/* --- the interface */

#define CLIENT "(usstttts)"
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define TOLD SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

/* sd-bus would let none but root and our own user call the others; who may call what is the policy's to say.
 */
#define OPEN SD_BUS_VTABLE_UNPRIVILEGED

const sd_bus_vtable bus_manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
	SD_BUS_PROPERTY("Listen", "as", get_listen, 0, TOLD),
	SD_BUS_PROPERTY("ConfiguredListen", "as", get_listen, 0, TOLD),
	SD_BUS_PROPERTY("PortTrouble", "s", get_member, 0, TOLD),
	SD_BUS_PROPERTY("SettingsTrouble", "s", get_member, 0, TOLD),
	SD_BUS_PROPERTY("Connections", "u", get_member, 0, 0),
	SD_BUS_PROPERTY("MaxConnections", "u", get_member, 0, 0),
	SD_BUS_PROPERTY("Greetings", "t", get_member, 0, 0),
	SD_BUS_PROPERTY("Refusals", "a{st}", get_refusals, 0, 0),
	SD_BUS_PROPERTY("Clients", "u", get_clients, 0, 0),
	SD_BUS_PROPERTY("Missing", "u", get_member, 0, TOLD),
	SD_BUS_PROPERTY("StartedAt", "t", get_member, 0, CONST),
	SD_BUS_PROPERTY("ReloadedAt", "t", get_member, 0, TOLD),
	SD_BUS_PROPERTY("Watchers", "u", get_watchers, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("ListClients", SD_BUS_ARGS("s", ids, "b", missing_only),
		SD_BUS_RESULT("a" CLIENT, clients), on_list_clients, OPEN),
	SD_BUS_METHOD_WITH_ARGS("ListClientsFrom",
		SD_BUS_ARGS("u", first, "s", ids, "b", missing_only, "u", limit),
		SD_BUS_RESULT("a" CLIENT, clients, "u", next), on_list_clients_from, OPEN),
	SD_BUS_METHOD_WITH_ARGS(
		"GetClient", SD_BUS_ARGS("u", id), SD_BUS_RESULT(CLIENT, client), on_get_client, OPEN),
	SD_BUS_METHOD_WITH_ARGS("Watch", SD_BUS_ARGS("s", ids), SD_BUS_RESULT("t", seq), on_watch, OPEN),
	SD_BUS_METHOD_WITH_ARGS("Unwatch", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_unwatch, OPEN),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("as", pending), on_reload, OPEN),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_ARGS("s", ids), SD_BUS_RESULT("u", changed), on_pause, OPEN),
	SD_BUS_METHOD_WITH_ARGS(
		"Resume", SD_BUS_ARGS("s", ids), SD_BUS_RESULT("u", changed), on_resume, OPEN),
	SD_BUS_METHOD_WITH_ARGS(
		"Forget", SD_BUS_ARGS("s", ids), SD_BUS_RESULT("u", changed), on_forget, OPEN),
	SD_BUS_SIGNAL_WITH_ARGS("Events", SD_BUS_ARGS("t", seq, "t", missed, "a(tsusstt)", events), 0),
	SD_BUS_SIGNAL_WITH_ARGS(
		"ClientStateChanged", SD_BUS_ARGS("u", id, "s", name, "s", old, "s", new, "t", when), 0),
	SD_BUS_VTABLE_END,
};

int bus_manager_changed(struct bus *bus)
{
	return sd_bus_emit_properties_changed(bus->connection, BUS_PATH, BUS_INTERFACE, "Listen",
		"ConfiguredListen", "PortTrouble", "SettingsTrouble", "Missing", "ReloadedAt", NULL);
}

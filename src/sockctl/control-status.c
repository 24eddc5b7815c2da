/* control-status.c: the daemon's properties, all in one call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "sockctl/control-errors.h"
#include "sockctl/control-internal.h"
#include "sockctl/exits.h"

#define MEMBER(name) offsetof(struct daemon_status, name)

/* Properties that stand here under the same type; "as" and "a{st}" have a reader of their own. */
static const struct property {
	const char *name;
	const char *type;
	size_t member;
} properties[] = {
	{ "Version", "s", MEMBER(version) },
	{ "Listen", "as", MEMBER(listen) },
	{ "ConfiguredListen", "as", MEMBER(configured_listen) },
	{ "PortTrouble", "s", MEMBER(port_trouble) },
	{ "SettingsTrouble", "s", MEMBER(settings_trouble) },
	{ "Connections", "u", MEMBER(connections) },
	{ "MaxConnections", "u", MEMBER(max_connections) },
	{ "Greetings", "t", MEMBER(greetings) },
	{ "Refusals", "a{st}", MEMBER(refusals) },
	{ "Clients", "u", MEMBER(clients) },
	{ "Missing", "u", MEMBER(missing) },
	{ "StartedAt", "t", MEMBER(started_at) },
	{ "ReloadedAt", "t", MEMBER(reloaded_at) },
	{ "Watchers", "u", MEMBER(watchers) },
};

static int read_refusals(sd_bus_message *m, struct daemon_status *status)
{
	struct refusals one;
	int r = sd_bus_message_enter_container(m, 'a', "{st}");

	while (r >= 0) {
		r = sd_bus_message_read(m, "{st}", &one.code, &one.count);
		if (r == 0)
			return sd_bus_message_exit_container(m);
		if (r > 0 && status->n_refusals < REFUSAL_CODES_MAX)
			status->refusals[status->n_refusals++] = one;
	}
	return r;
}

static int read_value(sd_bus_message *m, const struct property *property, struct daemon_status *status)
{
	void *member = (char *)status + property->member;
	int r = sd_bus_message_enter_container(m, 'v', property->type);

	if (r < 0)
		return r;
	if (strcmp(property->type, "as") == 0) {
		control_free_texts(member);
		r = sd_bus_message_read_strv(m, member);
	} else if (property->member == MEMBER(refusals)) {
		r = read_refusals(m, status);
	} else {
		r = sd_bus_message_read_basic(m, property->type[0], member);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, struct daemon_status *status)
{
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ELEMENTS(properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			return read_value(m, &properties[i], status);
	return sd_bus_message_skip(m, "v");
}

static int read_status(sd_bus_message *m, struct daemon_status *status)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r == 0)
			return 0;
		if (r > 0)
			r = read_property(m, status);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

int control_status(struct control *control, struct daemon_status *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(daemon_status_deinit) struct daemon_status status = {
		.version = "",
		.port_trouble = "",
		.settings_trouble = "",
	};
	int r = control_call(
		control, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s", CONTROL_INTERFACE);

	if (r != EXIT_DONE)
		return r;
	r = read_status(reply, &status);
	if (r < 0)
		return control_strange(r);
	status.owner = TAKE_PTR(reply);
	*ret = status;
	status = (struct daemon_status){ 0 };
	return EXIT_DONE;
}

void daemon_status_deinit(struct daemon_status *status)
{
	control_free_texts(&status->listen);
	control_free_texts(&status->configured_listen);
	sd_bus_message_unref(status->owner);
	status->owner = NULL;
}

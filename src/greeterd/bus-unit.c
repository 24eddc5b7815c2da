#include "greeterd/bus-unit.h"

#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* Calls without having anything started for it; types: of the arguments, of which there are two at most. */
static int call(sd_bus *connection, const char *path, const char *interface, const char *member,
	uint64_t wait, sd_bus_message **ret, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	va_list args;
	int r = sd_bus_message_new_method_call(connection, &m, SYSTEMD, path, interface, member);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r < 0)
		return r;
	va_start(args, types);
	r = sd_bus_message_appendv(m, types, args);
	va_end(args);
	return r < 0 ? r : sd_bus_call(connection, m, wait, NULL, ret);
}

bool bus_unit_stops(sd_bus *connection, uint64_t wait)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *unit = NULL, *pending = NULL, *job = NULL;
	const char *path, *type = "";
	uint32_t id;
	int r;

	if (!connection || sd_bus_is_ready(connection) <= 0)
		return false;
	wait /= 3;
	r = call(connection, "/org/freedesktop/systemd1", SYSTEMD ".Manager", "GetUnitByPID", wait, &unit,
		"u", UINT32_C(0));
	if (r >= 0)
		r = sd_bus_message_read(unit, "o", &path);
	if (r >= 0)
		r = call(connection, path, PROPERTIES, "Get", wait, &pending, "ss", SYSTEMD ".Unit", "Job");
	if (r >= 0)
		r = sd_bus_message_read(pending, "v", "(uo)", &id, &path);
	if (r >= 0)
		r = call(connection, path, PROPERTIES, "Get", wait, &job, "ss", SYSTEMD ".Job", "JobType");
	if (r >= 0)
		r = sd_bus_message_read(job, "v", "s", &type);
	return r >= 0 && strcmp(type, "stop") == 0;
}

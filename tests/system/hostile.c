/*
 * hostile MODE SECONDS: a client of org.greeterd1 on the system bus that means harm, for that long.
 *
 *   calls    asks for all there is to ask, and reads no answer
 *   lists    asks for all clients at once, and reads no answer
 *   types    calls with arguments of wrong types, without an interface, what is no method; sets properties
 *   ids      hands over lists of ids of megabytes
 *   watch    watches, other ids each time, and never reads
 *   crowd    as many connections as the bus allows, each of which watches and never reads
 *   vanish   watches, and leaves at once, again and again
 *
 * Says how many calls it made. What the bus does not take, or forbids, is no failure: it is meant to be that
 * way.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define NAME "org.greeterd1"
#define PATH "/org/greeterd1"
#define MANAGER "org.greeterd1.Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define CROWD 1000
#define IDS_BYTES (8 * 1024 * 1024)
#define RANGES 8000 /* in the list of a watcher: as many as fit */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Sends it without waiting for the answer. Returns -EAGAIN when the bus does not take more for now. */
static int cast(sd_bus *bus, const char *interface, const char *member, const char *types, ...)
{
	sd_bus_message *call = NULL;
	uint64_t cookie, waiting = 0;
	va_list arguments;
	int r = sd_bus_get_n_queued_write(bus, &waiting);

	if (r >= 0 && waiting > 100) {
		struct timespec pause = { .tv_nsec = 1000000 };

		(void)nanosleep(&pause, NULL);
		(void)sd_bus_process(bus, NULL); /* writes, but reads at most one message for that */
		return -EAGAIN;
	}
	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &call, NAME, PATH, interface, member);
	va_start(arguments, types);
	if (r >= 0)
		r = sd_bus_message_appendv(call, types, arguments);
	va_end(arguments);
	if (r >= 0)
		r = sd_bus_send(bus, call, &cookie);
	sd_bus_message_unref(call);
	return r;
}

static int calls(sd_bus *bus, unsigned i)
{
	switch (i % 3) {
	case 0:
		return cast(bus, PROPERTIES, "GetAll", "s", MANAGER);
	case 1:
		return cast(bus, "org.freedesktop.DBus.Introspectable", "Introspect", "");
	default:
		return cast(bus, MANAGER, "GetClient", "u", i);
	}
}

static int lists(sd_bus *bus, unsigned i)
{
	return i % 2 ? cast(bus, MANAGER, "ListClients", "sb", "", 0)
		     : cast(bus, MANAGER, "ListClientsFrom", "usbu", 0, "", 0, UINT32_MAX);
}

static int types(sd_bus *bus, unsigned i)
{
	switch (i % 8) {
	case 0:
		return cast(bus, MANAGER, "Watch", "u", 1);
	case 1:
		return cast(bus, MANAGER, "ListClients", "bs", 1, "");
	case 2:
		return cast(bus, NULL, "Watch", "s", "");
	case 3:
		return cast(bus, MANAGER, "NoSuchMethod", "a{sv}", 0);
	case 4:
		return cast(bus, MANAGER, "ListClientsFrom", "usbu", UINT32_MAX, "4294967295", 0, 0);
	case 5:
		return cast(bus, MANAGER, "Watch", "s", "1-,\xc3\xa9,%s%n");
	case 6:
		return cast(bus, PROPERTIES, "Set", "ssv", MANAGER, "Greetings", "t", UINT64_C(0));
	default:
		return cast(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
	}
}

static int ids(sd_bus *bus, unsigned i)
{
	static char *text;

	if (!text) {
		char *end = text = malloc(IDS_BYTES + 16);

		if (!text)
			return -ENOMEM;
		while (end < text + IDS_BYTES)
			end += sprintf(end, "%u,", 1 + (unsigned)(end - text) % 60000 * 2 % 65535);
		end[-1] = '\0';
	}
	return cast(bus, MANAGER, i % 2 ? "Watch" : "Unwatch", i % 2 ? "s" : "", text);
}

static int watch(sd_bus *bus, unsigned i)
{
	char text[65536], *end = text;

	for (unsigned k = 0; k < RANGES; k++)
		end += sprintf(end, "%s%u", k > 0 ? "," : "", 1 + 2 * k + i % 2);
	return cast(bus, MANAGER, "Watch", "s", i % 3 ? text : "");
}

static int crowd(sd_bus *bus, unsigned i)
{
	static sd_bus *all[CROWD];

	if (i < CROWD && sd_bus_open_system(&all[i]) < 0)
		all[i] = NULL;
	if (!all[i % CROWD])
		return cast(bus, MANAGER, "Watch", "s", "");
	return watch(all[i % CROWD], i);
}

static int vanish(sd_bus *unused, unsigned i)
{
	sd_bus *bus;
	int r = sd_bus_open_system(&bus);

	(void)unused;
	if (r < 0)
		return r;
	r = watch(bus, i);
	(void)sd_bus_flush(bus);
	sd_bus_close_unref(bus);
	return r;
}

static const struct {
	const char *name;
	int (*call)(sd_bus *bus, unsigned i);
} modes[] = {
	{ "calls", calls },
	{ "lists", lists },
	{ "types", types },
	{ "ids", ids },
	{ "watch", watch },
	{ "crowd", crowd },
	{ "vanish", vanish },
};

int main(int argc, char **argv)
{
	uint64_t until = argc == 3 ? now() + strtoull(argv[2], NULL, 10) * 1000000 : 0;
	size_t mode = 0;
	unsigned made = 0;
	sd_bus *bus = NULL;

	while (argc == 3 && mode < sizeof(modes) / sizeof(modes[0]) && strcmp(modes[mode].name, argv[1]) != 0)
		mode++;
	if (argc != 3 || mode == sizeof(modes) / sizeof(modes[0]))
		return 2;
	while (now() < until) {
		int r = bus ? 0 : sd_bus_open_system(&bus);

		if (r >= 0)
			r = modes[mode].call(bus, made);
		if (r >= 0) {
			made++;
		} else if (r != -EAGAIN) { /* the bus has had enough of that connection */
			struct timespec pause = { .tv_nsec = 1000000 };

			bus = sd_bus_close_unref(bus);
			(void)nanosleep(&pause, NULL);
		}
	}
	printf("%s: %u calls\n", argv[1], made);
	return 0;
}

/*
 * fake-manager: org.greeterd1 on the user bus without a daemon, for the tests of sockctl's verbs. What it
 * tells its watchers is said to it by "busctl --user call org.greeterd1 /org/greeterd1 org.greeterd1.Fake Say
 * s TEXT":
 *
 *   greet ID   one greeting        hide ID    one greeting that is told to nobody
 *   missed N   N greetings that no event is sent for
 *   lose ID    the client goes missing         refuse NAME TEXT   the next call fails so
 *   flood N    N greetings of client 1, in batches of 256      crowd N   N more clients on the roll
 *   quit       ends it
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/idset.h"

#define SERVICE "org.greeterd1"
#define PATH "/org/greeterd1"
#define MANAGER "org.greeterd1.Manager"

#define CLIENTS_MAX 1000100
#define PAGE 1000 /* clients of one answer */
#define BATCH 256
#define NOON UINT64_C(1714564800000000) /* 2024-05-01 12:00:00 UTC */

struct client {
	uint32_t id;
	const char *name, *state;
	uint64_t count, refusals, first_seen, last_seen;
	const char *peer;
};

struct fake {
	sd_bus *bus;
	struct client *clients;
	size_t n;
	uint64_t seq, greetings;
	uint32_t listed; /* calls of ListClientsFrom */
	char *watcher;
	struct idset *filter; /* NULL: all */
	char refusal[100], text[400];
	bool quit;
};

static uint64_t wall(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Whether the next call was to be refused. */
static bool refuses(struct fake *fake, sd_bus_error *error, int *ret)
{
	if (!fake->refusal[0])
		return false;
	*ret = sd_bus_error_set(error, fake->refusal, fake->text);
	fake->refusal[0] = '\0';
	return true;
}

static int parse_ids(const char *text, struct idset **ret)
{
	*ret = NULL;
	return text[0] ? idset_parse(text, UINT32_MAX, ret) : 0;
}

static int append_client(sd_bus_message *m, const struct client *c)
{
	return sd_bus_message_append(m, "(usstttts)", c->id, c->name, c->state, c->count, c->refusals,
		c->first_seen, c->last_seen, c->peer);
}

/* Appends a page, and where the next one begins. */
static int append_page(const struct fake *fake, sd_bus_message *reply, const struct idset *ids,
	uint32_t first, bool missing_only, uint32_t limit)
{
	uint32_t next = 0, room = limit < PAGE ? limit : PAGE;
	int r = sd_bus_message_open_container(reply, 'a', "(usstttts)");

	for (size_t i = 0; r >= 0 && i < fake->n && next == 0; i++) {
		const struct client *client = &fake->clients[i];

		if (client->id < first || (ids && !idset_contains(ids, client->id)) ||
			(missing_only && strcmp(client->state, "missing") != 0))
			continue;
		if (room == 0)
			next = client->id;
		else
			r = append_client(reply, client);
		room--;
	}
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_append(reply, "u", next);
}

static int list_clients_from(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(idset_freep) struct idset *ids = NULL;
	struct fake *fake = userdata;
	uint32_t first, limit;
	const char *text;
	int missing_only, r;

	fake->listed++;
	if (refuses(fake, error, &r))
		return r;
	r = sd_bus_message_read(m, "usbu", &first, &text, &missing_only, &limit);
	if (r >= 0)
		r = parse_ids(text, &ids);
	if (r >= 0)
		r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = append_page(fake, reply, ids, first, missing_only, limit);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static int watch(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *text;
	int r;

	if (refuses(fake, error, &r))
		return r;
	r = sd_bus_message_read(m, "s", &text);
	if (r < 0)
		return r;
	free(fake->watcher);
	idset_free(fake->filter);
	fake->watcher = strdup(sd_bus_message_get_sender(m));
	r = parse_ids(text, &fake->filter);
	return r < 0 ? r : sd_bus_reply_method_return(m, "t", fake->seq);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *name, *old, *new;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
		return 0;
	if (fake->watcher && strcmp(name, fake->watcher) == 0 && !new[0]) {
		free(fake->watcher);
		fake->watcher = NULL;
	}
	return 0;
}

static int reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	int r;

	if (refuses(userdata, error, &r))
		return r;
	return sd_bus_reply_method_return(m, "as", 2, "workers", "max_id");
}

static int change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(idset_freep) struct idset *ids = NULL;
	struct fake *fake = userdata;
	const char *text;
	uint32_t n = 0;
	int r;

	if (refuses(fake, error, &r))
		return r;
	r = sd_bus_message_read(m, "s", &text);
	if (r >= 0)
		r = parse_ids(text, &ids);
	for (size_t i = 0; r >= 0 && i < fake->n; i++)
		n += idset_contains(ids, fake->clients[i].id);
	return r < 0 ? r : sd_bus_reply_method_return(m, "u", n);
}

/* One batch: n events of the same kind for one client, each a greeting further. */
static int tell(struct fake *fake, struct client *client, const char *kind, uint64_t n, uint64_t missed)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	if (!fake->watcher || (client && fake->filter && !idset_contains(fake->filter, client->id)))
		return 0;
	r = sd_bus_message_new_signal(fake->bus, &m, PATH, MANAGER, "Events");
	if (r >= 0)
		r = sd_bus_message_set_destination(m, fake->watcher);
	if (r >= 0)
		r = sd_bus_message_append(m, "tt", fake->seq + 1, missed);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(tsusstt)");
	for (uint64_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "(tsusstt)", ++fake->seq, kind, client->id, client->name,
			client->peer, client->count - (n - 1) + i, wall());
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_send(fake->bus, m, NULL);
}

static struct client *find(struct fake *fake, uint32_t id)
{
	for (size_t i = 0; i < fake->n; i++)
		if (fake->clients[i].id == id)
			return &fake->clients[i];
	return fake->clients;
}

static int greet(struct fake *fake, uint32_t id, uint64_t n)
{
	struct client *client = find(fake, id);

	client->count += n;
	client->last_seen = wall();
	fake->greetings += n;
	return tell(fake, client, "greeting", n, 0);
}

static void hide(struct fake *fake, uint32_t id)
{
	struct client *client = find(fake, id);

	client->count++;
	client->last_seen = wall();
}

static int flood(struct fake *fake, uint64_t n)
{
	int r = 0;

	for (; r >= 0 && n > 0; n -= n < BATCH ? n : BATCH)
		r = greet(fake, 1, n < BATCH ? n : BATCH);
	return r;
}

static void crowd(struct fake *fake, uint64_t n)
{
	for (uint64_t i = 0; i < n && fake->n < CLIENTS_MAX; i++, fake->n++)
		fake->clients[fake->n] = (struct client){ .id = 100 + (uint32_t)i,
			.name = "rack B",
			.state = "present",
			.count = i,
			.first_seen = NOON,
			.last_seen = NOON + i,
			.peer = "192.0.2.9:40000" };
}

static int lose(struct fake *fake, uint32_t id)
{
	struct client *client = find(fake, id);

	client->state = "missing";
	return tell(fake, client, "missing", 1, 0);
}

static int say(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	uint64_t n = 0;
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	(void)error;
	if (r < 0)
		return r;
	if (sscanf(text, "greet %" SCNu64, &n) == 1)
		r = greet(fake, (uint32_t)n, 1);
	else if (sscanf(text, "hide %" SCNu64, &n) == 1)
		hide(fake, (uint32_t)n);
	else if (sscanf(text, "lose %" SCNu64, &n) == 1)
		r = lose(fake, (uint32_t)n);
	else if (sscanf(text, "flood %" SCNu64, &n) == 1)
		r = flood(fake, n);
	else if (sscanf(text, "crowd %" SCNu64, &n) == 1)
		crowd(fake, n);
	else if (sscanf(text, "missed %" SCNu64, &n) == 1)
		r = tell(fake, NULL, "", 0, n);
	else if (sscanf(text, "refuse %99s %399[^\001]", fake->refusal, fake->text) == 2)
		r = 0;
	else
		fake->quit = strcmp(text, "quit") == 0;
	return r < 0 ? r : sd_bus_reply_method_return(m, "");
}

static int get_texts(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)userdata, (void)error;
	if (strcmp(property, "Listen") == 0)
		return sd_bus_message_append(reply, "as", 2, "0.0.0.0:8080", "[::]:8080");
	if (strcmp(property, "ConfiguredListen") == 0)
		return sd_bus_message_append(reply, "as", 1, "127.0.0.1:9000");
	if (strcmp(property, "PortTrouble") == 0)
		return sd_bus_message_append(reply, "s", getenv("FAKE_PORT_TROUBLE") ?: "");
	if (strcmp(property, "Version") == 0)
		return sd_bus_message_append(reply, "s", "0.1.0");
	return sd_bus_message_append(reply, "s", "");
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct fake *fake = userdata;
	uint32_t missing = 0, n = (uint32_t)fake->n;

	(void)bus, (void)path, (void)interface, (void)error;
	for (size_t i = 0; i < fake->n; i++)
		missing += strcmp(fake->clients[i].state, "missing") == 0;
	if (strcmp(property, "MaxConnections") == 0)
		n = 16384;
	else if (strcmp(property, "Missing") == 0)
		n = missing;
	else if (strcmp(property, "Watchers") == 0)
		n = fake->watcher != NULL;
	return sd_bus_message_append(reply, "u", n);
}

static int get_time(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "t", strcmp(property, "StartedAt") == 0 ? NOON : 0);
}

static int get_refusals(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(
		reply, "a{st}", 3, "syntax", UINT64_C(2), "id", UINT64_C(1), "long", UINT64_C(0));
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_texts, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Listen", "as", get_texts, 0, 0),
	SD_BUS_PROPERTY("ConfiguredListen", "as", get_texts, 0, 0),
	SD_BUS_PROPERTY("PortTrouble", "s", get_texts, 0, 0),
	SD_BUS_PROPERTY("SettingsTrouble", "s", get_texts, 0, 0),
	SD_BUS_PROPERTY("Connections", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("MaxConnections", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("Greetings", "t", NULL, offsetof(struct fake, greetings), 0),
	SD_BUS_PROPERTY("Refusals", "a{st}", get_refusals, 0, 0),
	SD_BUS_PROPERTY("Clients", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("Missing", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("StartedAt", "t", get_time, 0, 0),
	SD_BUS_PROPERTY("ReloadedAt", "t", get_time, 0, 0),
	SD_BUS_PROPERTY("Watchers", "u", get_number, 0, 0),
	SD_BUS_PROPERTY("FromTheFuture", "s", get_texts, 0, 0),
	SD_BUS_METHOD(
		"ListClientsFrom", "usbu", "a(usstttts)u", list_clients_from, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Watch", "s", "t", watch, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Reload", "", "as", reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Pause", "s", "u", change, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Resume", "s", "u", change, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Forget", "s", "u", change, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable controls[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Listed", "u", NULL, offsetof(struct fake, listed), 0),
	SD_BUS_METHOD("Say", "s", "", say, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int run(struct fake *fake)
{
	int r = sd_bus_open_user(&fake->bus);

	if (r >= 0)
		r = sd_bus_add_object_vtable(fake->bus, NULL, PATH, MANAGER, manager, fake);
	if (r >= 0)
		r = sd_bus_add_object_vtable(fake->bus, NULL, PATH, "org.greeterd1.Fake", controls, fake);
	if (r >= 0)
		r = sd_bus_match_signal(fake->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			"org.freedesktop.DBus", "NameOwnerChanged", on_name, fake);
	if (r >= 0)
		r = sd_bus_request_name(fake->bus, SERVICE, 0);
	if (r < 0)
		return r;
	puts("ready");
	fflush(stdout);
	while (r >= 0 && !fake->quit) {
		r = sd_bus_process(fake->bus, NULL);
		if (r == 0)
			r = sd_bus_wait(fake->bus, UINT64_MAX);
	}
	return r;
}

int main(void)
{
	_cleanup_(freep) struct client *clients = calloc(CLIENTS_MAX, sizeof(*clients));
	struct fake fake = { .clients = clients, .n = 3, .greetings = 12 };

	if (!clients)
		return 1;
	clients[0] =
		(struct client){ 1, "rack A", "present", 7, 0, NOON, wall() - 12500000, "127.0.0.1:40312" };
	clients[1] = (struct client){ 2, "rack A", "present", 5, 1, NOON, NOON + 1500000, "127.0.0.1:40314" };
	clients[2] = (struct client){ 3, "", "new", 0, 0, 0, 0, "" };

	int r = run(&fake);
	sd_bus_flush_close_unref(fake.bus);
	free(fake.watcher);
	idset_free(fake.filter);
	if (r < 0)
		fprintf(stderr, "fake-manager: %s\n", strerror(-r));
	return r < 0;
}

#include "greeterd/control.h"

#include "common/cleanup.h"
#include "common/netio.h"

#define LOOKS_MAX 256 /* at records, in search of one that is known */

/* --- clients */

static const char *client_name(void *data, uint32_t id)
{
	const struct control *control = data;
	size_t group = attendance_group(rollcall_attendance(control->rollcall), id);

	return group < control->settings->now->n_expect ? control->settings->now->expect[group].name : "";
}

/* The smallest id from first on that is expected, or 0. */
static uint32_t next_expected(const struct control *control, uint32_t first)
{
	const struct settings *settings = control->settings->now;
	uint32_t found = 0;

	for (size_t i = 0; i < settings->n_expect; i++) {
		uint32_t id = idset_next(settings->expect[i].ids, first > 0 ? first - 1 : 0);

		if (id != 0 && (found == 0 || id < found) &&
			attendance_state(rollcall_attendance(control->rollcall), id) != ATTENDANCE_UNEXPECTED)
			found = id;
	}
	return found;
}

static void describe(struct control *control, const struct roll_entry *entry, struct bus_client *ret)
{
	enum attendance_state state = attendance_state(rollcall_attendance(control->rollcall), entry->id);

	*ret = (struct bus_client){
		.id = entry->id,
		.name = client_name(control, entry->id),
		.state = attendance_state_name(state == ATTENDANCE_UNEXPECTED ? ATTENDANCE_PRESENT : state),
		.missing = state == ATTENDANCE_MISSING,
		.count = entry->count,
		.refusals = entry->refusals,
		.first_seen = entry->first_seen,
		.last_seen = entry->last_seen,
		.peer = entry->peer,
	};
}

static int next_client(void *data, uint32_t first, struct bus_client *ret)
{
	struct control *control = data;
	uint32_t expected = next_expected(control, first);
	struct roll_entry entry;
	int r = roll_next(control->roll, first, LOOKS_MAX, &entry);

	if (expected != 0 && (r < 0 || expected < entry.id)) {
		entry = (struct roll_entry){ .id = expected };
		r = 0;
	}
	if (r < 0)
		return r;
	describe(control, &entry, ret);
	return r;
}

/* While the workers are paused: who is on the roll has been told of, then, and no newcomer any more. */
static void count_roll(struct control *control)
{
	struct roll_entry entry = { 0 };

	control->clients = 0;
	for (uint32_t id = 0; roll_next(control->roll, id, UINT32_MAX, &entry) == 0; id = entry.id + 1)
		control->clients += entry.count > 0; /* a state alone is no greeting */
	control->newcomers = server_counters(control->server)->newcomers;
	control->counted = true;
}

/* Looks at the whole roll once, and from then on at how many are new. */
static uint32_t count_clients(void *data)
{
	struct control *control = data;

	if (!control->counted) {
		server_pause(control->server);
		count_roll(control);
		server_resume(control->server);
	}
	return control->clients +
	       (uint32_t)(server_counters(control->server)->newcomers - control->newcomers);
}

/* --- changes */

/* These return whether that changed anything. */

static bool forget(struct control *control, uint32_t id, const struct bus_time *now)
{
	struct roll_entry entry;
	bool known = roll_get(control->roll, id, &entry) == 0;

	if (known) {
		roll_forget(control->roll, id);
		control->clients -= entry.count > 0;
		watchers_event(control->watchers, WATCH_FORGOTTEN, id, NULL, 0, now->realtime);
	}
	(void)attendance_forget(rollcall_attendance(control->rollcall), id, now->monotonic);
	return known;
}

static bool pause_or_resume(
	struct control *control, enum bus_change change, uint32_t id, const struct bus_time *now)
{
	struct attendance *attendance = rollcall_attendance(control->rollcall);
	enum attendance_state before = attendance_state(attendance, id);

	if (change == BUS_PAUSE)
		(void)attendance_pause(attendance, id, now->monotonic);
	else
		(void)attendance_resume(attendance, id, now->monotonic);
	return attendance_state(attendance, id) != before;
}

/* The smallest of ids from first on that may be known or expected, or 0 after the last. */
static uint32_t next_of(struct control *control, const struct idset *ids, uint32_t first)
{
	struct bus_client client;
	uint32_t id = idset_next(ids, first > 0 ? first - 1 : 0);

	if (id == 0 || next_client(control, id, &client) < 0)
		return 0;
	return client.id > id ? idset_next(ids, client.id - 1) : id;
}

static uint32_t change_clients(void *data, enum bus_change change, const struct idset *ids, uint32_t *next,
	unsigned looks, const struct bus_time *now)
{
	struct control *control = data;
	uint32_t id = *next, changed = 0;

	server_pause(control->server); /* who was answered before has been told of before */
	for (; looks > 0 && (id = next_of(control, ids, id)) != 0; looks--, id++)
		changed += change == BUS_FORGET ? forget(control, id, now)
						: pause_or_resume(control, change, id, now);
	*next = id;
	server_resume(control->server);
	rollcall_served(control->rollcall);
	if (changed > 0)
		control->changed(control->daemon);
	return changed;
}

/* --- the daemon */

static void read_values(void *data, struct bus_values *ret)
{
	struct control *control = data;
	const struct server_counters *counters = server_counters(control->server);
	const struct settings *settings = control->settings->now;

	*ret = (struct bus_values){
		.max_id = settings->max_id,
		.connections = (uint32_t)server_connections(control->server),
		.max_connections = settings->max_connections,
		.greetings = counters->greetings,
		.refusals = counters->refusals,
		.started_at = control->started_at,
		.reloaded_at = control->reloaded_at,
		.port_trouble = control->settings->port_trouble,
		.settings_trouble = control->settings->trouble,
	};
	ret->missing = (uint32_t)attendance_count(rollcall_attendance(control->rollcall), ATTENDANCE_MISSING);
}

static int put(const struct netio_address *address, bus_put *put_address, void *to)
{
	char text[NETIO_TEXT_MAX];

	return put_address(to, netio_format(address, text));
}

static int put_configured(const struct settings *settings, bus_put *put_address, void *to)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < settings->n_listen; i++) {
		struct netio_address addresses[NETIO_PARSE_MAX];
		int n = netio_parse(settings->listen[i], settings->port, addresses);

		for (int k = 0; r >= 0 && k < n; k++)
			r = put(&addresses[k], put_address, to);
	}
	return r;
}

static int put_listeners(const struct listeners *listeners, bus_put *put_address, void *to)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < listeners->n; i++) {
		struct netio_address address;

		if (netio_local(listeners->fds[i], &address) == 0)
			r = put(&address, put_address, to);
	}
	return r;
}

static int put_listen(void *data, bool configured, bus_put *put_address, void *to)
{
	const struct control *control = data;
	const struct inforce *settings = control->settings;

	return configured ? put_configured(
				    settings->replaced ? settings->replaced : settings->now, put_address, to)
			  : put_listeners(control->listeners, put_address, to);
}

static int reload(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	struct control *control = data;

	return control->reload(control->daemon, ret_pending, ret_n_pending, report);
}

static void watched(void *data)
{
	const struct control *control = data;

	control->watched(control->daemon);
}

static void say(void *data, const char *sentence)
{
	const struct control *control = data;

	control->say(control->daemon, sentence);
}

const struct bus_ops control_ops = {
	.next = next_client,
	.name = client_name,
	.clients = count_clients,
	.values = read_values,
	.listen = put_listen,
	.reload = reload,
	.change = change_clients,
	.watched = watched,
	.say = say,
};

/* org.greeterd1 on a private bus: the test's dbus-daemon, a made-up daemon behind the bus, and clients, all
 * but the first in one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "common/duration.h"
#include "greeterd/bus.h"

#define WAIT_USEC (20 * USEC_PER_SEC) /* for what is to come, at most */
#define CLIENTS 1000
#define MISSING_ID 3

#define NAME "org.greeterd1"
#define PATH "/org/greeterd1"
#define INTERFACE "org.greeterd1.Manager"

struct fixture {
	char folder[32], config[64];
	pid_t dbus_daemon; /* 0: none */
	sd_event *event;
	struct watchers watchers;
	struct bus *bus;
	sd_bus *client;

	/* of the made-up daemon */
	uint32_t first, last; /* its clients */
	const char *name;
	enum bus_change change;
	uint32_t changed_first;
	unsigned change_steps;
	bool endless; /* changes begin anew */
	bool bad_settings;
	char said[512];
	unsigned n_said, n_watched;
	uint64_t refusals[PROTOCOL_REFUSALS];

	/* what the client heard */
	sd_bus_message *reply;
	bool answered;
	uint64_t seen, missed, signals, last_seq;
	bool out_of_order;
	char heard[512];
};

/* --- the made-up daemon */

static int next_client(void *data, uint32_t first, struct bus_client *ret)
{
	const struct fixture *f = data;
	uint32_t id = first < f->first ? f->first : first;

	if (id > f->last)
		return -ENOENT;
	*ret = (struct bus_client){
		.id = id,
		.name = f->name,
		.state = id == MISSING_ID ? "missing" : "present",
		.missing = id == MISSING_ID,
		.count = id * UINT64_C(10),
		.refusals = 2,
		.first_seen = 100,
		.last_seen = 200,
		.peer = { .family = AF_INET, .port = 40312, .ip = { 127, 0, 0, 1 } },
	};
	if (id == MISSING_ID)
		ret->peer.family = 0;
	return 0;
}

static const char *client_name(void *data, uint32_t id)
{
	(void)id;
	return ((const struct fixture *)data)->name;
}

static uint32_t count_clients(void *data)
{
	const struct fixture *f = data;

	return f->last - f->first + 1;
}

static void read_values(void *data, struct bus_values *ret)
{
	const struct fixture *f = data;

	*ret = (struct bus_values){
		.max_id = 65535,
		.connections = 4,
		.max_connections = 16,
		.missing = 1,
		.greetings = UINT64_C(5000000000),
		.refusals = f->refusals,
		.started_at = 11,
		.reloaded_at = 22,
		.port_trouble = "elsewhere",
		.settings_trouble = "",
	};
}

static int put_listen(void *data, bool configured, bus_put *put, void *to)
{
	(void)data;
	return put(to, configured ? "[::]:8080" : "127.0.0.1:9000");
}

static int reload(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	const struct fixture *f = data;

	if (f->bad_settings) {
		report->lines = calloc(2, sizeof(*report->lines));
		assert_non_null(report->lines);
		report->lines[0] = strdup("f:1: a: wrong");
		report->lines[1] = strdup("f:2: b: wrong");
		report->n_lines = 2;
		return -EINVAL;
	}
	ret_pending[0] = "port";
	ret_pending[1] = "max_id";
	*ret_n_pending = 2;
	return 0;
}

static uint32_t change(void *data, enum bus_change what, const struct idset *ids, uint32_t *next,
	unsigned looks, const struct bus_time *time)
{
	struct fixture *f = data;
	uint32_t n = 0, id = *next ? *next : idset_next(ids, 0);

	if (*next == 0)
		f->changed_first = ids->ranges[0].first;
	f->change = what;
	f->change_steps++;
	assert_true(time->monotonic > 0 && time->realtime > time->monotonic);
	for (; id != 0 && n < looks; n++)
		id = idset_next(ids, id);
	*next = id == 0 && f->endless ? idset_next(ids, 0) : id;
	return n;
}

static void watched(void *data)
{
	((struct fixture *)data)->n_watched++;
}

static void say(void *data, const char *sentence)
{
	struct fixture *f = data;

	snprintf(f->said, sizeof(f->said), "%s", sentence);
	f->n_said++;
}

static const struct bus_ops ops = {
	.next = next_client,
	.name = client_name,
	.clients = count_clients,
	.values = read_values,
	.listen = put_listen,
	.reload = reload,
	.change = change,
	.watched = watched,
	.say = say,
};

/* --- the bus, and the loop */

static void configure_bus(struct fixture *f, bool own)
{
	FILE *out = fopen(f->config, "we");

	assert_non_null(out);
	fprintf(out,
		"<busconfig><type>session</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
		"<policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>"
		"<%s own=\"*\"/></policy></busconfig>",
		f->folder, own ? "allow" : "deny");
	assert_int_equal(fclose(out), 0);
}

/* Returns whether there is a dbus-daemon to start; it is up when this returns. */
static bool start_bus(struct fixture *f)
{
	char option[96], address[256];
	const char *const argv[] = { "dbus-daemon", option, "--nofork", "--nopidfile", "--print-address=1",
		NULL };
	posix_spawn_file_actions_t actions;
	int out[2], r;
	ssize_t n;

	snprintf(option, sizeof(option), "--config-file=%s", f->config);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO), 0);
	assert_int_equal(posix_spawn_file_actions_addclose(&actions, out[0]), 0);
	assert_int_equal(posix_spawn_file_actions_addclose(&actions, out[1]), 0);
	assert_int_equal(
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0), 0);
	r = posix_spawnp(&f->dbus_daemon, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	n = r == 0 ? read(out[0], address, sizeof(address)) : 0;
	close(out[0]);
	if (r != 0)
		f->dbus_daemon = 0;
	return n > 0;
}

static void stop_bus(struct fixture *f)
{
	if (f->dbus_daemon <= 0)
		return;
	kill(f->dbus_daemon, SIGKILL);
	waitpid(f->dbus_daemon, NULL, 0);
	f->dbus_daemon = 0;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

#define RUN_UNTIL(f, condition) \
	do { \
		uint64_t until_ = now() + WAIT_USEC; \
		while (!(condition)) { \
			assert_true(now() < until_); \
			assert_true(sd_event_run((f)->event, USEC_PER_SEC / 10) >= 0); \
		} \
	} while (0)

static void run_for(struct fixture *f, uint64_t usec)
{
	uint64_t until = now() + usec;

	while (now() < until)
		assert_true(sd_event_run(f->event, until - now()) >= 0);
}

static int on_reply(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct fixture *f = data;

	(void)error;
	f->reply = sd_bus_message_ref(message);
	f->answered = true;
	return 0;
}

/* The answer, which the fixture owns until the next call; runs the loop until it is there. */
static sd_bus_message *ask(
	struct fixture *f, sd_bus *client, const char *interface, const char *member, const char *types, ...)
{
	sd_bus_message *call;
	va_list args;

	f->reply = sd_bus_message_unref(f->reply);
	f->answered = false;
	assert_true(sd_bus_message_new_method_call(client, &call, NAME, PATH, interface, member) >= 0);
	va_start(args, types);
	assert_true(sd_bus_message_appendv(call, types, args) >= 0);
	va_end(args);
	assert_true(sd_bus_call_async(client, NULL, call, on_reply, f, WAIT_USEC) >= 0);
	sd_bus_message_unref(call);
	RUN_UNTIL(f, f->answered);
	return f->reply;
}

#define CALL(f, member, types, ...) ask(f, (f)->client, INTERFACE, member, types, ##__VA_ARGS__)

static void assert_error(sd_bus_message *reply, const char *name, const char *message)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	assert_non_null(error);
	assert_string_equal(error->name, name);
	if (message)
		assert_string_equal(error->message, message);
}

static int on_events(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct fixture *f = data;
	const char *kind, *name, *peer;
	uint64_t first, missed, seq, count, when;
	uint32_t id;

	(void)error;
	assert_true(sd_bus_message_read(message, "tt", &first, &missed) >= 0);
	assert_true(sd_bus_message_enter_container(message, 'a', "(tsusstt)") >= 0);
	while (sd_bus_message_read(message, "(tsusstt)", &seq, &kind, &id, &name, &peer, &count, &when) > 0) {
		f->out_of_order |= seq <= f->last_seq || seq < first;
		f->last_seq = seq;
		f->seen += strcmp(kind, "greeting") == 0;
		snprintf(f->heard, sizeof(f->heard), "%s %u %s %s %u", kind, id, name, peer, (unsigned)count);
	}
	f->missed += missed;
	f->signals++;
	return 0;
}

static int on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct fixture *f = data;
	const char *name, *before, *after;
	uint32_t id;
	uint64_t when;

	(void)error;
	if (sd_bus_message_is_signal(message, INTERFACE, "ClientStateChanged")) {
		assert_true(sd_bus_message_read(message, "ussst", &id, &name, &before, &after, &when) >= 0);
		snprintf(f->heard, sizeof(f->heard), "%u %s %s %s %u", id, name, before, after,
			(unsigned)when);
	} else {
		snprintf(f->heard, sizeof(f->heard), "%s", sd_bus_message_get_member(message));
	}
	f->signals++;
	return 0;
}

static sd_bus *connect_client(struct fixture *f, bool reads)
{
	sd_bus *client;

	assert_true(sd_bus_open_user(&client) >= 0);
	assert_true(sd_bus_match_signal_async(
			    client, NULL, NULL, PATH, INTERFACE, "Events", on_events, NULL, f) >= 0);
	if (reads)
		assert_true(sd_bus_attach_event(client, f->event, 0) >= 0);
	return client;
}

static void have_name(struct fixture *f)
{
	const sd_bus_error *error;

	do {
		run_for(f, USEC_PER_SEC / 100);
		error = sd_bus_message_get_error(ask(f, f->client, "org.freedesktop.DBus.Peer", "Ping", ""));
	} while (error && sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN));
	assert_null(error);
}

static void start(struct fixture *f)
{
	const struct bus_setup setup = {
		.event = f->event, .user = true, .watchers = &f->watchers, .ops = &ops, .data = f
	};

	assert_int_equal(bus_new(&setup, &f->bus), 0);
}

static int set_up_without_bus(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char address[64];

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-bus.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->config, sizeof(f->config), "%s/bus.conf", f->folder);
	snprintf(address, sizeof(address), "unix:path=%s/bus", f->folder);
	assert_int_equal(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1), 0);
	configure_bus(f, true);
	assert_true(sd_event_new(&f->event) >= 0);
	f->first = 1;
	f->last = CLIENTS;
	f->name = "rack A";
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f;

	set_up_without_bus(state);
	f = *state;
	if (!start_bus(f)) {
		stop_bus(f);
		return 0;
	}
	start(f);
	f->client = connect_client(f, true);
	have_name(f);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[64];

	sd_bus_message_unref(f->reply);
	sd_bus_close_unref(f->client);
	bus_free(f->bus);
	sd_event_unref(f->event);
	stop_bus(f);
	unlink(f->config);
	snprintf(path, sizeof(path), "%s/bus", f->folder);
	unlink(path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static struct fixture *fixture(void **state)
{
	struct fixture *f = *state;

	if (f->dbus_daemon == 0) {
		print_message("# no dbus-daemon to start\n");
		skip();
	}
	return f;
}

static void greet(struct fixture *f, uint32_t id)
{
	const struct netio_peer peer = { .family = AF_INET, .port = 40312, .ip = { 127, 0, 0, 1 } };

	watchers_event(&f->watchers, WATCH_GREETING, id, &peer, 7, 1000);
}

/* --- what can be asked */

static void test_introspection_shows_the_interface(void **state)
{
	static const char *const parts[] = {
		"<method name=\"ListClients\">",
		"<arg type=\"a(usstttts)\" name=\"clients\" direction=\"out\"/>",
		"<method name=\"ListClientsFrom\">",
		"<method name=\"GetClient\">",
		"<method name=\"Watch\">",
		"<method name=\"Unwatch\">",
		"<method name=\"Reload\">",
		"<method name=\"Pause\">",
		"<method name=\"Resume\">",
		"<method name=\"Forget\">",
		"<signal name=\"Events\">",
		"<arg type=\"a(tsusstt)\" name=\"events\"/>",
		"<signal name=\"ClientStateChanged\">",
		"<property name=\"Refusals\" type=\"a{st}\" access=\"read\">",
		"<property name=\"Watchers\" type=\"u\" access=\"read\">",
	};
	struct fixture *f = fixture(state);
	const char *xml;

	assert_true(sd_bus_message_read(
			    ask(f, f->client, "org.freedesktop.DBus.Introspectable", "Introspect", ""), "s",
			    &xml) > 0);
	for (size_t i = 0; i < ELEMENTS(parts); i++)
		if (!strstr(xml, parts[i]))
			fail_msg("no %s in %s", parts[i], xml);
}

static sd_bus_message *get(struct fixture *f, const char *property, const char *type)
{
	sd_bus_message *reply =
		ask(f, f->client, "org.freedesktop.DBus.Properties", "Get", "ss", INTERFACE, property);

	assert_true(sd_bus_message_enter_container(reply, 'v', type) > 0);
	return reply;
}

static void test_properties_are_what_the_daemon_says(void **state)
{
	struct fixture *f = fixture(state);
	const char *text;
	uint32_t number;
	uint64_t greetings;

	assert_true(sd_bus_message_read(get(f, "PortTrouble", "s"), "s", &text) > 0);
	assert_string_equal(text, "elsewhere");
	assert_true(sd_bus_message_read(get(f, "Version", "s"), "s", &text) > 0);
	assert_true(sd_bus_message_read(get(f, "Connections", "u"), "u", &number) > 0);
	assert_int_equal(number, 4);
	assert_true(sd_bus_message_read(get(f, "Clients", "u"), "u", &number) > 0);
	assert_int_equal(number, CLIENTS);
	assert_true(sd_bus_message_read(get(f, "Watchers", "u"), "u", &number) > 0);
	assert_int_equal(number, 0);
	assert_true(sd_bus_message_read(get(f, "Greetings", "t"), "t", &greetings) > 0);
	assert_int_equal(greetings, UINT64_C(5000000000));
	assert_true(sd_bus_message_read(get(f, "Listen", "as"), "as", 1, &text) > 0);
	assert_string_equal(text, "127.0.0.1:9000");
	assert_true(sd_bus_message_read(get(f, "ConfiguredListen", "as"), "as", 1, &text) > 0);
	assert_string_equal(text, "[::]:8080");
}

static void test_refusals_are_counted_by_code(void **state)
{
	struct fixture *f = fixture(state);
	sd_bus_message *reply;
	const char *code;
	uint64_t n, sum = 0;

	for (size_t i = 0; i < PROTOCOL_REFUSALS; i++)
		f->refusals[i] = i + 1;
	reply = get(f, "Refusals", "a{st}");
	assert_true(sd_bus_message_enter_container(reply, 'a', "{st}") > 0);
	while (sd_bus_message_read(reply, "{st}", &code, &n) > 0)
		sum += n;
	assert_int_equal(sum, PROTOCOL_REFUSALS * (PROTOCOL_REFUSALS + 1) / 2);
}

/* Returns how many clients are in the list. */
static unsigned list(struct fixture *f, const char *ids, int missing_only)
{
	sd_bus_message *reply = CALL(f, "ListClients", "sb", ids, missing_only);
	const char *name, *client_state, *peer;
	uint64_t count, refusals, first, last;
	uint32_t id, before = 0;
	unsigned n = 0;

	assert_true(sd_bus_message_enter_container(reply, 'a', "(usstttts)") >= 0);
	while (sd_bus_message_read(reply, "(usstttts)", &id, &name, &client_state, &count, &refusals, &first,
		       &last, &peer) > 0) {
		assert_true(n == 0 || id > before);
		assert_string_equal(name, f->name);
		assert_int_equal(count, id * 10);
		assert_string_equal(peer, id == MISSING_ID ? "" : "127.0.0.1:40312");
		before = id;
		n++;
	}
	return n;
}

static void test_lists_all_clients_by_id(void **state)
{
	struct fixture *f = fixture(state);

	assert_int_equal(list(f, "", 0), CLIENTS);
	f->first = 0;
	assert_int_equal(list(f, "", 0), CLIENTS + 1);
}

static void test_lists_the_clients_asked_for(void **state)
{
	struct fixture *f = fixture(state);

	f->first = 2;
	assert_int_equal(list(f, "1-3,500,2000-3000", 0), 3);
	assert_int_equal(list(f, "5000", 0), 0);
	assert_int_equal(list(f, "", 1), 1);
	assert_int_equal(list(f, "4-9", 1), 0);
}

/* Returns how many clients are on the page; in *next, where the next one begins. */
static unsigned page(struct fixture *f, uint32_t first, const char *ids, int missing_only, uint32_t limit,
	uint32_t *ret_next)
{
	sd_bus_message *reply = CALL(f, "ListClientsFrom", "usbu", first, ids, missing_only, limit);
	const char *name, *client_state, *peer;
	uint64_t count, refusals, seen_first, seen_last;
	uint32_t id, before = 0;
	unsigned n = 0;

	assert_true(sd_bus_message_enter_container(reply, 'a', "(usstttts)") >= 0);
	while (sd_bus_message_read(reply, "(usstttts)", &id, &name, &client_state, &count, &refusals,
		       &seen_first, &seen_last, &peer) > 0) {
		assert_true(id >= first && (n == 0 || id > before));
		before = id;
		n++;
	}
	assert_true(sd_bus_message_exit_container(reply) >= 0);
	assert_true(sd_bus_message_read(reply, "u", ret_next) > 0);
	return n;
}

static void test_pages_hold_as_many_as_asked_for(void **state)
{
	struct fixture *f = fixture(state);
	uint32_t next;

	f->first = 0;
	assert_int_equal(page(f, 0, "", 0, 10, &next), 10);
	assert_int_equal(next, 10);
	assert_int_equal(page(f, next, "", 0, CLIENTS, &next), CLIENTS - 9);
	assert_int_equal(next, 0);
	assert_int_equal(page(f, 5, "1-3,500,2000-3000", 0, 10, &next), 1);
	assert_int_equal(next, 0);
	assert_int_equal(page(f, 0, "", 1, 10, &next), 1);
	assert_int_equal(page(f, CLIENTS + 1, "", 0, 10, &next), 0);
	assert_error(CALL(f, "ListClientsFrom", "usbu", 0, "", 0, 0), SD_BUS_ERROR_INVALID_ARGS, NULL);
	assert_error(CALL(f, "ListClientsFrom", "usbu", 0, "x", 0, 1), NAME ".Error.InvalidIds", NULL);
}

/* Of a million clients: tests/integration/test-million.sh. */
static void test_a_long_roll_is_listed_page_by_page(void **state)
{
	struct fixture *f = fixture(state);
	unsigned n = 0, pages = 0;
	uint32_t next = 0;

	f->first = 0;
	f->last = 50000;
	do {
		unsigned on_it = page(f, next, "", 0, UINT32_MAX, &next);

		assert_true(on_it <= 5000);
		n += on_it;
		pages++;
	} while (next != 0);
	assert_int_equal(n, 50001);
	assert_true(pages >= 10);
}

static void test_a_list_too_long_for_a_message_is_refused(void **state)
{
	struct fixture *f = fixture(state);

	f->last = 300000;
	assert_error(CALL(f, "ListClients", "sb", "", 0), SD_BUS_ERROR_LIMITS_EXCEEDED, NULL);
	f->last = CLIENTS;
	assert_int_equal(list(f, "", 0), CLIENTS);
}

struct tally {
	unsigned answered, refused;
};

static int on_list_reply(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct tally *tally = data;

	(void)error;
	tally->answered++;
	if (sd_bus_error_has_name(sd_bus_message_get_error(message), SD_BUS_ERROR_LIMITS_EXCEEDED))
		tally->refused++;
	return 0;
}

static void list_all(sd_bus *client, struct tally *tally)
{
	assert_true(sd_bus_call_method_async(client, NULL, NAME, PATH, INTERFACE, "ListClients",
			    on_list_reply, tally, "sb", "", 1) >= 0);
}

static void test_many_lists_at_once_are_bounded(void **state)
{
	struct fixture *f = fixture(state);
	struct tally tally = { 0 };
	sd_bus *others[20];

	f->last = 50000;
	for (unsigned i = 0; i < 100; i++)
		list_all(f->client, &tally);
	RUN_UNTIL(f, tally.answered == 100);
	assert_true(tally.refused > 0);
	assert_true(tally.refused < 100);
	tally = (struct tally){ 0 };
	for (size_t i = 0; i < ELEMENTS(others); i++) {
		others[i] = connect_client(f, true);
		list_all(others[i], &tally);
	}
	RUN_UNTIL(f, tally.answered == ELEMENTS(others));
	assert_true(tally.refused < ELEMENTS(others));
	for (size_t i = 0; i < ELEMENTS(others); i++)
		sd_bus_close_unref(others[i]);
}

static void test_shows_one_client(void **state)
{
	struct fixture *f = fixture(state);
	const char *name, *client_state, *peer;
	uint64_t count, refusals, first, last;
	uint32_t id;

	assert_true(sd_bus_message_read(CALL(f, "GetClient", "u", MISSING_ID), "(usstttts)", &id, &name,
			    &client_state, &count, &refusals, &first, &last, &peer) > 0);
	assert_int_equal(id, MISSING_ID);
	assert_string_equal(client_state, "missing");
	assert_int_equal(refusals, 2);
	assert_int_equal(first, 100);
	assert_int_equal(last, 200);
	assert_error(CALL(f, "GetClient", "u", 5000), NAME ".Error.NoSuchClient",
		"client 5000 has never greeted and is not expected");
	f->first = 5;
	assert_error(CALL(f, "GetClient", "u", 4), NAME ".Error.NoSuchClient", NULL);
}

static void test_refuses_what_are_no_ids(void **state)
{
	struct fixture *f = fixture(state);

	assert_error(CALL(f, "ListClients", "sb", "3-1", 0), NAME ".Error.InvalidIds", NULL);
	assert_error(CALL(f, "Watch", "s", "x"), NAME ".Error.InvalidIds", NULL);
	assert_error(CALL(f, "Pause", "s", "0"), NAME ".Error.InvalidIds", NULL);
	assert_error(CALL(f, "Forget", "s", ""), NAME ".Error.InvalidIds",
		"no ids: expected ids and ranges from 1 to 65535, such as 1-3,9");
	assert_error(CALL(f, "Forget", "s", "65536"), NAME ".Error.InvalidIds", NULL);
}

static void test_refuses_a_huge_list_of_ids(void **state)
{
	struct fixture *f = fixture(state);
	_cleanup_(freep) char *text = malloc(20000001);
	char *end = text;

	assert_non_null(text);
	for (unsigned i = 0; i < 10000000; i++)
		end = mempcpy(end, "1,", 2);
	strcpy(end - 1, "");
	assert_error(CALL(f, "ListClients", "sb", text, 0), NAME ".Error.InvalidIds",
		"a list of ids may have 65536 bytes, this one has 19999999");
	text[65535] = '\0';
	assert_int_equal(list(f, text, 0), 1);
}

/* --- what can be changed */

static void test_reload_tells_what_waits_for_a_restart(void **state)
{
	struct fixture *f = fixture(state);
	const char *a, *b;

	assert_true(sd_bus_message_read(CALL(f, "Reload", ""), "as", 2, &a, &b) > 0);
	assert_string_equal(a, "port");
	assert_string_equal(b, "max_id");
}

static void test_reload_tells_all_that_is_wrong(void **state)
{
	struct fixture *f = fixture(state);

	f->bad_settings = true;
	assert_error(CALL(f, "Reload", ""), NAME ".Error.InvalidSettings", "f:1: a: wrong\nf:2: b: wrong");
}

static void test_changes_clients(void **state)
{
	static const struct {
		const char *member;
		enum bus_change change;
	} cases[] = { { "Pause", BUS_PAUSE }, { "Resume", BUS_RESUME }, { "Forget", BUS_FORGET } };
	struct fixture *f = fixture(state);
	uint32_t changed;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_true(sd_bus_message_read(CALL(f, cases[i].member, "s", "4-6,9"), "u", &changed) > 0);
		assert_int_equal(changed, 4);
		assert_int_equal(f->change, cases[i].change);
		assert_int_equal(f->changed_first, 4);
	}
}

static void test_a_long_change_holds_up_nobody(void **state)
{
	struct fixture *f = fixture(state);
	struct tally tally = { 0 };
	uint32_t changed;

	f->endless = true; /* however slow the bus is */
	assert_true(sd_bus_call_method_async(f->client, NULL, NAME, PATH, INTERFACE, "Forget", on_list_reply,
			    &tally, "s", "1-65535") >= 0);
	assert_null(sd_bus_message_get_error(CALL(f, "GetClient", "u", 2)));
	assert_int_equal(tally.answered, 0); /* who came later was answered before */
	f->endless = false;
	RUN_UNTIL(f, tally.answered == 1);
	assert_true(f->change_steps > 100);
	assert_true(sd_bus_message_read(CALL(f, "Forget", "s", "1-65535"), "u", &changed) > 0);
	assert_int_equal(changed, 65535);
}

static void test_long_lists_hold_up_nobody_else(void **state)
{
	struct fixture *f = fixture(state);
	struct tally tally = { 0 };
	uint32_t changed, next;
	sd_bus *others[8];

	f->last = 1000000;
	for (size_t i = 0; i < ELEMENTS(others); i++) {
		others[i] = connect_client(f, true);
		list_all(others[i], &tally);
	}
	assert_true(sd_bus_message_read(CALL(f, "Forget", "s", "1-1000"), "u", &changed) > 0);
	assert_int_equal(changed, 1000);
	assert_int_equal(page(f, 0, "", 0, 1000, &next), 1000);
	assert_int_equal(tally.answered, 0);
	for (size_t i = 0; i < ELEMENTS(others); i++)
		sd_bus_close_unref(others[i]);
}

/* --- watching */

static void watch(struct fixture *f, const char *ids)
{
	uint64_t seq;

	assert_true(sd_bus_message_read(CALL(f, "Watch", "s", ids), "t", &seq) > 0);
	assert_int_equal(seq, f->watchers.seq);
}

static void test_a_watcher_is_told_what_happens(void **state)
{
	struct fixture *f = fixture(state);

	watch(f, "");
	assert_int_equal(f->n_watched, 1);
	greet(f, 2);
	bus_served(f->bus);
	RUN_UNTIL(f, f->signals == 1);
	assert_string_equal(f->heard, "greeting 2 rack A 127.0.0.1:40312 7");
	watchers_event(&f->watchers, WATCH_MISSING, 9, NULL, 0, 1000);
	bus_served(f->bus);
	RUN_UNTIL(f, f->signals == 2);
	assert_string_equal(f->heard, "missing 9 rack A  0");
	assert_int_equal(f->missed, 0);
}

static void test_watching_again_replaces_the_filter(void **state)
{
	struct fixture *f = fixture(state);

	watch(f, "1");
	watch(f, "2");
	assert_int_equal(f->watchers.n, 1);
	greet(f, 1);
	greet(f, 2);
	bus_served(f->bus);
	RUN_UNTIL(f, f->signals == 1);
	assert_int_equal(f->seen, 1);
}

static void test_watching_again_and_again_brings_no_more_signals(void **state)
{
	struct fixture *f = fixture(state);
	uint64_t began = now();

	watch(f, "");
	for (unsigned i = 0; i < 200; i++) {
		greet(f, 2);
		bus_served(f->bus);
		watch(f, i % 2 ? "" : "1-3");
	}
	RUN_UNTIL(f, f->seen + f->missed == 200);
	assert_true(f->signals <= 1 + (now() - began) * 20 / USEC_PER_SEC);
}

static void test_unwatching_tells_the_rest_first(void **state)
{
	struct fixture *f = fixture(state);

	watch(f, "");
	for (unsigned i = 0; i < 1000; i++)
		greet(f, 2);
	assert_null(sd_bus_message_get_error(CALL(f, "Unwatch", "")));
	assert_int_equal(f->seen + f->missed, 1000);
	assert_int_equal(f->watchers.n, 0);
	assert_error(CALL(f, "Unwatch", ""), NAME ".Error.NotWatching", NULL);
}

static void test_seen_and_missed_make_all_of_a_flood(void **state)
{
	struct fixture *f = fixture(state);
	uint64_t greeted = 0, began = now();

	watch(f, "1-10");
	while (now() - began < USEC_PER_SEC / 2) {
		for (unsigned i = 0; i < 2000; i++) {
			greet(f, 1 + i % 20);
			greeted += i % 20 < 10;
		}
		bus_served(f->bus);
		assert_true(sd_event_run(f->event, 0) >= 0);
	}
	bus_served(f->bus);
	RUN_UNTIL(f, f->seen + f->missed >= greeted);
	assert_int_equal(f->seen + f->missed, greeted);
	assert_false(f->out_of_order);
	assert_true(f->missed > 0);
	assert_true(f->signals <= 1 + (now() - began) * 20 / USEC_PER_SEC);
}

static void test_a_watcher_that_does_not_read_gets_the_count_later(void **state)
{
	struct fixture *f = fixture(state);
	sd_bus *slow = connect_client(f, true);
	uint64_t greeted = 0;
	sd_bus_message *reply;

	reply = ask(f, slow, INTERFACE, "Watch", "s", "");
	assert_null(sd_bus_message_get_error(reply));
	run_for(f, USEC_PER_SEC / 10);
	assert_true(sd_bus_detach_event(slow) >= 0);
	for (unsigned i = 0; i < 12; i++) {
		for (unsigned k = 0; k < 300; k++, greeted++)
			greet(f, 2);
		bus_served(f->bus);
		run_for(f, USEC_PER_SEC / 15);
	}
	assert_true(f->watchers.all[0]->missed > 300); /* kept here, not sent */
	assert_true(sd_bus_attach_event(slow, f->event, 0) >= 0);
	RUN_UNTIL(f, f->seen + f->missed >= greeted);
	assert_int_equal(f->seen + f->missed, greeted);
	assert_true(f->signals <= 7);
	f->reply = sd_bus_message_unref(f->reply);
	sd_bus_close_unref(slow);
}

static void test_a_watcher_that_vanishes_is_dropped(void **state)
{
	struct fixture *f = fixture(state);
	sd_bus *other = connect_client(f, true);

	assert_null(sd_bus_message_get_error(ask(f, other, INTERFACE, "Watch", "s", "1-3")));
	watch(f, "");
	assert_int_equal(f->watchers.n, 2);
	f->reply = sd_bus_message_unref(f->reply);
	sd_bus_close_unref(other);
	RUN_UNTIL(f, f->watchers.n == 1);
	assert_int_equal(f->n_watched, 3);
	greet(f, 1);
	bus_served(f->bus);
	RUN_UNTIL(f, f->signals == 1);
}

static int ignore_reply(sd_bus_message *message, void *data, sd_bus_error *error)
{
	(void)message, (void)data, (void)error;
	return 0;
}

static void test_a_watcher_that_vanishes_at_once_is_dropped(void **state)
{
	struct fixture *f = fixture(state);
	sd_bus *other = connect_client(f, true);

	run_for(f, USEC_PER_SEC / 20);
	assert_true(sd_bus_call_method_async(
			    other, NULL, NAME, PATH, INTERFACE, "Watch", ignore_reply, NULL, "s", "") >= 0);
	assert_true(sd_bus_flush(other) >= 0);
	sd_bus_close_unref(other);
	RUN_UNTIL(f, f->n_watched >= 2);
	assert_int_equal(f->watchers.n, 0);
}

static void test_so_many_watchers_and_no_more(void **state)
{
	struct fixture *f = fixture(state);
	sd_bus *others[WATCHERS_MAX];

	for (size_t i = 0; i < WATCHERS_MAX; i++) {
		others[i] = connect_client(f, true);
		assert_null(sd_bus_message_get_error(ask(f, others[i], INTERFACE, "Watch", "s", "1")));
	}
	assert_error(CALL(f, "Watch", "s", ""), NAME ".Error.TooManyWatchers", NULL);
	f->reply = sd_bus_message_unref(f->reply);
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		sd_bus_close_unref(others[i]);
	RUN_UNTIL(f, f->watchers.n == 0);
	watch(f, "");
}

/* --- what everybody is told */

static void hear(struct fixture *f, const char *interface, const char *member)
{
	assert_true(sd_bus_match_signal_async(
			    f->client, NULL, NAME, PATH, interface, member, on_signal, NULL, f) >= 0);
	run_for(f, USEC_PER_SEC / 20); /* until the bus has that */
}

static void test_a_change_of_state_is_told_to_everybody(void **state)
{
	struct fixture *f = fixture(state);

	hear(f, INTERFACE, "ClientStateChanged");
	bus_state_changed(f->bus, 4, "rack A", "late", "missing", 99);
	RUN_UNTIL(f, f->signals == 1);
	assert_string_equal(f->heard, "4 rack A late missing 99");
}

static void test_changed_properties_are_told_once_a_second_at_most(void **state)
{
	struct fixture *f = fixture(state);
	uint64_t began = now();

	hear(f, "org.freedesktop.DBus.Properties", "PropertiesChanged");
	for (unsigned i = 0; i < 50; i++) {
		bus_properties_changed(f->bus);
		run_for(f, USEC_PER_SEC / 100);
	}
	RUN_UNTIL(f, f->signals >= 1);
	assert_string_equal(f->heard, "PropertiesChanged");
	assert_true(f->signals <= 1 + (now() - began) / USEC_PER_SEC);
}

/* --- the bus comes and goes */

static void test_a_bus_that_goes_is_found_again(void **state)
{
	struct fixture *f = fixture(state);

	watch(f, "");
	stop_bus(f);
	RUN_UNTIL(f, f->watchers.n == 0);
	assert_non_null(strstr(f->said, "no control over the user bus: the bus has gone; greeting goes on"));
	greet(f, 1);
	bus_served(f->bus);
	bus_state_changed(f->bus, 4, "", "late", "missing", 99);
	bus_properties_changed(f->bus);
	run_for(f, USEC_PER_SEC / 2);
	assert_int_equal(f->n_said, 1); /* once */
	f->client = sd_bus_close_unref(f->client);
	assert_true(start_bus(f));
	RUN_UNTIL(f, f->n_said == 2);
	assert_string_equal(f->said, "control over the bus is there again");
	f->client = connect_client(f, true);
	have_name(f);
	watch(f, "");
	greet(f, 1);
	bus_served(f->bus);
	RUN_UNTIL(f, f->seen == 1);
}

static void test_a_bus_that_comes_later_is_found(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_int_equal(f->n_said, 1);
	assert_non_null(strstr(f->said, "No such file or directory"));
	run_for(f, USEC_PER_SEC / 4);
	assert_int_equal(f->n_said, 1);
	if (!start_bus(f)) {
		stop_bus(f);
		skip();
	}
	RUN_UNTIL(f, f->n_said == 2);
	f->client = connect_client(f, true);
	assert_int_equal(list(f, "", 0), CLIENTS);
}

static void test_says_that_the_name_is_not_allowed(void **state)
{
	struct fixture *f = *state;

	configure_bus(f, false);
	if (!start_bus(f)) {
		stop_bus(f);
		skip();
	}
	start(f);
	RUN_UNTIL(f, f->n_said == 1);
	assert_non_null(strstr(f->said, "not allowed to own"));
}

static void test_says_that_another_process_has_the_name_until_it_goes(void **state)
{
	struct fixture *f = *state;
	sd_bus *other;

	if (!start_bus(f)) {
		stop_bus(f);
		skip();
	}
	assert_true(sd_bus_open_user(&other) >= 0);
	assert_true(sd_bus_request_name(other, NAME, 0) >= 0);
	start(f);
	RUN_UNTIL(f, f->n_said == 1);
	assert_non_null(strstr(f->said, "another process has the name"));
	sd_bus_close_unref(other);
	RUN_UNTIL(f, f->n_said == 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define CASE_WITHOUT_BUS(test) cmocka_unit_test_setup_teardown(test, set_up_without_bus, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_introspection_shows_the_interface),
		CASE(test_properties_are_what_the_daemon_says),
		CASE(test_refusals_are_counted_by_code),
		CASE(test_lists_all_clients_by_id),
		CASE(test_lists_the_clients_asked_for),
		CASE(test_pages_hold_as_many_as_asked_for),
		CASE(test_a_long_roll_is_listed_page_by_page),
		CASE(test_a_list_too_long_for_a_message_is_refused),
		CASE(test_many_lists_at_once_are_bounded),
		CASE(test_shows_one_client),
		CASE(test_refuses_what_are_no_ids),
		CASE(test_refuses_a_huge_list_of_ids),
		CASE(test_reload_tells_what_waits_for_a_restart),
		CASE(test_reload_tells_all_that_is_wrong),
		CASE(test_changes_clients),
		CASE(test_a_long_change_holds_up_nobody),
		CASE(test_long_lists_hold_up_nobody_else),
		CASE(test_a_watcher_is_told_what_happens),
		CASE(test_watching_again_replaces_the_filter),
		CASE(test_watching_again_and_again_brings_no_more_signals),
		CASE(test_unwatching_tells_the_rest_first),
		CASE(test_seen_and_missed_make_all_of_a_flood),
		CASE(test_a_watcher_that_does_not_read_gets_the_count_later),
		CASE(test_a_watcher_that_vanishes_is_dropped),
		CASE(test_a_watcher_that_vanishes_at_once_is_dropped),
		CASE(test_so_many_watchers_and_no_more),
		CASE(test_a_change_of_state_is_told_to_everybody),
		CASE(test_changed_properties_are_told_once_a_second_at_most),
		CASE(test_a_bus_that_goes_is_found_again),
		CASE_WITHOUT_BUS(test_a_bus_that_comes_later_is_found),
		CASE_WITHOUT_BUS(test_says_that_the_name_is_not_allowed),
		CASE_WITHOUT_BUS(test_says_that_another_process_has_the_name_until_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

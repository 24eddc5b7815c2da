/* metrics.c: "sockctl metrics": OpenMetrics, for the textfile collector of Prometheus' node exporter. */
#include "sockctl/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "sockctl/exits.h"
#include "sockctl/json.h"
#include "sockctl/output.h"
#include "sockctl/roll-text.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

const struct option_spec metrics_options[] = {
	{ VERB_CLIENTS, "clients", NULL, "print metrics of each client on the roll, too" },
	VERB_ROW_JSON,
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"Print metrics as OpenMetrics text, for the textfile folder of Prometheus' node exporter.",
	metrics_options,
	OPERANDS_NONE,
};

/* Where samples go: lines of the text format, or one object of JSON each. */
struct sink {
	FILE *out;
	bool json;
	size_t n;                       /* samples so far */
	const char *name, *type, *help; /* of the family at hand */
};

struct label {
	const char *name, *value;
};

static void family(struct sink *sink, const char *name, const char *type, const char *help)
{
	sink->name = name;
	sink->type = type;
	sink->help = help;
	if (sink->json)
		return;
	fprintf(sink->out, "# HELP greeterd_%s %s\n", name, help);
	/* What Prometheus calls the counter x_total, OpenMetrics calls the counter x of sample x_total, and
	 * each refuses the other's line. Without a type both take it. */
	if (strcmp(type, "counter") != 0)
		fprintf(sink->out, "# TYPE greeterd_%s %s\n", name, type);
}

/* A label's value, as the text format wants it. */
static void quote(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || *text == '\n')
			fputc('\\', out);
		fputc(*text == '\n' ? 'n' : *text, out);
	}
	fputc('"', out);
}

static void print_line(const struct sink *sink, const struct label *labels, size_t n, const char *value)
{
	fprintf(sink->out, "greeterd_%s", sink->name);
	for (size_t i = 0; i < n; i++) {
		fprintf(sink->out, "%s%s=", i > 0 ? "," : "{", labels[i].name);
		quote(sink->out, labels[i].value);
	}
	fprintf(sink->out, "%s %s\n", n > 0 ? "}" : "", value);
}

static void print_object(const struct sink *sink, const struct label *labels, size_t n, const char *value)
{
	_cleanup_(json_putp) struct json_object *object = json_object_new_object();
	struct json_object *of = json_object_new_object();
	char name[80];

	if (!object)
		return;
	snprintf(name, sizeof(name), "greeterd_%s", sink->name);
	json_add_text(object, "name", name);
	json_add_text(object, "type", sink->type);
	json_add_text(object, "help", sink->help);
	for (size_t i = 0; i < n; i++)
		json_add_text(of, labels[i].name, labels[i].value);
	json_object_object_add(object, "labels", of);
	json_object_object_add(object, "value", json_object_new_double_s(0, value));
	if (sink->n > 0)
		fputc(',', sink->out);
	json_print_part(object, sink->out);
}

static void sample(struct sink *sink, const struct label *labels, size_t n, const char *value)
{
	(sink->json ? print_object : print_line)(sink, labels, n, value);
	sink->n++;
}

static void number(struct sink *sink, const struct label *labels, size_t n, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	sample(sink, labels, n, text);
}

static void seconds(struct sink *sink, const struct label *labels, size_t n, uint64_t usec)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, usec / USEC_PER_SEC, usec % USEC_PER_SEC);
	sample(sink, labels, n, text);
}

static const char *const state_names[METRICS_STATES] = { "new", "present", "late", "missing", "returned",
	"paused" };

void metrics_count(struct metrics_states *states, const struct client_list *page)
{
	for (size_t i = 0; i < page->n; i++)
		for (size_t s = 0; s < METRICS_STATES; s++)
			states->counts[s] += strcmp(page->clients[i].state, state_names[s]) == 0;
}

static void print_states(struct sink *sink, const struct metrics_states *states)
{
	family(sink, "clients", "gauge", "Clients on the roll, by state.");
	for (size_t s = 0; s < METRICS_STATES; s++)
		number(sink, &(struct label){ "state", state_names[s] }, 1, states->counts[s]);
}

static void print_daemon(struct sink *sink, const struct daemon_status *status)
{
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} numbers[] = {
		{ "greetings_total", "counter", "Greetings that were answered.", status->greetings },
		{ "connections", "gauge", "Established connections.", status->connections },
		{ "max_connections", "gauge", "As many connections are served.", status->max_connections },
		{ "watchers", "gauge", "Who follows the greetings over D-Bus.", status->watchers },
		{ "port_trouble", "gauge", "Whether the sockets differ from the settings.",
			status->port_trouble[0] != '\0' },
		{ "settings_trouble", "gauge", "Whether the settings cannot be used.",
			status->settings_trouble[0] != '\0' },
	};

	family(sink, "build_info", "gauge", "The daemon's version.");
	number(sink, &(struct label){ "version", status->version }, 1, 1);
	family(sink, "start_timestamp_seconds", "gauge", "When the daemon started.");
	seconds(sink, NULL, 0, status->started_at);
	family(sink, "reload_timestamp_seconds", "gauge",
		"When the settings were read last; 0: at the start.");
	seconds(sink, NULL, 0, status->reloaded_at);
	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		family(sink, numbers[i].name, numbers[i].type, numbers[i].help);
		number(sink, NULL, 0, numbers[i].value);
	}
	if (status->n_refusals > 0)
		family(sink, "refusals_total", "counter", "Refusals, by code.");
	for (size_t i = 0; i < status->n_refusals; i++)
		number(sink, &(struct label){ "code", status->refusals[i].code }, 1,
			status->refusals[i].count);
}

enum of_client { GREETINGS, LAST_SEEN, MISSING };

static void print_client(struct sink *sink, const struct client *client, enum of_client what)
{
	char id[ROLL_ID_MAX];
	const struct label labels[] = { { "id", roll_id(client->id, id) }, { "name", client->name } };

	if (what == LAST_SEEN)
		seconds(sink, labels, ELEMENTS(labels), client->last_seen);
	else
		number(sink, labels, ELEMENTS(labels),
			what == GREETINGS ? client->count : strcmp(client->state, "missing") == 0);
}

/* A family's samples must follow each other. */
static void print_clients(struct sink *sink, const struct client_list *list)
{
	static const char *const families[][3] = {
		[GREETINGS] = { "client_greetings_total", "counter", "Greetings of a client." },
		[LAST_SEEN] = { "client_last_seen_timestamp_seconds", "gauge",
			"When a client greeted last; 0: never." },
		[MISSING] = { "client_missing", "gauge", "Whether a client is awaited and missing." },
	};

	for (size_t f = 0; f < ELEMENTS(families) && list->n > 0; f++) {
		family(sink, families[f][0], families[f][1], families[f][2]);
		for (size_t i = 0; i < list->n; i++)
			print_client(sink, &list->clients[i], (enum of_client)f);
	}
}

void metrics_print(const struct daemon_status *status, const struct metrics_states *states,
	const struct client_list *clients, bool json, FILE *out)
{
	struct sink sink = { .out = out, .json = json };

	if (json)
		fprintf(out, "{\"schema_version\":%d,\"metrics\":[", JSON_SCHEMA);
	print_daemon(&sink, status);
	print_states(&sink, states);
	if (clients)
		print_clients(&sink, clients);
	fputs(json ? "]}\n" : "# EOF\n", out);
}

/* Counts the clients, and keeps them where each is to have samples. Returns an exit status. */
static int read_clients(
	struct control *control, bool keep, struct metrics_states *states, struct client_list *ret)
{
	uint32_t first = 0;

	do {
		_cleanup_(client_list_deinit) struct client_list page = { 0 };
		int r = control_page(control, "", false, UINT32_MAX, &first, &page);

		if (r != EXIT_DONE)
			return r;
		metrics_count(states, &page);
		if (keep && client_list_append(ret, &page) < 0)
			return output_end(EXIT_NO, -ENOMEM);
	} while (first != 0);
	return EXIT_DONE;
}

int metrics_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(daemon_status_deinit) struct daemon_status status = { 0 };
	_cleanup_(client_list_deinit) struct client_list clients = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	struct metrics_states states = { 0 };
	int r = verb_begin(&usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	r = control_status(control, &status);
	if (r == EXIT_DONE)
		r = read_clients(control, options.clients, &states, &clients);
	if (r != EXIT_DONE)
		return r;
	metrics_print(&status, &states, options.clients ? &clients : NULL, options.json, stdout);
	return output_end(EXIT_DONE, 0);
}

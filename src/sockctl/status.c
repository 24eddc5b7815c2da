/* status.c: "sockctl status": the daemon at a glance. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "sockctl/exits.h"
#include "sockctl/json.h"
#include "sockctl/moment.h"
#include "sockctl/output.h"
#include "sockctl/roll-text.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

/* As many of the missing are named. */
#define NAMED_MAX 8

const struct option_spec status_options[] = {
	VERB_ROW_JSON,
	VERB_ROW_COLOR,
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"Show the daemon at a glance: its sockets, what it has answered and refused, who is missing.",
	status_options,
	OPERANDS_NONE,
};

static void print_json(const struct daemon_status *status)
{
	_cleanup_(json_putp) struct json_object *object = json_new();
	struct json_object *refusals = json_object_new_object();

	if (!object)
		return;
	json_add_text(object, "version", status->version);
	json_add_time(object, "started_at", status->started_at);
	json_add_time(object, "reloaded_at", status->reloaded_at);
	json_add_texts(object, "listen", status->listen);
	json_add_texts(object, "configured_listen", status->configured_listen);
	json_add_text_or_null(object, "port_trouble", status->port_trouble);
	json_add_text_or_null(object, "settings_trouble", status->settings_trouble);
	json_add_number(object, "connections", status->connections);
	json_add_number(object, "max_connections", status->max_connections);
	json_add_number(object, "greetings", status->greetings);
	for (size_t i = 0; i < status->n_refusals; i++)
		json_add_number(refusals, status->refusals[i].code, status->refusals[i].count);
	json_object_object_add(object, "refusals", refusals);
	json_add_number(object, "clients", status->clients);
	json_add_number(object, "missing", status->missing);
	json_add_number(object, "watchers", status->watchers);
	json_print(object, stdout);
}

static void print_label(const char *label)
{
	printf("%12s: ", label);
}

static void print_time(const char *label, uint64_t usec)
{
	char when[MOMENT_TEXT_MAX], ago[MOMENT_TEXT_MAX];

	if (usec == 0)
		return;
	print_label(label);
	printf("%s, %s\n", moment_local(usec, when), moment_ago(usec, clock_usec(CLOCK_REALTIME), ago));
}

static void print_list(const char *label, char **texts)
{
	print_label(label);
	for (size_t i = 0; texts && texts[i]; i++)
		printf("%s%s", i > 0 ? ", " : "", texts[i]);
	puts(texts && texts[0] ? "" : "nowhere");
}

/* Trouble may be several lines. */
static void print_trouble(const char *label, const char *trouble, bool color)
{
	print_label(label);
	while (*trouble) {
		int len = (int)strcspn(trouble, "\n");

		printf("%s%.*s%s\n", color ? STYLE_WARNING : "", len, trouble, color ? STYLE_RESET : "");
		trouble += len;
		if (*trouble && *++trouble)
			printf("%14s", "");
	}
}

static void print_sockets(const struct daemon_status *status, bool color)
{
	print_list("Listening", status->listen);
	if (status->port_trouble[0]) {
		print_list("Settings say", status->configured_listen);
		print_trouble("Sockets", status->port_trouble, color);
	}
	if (status->settings_trouble[0])
		print_trouble("Settings", status->settings_trouble, color);
}

static void print_refusals(const struct daemon_status *status)
{
	uint64_t total = 0;

	for (size_t i = 0; i < status->n_refusals; i++)
		total += status->refusals[i].count;
	print_label("Refusals");
	printf("%" PRIu64, total);
	for (size_t i = 0, shown = 0; i < status->n_refusals; i++)
		if (status->refusals[i].count > 0)
			printf("%s%s %" PRIu64, shown++ > 0 ? ", " : " (", status->refusals[i].code,
				status->refusals[i].count);
	puts(total > 0 ? ")" : "");
}

static void print_missing(const struct daemon_status *status, const struct client_list *missing, bool color)
{
	char id[ROLL_ID_MAX];

	printf("%s%" PRIu32 " missing%s", color ? style_of("missing") : "", status->missing,
		color ? STYLE_RESET : "");
	for (size_t i = 0; i < missing->n && i < NAMED_MAX; i++) {
		const struct client *client = &missing->clients[i];

		printf("%s%s", i > 0 ? ", " : ": ", roll_id(client->id, id));
		if (client->name[0])
			printf(" (%s)", client->name);
	}
	fputs(missing->n > NAMED_MAX ? ", …" : "", stdout);
}

static void print_text(const struct daemon_status *status, const struct client_list *missing, bool color)
{
	printf("%sgreeterd %s%s\n", color ? STYLE_BOLD : "", status->version, color ? STYLE_RESET : "");
	print_time("Since", status->started_at);
	print_time("Reloaded", status->reloaded_at);
	print_sockets(status, color);
	print_label("Connections");
	printf("%" PRIu32 " of at most %" PRIu32 "\n", status->connections, status->max_connections);
	print_label("Greetings");
	printf("%" PRIu64 "\n", status->greetings);
	print_refusals(status);
	print_label("Clients");
	printf("%" PRIu32 " on the roll, ", status->clients);
	if (status->missing > 0)
		print_missing(status, missing, color);
	else
		fputs("nobody missing", stdout);
	putchar('\n');
	print_label("Watchers");
	printf("%" PRIu32 "\n", status->watchers);
}

int status_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(daemon_status_deinit) struct daemon_status status = { 0 };
	_cleanup_(client_list_deinit) struct client_list missing = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	uint32_t first = 0;
	int r = verb_begin(&usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	r = control_status(control, &status);
	if (r == EXIT_DONE && status.missing > 0 && !options.json)
		r = control_page(control, "", true, NAMED_MAX + 1, &first, &missing);
	if (r != EXIT_DONE)
		return r;
	if (options.json)
		print_json(&status);
	else
		print_text(&status, &missing, style_wanted(options.color, STDOUT_FILENO));
	return output_end(EXIT_DONE, 0);
}

/* wait.c: "sockctl wait": until clients greet. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/duration.h"
#include "sockctl/event-text.h"
#include "sockctl/exits.h"
#include "sockctl/output.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

#define CLIENTS_MAX (UINT32_C(1) << 20)
#define RETRY_USEC USEC_PER_SEC

const struct option_spec wait_options[] = {
	VERB_ROW_ID("the clients that must greet, as in 2, 1-3 or 1,4,9"),
	{ VERB_TIMEOUT, "timeout", "T", "how long to wait (default: without end)" },
	VERB_ROW_JSON,
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"Wait until a client greets; with several, until each of them has.",
	wait_options,
	OPERANDS_NONE,
};

struct awaited {
	uint64_t seen; /* when last, before we waited */
	bool greeted;
};

struct waiting {
	struct control *control;
	const struct verb_options *options;
	struct awaited *clients; /* in the order of the ids */
	uint64_t left;
	bool unsure;     /* greetings may have passed unheard: the roll tells */
	uint64_t ask_at; /* not before */
};

static struct awaited *find(const struct waiting *waiting, uint32_t id)
{
	const struct idset *ids = waiting->options->ids;
	struct awaited *first = waiting->clients;

	for (size_t i = 0; i < ids->n_ranges; i++) {
		const struct idset_range *range = &ids->ranges[i];

		if (id >= range->first && id <= range->last)
			return first + (id - range->first);
		first += range->last - range->first + 1;
	}
	return NULL;
}

static void greeted(struct waiting *waiting, const struct event *event)
{
	struct awaited *client = find(waiting, event->id);
	char who[EVENT_WHO_MAX];

	if (!client || client->greeted)
		return;
	client->greeted = true;
	waiting->left--;
	if (waiting->options->json)
		event_json(event, stdout);
	else
		printf("%s greeted from %s\n", event_who(event->id, event->name, who), event->peer);
}

static void on_event(void *userdata, const struct event *event)
{
	if (strcmp(event->kind, "greeting") == 0)
		greeted(userdata, event);
}

static void on_missed(void *userdata, uint64_t count)
{
	struct waiting *waiting = userdata;

	waiting->unsure |= count > 0;
}

static void on_back(void *userdata)
{
	struct waiting *waiting = userdata;

	waiting->unsure = true;
}

static void on_gone(void *userdata)
{
	(void)userdata;
	fprintf(stderr, "sockctl: greeterd has gone; waiting for it to come back\n");
}

/* What cannot be written is said at the end. */
static void on_batch(void *userdata)
{
	(void)userdata;
	fflush(stdout);
}

static void on_clients(void *userdata, struct client_list *list)
{
	struct waiting *waiting = userdata;

	if (!list) { /* the daemon would not say, or went */
		waiting->unsure = true;
		waiting->ask_at = clock_usec(CLOCK_MONOTONIC) + RETRY_USEC;
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct client *client = &list->clients[i];
		const struct awaited *awaited = find(waiting, client->id);
		const struct event event = { EVENT_NO_SEQ, "greeting", client->id, client->name, client->peer,
			client->count, client->last_seen };

		if (awaited && client->last_seen > awaited->seen)
			greeted(waiting, &event);
	}
	fflush(stdout);
}

/* When each greeted last. Returns an exit status. */
static int remember(struct waiting *waiting)
{
	uint32_t first = 0;

	do {
		_cleanup_(client_list_deinit) struct client_list page = { 0 };
		int r = control_page(
			waiting->control, waiting->options->id_list, false, UINT32_MAX, &first, &page);

		if (r != EXIT_DONE)
			return r;
		for (size_t i = 0; i < page.n; i++) {
			struct awaited *client = find(waiting, page.clients[i].id);

			if (client)
				client->seen = page.clients[i].last_seen;
		}
	} while (first != 0);
	return EXIT_DONE;
}

static int say_timeout(const struct waiting *waiting)
{
	const struct idset *ids = waiting->options->ids;
	char span[DURATION_TEXT_MAX];

	duration_format(waiting->options->timeout_usec, span);
	if (idset_count(ids) == 1)
		fprintf(stderr, "sockctl: client %" PRIu32 " did not greet within %s\n", idset_next(ids, 0),
			span);
	else
		fprintf(stderr, "sockctl: %" PRIu64 " of %" PRIu64 " clients did not greet within %s\n",
			waiting->left, idset_count(ids), span);
	return EXIT_UNREACHABLE;
}

/* Asks for the roll if it is time to; returns until when to wait, which is at most until. */
static uint64_t ask(struct waiting *waiting, uint64_t until)
{
	if (!waiting->unsure)
		return until;
	if (clock_usec(CLOCK_MONOTONIC) < waiting->ask_at)
		return waiting->ask_at < until ? waiting->ask_at : until;
	if (control_ask_clients(waiting->control, waiting->options->id_list, on_clients, waiting) == 0)
		waiting->unsure = false;
	return until;
}

static int await(struct waiting *waiting)
{
	const struct verb_options *options = waiting->options;
	uint64_t began = clock_usec(CLOCK_MONOTONIC);
	uint64_t until =
		options->timeout_usec < UINT64_MAX - began ? began + options->timeout_usec : UINT64_MAX;
	int status = EXIT_DONE;

	while (waiting->left > 0 && status == EXIT_DONE) {
		if (control_wait(waiting->control, -1, ask(waiting, until)) < 0)
			status = EXIT_UNREACHABLE;
		else if (waiting->left > 0 && clock_usec(CLOCK_MONOTONIC) >= until)
			status = say_timeout(waiting);
	}
	return output_end(status, 0);
}

int wait_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	_cleanup_(freep) struct awaited *clients = NULL;
	int r = verb_parse(&usage, argc, argv, &options);

	if (r != VERB_GO)
		return r;
	if (!options.ids || idset_count(options.ids) > CLIENTS_MAX) {
		fprintf(stderr, "%s: which clients? --id names them, %" PRIu32 " at most\n", argv[0],
			CLIENTS_MAX);
		return EXIT_USAGE;
	}
	clients = calloc(idset_count(options.ids), sizeof(*clients));
	r = clients ? control_open(&options.target, &control) : EXIT_UNREACHABLE;
	if (r != EXIT_DONE)
		return r;

	struct waiting waiting = { control, &options, clients, idset_count(options.ids), false, 0 };
	const struct control_listener listener = { on_missed, on_event, on_batch, on_gone, on_back,
		&waiting };
	r = control_watch(control, options.id_list, &listener);
	if (r == EXIT_DONE)
		r = remember(&waiting);
	return r == EXIT_DONE ? await(&waiting) : r;
}

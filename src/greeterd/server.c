#include "greeterd/server.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/duration.h"
#include "greeterd/admission.h"
#include "greeterd/handover.h"
#include "greeterd/worker.h"

#define BUSY_REPORT_USEC (10 * USEC_PER_SEC) /* between two journal entries on connections turned away */

struct server {
	struct server_setup setup;
	struct admission *admission;
	struct worker *worker;
	struct server_counters counters;
	uint64_t now;      /* of the batch that is being served */
	uint64_t realtime; /* of day, then */
	uint64_t busy_reported_at;
	uint64_t busy_reported; /* how many of counters.refusals[BUSY] the journal knows of */
};

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	struct server *server = data;
	uint64_t count = roll_record(server->setup.roll, line->id, &session->peer, n, server->realtime);

	server->counters.greetings += n;
	server->counters.newcomers += count == n;
	/* Who was missing has returned with the first greeting, and is present with another. */
	for (size_t i = 0; server->setup.attendance && i < n && i < 2; i++)
		attendance_greeting(server->setup.attendance, line->id, server->now);
	watchers_greetings(server->setup.watchers, line->id, &session->peer, n, count, server->realtime);
	journal_greeting(server->setup.journal, &session->peer, line->id, n, count, line->text,
		line->text_len, server->now);
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	struct server *server = data;

	if (refusal == PROTOCOL_REFUSAL_BUSY) /* on_busy() counts it, and reports it at a bounded rate */
		return;
	server->counters.refusals[refusal]++;
	roll_refuse(server->setup.roll, session->id);
	journal_refusal(server->setup.journal, &session->peer, refusal, text, text_len, server->now);
}

static void on_connected(void *data, const struct session *session)
{
	struct server *server = data;
	char from[NETIO_TEXT_MAX];

	server->counters.connections++;
	watchers_event(
		server->setup.watchers, WATCH_CONNECTED, session->id, &session->peer, 0, server->realtime);
	journal_say(server->setup.journal, MESSAGE_DETAIL, "client at %s connected",
		netio_peer_format(&session->peer, from));
}

static void on_disconnected(void *data, const struct session *session)
{
	struct server *server = data;

	watchers_event(
		server->setup.watchers, WATCH_DISCONNECTED, session->id, &session->peer, 0, server->realtime);
	journal_disconnect(server->setup.journal, &session->peer, session->id, server->now);
}

static const char *busy_reason(int error)
{
	switch (error) {
	case -EBUSY:
		return "max_connections is reached";
	case -EDQUOT:
		return "max_connections_per_source is reached";
	default:
		return strerror(-error);
	}
}

static void on_busy(void *data, int error)
{
	struct server *server = data;
	uint64_t *total = &server->counters.refusals[PROTOCOL_REFUSAL_BUSY];

	(*total)++;
	if (server->busy_reported > 0 && server->now - server->busy_reported_at < BUSY_REPORT_USEC)
		return;
	journal_say(server->setup.journal, MESSAGE_BUSY, "connections turned away: %" PRIu64 ", %s",
		*total - server->busy_reported, busy_reason(error));
	server->busy_reported_at = server->now;
	server->busy_reported = *total;
}

static const struct worker_observer observer = {
	.session = { .greeting = on_greeting, .refusal = on_refusal },
	.connected = on_connected,
	.disconnected = on_disconnected,
	.busy = on_busy,
};

int server_new(const struct server_setup *setup, struct server **ret)
{
	_cleanup_(server_freep) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->setup = *setup;
	r = admission_new(setup->settings->max_connections, setup->settings->max_connections_per_source,
		&server->admission);
	if (r < 0)
		return r;

	const struct worker_setup worker = {
		.settings = setup->settings,
		.listeners = setup->listeners,
		.n_listeners = setup->n_listeners,
		.admission = server->admission,
		.observer = &observer,
		.observer_data = server,
	};
	r = worker_new(&worker, &server->worker);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(server);
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	worker_free(server->worker);
	admission_free(server->admission);
	free(server);
}

int server_fd(const struct server *server)
{
	return worker_fd(server->worker);
}

/* After the connections were served: what they gave to say is said, and the next wake-up for the journal's
 * sake is set. */
static void finish_batch(struct server *server)
{
	journal_flush(server->setup.journal, server->now);
	worker_wake_at(server->worker, journal_next(server->setup.journal));
}

void server_set_realtime(struct server *server, uint64_t realtime)
{
	server->realtime = realtime;
}

int server_dispatch(struct server *server, uint64_t now)
{
	int r;

	server->now = now;
	r = worker_dispatch(server->worker, now);
	finish_batch(server);
	return r;
}

void server_drain(struct server *server, uint64_t now, uint64_t deadline)
{
	server->now = now;
	worker_drain(server->worker, now, deadline);
	finish_batch(server);
}

void server_reload(struct server *server, const struct settings *settings)
{
	server->setup.settings = settings;
	admission_set(server->admission, settings->max_connections, settings->max_connections_per_source);
	journal_set_burst(server->setup.journal, settings->journal_burst);
	worker_reload(server->worker, settings, server->now);
}

int server_hand_over(struct server *server, uint64_t now)
{
	_cleanup_(handover_freep) struct handover *handover = NULL;
	int r = handover_new(&handover);

	if (r < 0)
		return r;
	server->now = now;
	worker_hand_over(server->worker, handover, now);
	finish_batch(server);
	return handover_count(handover) > 0 ? handover_seal(handover) : -ENODATA;
}

static int take_up(void *data, int fd, const struct session_record *record, const char *bytes)
{
	struct server *server = data;

	return worker_take_up(server->worker, fd, record, bytes, server->now);
}

int server_take_up(struct server *server, int carrier, uint64_t now, size_t *ret_lost)
{
	server->now = now;
	return handover_open(carrier, take_up, server, ret_lost);
}

size_t server_connections(const struct server *server)
{
	return worker_sessions(server->worker);
}

const struct server_counters *server_counters(const struct server *server)
{
	return &server->counters;
}

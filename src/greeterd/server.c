#include "greeterd/server.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "common/duration.h"
#include "greeterd/admission.h"
#include "greeterd/handover.h"
#include "greeterd/pool.h"
#include "greeterd/worker.h"

#define BUSY_REPORT_USEC (10 * USEC_PER_SEC) /* between two journal entries on connections turned away */

/* What a worker's observer is called with: its clock goes on with each batch. */
struct desk {
	struct server *server;
	struct worker *worker;
	uint64_t now, realtime;
};

struct server {
	struct server_setup setup;
	struct admission *admission;
	struct pool *pool;
	size_t n_workers;
	struct desk desks[POOL_WORKERS_MAX];

	uint64_t realtime; /* of day, for the main thread */

	/* With the pool's lock held: */
	struct server_counters counters;
	uint64_t now; /* of the latest batch of all: one thread's may be behind another's */
	uint64_t busy_reported_at;
	uint64_t busy_reported; /* how many of counters.refusals[BUSY] the journal knows of */
};

/* Takes the lock for what the workers share. */
static struct server *enter(const struct desk *desk)
{
	struct server *server = desk->server;

	pool_lock(server->pool);
	if (desk->now > server->now)
		server->now = desk->now;
	return server;
}

static void leave(struct server *server)
{
	pool_unlock(server->pool);
}

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	const struct desk *desk = data;
	uint64_t count = roll_record(desk->server->setup.roll, line->id, &session->peer, n, desk->realtime);
	struct server *server = enter(desk);

	server->counters.greetings += n;
	server->counters.newcomers += count == n;
	/* Who was missing has returned with the first greeting, and is present with another. */
	for (size_t i = 0; server->setup.attendance && i < n && i < 2; i++)
		attendance_greeting(server->setup.attendance, line->id, server->now);
	watchers_greetings(server->setup.watchers, line->id, &session->peer, n, count, desk->realtime);
	journal_greeting(server->setup.journal, &session->peer, line->id, n, count, line->text,
		line->text_len, server->now);
	leave(server);
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	struct server *server;

	if (refusal == PROTOCOL_REFUSAL_BUSY) /* on_busy() counts it, and reports it at a bounded rate */
		return;
	server = enter(data);
	server->counters.refusals[refusal]++;
	roll_refuse(server->setup.roll, session->id);
	journal_refusal(server->setup.journal, &session->peer, refusal, text, text_len, server->now);
	leave(server);
}

static void on_connected(void *data, const struct session *session)
{
	const struct desk *desk = data;
	struct server *server = enter(desk);
	char from[NETIO_TEXT_MAX];

	server->counters.connections++;
	watchers_event(
		server->setup.watchers, WATCH_CONNECTED, session->id, &session->peer, 0, desk->realtime);
	if (journal_is_verbose(server->setup.journal))
		journal_say(server->setup.journal, MESSAGE_DETAIL, "client at %s connected",
			netio_peer_format(&session->peer, from));
	leave(server);
}

static void on_disconnected(void *data, const struct session *session)
{
	const struct desk *desk = data;
	struct server *server = enter(desk);

	watchers_event(
		server->setup.watchers, WATCH_DISCONNECTED, session->id, &session->peer, 0, desk->realtime);
	journal_disconnect(server->setup.journal, &session->peer, session->id, server->now);
	leave(server);
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

/* With the lock held. */
static void count_busy(struct server *server, int error)
{
	uint64_t *total = &server->counters.refusals[PROTOCOL_REFUSAL_BUSY];

	(*total)++;
	if (server->busy_reported > 0 && server->now - server->busy_reported_at < BUSY_REPORT_USEC)
		return;
	journal_say(server->setup.journal, MESSAGE_BUSY, "connections turned away: %" PRIu64 ", %s",
		*total - server->busy_reported, busy_reason(error));
	server->busy_reported_at = server->now;
	server->busy_reported = *total;
}

static void on_busy(void *data, int error)
{
	struct server *server = enter(data);

	count_busy(server, error);
	leave(server);
}

static struct worker *place(void *data, struct worker *worker)
{
	const struct desk *desk = data;

	return pool_place(desk->server->pool, worker);
}

static const struct worker_observer observer = {
	.session = { .greeting = on_greeting, .refusal = on_refusal },
	.connected = on_connected,
	.disconnected = on_disconnected,
	.busy = on_busy,
};

/* --- the pool */

static void begin_batch(void *data, size_t i, uint64_t now, uint64_t realtime)
{
	struct server *server = data;

	server->desks[i].now = now;
	server->desks[i].realtime = realtime;
}

/* After the connections were served: what they gave to say is said. */
static void end_batch(void *data, size_t i)
{
	struct server *server = data;

	(void)i;
	journal_flush(server->setup.journal, server->now);
}

/* One for each CPU that this process may use: sched_setaffinity(2), cpuset of cgroups(7). */
static size_t count_workers(const struct settings *settings)
{
	cpu_set_t allowed;
	size_t n = settings->workers;

	if (n == 0)
		n = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? (size_t)CPU_COUNT(&allowed) : 1;
	return n < POOL_WORKERS_MAX ? n : POOL_WORKERS_MAX;
}

static int hire(struct server *server, size_t i, bool shared)
{
	const struct server_setup *setup = &server->setup;
	const struct worker_setup worker = {
		.settings = setup->settings,
		.listeners = setup->listeners,
		.n_listeners = setup->n_listeners,
		.admission = server->admission,
		.observer = &observer,
		.observer_data = &server->desks[i],
		.place = shared ? place : NULL,
	};

	server->desks[i].server = server;
	return worker_new(&worker, &server->desks[i].worker);
}

static int open_pool(struct server *server)
{
	struct worker *workers[POOL_WORKERS_MAX];
	struct pool_setup setup = {
		.workers = workers,
		.n = count_workers(server->setup.settings),
		.begins = begin_batch,
		.ends = end_batch,
		.data = server,
	};
	int r = 0;

	for (; r == 0 && server->n_workers < setup.n; server->n_workers++) {
		r = hire(server, server->n_workers, setup.n > 1);
		workers[server->n_workers] = server->desks[server->n_workers].worker;
	}
	return r < 0 ? r : pool_new(&setup, &server->pool);
}

int server_new(const struct server_setup *setup, struct server **ret)
{
	_cleanup_(server_freep) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->setup = *setup;
	r = admission_new(setup->settings->max_connections, setup->settings->max_connections_per_source,
		&server->admission);
	if (r == 0)
		r = open_pool(server);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(server);
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	if (server->pool)
		pool_stop(server->pool);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_free(server->desks[i].worker);
	pool_free(server->pool);
	admission_free(server->admission);
	free(server);
}

int server_start(struct server *server)
{
	return pool_start(server->pool);
}

void server_lock(struct server *server)
{
	pool_lock(server->pool);
}

void server_unlock(struct server *server)
{
	pool_unlock(server->pool);
}

bool server_is_stuck(struct server *server)
{
	return pool_is_stuck(server->pool);
}

int server_fd(const struct server *server)
{
	return pool_fd(server->pool);
}

void server_set_realtime(struct server *server, uint64_t realtime)
{
	server->realtime = realtime;
}

/* What the workers gave to say is said, and the next wake-up for the journal's sake is set. */
static void flush(struct server *server)
{
	end_batch(server, 0);
	pool_wake_at(server->pool, journal_next(server->setup.journal));
}

int server_dispatch(struct server *server, uint64_t now)
{
	int r;

	if (now > server->now)
		server->now = now;
	r = pool_dispatch(server->pool, now, server->realtime);
	flush(server);
	return r;
}

bool server_stop_if_idle(struct server *server)
{
	pool_stop(server->pool); /* who is accepted meanwhile is somebody */
	if (server_connections(server) == 0)
		return true;
	return pool_start(server->pool) < 0;
}

/* --- what concerns all workers at once */

/* Stops them, with their clocks set for what is to be done with them. */
static void pause_workers(struct server *server, uint64_t now)
{
	pool_pause(server->pool);
	for (size_t i = 0; i < server->n_workers; i++) {
		struct desk *desk = &server->desks[i];

		begin_batch(server, i, now > desk->now ? now : desk->now, server->realtime);
	}
}

static void resume_workers(struct server *server)
{
	pool_resume(server->pool);
	flush(server);
}

int server_drain(struct server *server, uint64_t now, uint64_t deadline)
{
	pause_workers(server, now);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_drain(server->desks[i].worker, server->desks[i].now, deadline);
	resume_workers(server);
	return pool_start(server->pool);
}

void server_pause(struct server *server)
{
	pause_workers(server, server->now);
}

void server_resume(struct server *server)
{
	resume_workers(server);
}

void server_reload(struct server *server, const struct settings *settings)
{
	pool_lock(server->pool);
	server->setup.settings = settings;
	journal_set_burst(server->setup.journal, settings->journal_burst);
	pool_unlock(server->pool);
	admission_set(server->admission, settings->max_connections, settings->max_connections_per_source);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_reload(server->desks[i].worker, settings, server->desks[i].now);
}

int server_hand_over(struct server *server, uint64_t now)
{
	_cleanup_(handover_freep) struct handover *handover = NULL;
	int r = handover_new(&handover);

	if (r < 0)
		return r;
	pool_stop(server->pool); /* or they would go on with what is another process's */
	pause_workers(server, now);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_hand_over(server->desks[i].worker, handover, server->desks[i].now);
	resume_workers(server);
	return handover_count(handover) > 0 ? handover_seal(handover) : -ENODATA;
}

static int take_up(void *data, int fd, const struct session_record *record, const char *bytes)
{
	struct server *server = data;
	struct worker *worker = pool_place(server->pool, server->desks[0].worker);

	return worker_take_up(worker, fd, record, bytes, server->now);
}

int server_take_up(struct server *server, int carrier, uint64_t now, size_t *ret_lost)
{
	server->now = now;
	return handover_open(carrier, take_up, server, ret_lost);
}

size_t server_connections(const struct server *server)
{
	size_t n = 0;

	for (size_t i = 0; i < server->n_workers; i++)
		n += worker_sessions(server->desks[i].worker);
	return n;
}

const struct server_counters *server_counters(const struct server *server)
{
	return &server->counters;
}

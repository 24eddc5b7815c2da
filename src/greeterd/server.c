#include "greeterd/server.h"

#include <errno.h>
#include <sched.h>

#include "greeterd/handover.h"
#include "greeterd/server-internal.h"

/* --- the pool */

static struct worker *place(void *data, struct worker *worker)
{
	const struct desk *desk = data;

	return pool_place(desk->server->pool, worker);
}

static struct worker *next(void *data, struct worker *worker)
{
	const struct desk *desk = data;
	const struct server *server = desk->server;
	size_t i = (size_t)(desk - server->desks) + 1;

	(void)worker;
	return server->desks[i < server->n_workers ? i : 0].worker;
}

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

	server_desk_settle(&server->desks[i]);
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
		.observer = &server_observer,
		.observer_data = &server->desks[i],
		.place = shared ? place : NULL,
		.next = shared ? next : NULL,
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
	journal_flush(server->setup.journal, server->now);
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
	for (size_t i = 0; i < server->n_workers; i++)
		server_desk_settle(&server->desks[i]);
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

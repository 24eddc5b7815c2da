#include "sockctl/load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "common/cleanup.h"
#include "sockctl/load-internal.h"

#define EVENTS 256

/* So many connections are under way to a server's backlog (listen(2)) at once, when all begin. */
#define CONNECTING_MAX 128

/* How often timeouts are looked for, at most. */
#define SCAN_MIN (UINT64_C(1) * 1000 * 1000)

/* As the loop looks around so often anyway, no single wait is longer. */
#define WAIT_MAX NSEC_PER_SEC

#define NSEC_PER_MSEC UINT64_C(1000000)

#define TIMEOUT_MAX_USEC (UINT64_C(15) * 60 * 1000 * 1000)

/* Who may connect now does. */
static void connect_more(struct load *l)
{
	if (l->phase >= LOAD_DRAINING)
		return;
	while (l->later.first && l->later.first->again_at <= l->now)
		load_enqueue(&l->ready, load_dequeue(&l->later));
	if (l->shortage_ends > l->now)
		return;
	l->shortage_ends = 0;
	while (l->ready.first && l->n_connecting < CONNECTING_MAX && l->shortage_ends == 0)
		load_connection_resume(l, load_dequeue(&l->ready));
}

static void scan(struct load *l)
{
	if (l->now < l->next_scan)
		return;
	for (size_t i = 0; i < l->plan->connections; i++)
		load_connection_check_timeout(l, &l->connections[i]);
	l->next_scan = l->now + (l->timeout / 16 < SCAN_MIN               ? SCAN_MIN
					: l->timeout / 16 > LOAD_SCAN_MAX ? LOAD_SCAN_MAX
									  : l->timeout / 16);
}

static void tick(struct load *l)
{
	const struct load_listener *listener = l->listener;

	if (l->now < l->next_tick)
		return;
	l->next_tick = l->now + load_nsec(l->plan->tick_usec);
	load_take_stock(l);
	if (listener->tick(listener->userdata, &l->result) != 0)
		load_end(l);
}

/* When there is something to do next, whatever comes in. */
static uint64_t next_wakeup(const struct load *l)
{
	uint64_t next = load_min(load_min(l->next_scan, l->next_tick), l->phase_ends);

	if (l->phase < LOAD_DRAINING) {
		if (l->later.first)
			next = load_min(next, l->later.first->again_at);
		if (l->ready.first && l->n_connecting < CONNECTING_MAX)
			next = load_min(next, l->shortage_ends);
		next = load_min(next, load_next_due(l));
	}
	return next;
}

/* To the nanosecond where requests are due at certain times, which old kernels cannot. */
static int wait_for_events(struct load *l, struct epoll_event *events)
{
	uint64_t next = next_wakeup(l), length = next > l->now ? next - l->now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(length / NSEC_PER_SEC),
		.tv_nsec = (long)(length % NSEC_PER_SEC) };
	int n = -1;

	if (l->finely) {
		n = epoll_pwait2(l->epoll, events, EVENTS, &timeout, NULL);
		l->finely = n >= 0 || errno != ENOSYS;
	}
	if (!l->finely)
		n = epoll_wait(l->epoll, events, EVENTS,
			(int)((load_min(length, WAIT_MAX) + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC));
	if (n < 0 && errno != EINTR)
		return -errno;
	return n < 0 ? 0 : n;
}

static int loop(struct load *l)
{
	const struct load_listener *listener = l->listener;
	struct epoll_event events[EVENTS];

	while (l->phase != LOAD_OVER) {
		connect_more(l);
		if (listener && listener->round && listener->round(listener->userdata) != 0)
			load_end(l);
		if (l->phase == LOAD_OVER)
			break;

		int n = wait_for_events(l, events);
		if (n < 0)
			return n;
		if (n == 0 || l->plan->rate > 0)
			l->now = clock_nsec(CLOCK_MONOTONIC);
		for (int i = 0; i < n && l->phase != LOAD_OVER; i++) {
			if (events[i].data.ptr)
				load_connection_ready(l, events[i].data.ptr, events[i].events);
			else if (listener->woken(listener->userdata) != 0)
				load_end(l);
		}
		if (l->plan->rate > 0)
			load_send_due(l);
		scan(l);
		if (l->phase != LOAD_OVER)
			load_check_phase(l);
		if (l->phase != LOAD_OVER)
			tick(l);
	}
	return l->error;
}

static int check_plan(const struct load_plan *plan)
{
	if (plan->n_addresses == 0 || plan->n_exchanges == 0 || plan->connections == 0 || plan->depth == 0 ||
		plan->depth > LOAD_DEPTH_MAX || (plan->connect_each && plan->depth > 1) ||
		(plan->duration_usec == 0 && plan->count == 0) || plan->timeout_usec == 0 ||
		plan->timeout_usec > TIMEOUT_MAX_USEC || plan->rate > NSEC_PER_SEC)
		return -EINVAL;
	return 0;
}

static int make_connections(struct load *l)
{
	const struct load_plan *plan = l->plan;

	l->n_tiles = plan->n_exchanges < plan->connections ? plan->n_exchanges : plan->connections;
	l->tiles = calloc(l->n_tiles, sizeof(*l->tiles));
	l->connections = calloc(plan->connections, sizeof(*l->connections));
	l->dues = calloc(plan->connections * plan->depth, sizeof(*l->dues));
	l->idle = calloc(plan->connections, sizeof(*l->idle));
	if (!l->tiles || !l->connections || !l->dues || !l->idle)
		return -ENOMEM;
	for (size_t i = 0; i < plan->connections; i++)
		l->connections[i] = (struct load_connection){
			.fd = -1, .due = l->dues + i * plan->depth, .tiles = &l->tiles[i % l->n_tiles]
		};
	for (size_t i = 0; i < l->n_tiles; i++) {
		int r = load_tiles_init(&l->tiles[i], &plan->exchanges[i], plan->depth);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; !plan->connect_each && i < plan->connections; i++)
		load_enqueue(&l->ready, &l->connections[i]);
	return 0;
}

static int init(struct load *l)
{
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	l->result.latency = histogram_new();
	l->result.connecting = histogram_new();
	l->buffer = malloc(LOAD_BUFFER);
	if (!l->buffer || !l->result.latency || !l->result.connecting)
		return -ENOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	if (l->listener && l->listener->woken && l->listener->fd >= 0 &&
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->listener->fd, &event) < 0)
		return -errno;
	r = make_connections(l);
	if (r < 0)
		return r;
	l->now = l->connected_at = clock_nsec(CLOCK_MONOTONIC);
	l->finely = l->plan->rate > 0;
	l->timeout = l->plan->timeout_usec * NSEC_PER_USEC;
	l->next_tick = l->listener && l->listener->tick && l->plan->tick_usec
			       ? load_after(l->now, load_nsec(l->plan->tick_usec))
			       : LOAD_NEVER;
	load_enter(l, LOAD_CONNECTING, l->plan->connect_each ? 0 : l->timeout);
	return 0;
}

static void deinit(struct load *l)
{
	for (size_t i = 0; l->connections && i < l->plan->connections; i++)
		load_connection_deinit(&l->connections[i]);
	for (size_t i = 0; l->tiles && i < l->n_tiles; i++)
		load_tiles_deinit(&l->tiles[i]);
	free(l->connections);
	free(l->tiles);
	free(l->dues);
	free(l->idle);
	free(l->buffer);
	closep(&l->epoll);
	load_result_deinit(&l->result);
}

int load_run(const struct load_plan *plan, const struct load_listener *listener, struct load_result *ret)
{
	_cleanup_(deinit) struct load load = { .plan = plan, .listener = listener, .epoll = -1 };
	int r = check_plan(plan), slack = 0;

	if (r < 0)
		return r;
	load.ready.end = &load.ready.first;
	load.later.end = &load.later.first;
	r = init(&load);
	if (r == 0) {
		/* What is due is sent when it is due, not up to 50 us later: prctl(2). */
		slack = prctl(PR_GET_TIMERSLACK);
		(void)prctl(PR_SET_TIMERSLACK, 1UL);
		r = loop(&load);
		(void)prctl(PR_SET_TIMERSLACK, (unsigned long)(slack > 0 ? slack : 0));
	}
	if (r < 0)
		return r;
	if (load.short_since)
		load.result.short_of += load.now - load.short_since;
	*ret = load.result;
	load.result.latency = load.result.connecting = NULL;
	return 0;
}

void load_result_deinit(struct load_result *result)
{
	histogram_free(result->latency);
	histogram_free(result->connecting);
	result->latency = result->connecting = NULL;
}

double load_throughput(const struct load_result *result)
{
	return result->elapsed
		       ? (double)result->answered_in_time * (double)NSEC_PER_SEC / (double)result->elapsed
		       : 0;
}

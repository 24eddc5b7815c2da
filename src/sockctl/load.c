#include "sockctl/load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "sockctl/load-internal.h"

#define EVENTS 256

/* So many connections are under way to a server's backlog (listen(2)) at once, when all begin. */
#define CONNECTING_MAX 128

#define SCAN_MIN (UINT64_C(1) * 1000 * 1000)
#define SCAN_MAX (UINT64_C(250) * 1000 * 1000)

/* How long what was due is still sent, when the time is over. */
#define CATCH_UP_MAX NSEC_PER_SEC

#define TIMEOUT_MAX_USEC (UINT64_C(15) * 60 * 1000 * 1000)

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* a + b, or never. */
static uint64_t after(uint64_t a, uint64_t b)
{
	return b < LOAD_NEVER - a ? a + b : LOAD_NEVER;
}

static uint64_t nsec(uint64_t usec)
{
	return usec < LOAD_NEVER / NSEC_PER_USEC ? usec * NSEC_PER_USEC : LOAD_NEVER;
}

/* When request number i of the schedule is due. */
static uint64_t schedule(const struct load *l, uint64_t i)
{
	uint64_t rate = l->plan->rate;

	return l->schedule_began + i / rate * NSEC_PER_SEC + i % rate * NSEC_PER_SEC / rate;
}

static bool may_send(const struct load *l)
{
	if (l->phase <= LOAD_CONNECTING || l->phase >= LOAD_DRAINING)
		return false;
	return l->plan->count == 0 || l->issued < l->plan->count || l->phase == LOAD_WARMING_UP;
}

void load_idle(struct load *l, struct load_connection *c)
{
	size_t n = l->plan->connections;

	if (l->plan->rate == 0 || c->idling)
		return;
	c->idling = true;
	l->idle[(l->idle_at + l->n_idle++) % n] = c;
}

static struct load_connection *take_idle(struct load *l)
{
	struct load_connection *c = l->idle[l->idle_at];

	l->idle_at = (l->idle_at + 1) % l->plan->connections;
	l->n_idle--;
	c->idling = false;
	return c;
}

bool load_claim(struct load *l, uint64_t *ret_due)
{
	if (!may_send(l))
		return false;
	*ret_due = l->now;
	if (l->plan->rate > 0) {
		if (l->next_due > l->now || l->next_due >= l->schedule_ends)
			return false;
		*ret_due = l->next_due;
		l->next_due = schedule(l, ++l->n_scheduled);
	}
	l->issued++;
	return true;
}

static void read_cpu(uint64_t *ret_user, uint64_t *ret_kernel)
{
	struct rusage usage;

	*ret_user = *ret_kernel = 0;
	if (getrusage(RUSAGE_THREAD, &usage) < 0)
		return;
	*ret_user = (uint64_t)usage.ru_utime.tv_sec * NSEC_PER_SEC + (uint64_t)usage.ru_utime.tv_usec * 1000;
	*ret_kernel =
		(uint64_t)usage.ru_stime.tv_sec * NSEC_PER_SEC + (uint64_t)usage.ru_stime.tv_usec * 1000;
}

/* Brings the figures up to the present. */
static void take_stock(struct load *l)
{
	struct load_result *result = &l->result;
	uint64_t user, kernel;

	if (l->phase != LOAD_MEASURING)
		return;
	read_cpu(&user, &kernel);
	result->cpu_user = user - l->cpu_user;
	result->cpu_kernel = kernel - l->cpu_kernel;
	result->elapsed = l->now - l->phase_began;
	result->answered_in_time = result->answered;
}

static void enter(struct load *l, enum load_phase phase, uint64_t length)
{
	l->phase = phase;
	l->phase_began = l->now;
	l->phase_ends = after(l->now, length);
}

static void begin_measuring(struct load *l)
{
	const struct load_plan *plan = l->plan;
	struct load_result *result = &l->result;

	enter(l, LOAD_MEASURING, plan->duration_usec ? nsec(plan->duration_usec) : LOAD_NEVER);
	l->schedule_ends = l->phase_ends;
	l->issued = result->sent = l->in_flight;
	result->answered = result->short_of = 0;
	for (size_t i = 0; i < LOAD_ERRORS; i++)
		result->errors[i] = 0;
	histogram_clear(result->latency);
	read_cpu(&l->cpu_user, &l->cpu_kernel);
}

/* All are connected that can be: the requests begin. */
static void begin_sending(struct load *l)
{
	l->schedule_began = l->next_due = l->now;
	l->schedule_ends = LOAD_NEVER;
	if (l->plan->warmup_usec)
		enter(l, LOAD_WARMING_UP, nsec(l->plan->warmup_usec));
	else
		begin_measuring(l);
	for (size_t i = 0; i < l->plan->connections; i++) {
		struct load_connection *c = &l->connections[i];

		if (l->plan->connect_each)
			load_enqueue(&l->ready, c);
		else if (c->state == LOAD_CONNECTION_OPEN)
			load_connection_fill(l, c);
	}
}

/* What is due, but could not be sent, and will not be. */
static void give_up_unsent(struct load *l)
{
	uint64_t ends = min(l->now, l->schedule_ends), n_due;

	/* With connect_each some may wait for a descriptor or a port. */
	for (size_t i = 0; l->plan->connect_each && i < l->plan->connections; i++) {
		struct load_connection *c = &l->connections[i];

		if (c->state != LOAD_CONNECTION_CLOSED || c->in_flight == 0)
			continue;
		c->in_flight--;
		l->in_flight--;
		l->issued--;
		l->result.sent--;
		l->result.unsent++;
	}
	if (l->plan->rate == 0 || ends <= l->schedule_began)
		return;
	n_due = (uint64_t)((double)(ends - l->schedule_began) / (double)NSEC_PER_SEC * (double)l->plan->rate);
	if (l->plan->count > 0)
		n_due = min(n_due, l->n_scheduled + l->plan->count - l->issued);
	if (n_due > l->n_scheduled)
		l->result.unsent += n_due - l->n_scheduled;
}

static void begin_draining(struct load *l)
{
	give_up_unsent(l);
	enter(l, LOAD_DRAINING, l->timeout + SCAN_MAX);
}

static bool all_sent(const struct load *l)
{
	return l->plan->count > 0 && l->issued >= l->plan->count && l->in_flight == 0;
}

/* Nobody is connected, nor has been for long. */
static bool nobody_there(const struct load *l)
{
	return l->plan->duration_usec == 0 && l->result.open == 0 && (l->later.first || l->ready.first) &&
	       l->now > after(l->heard_at, l->timeout);
}

static void end(struct load *l)
{
	take_stock(l);
	if (l->phase == LOAD_MEASURING || l->phase == LOAD_CATCHING_UP)
		give_up_unsent(l);
	l->result.under_way = l->in_flight;
	l->phase = LOAD_OVER;
}

static void check_phase(struct load *l)
{
	switch (l->phase) {
	case LOAD_CONNECTING:
		if (l->plan->connect_each || l->n_settled == l->plan->connections || l->now >= l->phase_ends)
			begin_sending(l);
		break;
	case LOAD_WARMING_UP:
		if (l->now >= l->phase_ends)
			begin_measuring(l);
		break;
	case LOAD_MEASURING:
		if (all_sent(l) || nobody_there(l)) {
			end(l);
		} else if (l->now >= l->phase_ends) {
			take_stock(l);
			if (l->plan->rate > 0)
				enter(l, LOAD_CATCHING_UP, min(l->timeout, CATCH_UP_MAX));
			else
				begin_draining(l);
		}
		break;
	case LOAD_CATCHING_UP:
		if (l->next_due >= l->schedule_ends || l->now >= l->phase_ends)
			begin_draining(l);
		break;
	default:
		break;
	}
	if (l->phase == LOAD_DRAINING && (l->in_flight == 0 || l->now >= l->phase_ends))
		end(l);
	/* Where nothing ever connected, nothing will. */
	if (l->phase > LOAD_CONNECTING && l->result.connections == 0 &&
		l->n_settled == l->plan->connections) {
		l->error = l->result.connect_errno ? -l->result.connect_errno : -l->result.short_errno;
		if (l->error)
			l->phase = LOAD_OVER;
	}
}

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

/* Those that have no request get those that are due, in turns. */
static void send_due(struct load *l)
{
	while (l->n_idle > 0 && l->next_due <= l->now && l->next_due < l->schedule_ends && may_send(l)) {
		struct load_connection *c = take_idle(l);

		/* One that is lost joins again when it is back. */
		if (l->plan->connect_each || c->state == LOAD_CONNECTION_OPEN)
			load_connection_resume(l, c);
	}
}

static void scan(struct load *l)
{
	if (l->now < l->next_scan)
		return;
	for (size_t i = 0; i < l->plan->connections; i++)
		load_connection_check_timeout(l, &l->connections[i]);
	l->next_scan = l->now + (l->timeout / 16 < SCAN_MIN          ? SCAN_MIN
					: l->timeout / 16 > SCAN_MAX ? SCAN_MAX
								     : l->timeout / 16);
}

static void tick(struct load *l)
{
	const struct load_listener *listener = l->listener;

	if (l->now < l->next_tick)
		return;
	l->next_tick = l->now + nsec(l->plan->tick_usec);
	take_stock(l);
	if (listener->tick(listener->userdata, &l->result) != 0)
		end(l);
}

/* When there is something to do next, whatever comes in. */
static uint64_t next_wakeup(const struct load *l)
{
	uint64_t next = min(min(l->next_scan, l->next_tick), l->phase_ends);

	if (l->phase < LOAD_DRAINING) {
		if (l->later.first)
			next = min(next, l->later.first->again_at);
		if (l->ready.first && l->n_connecting < CONNECTING_MAX)
			next = min(next, l->shortage_ends);
		if (l->n_idle > 0 && may_send(l) && l->next_due < l->schedule_ends)
			next = min(next, l->next_due);
	}
	return next;
}

static int wait_for_events(struct load *l, struct epoll_event *events)
{
	uint64_t next = next_wakeup(l), length = next > l->now ? next - l->now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(length / NSEC_PER_SEC),
		.tv_nsec = (long)(length % NSEC_PER_SEC) };
	int n = epoll_pwait2(l->epoll, events, EVENTS, &timeout, NULL);

	if (n < 0 && errno == ENOSYS)
		n = epoll_wait(l->epoll, events, EVENTS, (int)((length + 999999) / 1000000));
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
			end(l);
		if (l->phase == LOAD_OVER)
			break;

		int n = wait_for_events(l, events);
		if (n < 0)
			return n;
		if (n == 0 || l->plan->rate > 0)
			l->now = load_clock();
		for (int i = 0; i < n && l->phase != LOAD_OVER; i++) {
			if (events[i].data.ptr)
				load_connection_ready(l, events[i].data.ptr, events[i].events);
			else if (listener->woken(listener->userdata) != 0)
				end(l);
		}
		if (l->plan->rate > 0)
			send_due(l);
		scan(l);
		if (l->phase != LOAD_OVER)
			check_phase(l);
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
	l->now = l->heard_at = load_clock();
	l->timeout = l->plan->timeout_usec * NSEC_PER_USEC;
	l->next_tick = l->listener && l->listener->tick && l->plan->tick_usec
			       ? after(l->now, nsec(l->plan->tick_usec))
			       : LOAD_NEVER;
	enter(l, LOAD_CONNECTING, l->plan->connect_each ? 0 : l->timeout);
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

#include "sockctl/load-internal.h"

#include <sys/resource.h>

/* How long what was due is still sent, when the time is over. */
#define CATCH_UP_MAX NSEC_PER_SEC

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

void load_take_stock(struct load *l)
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

void load_enter(struct load *l, enum load_phase phase, uint64_t length)
{
	l->phase = phase;
	l->phase_began = l->now;
	l->phase_ends = load_after(l->now, length);
}

static void begin_measuring(struct load *l)
{
	const struct load_plan *plan = l->plan;
	struct load_result *result = &l->result;

	load_enter(l, LOAD_MEASURING, plan->duration_usec ? load_nsec(plan->duration_usec) : LOAD_NEVER);
	l->schedule_ends = l->phase_ends;
	l->issued = result->sent = l->in_flight;
	result->answered = result->short_of = 0;
	for (size_t i = 0; i < LOAD_ERRORS; i++)
		result->errors[i] = 0;
	if (l->short_since)
		l->short_since = l->now;
	histogram_clear(result->latency);
	read_cpu(&l->cpu_user, &l->cpu_kernel);
}

/* All are connected that can be: the requests begin. */
static void begin_sending(struct load *l)
{
	l->schedule_began = l->next_due = l->now;
	l->schedule_ends = LOAD_NEVER;
	if (l->plan->warmup_usec)
		load_enter(l, LOAD_WARMING_UP, load_nsec(l->plan->warmup_usec));
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

static void begin_draining(struct load *l)
{
	load_give_up_unsent(l);
	load_enter(l, LOAD_DRAINING, l->timeout + LOAD_SCAN_MAX);
}

static bool all_sent(const struct load *l)
{
	return l->plan->count > 0 && l->issued >= l->plan->count && l->in_flight == 0;
}

/* Nobody is connected, nor has been for long. */
static bool nobody_there(const struct load *l)
{
	return l->plan->duration_usec == 0 && l->result.open == 0 && (l->later.first || l->ready.first) &&
	       l->now > load_after(l->connected_at, l->timeout);
}

void load_end(struct load *l)
{
	load_take_stock(l);
	if (l->phase == LOAD_MEASURING || l->phase == LOAD_CATCHING_UP)
		load_give_up_unsent(l);
	l->result.under_way = l->in_flight;
	l->phase = LOAD_OVER;
}

/* All that can be connected are: the others wait for a descriptor or a port, without end perhaps. */
static bool all_connected(const struct load *l)
{
	return l->n_settled == l->plan->connections || (l->short_since && l->n_connecting == 0);
}

void load_check_phase(struct load *l)
{
	switch (l->phase) {
	case LOAD_CONNECTING:
		if (l->plan->connect_each || all_connected(l) || l->now >= l->phase_ends)
			begin_sending(l);
		break;
	case LOAD_WARMING_UP:
		if (l->now >= l->phase_ends)
			begin_measuring(l);
		break;
	case LOAD_MEASURING:
		if (all_sent(l) || nobody_there(l)) {
			load_end(l);
		} else if (l->now >= l->phase_ends) {
			load_take_stock(l);
			if (l->plan->rate > 0)
				load_enter(l, LOAD_CATCHING_UP, load_min(l->timeout, CATCH_UP_MAX));
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
		load_end(l);
	/* Where nothing ever connected, nothing will. */
	if (l->phase > LOAD_CONNECTING && l->result.connections == 0 &&
		l->n_settled == l->plan->connections) {
		l->error = l->result.connect_errno ? -l->result.connect_errno : -l->result.short_errno;
		if (l->error)
			l->phase = LOAD_OVER;
	}
}

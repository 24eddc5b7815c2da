#include "sockctl/load-internal.h"

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

void load_send_due(struct load *l)
{
	while (l->n_idle > 0 && l->next_due <= l->now && l->next_due < l->schedule_ends && may_send(l)) {
		struct load_connection *c = take_idle(l);

		/* One that is lost joins again when it is back. */
		if (l->plan->connect_each || c->state == LOAD_CONNECTION_OPEN)
			load_connection_resume(l, c);
	}
}

void load_give_up_unsent(struct load *l)
{
	uint64_t ends = load_min(l->now, l->schedule_ends), n_due;

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
		n_due = load_min(n_due, l->n_scheduled + l->plan->count - l->issued);
	if (n_due > l->n_scheduled)
		l->result.unsent += n_due - l->n_scheduled;
}

uint64_t load_next_due(const struct load *l)
{
	return l->n_idle > 0 && may_send(l) && l->next_due < l->schedule_ends ? l->next_due : LOAD_NEVER;
}

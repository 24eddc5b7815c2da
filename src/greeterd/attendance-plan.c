#include "greeterd/attendance-internal.h"

#include <errno.h>
#include <string.h>

_Static_assert(SETTINGS_EXPECT_MAX <= UINT16_MAX, "a client names its group in 16 bits");

void attendance_plan_deinit(struct plan *plan)
{
	free(plan->groups);
	free(plan->clients);
}

/* The deadlines of clients that go on waiting must come into their queues in the order in which they began.
 */
static int compare_waits(const void *a, const void *b)
{
	const struct client *one = *(struct client *const *)a, *other = *(struct client *const *)b;

	return one->wait.since < other->wait.since ? -1 : one->wait.since > other->wait.since;
}

static bool waits(enum attendance_state state)
{
	return state != ATTENDANCE_MISSING && state != ATTENDANCE_PAUSED;
}

/* A client as it begins, its term with it. */
static void remember(const struct attendance *attendance, struct client *client, uint64_t now)
{
	uint8_t state = attendance->observer.remembered(attendance->observer.data, client->id);

	client->state = state > ATTENDANCE_UNEXPECTED && state < ATTENDANCE_STATES ? state : ATTENDANCE_NEW;
	client->wait.since = now;
}

/* A client as it was, its term with it unless its spans are others. */
static void take_over(const struct attendance *attendance, struct client *client, const struct client *old,
	const struct group *group, uint64_t now)
{
	const struct group *before = &attendance->plan.groups[old->group];

	client->state = old->state;
	if (before->every.span != group->every.span || before->grace.span != group->grace.span) {
		client->wait.since = now;
		return;
	}
	/* Who was in grace when the machine fell asleep has its whole term again: wake_up(). */
	client->in_grace = old->in_grace && old->wait.since >= attendance->awake_since;
	client->wait.since =
		old->wait.since > attendance->awake_since ? old->wait.since : attendance->awake_since;
}

static int plan_init(struct plan *plan, const struct settings_expect *groups, size_t n_groups)
{
	size_t n = 0;

	for (size_t i = 0; i < n_groups; i++)
		n += idset_count(groups[i].ids);
	*plan = (struct plan){
		.n_groups = n_groups,
		.groups = calloc(n_groups + 1, sizeof(*plan->groups)),
		.clients = calloc(n + 1, sizeof(*plan->clients)),
	};
	if (!plan->groups || !plan->clients) {
		attendance_plan_deinit(plan);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_groups; i++) {
		deadlines_init(&plan->groups[i].every, groups[i].every_usec);
		deadlines_init(&plan->groups[i].grace, groups[i].grace_usec);
	}
	return 0;
}

/* Makes the clients of a group, from those there are. */
static void fill(const struct attendance *attendance, struct plan *plan, uint16_t group,
	const struct idset *ids, uint64_t now)
{
	for (uint32_t id = idset_next(ids, 0); id > 0 && id <= attendance->max_id; id = idset_next(ids, id)) {
		struct client *client = &plan->clients[plan->n_clients++];
		const struct client *old = attendance_find(attendance, id);

		*client = (struct client){ .id = id, .group = group };
		if (old)
			take_over(attendance, client, old, &plan->groups[group], now);
		else
			remember(attendance, client, now);
	}
}

/* Lets those wait that do, who began first first. order: room for a pointer to each client. */
static void start_waits(struct attendance *attendance, struct client **order)
{
	struct plan *plan = &attendance->plan;
	size_t n = 0;

	for (size_t i = 0; i < plan->n_clients; i++)
		if (waits(plan->clients[i].state))
			order[n++] = &plan->clients[i];
	qsort(order, n, sizeof(struct client *), compare_waits);
	attendance->next = ATTENDANCE_NEVER;
	for (size_t i = 0; i < n; i++) {
		struct group *group = &plan->groups[order[i]->group];

		attendance_wait_in(attendance, order[i], order[i]->in_grace ? &group->grace : &group->every,
			order[i]->wait.since);
	}
}

static void count_clients(struct attendance *attendance)
{
	memset(attendance->counts, 0, sizeof(attendance->counts));
	for (size_t i = 0; i < attendance->plan.n_clients; i++) {
		const struct client *client = &attendance->plan.clients[i];

		attendance->places[client->id] = (uint32_t)i + 1;
		attendance->counts[client->state]++;
	}
}

int attendance_configure(struct attendance *attendance, const struct settings_expect *groups, size_t n_groups,
	const struct attendance_time *now)
{
	_cleanup_(freep) struct client **order = NULL;
	struct plan old = attendance->plan, plan;
	int r = plan_init(&plan, groups, n_groups);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_groups; i++)
		fill(attendance, &plan, (uint16_t)i, groups[i].ids, now->monotonic);
	order = calloc(plan.n_clients + 1, sizeof(struct client *));
	if (!order) {
		attendance_plan_deinit(&plan);
		return -ENOMEM;
	}
	if (old.n_clients == 0)
		attendance_listen_from(attendance, now);
	for (size_t i = 0; i < old.n_clients; i++)
		attendance->places[old.clients[i].id] = 0;
	attendance->plan = plan;
	count_clients(attendance);
	start_waits(attendance, order);
	for (size_t i = 0; i < old.n_clients; i++)
		if (!attendance_find(attendance, old.clients[i].id))
			attendance->observer.changed(attendance->observer.data, old.clients[i].id,
				old.clients[i].state, ATTENDANCE_UNEXPECTED, now->monotonic);
	attendance_plan_deinit(&old);
	return 0;
}

#include "greeterd/attendance.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/duration.h"
#include "greeterd/deadlines.h"

#define SLEEP_USEC USEC_PER_SEC /* more than two readings of the clocks one after the other are apart */

/* Waits in one of the queues of its group, or in none when it is missing or paused. */
struct client {
	struct deadline wait;
	uint32_t id;
	uint16_t group;
	uint8_t state; /* enum attendance_state */
	bool in_grace; /* waits in the queue grace: its every is over */
};

/* All clients of a group wait equally long, so who began first is due first. */
struct group {
	struct deadlines every, grace;
};

/* What a configuration makes, and the next one replaces. */
struct plan {
	size_t n_groups, n_clients;
	struct group *groups;
	struct client *clients;
};

struct attendance {
	struct attendance_observer observer;
	uint32_t max_id;
	uint32_t *places; /* by id: 1 + the index of its client, or 0 */
	struct plan plan;
	uint64_t awake_since; /* no wait counts from before */
	uint64_t asleep;      /* how long the machine has slept so far */
	uint64_t next;        /* nobody is due before */
	size_t counts[ATTENDANCE_STATES];
	uint64_t work;
};

_Static_assert(SETTINGS_EXPECT_MAX <= UINT16_MAX, "a client names its group in 16 bits");

static void plan_deinit(struct plan *plan)
{
	free(plan->groups);
	free(plan->clients);
}

int attendance_new(uint32_t max_id, const struct attendance_observer *observer, struct attendance **ret)
{
	_cleanup_(attendance_freep) struct attendance *attendance = calloc(1, sizeof(*attendance));

	if (!attendance)
		return -ENOMEM;
	attendance->observer = *observer;
	attendance->max_id = max_id;
	attendance->next = ATTENDANCE_NEVER;
	attendance->places = calloc((size_t)max_id + 1, sizeof(*attendance->places));
	if (!attendance->places)
		return -ENOMEM;
	*ret = TAKE_PTR(attendance);
	return 0;
}

void attendance_free(struct attendance *attendance)
{
	if (!attendance)
		return;
	plan_deinit(&attendance->plan);
	free(attendance->places);
	free(attendance);
}

static struct client *find(const struct attendance *attendance, uint32_t id)
{
	uint32_t place = id <= attendance->max_id ? attendance->places[id] : 0;

	return place > 0 ? &attendance->plan.clients[place - 1] : NULL;
}

/* --- waiting */

/* When the first of a queue is due. */
static uint64_t due_at(const struct attendance *attendance, const struct deadlines *queue)
{
	const struct deadline *first = deadlines_first(queue);
	uint64_t since;

	if (!first)
		return ATTENDANCE_NEVER;
	since = first->since > attendance->awake_since ? first->since : attendance->awake_since;
	return since < ATTENDANCE_NEVER - queue->span ? since + queue->span : ATTENDANCE_NEVER;
}

/* The first of a queue, if it is due. */
static struct client *first_due(
	const struct attendance *attendance, const struct deadlines *queue, uint64_t now)
{
	uint64_t due = due_at(attendance, queue);

	return due != ATTENDANCE_NEVER && due <= now
		       ? (struct client *)((char *)deadlines_first(queue) - offsetof(struct client, wait))
		       : NULL;
}

static void wait_in(
	struct attendance *attendance, struct client *client, struct deadlines *queue, uint64_t now)
{
	uint64_t due;

	deadline_start(queue, &client->wait, now);
	due = due_at(attendance, queue);
	if (due < attendance->next)
		attendance->next = due;
}

static void await(struct attendance *attendance, struct client *client, uint64_t now)
{
	client->in_grace = false;
	wait_in(attendance, client, &attendance->plan.groups[client->group].every, now);
}

static void change(
	struct attendance *attendance, struct client *client, enum attendance_state state, uint64_t now)
{
	enum attendance_state before = client->state;

	if (state == before)
		return;
	client->state = (uint8_t)state;
	attendance->counts[before]--;
	attendance->counts[state]++;
	attendance->observer.changed(attendance->observer.data, client->id, before, state, now);
}

/* --- configuring */

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
		plan_deinit(plan);
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
		const struct client *old = find(attendance, id);

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

		wait_in(attendance, order[i], order[i]->in_grace ? &group->grace : &group->every,
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

static uint64_t slept(const struct attendance_time *now)
{
	return now->boottime > now->monotonic ? now->boottime - now->monotonic : 0;
}

/* From here on, nobody's wait counts from before. */
static void listen_from(struct attendance *attendance, const struct attendance_time *now)
{
	attendance->asleep = slept(now);
	attendance->awake_since = now->monotonic;
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
		plan_deinit(&plan);
		return -ENOMEM;
	}
	if (old.n_clients == 0)
		listen_from(attendance, now);
	for (size_t i = 0; i < old.n_clients; i++)
		attendance->places[old.clients[i].id] = 0;
	attendance->plan = plan;
	count_clients(attendance);
	start_waits(attendance, order);
	for (size_t i = 0; i < old.n_clients; i++)
		if (!find(attendance, old.clients[i].id))
			attendance->observer.changed(attendance->observer.data, old.clients[i].id,
				old.clients[i].state, ATTENDANCE_UNEXPECTED, now->monotonic);
	plan_deinit(&old);
	return 0;
}

/* --- greeting and ticking */

void attendance_greeting(struct attendance *attendance, uint32_t id, uint64_t now)
{
	static const enum attendance_state after[ATTENDANCE_STATES] = {
		[ATTENDANCE_NEW] = ATTENDANCE_PRESENT,
		[ATTENDANCE_PRESENT] = ATTENDANCE_PRESENT,
		[ATTENDANCE_LATE] = ATTENDANCE_PRESENT,
		[ATTENDANCE_MISSING] = ATTENDANCE_RETURNED,
		[ATTENDANCE_RETURNED] = ATTENDANCE_PRESENT,
	};
	struct client *client = find(attendance, id);

	if (!client || client->state == ATTENDANCE_PAUSED)
		return;
	await(attendance, client, now);
	change(attendance, client, after[client->state], now);
}

/* Those that waited in grace have their whole term again. */
static void wake_up(struct attendance *attendance, const struct attendance_time *now)
{
	listen_from(attendance, now);
	for (size_t i = 0; i < attendance->plan.n_groups; i++) {
		struct group *group = &attendance->plan.groups[i];

		deadlines_move_all(&group->every, &group->grace);
	}
}

static void tick_group(struct attendance *attendance, struct group *group, uint64_t now)
{
	struct client *client;

	while ((client = first_due(attendance, &group->every, now))) {
		attendance->work++;
		client->in_grace = true;
		wait_in(attendance, client, &group->grace, now);
		change(attendance, client, ATTENDANCE_LATE, now);
	}
	while ((client = first_due(attendance, &group->grace, now))) {
		attendance->work++;
		client->in_grace = false;
		deadline_stop(&client->wait);
		change(attendance, client, ATTENDANCE_MISSING, now);
	}
}

void attendance_tick(struct attendance *attendance, const struct attendance_time *now)
{
	if (slept(now) > attendance->asleep + SLEEP_USEC)
		wake_up(attendance, now);
	if (now->monotonic < attendance->next)
		return;
	attendance->next = ATTENDANCE_NEVER;
	for (size_t i = 0; i < attendance->plan.n_groups; i++) {
		struct group *group = &attendance->plan.groups[i];
		uint64_t every, grace;

		tick_group(attendance, group, now->monotonic);
		every = due_at(attendance, &group->every);
		grace = due_at(attendance, &group->grace);
		every = every < grace ? every : grace;
		attendance->next = every < attendance->next ? every : attendance->next;
	}
}

uint64_t attendance_next(const struct attendance *attendance)
{
	return attendance->next;
}

/* --- by hand */

int attendance_pause(struct attendance *attendance, uint32_t id, uint64_t now)
{
	struct client *client = find(attendance, id);

	if (!client)
		return -ENOENT;
	deadline_stop(&client->wait);
	client->in_grace = false;
	change(attendance, client, ATTENDANCE_PAUSED, now);
	return 0;
}

int attendance_resume(struct attendance *attendance, uint32_t id, uint64_t now)
{
	struct client *client = find(attendance, id);

	if (!client)
		return -ENOENT;
	return client->state == ATTENDANCE_PAUSED ? attendance_forget(attendance, id, now) : 0;
}

int attendance_forget(struct attendance *attendance, uint32_t id, uint64_t now)
{
	struct client *client = find(attendance, id);

	if (!client)
		return -ENOENT;
	await(attendance, client, now);
	change(attendance, client, ATTENDANCE_NEW, now);
	return 0;
}

/* --- reading */

enum attendance_state attendance_state(const struct attendance *attendance, uint32_t id)
{
	const struct client *client = find(attendance, id);

	return client ? client->state : ATTENDANCE_UNEXPECTED;
}

size_t attendance_group(const struct attendance *attendance, uint32_t id)
{
	const struct client *client = find(attendance, id);

	return client ? client->group : SIZE_MAX;
}

size_t attendance_count(const struct attendance *attendance, enum attendance_state state)
{
	return attendance->counts[state];
}

const char *attendance_state_name(enum attendance_state state)
{
	static const char *const names[ATTENDANCE_STATES] = {
		[ATTENDANCE_UNEXPECTED] = "unexpected",
		[ATTENDANCE_NEW] = "new",
		[ATTENDANCE_PRESENT] = "present",
		[ATTENDANCE_LATE] = "late",
		[ATTENDANCE_MISSING] = "missing",
		[ATTENDANCE_RETURNED] = "returned",
		[ATTENDANCE_PAUSED] = "paused",
	};

	return names[state];
}

uint64_t attendance_work(const struct attendance *attendance)
{
	return attendance->work;
}

#include "greeterd/attendance.h"

#include <errno.h>

#include "common/duration.h"
#include "greeterd/attendance-internal.h"

#define SLEEP_USEC USEC_PER_SEC /* more than two readings of the clocks one after the other are apart */

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
	attendance_plan_deinit(&attendance->plan);
	free(attendance->places);
	free(attendance);
}

struct client *attendance_find(const struct attendance *attendance, uint32_t id)
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

void attendance_wait_in(
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
	attendance_wait_in(attendance, client, &attendance->plan.groups[client->group].every, now);
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

static uint64_t slept(const struct attendance_time *now)
{
	return now->boottime > now->monotonic ? now->boottime - now->monotonic : 0;
}

void attendance_listen_from(struct attendance *attendance, const struct attendance_time *now)
{
	attendance->asleep = slept(now);
	attendance->awake_since = now->monotonic;
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
	struct client *client = attendance_find(attendance, id);

	if (!client || client->state == ATTENDANCE_PAUSED)
		return;
	await(attendance, client, now);
	change(attendance, client, after[client->state], now);
}

/* Those that waited in grace have their whole term again. */
static void wake_up(struct attendance *attendance, const struct attendance_time *now)
{
	attendance_listen_from(attendance, now);
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
		attendance_wait_in(attendance, client, &group->grace, now);
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
	struct client *client = attendance_find(attendance, id);

	if (!client)
		return -ENOENT;
	deadline_stop(&client->wait);
	client->in_grace = false;
	change(attendance, client, ATTENDANCE_PAUSED, now);
	return 0;
}

int attendance_resume(struct attendance *attendance, uint32_t id, uint64_t now)
{
	struct client *client = attendance_find(attendance, id);

	if (!client)
		return -ENOENT;
	return client->state == ATTENDANCE_PAUSED ? attendance_forget(attendance, id, now) : 0;
}

int attendance_forget(struct attendance *attendance, uint32_t id, uint64_t now)
{
	struct client *client = attendance_find(attendance, id);

	if (!client)
		return -ENOENT;
	await(attendance, client, now);
	change(attendance, client, ATTENDANCE_NEW, now);
	return 0;
}

/* --- reading */

enum attendance_state attendance_state(const struct attendance *attendance, uint32_t id)
{
	const struct client *client = attendance_find(attendance, id);

	return client ? client->state : ATTENDANCE_UNEXPECTED;
}

size_t attendance_group(const struct attendance *attendance, uint32_t id)
{
	const struct client *client = attendance_find(attendance, id);

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

#include "greeterd/rollcall.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/duration.h"

#define TIMER_ACCURACY_USEC (USEC_PER_SEC / 20)

struct change {
	uint32_t id;
	const char *group;
	enum attendance_state before, after;
};

struct rollcall {
	struct rollcall_setup setup;
	const struct settings *settings; /* whose groups are expected; NULL: none yet */
	struct attendance *attendance;
	sd_event_source *timer;
	uint64_t timer_at;      /* ATTENDANCE_NEVER: not armed */
	struct change *changes; /* yet to be told */
	size_t n_changes, room_for_changes;
};

static const char *group_name(const struct rollcall *rollcall, uint32_t id)
{
	size_t group = attendance_group(rollcall->attendance, id);

	return rollcall->settings && group < rollcall->settings->n_expect
		       ? rollcall->settings->expect[group].name
		       : "";
}

/* Where there is no memory, the journal and the roll know of it alone. */
static void keep_change(struct rollcall *rollcall, const struct change *change)
{
	if (rollcall->n_changes == rollcall->room_for_changes) {
		size_t room = rollcall->room_for_changes ? 2 * rollcall->room_for_changes : 16;
		struct change *changes = reallocarray(rollcall->changes, room, sizeof(*changes));

		if (!changes)
			return;
		rollcall->changes = changes;
		rollcall->room_for_changes = room;
	}
	rollcall->changes[rollcall->n_changes++] = *change;
}

static void tell_changes(struct rollcall *rollcall)
{
	_cleanup_(freep) struct change *changes = TAKE_PTR(rollcall->changes);
	size_t n = rollcall->n_changes;

	rollcall->n_changes = rollcall->room_for_changes = 0;
	for (size_t i = 0; i < n; i++)
		rollcall->setup.changed(rollcall->setup.data, changes[i].id, changes[i].group,
			changes[i].before, changes[i].after);
}

static void on_change(
	void *data, uint32_t id, enum attendance_state before, enum attendance_state after, uint64_t now)
{
	struct rollcall *rollcall = data;
	const char *group = group_name(rollcall, id);

	(void)now;
	roll_set_state(rollcall->setup.roll, id, (uint8_t)after);
	journal_state(rollcall->setup.journal,
		after == ATTENDANCE_MISSING    ? MESSAGE_MISSING
		: after == ATTENDANCE_RETURNED ? MESSAGE_RETURNED
					       : MESSAGE_STATE,
		id, group, attendance_state_name(before), attendance_state_name(after));
	if (rollcall->setup.changed)
		keep_change(rollcall, &(struct change){ id, group, before, after });
}

static uint8_t remembered(void *data, uint32_t id)
{
	const struct rollcall *rollcall = data;
	struct roll_entry entry;

	return roll_get(rollcall->setup.roll, id, &entry) == 0 ? entry.state : ATTENDANCE_UNEXPECTED;
}

static int on_timer(sd_event_source *source, uint64_t due, void *data)
{
	struct rollcall *rollcall = data;
	struct attendance_time now = { .monotonic = due, .boottime = clock_usec(CLOCK_BOOTTIME) };

	(void)sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now.monotonic);
	rollcall->timer_at = ATTENDANCE_NEVER;
	attendance_tick(rollcall->attendance, &now);
	journal_flush(rollcall->setup.journal, now.monotonic);
	rollcall_served(rollcall);
	return 0;
}

int rollcall_new(const struct rollcall_setup *setup, struct rollcall **ret)
{
	_cleanup_(rollcall_freep) struct rollcall *rollcall = calloc(1, sizeof(*rollcall));
	struct attendance_observer observer = {
		.changed = on_change, .remembered = remembered, .data = rollcall
	};
	int r;

	if (!rollcall)
		return -ENOMEM;
	rollcall->setup = *setup;
	rollcall->timer_at = ATTENDANCE_NEVER;
	r = attendance_new(setup->max_id, &observer, &rollcall->attendance);
	if (r < 0)
		return r;
	r = sd_event_add_time(setup->event, &rollcall->timer, CLOCK_MONOTONIC, UINT64_MAX,
		TIMER_ACCURACY_USEC, on_timer, rollcall);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(rollcall->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rollcall);
	return 0;
}

void rollcall_free(struct rollcall *rollcall)
{
	if (!rollcall)
		return;
	sd_event_source_disable_unref(rollcall->timer);
	attendance_free(rollcall->attendance);
	free(rollcall->changes);
	free(rollcall);
}

int rollcall_configure(struct rollcall *rollcall, const struct settings *settings, uint64_t now)
{
	const struct attendance_time time = { .monotonic = now, .boottime = clock_usec(CLOCK_BOOTTIME) };
	int r;

	tell_changes(rollcall); /* while their groups have names */
	r = attendance_configure(rollcall->attendance, settings->expect, settings->n_expect, &time);
	rollcall->settings = r < 0 ? NULL : settings; /* those before may be gone */
	rollcall_served(rollcall);
	return r;
}

void rollcall_served(struct rollcall *rollcall)
{
	uint64_t next = attendance_next(rollcall->attendance);

	if (rollcall->n_changes > 0)
		tell_changes(rollcall);
	if (next >= rollcall->timer_at)
		return;
	if (sd_event_source_set_time(rollcall->timer, next) >= 0 &&
		sd_event_source_set_enabled(rollcall->timer, SD_EVENT_ONESHOT) >= 0)
		rollcall->timer_at = next;
}

struct attendance *rollcall_attendance(struct rollcall *rollcall)
{
	return rollcall->attendance;
}

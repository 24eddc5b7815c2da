/* Who is late and who is missing, by clocks of the test's own; and a month of it beside a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/duration.h"
#include "greeterd/attendance.h"
#include "memory.h"

#define MAX_ID 200000
#define SEC USEC_PER_SEC
#define MIN (60 * SEC)

struct fixture {
	struct attendance *attendance;
	struct attendance_time now;
	struct settings_expect groups[4];
	size_t n_groups;
	uint8_t *remembered; /* by id: as the roll keeps it */
	char told[4096];     /* "2:new>late " for each change */
	bool silent;
	uint64_t changes;
};

static void on_changed(
	void *data, uint32_t id, enum attendance_state before, enum attendance_state after, uint64_t now)
{
	struct fixture *f = data;
	size_t len = strlen(f->told);

	assert_int_equal(now, f->now.monotonic);
	assert_int_not_equal(before, after);
	assert_int_equal(attendance_state(f->attendance, id), after);
	f->remembered[id] = (uint8_t)after;
	f->changes++;
	if (!f->silent)
		snprintf(f->told + len, sizeof(f->told) - len, "%u:%s>%s ", id, attendance_state_name(before),
			attendance_state_name(after));
}

static uint8_t on_remembered(void *data, uint32_t id)
{
	const struct fixture *f = data;

	return f->remembered[id];
}

static void start(struct fixture *f)
{
	const struct attendance_observer observer = { on_changed, on_remembered, f };

	assert_int_equal(attendance_new(MAX_ID, &observer, &f->attendance), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->remembered = calloc(MAX_ID + 1, 1);
	assert_non_null(f->remembered);
	f->now = (struct attendance_time){ 1000 * SEC, 1500 * SEC };
	start(f);
	*state = f;
	return 0;
}

static void clear_groups(struct fixture *f)
{
	for (size_t i = 0; i < f->n_groups; i++)
		idset_free(f->groups[i].ids);
	f->n_groups = 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	clear_groups(f);
	attendance_free(f->attendance);
	free(f->remembered);
	free(f);
	return 0;
}

static void add_group(struct fixture *f, const char *ids, uint64_t every, uint64_t grace)
{
	struct settings_expect *group = &f->groups[f->n_groups++];

	*group = (struct settings_expect){ .every_usec = every, .grace_usec = grace };
	assert_int_equal(idset_parse(ids, 10 * MAX_ID, &group->ids), 0);
}

static void configure(struct fixture *f)
{
	assert_int_equal(attendance_configure(f->attendance, f->groups, f->n_groups, &f->now), 0);
}

static void expects(struct fixture *f, const char *ids, uint64_t every, uint64_t grace)
{
	clear_groups(f);
	add_group(f, ids, every, grace);
	configure(f);
}

static void passes(struct fixture *f, uint64_t span)
{
	f->now.monotonic += span;
	f->now.boottime += span;
}

static void ticks(struct fixture *f)
{
	attendance_tick(f->attendance, &f->now);
}

static void ticks_after(struct fixture *f, uint64_t span)
{
	passes(f, span);
	ticks(f);
}

static void greets(struct fixture *f, uint32_t id)
{
	attendance_greeting(f->attendance, id, f->now.monotonic);
}

static void assert_told(struct fixture *f, const char *expected)
{
	assert_string_equal(f->told, expected);
	f->told[0] = '\0';
}

static void assert_state(const struct fixture *f, uint32_t id, enum attendance_state expected)
{
	assert_string_equal(
		attendance_state_name(attendance_state(f->attendance, id)), attendance_state_name(expected));
}

static void restart(struct fixture *f, uint64_t downtime)
{
	attendance_free(f->attendance);
	f->attendance = NULL;
	passes(f, downtime);
	start(f);
	configure(f);
}

/* --- one client */

static void test_nobody_is_expected_at_first(void **state)
{
	struct fixture *f = *state;

	greets(f, 2);
	ticks_after(f, 1000 * MIN);
	assert_state(f, 2, ATTENDANCE_UNEXPECTED);
	assert_true(attendance_next(f->attendance) == ATTENDANCE_NEVER);
	assert_told(f, "");
}

static void test_an_expected_client_is_new_until_it_greets(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	assert_state(f, 2, ATTENDANCE_NEW);
	assert_state(f, 3, ATTENDANCE_UNEXPECTED);
	greets(f, 3);
	assert_told(f, "");
	greets(f, 2);
	greets(f, 2);
	assert_told(f, "2:new>present ");
}

static void test_is_late_after_every_and_missing_after_grace(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_told(f, "2:new>late ");
	ticks_after(f, 30 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_told(f, "2:late>missing ");
	ticks_after(f, 1000 * MIN);
	assert_told(f, "");
	assert_true(attendance_next(f->attendance) == ATTENDANCE_NEVER);
}

static void test_a_missing_client_returns_and_is_present_from_the_next_greeting(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 0);
	ticks_after(f, 60 * SEC);
	assert_told(f, "2:new>late 2:late>missing ");
	greets(f, 2);
	assert_told(f, "2:missing>returned ");
	ticks_after(f, 60 * SEC - 1);
	greets(f, 2);
	assert_told(f, "2:returned>present ");
}

static void test_a_returned_client_may_be_late_again(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	ticks_after(f, 30 * SEC);
	greets(f, 2);
	ticks_after(f, 60 * SEC);
	greets(f, 2);
	assert_told(f, "2:new>late 2:late>missing 2:missing>returned 2:returned>late 2:late>present ");
}

static void test_each_greeting_begins_the_term_anew(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	for (int i = 0; i < 100; i++) {
		ticks_after(f, 59 * SEC);
		greets(f, 2);
	}
	assert_told(f, "2:new>present ");
}

static void test_a_greeting_told_before_the_tick_is_in_time(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	passes(f, 100 * SEC);
	greets(f, 2);
	ticks(f);
	assert_told(f, "2:new>present ");
}

static void test_a_late_tick_does_not_cut_the_grace(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 500 * SEC);
	assert_told(f, "2:new>late ");
	ticks_after(f, 30 * SEC);
	assert_told(f, "2:late>missing ");
}

static void test_says_when_a_tick_is_next_of_use(void **state)
{
	struct fixture *f = *state;
	uint64_t begin = f->now.monotonic;

	add_group(f, "2", 60 * SEC, 30 * SEC);
	add_group(f, "3", 40 * SEC, 5 * SEC);
	configure(f);
	assert_int_equal(attendance_next(f->attendance), begin + 40 * SEC);
	ticks_after(f, 40 * SEC);
	assert_int_equal(attendance_next(f->attendance), begin + 45 * SEC);
	ticks_after(f, 5 * SEC);
	assert_int_equal(attendance_next(f->attendance), begin + 60 * SEC);
	greets(f, 3);
	assert_int_equal(attendance_next(f->attendance), begin + 60 * SEC);
	assert_told(f, "3:new>late 3:late>missing 3:missing>returned ");
}

static void test_counts_clients_by_state(void **state)
{
	struct fixture *f = *state;

	expects(f, "1-10", 60 * SEC, 30 * SEC);
	greets(f, 3);
	attendance_pause(f->attendance, 4, f->now.monotonic);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_NEW), 8);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_PRESENT), 1);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_PAUSED), 1);
	ticks_after(f, 60 * SEC);
	ticks_after(f, 30 * SEC);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_MISSING), 9);
}

/* --- by hand */

static void test_a_paused_client_may_stay_away(void **state)
{
	struct fixture *f = *state;
	uint64_t now = f->now.monotonic;

	expects(f, "2", 60 * SEC, 30 * SEC);
	assert_int_equal(attendance_pause(f->attendance, 2, now), 0);
	assert_int_equal(attendance_pause(f->attendance, 2, now), 0);
	assert_told(f, "2:new>paused ");
	ticks_after(f, 1000 * MIN);
	greets(f, 2);
	assert_told(f, "");
}

static void test_a_resumed_client_is_new_with_its_whole_term(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	attendance_pause(f->attendance, 2, f->now.monotonic);
	ticks_after(f, 1000 * MIN);
	assert_int_equal(attendance_resume(f->attendance, 2, f->now.monotonic), 0);
	assert_int_equal(attendance_resume(f->attendance, 2, f->now.monotonic), 0);
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "2:new>late 2:late>paused 2:paused>new ");
	ticks_after(f, 1);
	assert_told(f, "2:new>late ");
}

static void test_resume_is_for_who_is_paused(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	assert_int_equal(attendance_resume(f->attendance, 2, f->now.monotonic), 0);
	assert_told(f, "2:new>late ");
}

static void test_a_forgotten_client_is_new_with_its_whole_term(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	ticks_after(f, 30 * SEC);
	assert_int_equal(attendance_forget(f->attendance, 2, f->now.monotonic), 0);
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "2:new>late 2:late>missing 2:missing>new ");
}

static void test_who_is_not_expected_cannot_be_paused_resumed_or_forgotten(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	assert_int_equal(attendance_pause(f->attendance, 3, f->now.monotonic), -ENOENT);
	assert_int_equal(attendance_resume(f->attendance, 0, f->now.monotonic), -ENOENT);
	assert_int_equal(attendance_forget(f->attendance, MAX_ID + 1, f->now.monotonic), -ENOENT);
	assert_true(attendance_group(f->attendance, 3) == SIZE_MAX);
}

/* --- sleep and downtime */

static void test_sleep_of_the_machine_gives_all_their_whole_term(void **state)
{
	struct fixture *f = *state;

	expects(f, "1-3", 60 * SEC, 30 * SEC);
	greets(f, 1);
	ticks_after(f, 40 * SEC);
	greets(f, 2);
	ticks_after(f, 20 * SEC);
	assert_told(f, "1:new>present 2:new>present 3:new>late 1:present>late ");
	f->now.boottime += 1000 * MIN;
	ticks_after(f, 25 * SEC); /* awake from here on */
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_told(f, "2:present>late "); /* the others are so already */
	ticks_after(f, 30 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_string_equal(f->told, "2:late>missing 3:late>missing 1:late>missing ");
}

static void test_who_is_missing_stays_so_over_sleep_and_restart(void **state)
{
	struct fixture *f = *state;

	expects(f, "2", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	ticks_after(f, 30 * SEC);
	assert_told(f, "2:new>late 2:late>missing ");
	f->now.boottime += 1000 * MIN;
	ticks(f);
	restart(f, 1000 * MIN);
	ticks_after(f, 1000 * MIN);
	assert_state(f, 2, ATTENDANCE_MISSING);
	assert_told(f, "");
	greets(f, 2);
	assert_told(f, "2:missing>returned ");
}

static void test_downtime_of_the_daemon_counts_for_nobody(void **state)
{
	struct fixture *f = *state;

	expects(f, "1-4", 60 * SEC, 30 * SEC);
	greets(f, 1);
	attendance_pause(f->attendance, 3, f->now.monotonic);
	ticks_after(f, 60 * SEC);
	greets(f, 4);
	f->told[0] = '\0';
	restart(f, 1000 * MIN);
	assert_state(f, 1, ATTENDANCE_LATE);
	assert_state(f, 3, ATTENDANCE_PAUSED);
	assert_state(f, 4, ATTENDANCE_PRESENT);
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_told(f, "4:present>late ");
	ticks_after(f, 30 * SEC);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_MISSING), 3);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_PAUSED), 1);
}

static void test_a_state_that_means_nothing_is_new(void **state)
{
	struct fixture *f = *state;

	f->remembered[2] = 200;
	expects(f, "2", 60 * SEC, 30 * SEC);
	assert_state(f, 2, ATTENDANCE_NEW);
}

static void test_clocks_read_one_after_the_other_are_no_sleep(void **state)
{
	struct fixture *f = *state;

	f->now.boottime = f->now.monotonic - 1;
	expects(f, "2", 60 * SEC, 30 * SEC);
	passes(f, 60 * SEC);
	f->now.boottime += SEC / 2;
	ticks(f);
	assert_told(f, "2:new>late ");
}

/* --- reload */

static void test_who_stays_expected_keeps_state_and_term(void **state)
{
	struct fixture *f = *state;

	expects(f, "1-3", 60 * SEC, 30 * SEC);
	ticks_after(f, 30 * SEC);
	greets(f, 2);
	ticks_after(f, 30 * SEC);
	assert_told(f, "2:new>present 1:new>late 3:new>late ");
	clear_groups(f);
	add_group(f, "7", 600 * SEC, 0);
	add_group(f, "1,2,8", 60 * SEC, 30 * SEC);
	configure(f);
	assert_told(f, "3:late>unexpected ");
	assert_int_equal(attendance_group(f->attendance, 7), 0);
	assert_int_equal(attendance_group(f->attendance, 2), 1);
	ticks_after(f, 30 * SEC);
	assert_told(f, "2:present>late 1:late>missing ");
	ticks_after(f, 30 * SEC);
	assert_told(f, "8:new>late 2:late>missing ");
}

static void test_other_spans_begin_the_term_anew(void **state)
{
	struct fixture *f = *state;

	expects(f, "1", 3600 * SEC, 30 * SEC);
	greets(f, 1);
	ticks_after(f, 1800 * SEC);
	expects(f, "1", 60 * SEC, 30 * SEC);
	assert_state(f, 1, ATTENDANCE_PRESENT);
	f->told[0] = '\0';
	ticks_after(f, 60 * SEC - 1);
	assert_told(f, "");
	ticks_after(f, 1);
	assert_told(f, "1:present>late ");
}

static void test_the_grace_is_kept_over_a_reload_but_not_over_sleep(void **state)
{
	struct fixture *f = *state;

	expects(f, "1", 60 * SEC, 30 * SEC);
	ticks_after(f, 60 * SEC);
	f->now.boottime += 1000 * SEC;
	ticks_after(f, 10 * SEC);
	configure(f);
	ticks_after(f, 60 * SEC);
	assert_told(f, "1:new>late ");
	configure(f);
	ticks_after(f, 30 * SEC);
	assert_told(f, "1:late>missing ");
}

static void test_ids_over_max_id_are_nobodys(void **state)
{
	struct fixture *f = *state;

	expects(f, "199999-300000,400000", 60 * SEC, 30 * SEC);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_NEW), 2);
	assert_state(f, 300000, ATTENDANCE_UNEXPECTED);
	greets(f, 300000);
	greets(f, UINT32_MAX);
	assert_told(f, "");
}

static void test_a_configuration_without_memory_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;
	int r;

	skip_under_sanitizer();
	expects(f, "2", 60 * SEC, 30 * SEC);
	clear_groups(f);
	add_group(f, "1-2000000", 1 * SEC, 1 * SEC);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = (struct rlimit){ 1, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	r = attendance_configure(f->attendance, f->groups, f->n_groups, &f->now);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(r, -ENOMEM);
	ticks_after(f, 60 * SEC);
	assert_told(f, "2:new>late ");
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	attendance_free(NULL);
}

/* --- many */

static void test_a_hundred_thousand_cost_only_those_that_are_due(void **state)
{
	struct fixture *f = *state;

	f->silent = true;
	expects(f, "1-100000", 3700 * SEC, 60 * SEC);
	for (int hour = 0; hour < 5; hour++)
		for (uint32_t second = 0; second < 3600; second++) {
			for (uint32_t id = 1 + second; id <= 100000; id += 3600)
				if (id != 77) /* greets never */
					greets(f, id);
			ticks_after(f, SEC);
		}
	assert_int_equal(attendance_work(f->attendance), 2); /* its every, its grace */
	assert_state(f, 77, ATTENDANCE_MISSING);
	for (int second = 0; second < 3700 + 60; second++)
		ticks_after(f, SEC);
	assert_int_equal(attendance_work(f->attendance), 2 * 100000);
	assert_int_equal(attendance_count(f->attendance, ATTENDANCE_MISSING), 100000);
	ticks_after(f, 1000 * MIN);
	assert_int_equal(attendance_work(f->attendance), 2 * 100000);
}

/* --- a month, and a plain model */

#define CLIENTS 1000
#define MONTH (30 * 24 * 60 * MIN)

/* What the rules of attendance.h come to when everybody is looked at, at every step. */
struct model_client {
	enum attendance_state state;
	uint64_t every, grace; /* every 0: not expected */
	uint64_t since;        /* what it waits from */
	bool in_grace;
	uint64_t told; /* how many changes, and which, mixed into one number */
};

struct month {
	struct fixture *f;
	struct model_client clients[CLIENTS + 1];
	uint64_t told[CLIENTS + 1]; /* as above, by the attendance itself */
	uint64_t talks_every[CLIENTS + 1], talks_next[CLIENTS + 1], silent_until[CLIENTS + 1];
	int plan;
	unsigned outages, sleeps, restarts, reloads, hands;
};

static uint64_t mix(uint64_t told, enum attendance_state state, uint64_t now)
{
	return (told ^ ((uint64_t)state << 56 ^ now)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void month_changed(
	void *data, uint32_t id, enum attendance_state before, enum attendance_state after, uint64_t now)
{
	struct month *m = data;

	(void)before;
	m->told[id] = mix(m->told[id], after, now);
	m->f->remembered[id] = (uint8_t)after;
	m->f->changes++;
}

static uint8_t month_remembered(void *data, uint32_t id)
{
	const struct month *m = data;

	return m->f->remembered[id];
}

static void model_change(struct model_client *client, enum attendance_state state, uint64_t now)
{
	if (client->state == state)
		return;
	client->state = state;
	client->told = mix(client->told, state, now);
}

static void model_term(struct model_client *client, uint64_t now)
{
	client->since = now;
	client->in_grace = false;
}

static void model_greeting(struct model_client *client, uint64_t now)
{
	if (client->every == 0 || client->state == ATTENDANCE_PAUSED)
		return;
	model_term(client, now);
	model_change(
		client, client->state == ATTENDANCE_MISSING ? ATTENDANCE_RETURNED : ATTENDANCE_PRESENT, now);
}

static void model_tick(struct model_client *client, uint64_t now)
{
	if (client->every == 0 || client->state == ATTENDANCE_PAUSED || client->state == ATTENDANCE_MISSING)
		return;
	if (!client->in_grace && now >= client->since + client->every) {
		client->in_grace = true;
		client->since = now;
		model_change(client, ATTENDANCE_LATE, now);
	}
	if (client->in_grace && now >= client->since + client->grace)
		model_change(client, ATTENDANCE_MISSING, now);
}

/* The groups of the setting, of which reloads alternate between two. */
static void month_groups(struct month *m)
{
	struct fixture *f = m->f;

	clear_groups(f);
	if (m->plan == 0) {
		add_group(f, "1-300", 5 * MIN, 2 * MIN);
		add_group(f, "301-600", 30 * MIN, 10 * MIN);
		add_group(f, "601-900", 3 * 60 * MIN, 0);
	} else {
		add_group(f, "1-250,950-1000", 5 * MIN, 2 * MIN);
		add_group(f, "301-500", 45 * MIN, 10 * MIN);
		add_group(f, "501-900", 3 * 60 * MIN, 0);
	}
}

static void month_configure(struct month *m)
{
	uint64_t now = m->f->now.monotonic;

	month_groups(m);
	configure(m->f);
	for (uint32_t id = 1; id <= CLIENTS; id++) {
		struct model_client *client = &m->clients[id];
		uint64_t every = 0, grace = 0;

		for (size_t i = 0; i < m->f->n_groups; i++)
			if (idset_contains(m->f->groups[i].ids, id)) {
				every = m->f->groups[i].every_usec;
				grace = m->f->groups[i].grace_usec;
			}
		if (every == 0)
			model_change(client, ATTENDANCE_UNEXPECTED, now);
		else if (client->every == 0)
			client->state = ATTENDANCE_NEW;
		if (every != client->every || grace != client->grace)
			model_term(client, now);
		client->every = every;
		client->grace = grace;
	}
}

static void month_start(struct month *m)
{
	const struct attendance_observer observer = { month_changed, month_remembered, m };

	assert_int_equal(attendance_new(CLIENTS, &observer, &m->f->attendance), 0);
	month_configure(m);
	for (uint32_t id = 1; id <= CLIENTS; id++)
		model_term(&m->clients[id], m->f->now.monotonic);
}

static bool once_in(unsigned steps)
{
	return (unsigned)rand() % steps == 0;
}

static uint64_t any_of(uint64_t span)
{
	return ((uint64_t)rand() << 31 | (uint64_t)rand()) % span;
}

/* A few clients, or a rack of them, fall silent for a while. */
static void month_outage(struct month *m)
{
	uint32_t first = 1 + (uint32_t)rand() % CLIENTS, n = once_in(5) ? 200 : 3;
	uint64_t until = m->f->now.boottime + any_of(10 * 60 * MIN);

	m->outages++;
	for (uint32_t id = first; id < first + n && id <= CLIENTS; id++)
		m->silent_until[id] = until;
}

static void month_sleep(struct month *m)
{
	m->sleeps++;
	m->f->now.boottime += 2 * SEC + any_of(12 * 60 * MIN);
	for (uint32_t id = 1; id <= CLIENTS; id++)
		model_term(&m->clients[id], m->f->now.monotonic);
}

static void month_restart(struct month *m)
{
	m->restarts++;
	attendance_free(m->f->attendance);
	passes(m->f, any_of(5 * 60 * MIN));
	month_start(m);
}

static void month_by_hand(struct month *m)
{
	uint32_t id = 1 + (uint32_t)rand() % CLIENTS;
	struct model_client *client = &m->clients[id];
	uint64_t now = m->f->now.monotonic;

	m->hands++;
	switch (rand() % 3) {
	case 0:
		attendance_pause(m->f->attendance, id, now);
		if (client->every > 0)
			model_change(client, ATTENDANCE_PAUSED, now);
		return;
	case 1:
		attendance_resume(m->f->attendance, id, now);
		if (client->state != ATTENDANCE_PAUSED)
			return;
		break;
	default:
		attendance_forget(m->f->attendance, id, now);
		if (client->every == 0)
			return;
	}
	model_term(client, now);
	model_change(client, ATTENDANCE_NEW, now);
}

/* Those whose turn it is greet, if they can. */
static void month_greetings(struct month *m)
{
	for (uint32_t id = 1; id <= CLIENTS; id++) {
		if (m->f->now.boottime < m->talks_next[id])
			continue;
		m->talks_next[id] = m->f->now.boottime + m->talks_every[id];
		if (m->f->now.boottime < m->silent_until[id])
			continue;
		attendance_greeting(m->f->attendance, id, m->f->now.monotonic);
		model_greeting(&m->clients[id], m->f->now.monotonic);
	}
}

static void assert_as_the_model(const struct month *m)
{
	size_t counts[ATTENDANCE_STATES] = { 0 };

	for (uint32_t id = 1; id <= CLIENTS; id++) {
		assert_int_equal(attendance_state(m->f->attendance, id), m->clients[id].state);
		assert_true(m->told[id] == m->clients[id].told);
		counts[m->clients[id].state]++;
	}
	for (enum attendance_state state = ATTENDANCE_NEW; state < ATTENDANCE_STATES; state++)
		assert_int_equal(attendance_count(m->f->attendance, state), counts[state]);
}

static void month_step(struct month *m)
{
	struct fixture *f = m->f;

	passes(f, 10 * SEC + any_of(2 * MIN));
	if (once_in(300))
		month_outage(m);
	if (once_in(2000))
		month_restart(m);
	if (once_in(3000)) {
		m->reloads++;
		m->plan = !m->plan;
		month_configure(m);
	}
	if (once_in(100))
		month_by_hand(m);
	month_greetings(m);
	if (once_in(1500))
		month_sleep(m);
	ticks(f);
	for (uint32_t id = 1; id <= CLIENTS; id++)
		model_tick(&m->clients[id], f->now.monotonic);
	assert_as_the_model(m);
}

static void test_a_month_of_a_thousand_clients_goes_as_a_plain_model_says(void **state)
{
	struct fixture *f = *state;
	struct month *m = calloc(1, sizeof(*m));
	uint64_t end = f->now.monotonic + MONTH;

	assert_non_null(m);
	srand(7);
	m->f = f;
	attendance_free(f->attendance);
	for (uint32_t id = 1; id <= CLIENTS; id++)
		m->talks_every[id] = MIN + any_of(id <= 300 ? 5 * MIN : id <= 600 ? 35 * MIN : 200 * MIN);
	month_start(m);
	while (f->now.monotonic < end)
		month_step(m);
	print_message(
		"# %u outages, %u sleeps, %u restarts, %u reloads, %u changes by hand: %u changes of state\n",
		m->outages, m->sleeps, m->restarts, m->reloads, m->hands, (unsigned)f->changes);
	assert_true(m->sleeps > 5 && m->restarts > 5 && m->reloads > 3 && f->changes > 10000);
	free(m);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_nobody_is_expected_at_first),
		CASE(test_an_expected_client_is_new_until_it_greets),
		CASE(test_is_late_after_every_and_missing_after_grace),
		CASE(test_a_missing_client_returns_and_is_present_from_the_next_greeting),
		CASE(test_a_returned_client_may_be_late_again),
		CASE(test_each_greeting_begins_the_term_anew),
		CASE(test_a_greeting_told_before_the_tick_is_in_time),
		CASE(test_a_late_tick_does_not_cut_the_grace),
		CASE(test_says_when_a_tick_is_next_of_use),
		CASE(test_counts_clients_by_state),
		CASE(test_a_paused_client_may_stay_away),
		CASE(test_a_resumed_client_is_new_with_its_whole_term),
		CASE(test_resume_is_for_who_is_paused),
		CASE(test_a_forgotten_client_is_new_with_its_whole_term),
		CASE(test_who_is_not_expected_cannot_be_paused_resumed_or_forgotten),
		CASE(test_sleep_of_the_machine_gives_all_their_whole_term),
		CASE(test_who_is_missing_stays_so_over_sleep_and_restart),
		CASE(test_downtime_of_the_daemon_counts_for_nobody),
		CASE(test_a_state_that_means_nothing_is_new),
		CASE(test_clocks_read_one_after_the_other_are_no_sleep),
		CASE(test_who_stays_expected_keeps_state_and_term),
		CASE(test_other_spans_begin_the_term_anew),
		CASE(test_the_grace_is_kept_over_a_reload_but_not_over_sleep),
		CASE(test_ids_over_max_id_are_nobodys),
		CASE(test_a_configuration_without_memory_changes_nothing),
		CASE(test_free_takes_nothing),
		CASE(test_a_hundred_thousand_cost_only_those_that_are_due),
		CASE(test_a_month_of_a_thousand_clients_goes_as_a_plain_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

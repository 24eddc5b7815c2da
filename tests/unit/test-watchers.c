/* Who watches what, and that nothing that is left out goes uncounted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "greeterd/watchers.h"

#define COMMON_ROOM (WATCHERS_BATCH_MAX - WATCHERS_BATCH_MAX / 4)

static void greet(struct watchers *watchers, uint32_t id)
{
	watchers_event(watchers, WATCH_GREETING, id, NULL, 1, 1000);
}

static struct idset *ids(const char *text)
{
	struct idset *set;

	assert_int_equal(idset_parse(text, 65535, &set), 0);
	return set;
}

static struct watcher *attach(struct watchers *watchers, const char *text)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	assert_non_null(watcher);
	assert_int_equal(watchers_attach(watchers, watcher, text ? ids(text) : NULL), 0);
	return watcher;
}

static void detach(struct watchers *watchers, struct watcher *watcher)
{
	watchers_detach(watchers, watcher);
	free(watcher);
}

static void test_numbers_events_that_nobody_watches(void **state)
{
	struct watchers watchers = { 0 };

	(void)state;
	greet(&watchers, 1);
	watchers_event(&watchers, WATCH_CONNECTED, 0, NULL, 0, 1000);
	assert_int_equal(watchers.seq, 2);
	assert_false(watchers.news);
}

static void test_tells_everything_to_who_has_no_filter(void **state)
{
	const struct netio_peer peer = { .family = 2, .port = 77 };
	struct watchers watchers = { 0 };
	struct watcher *watcher = attach(&watchers, NULL);

	(void)state;
	greet(&watchers, 0);
	watchers_event(&watchers, WATCH_MISSING, 9, &peer, 5, 1001);
	assert_true(watchers.news);
	assert_int_equal(watcher->n_events, 2);
	assert_int_equal(watcher->events[0].seq, 1);
	assert_int_equal(watcher->events[0].kind, WATCH_GREETING);
	assert_int_equal(watcher->events[0].peer.family, 0);
	assert_int_equal(watcher->events[1].seq, 2);
	assert_int_equal(watcher->events[1].id, 9);
	assert_int_equal(watcher->events[1].peer.port, 77);
	assert_int_equal(watcher->events[1].count, 5);
	assert_int_equal(watcher->events[1].when, 1001);
	detach(&watchers, watcher);
}

static void test_tells_each_watcher_of_its_ids_alone(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *low = attach(&watchers, "1-10"), *high = attach(&watchers, "8-20");

	(void)state;
	for (uint32_t id = 0; id <= 30; id++)
		greet(&watchers, id);
	assert_int_equal(low->n_events, 10);
	assert_int_equal(high->n_events, 13);
	assert_int_equal(high->events[0].seq, 9);
	detach(&watchers, low);
	greet(&watchers, 9);
	assert_int_equal(high->n_events, 14);
	detach(&watchers, high);
}

static void test_counts_exactly_the_greetings_that_find_no_room(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *watcher = attach(&watchers, "7");

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		greet(&watchers, 7);
		greet(&watchers, 8);
		watchers_event(&watchers, WATCH_DISCONNECTED, 7, NULL, 0, 1000);
	}
	assert_int_equal(watcher->n_events, COMMON_ROOM);
	assert_int_equal(watcher->missed, 1000 - COMMON_ROOM / 2);
	assert_true(watcher_waits(watcher));
	watcher_clear(watcher);
	assert_false(watcher_waits(watcher));
	greet(&watchers, 7);
	assert_int_equal(watcher->n_events, 1);
	assert_int_equal(watcher->missed, 0);
	detach(&watchers, watcher);
}

static void test_numbers_each_of_many_greetings(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *watcher;

	(void)state;
	watchers_greetings(&watchers, 2, NULL, 3, 3, 1000);
	assert_int_equal(watchers.seq, 3);
	watcher = attach(&watchers, NULL);
	watchers_greetings(&watchers, 2, NULL, 2, 5, 1000);
	assert_int_equal(watcher->n_events, 2);
	assert_int_equal(watcher->events[0].seq, 4);
	assert_int_equal(watcher->events[0].count, 4);
	assert_int_equal(watcher->events[1].seq, 5);
	assert_int_equal(watcher->events[1].count, 5);
	watchers_greetings(&watchers, 2, NULL, COMMON_ROOM, 5 + COMMON_ROOM, 1000);
	assert_int_equal(watcher->n_events, COMMON_ROOM);
	assert_int_equal(watcher->missed, 2);
	detach(&watchers, watcher);
}

static void test_keeps_room_for_changes_of_state(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *watcher = attach(&watchers, NULL);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		greet(&watchers, 7);
	for (unsigned i = 0; i < WATCHERS_BATCH_MAX; i++)
		watchers_event(&watchers, WATCH_MISSING, 7, NULL, 0, 1000);
	assert_int_equal(watcher->n_events, WATCHERS_BATCH_MAX);
	assert_int_equal(watcher->events[COMMON_ROOM].kind, WATCH_MISSING);
	assert_int_equal(watcher->missed, 1000 - COMMON_ROOM);
	detach(&watchers, watcher);
}

static void test_another_filter_leaves_what_waits(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *watcher = attach(&watchers, "1");

	(void)state;
	greet(&watchers, 1);
	watcher_set(watcher, ids("2"));
	greet(&watchers, 1);
	greet(&watchers, 2);
	assert_int_equal(watcher->n_events, 2);
	assert_int_equal(watcher->events[1].id, 2);
	detach(&watchers, watcher);
}

static void test_takes_up_so_many_watchers_and_no_more(void **state)
{
	struct watchers watchers = { 0 };
	struct watcher *all[WATCHERS_MAX], late = { 0 };

	(void)state;
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		all[i] = attach(&watchers, NULL);
	assert_int_equal(watchers_attach(&watchers, &late, NULL), -ENOSPC);
	watchers_detach(&watchers, &late);
	assert_int_equal(watchers.n, WATCHERS_MAX);
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		detach(&watchers, all[i]);
	assert_int_equal(watchers.n, 0);
}

static void test_every_kind_has_a_name(void **state)
{
	(void)state;
	for (enum watch_kind kind = 0; kind < WATCH_KINDS; kind++)
		assert_non_null(watch_kind_name(kind));
	assert_string_equal(watch_kind_name(WATCH_RETURNED), "returned");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_events_that_nobody_watches),
		cmocka_unit_test(test_tells_everything_to_who_has_no_filter),
		cmocka_unit_test(test_tells_each_watcher_of_its_ids_alone),
		cmocka_unit_test(test_counts_exactly_the_greetings_that_find_no_room),
		cmocka_unit_test(test_numbers_each_of_many_greetings),
		cmocka_unit_test(test_keeps_room_for_changes_of_state),
		cmocka_unit_test(test_another_filter_leaves_what_waits),
		cmocka_unit_test(test_takes_up_so_many_watchers_and_no_more),
		cmocka_unit_test(test_every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

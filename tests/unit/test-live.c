#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "sockctl/live.h"

/* 2024-05-01 12:00:00 UTC. */
#define NOON (UINT64_C(1714564800) * USEC_PER_SEC)
#define SEC(n) ((n)*USEC_PER_SEC)

static const struct event greeting = { 1, "greeting", 2, "", "127.0.0.1:40312", 7, NOON };

/* A roll of n clients, from 1 on, all of them present. */
static struct client_list make_roll(uint32_t n)
{
	struct client_list list = { .clients = calloc(n, sizeof(struct client)), .n = n };

	assert_non_null(list.clients);
	for (uint32_t i = 0; i < n; i++)
		list.clients[i] = (struct client){ i + 1, "", "present", "", 1, 0, NOON, NOON + i };
	return list;
}

static char *draw(const struct live *live, unsigned lines, uint64_t now)
{
	char *text = NULL;

	assert_int_equal(live_picture(live, 80, lines, now, NOON + SEC(5), &text), 0);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static void test_shows_rates_roll_and_events(void **state)
{
	_cleanup_(live_deinit) struct live live;
	struct client_list list = make_roll(1);

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	live_init(&live, false, SEC(1));
	live_roll(&live, &list);
	live_event(&live, &greeting);
	live_missed(&live, 5, NOON);
	live_note(&live, "hello", NOON);
	live_tick(&live, SEC(3));
	_cleanup_(freep) char *text = draw(&live, 24, SEC(3));
	assert_null(list.clients);
	assert_string_equal(text, "1 client, 0 missing; 3 greetings/s, 6 in 2s (5 not shown)\n"
				  "\n"
				  "ID  NAME  STATE    LAST SEEN  COUNT  FROM\n"
				  " 1  -     present    5 s ago      1  -\n"
				  "\n"
				  "12:00:00  greeting      client 2  127.0.0.1:40312  count 7\n"
				  "12:00:00  missed        5 greetings not shown: too many at once\n"
				  "12:00:00  note          hello\n");
}

static void test_takes_the_rate_of_the_last_tick_alone(void **state)
{
	_cleanup_(live_deinit) struct live live;

	(void)state;
	live_init(&live, false, 0);
	live_missed(&live, 100, NOON);
	live_tick(&live, SEC(1));
	assert_true(live.rate == 100);
	live_tick(&live, SEC(1)); /* no time has passed */
	assert_true(live.rate == 100);
	live_tick(&live, SEC(2));
	assert_true(live.rate == 0);
}

static void test_says_when_nobody_is_there(void **state)
{
	_cleanup_(live_deinit) struct live live;

	(void)state;
	live_init(&live, false, 0);
	live.trouble = "the daemon has gone";
	_cleanup_(freep) char *text = draw(&live, 24, 0);
	assert_string_equal(text, "0 clients, 0 missing; 0 greetings/s, 0 in 0s\n"
				  "the daemon has gone\n"
				  "nobody has greeted yet\n\n");
}

static void test_never_draws_more_lines_than_there_are(void **state)
{
	(void)state;
	for (unsigned lines = 1; lines < 60; lines++)
		for (uint32_t clients = 0; clients < 60; clients += 7) {
			_cleanup_(live_deinit) struct live live;
			struct client_list list = make_roll(clients + 1);

			live_init(&live, false, 0);
			live_roll(&live, &list);
			for (int i = 0; i < 40; i++)
				live_event(&live, &greeting);
			_cleanup_(freep) char *text = draw(&live, lines, 0);
			assert_true(count_lines(text) <= lines);
		}
}

static void test_shows_first_who_is_missing(void **state)
{
	_cleanup_(live_deinit) struct live live;
	struct client_list list = make_roll(1000);

	(void)state;
	list.clients[499].state = "missing";
	list.clients[7].state = "late";
	live_init(&live, true, 0);
	live_roll(&live, &list);
	_cleanup_(freep) char *text = draw(&live, 16, 0);
	assert_non_null(strstr(text, "\n   8  -     \033[33mlate"));
	assert_non_null(strstr(text, "\n 500  -     \033[1;31mmissing"));
	assert_non_null(strstr(text, "\n1000  -     "));
	assert_non_null(strstr(text, "\nand 993 more\n"));
	assert_non_null(strstr(text, "1 missing\033[0m"));
}

static void test_shares_a_small_terminal(void **state)
{
	_cleanup_(live_deinit) struct live live;
	struct client_list list = make_roll(9);

	(void)state;
	live_init(&live, false, 0);
	live_roll(&live, &list);
	for (int i = 0; i < 9; i++)
		live_event(&live, &greeting);
	_cleanup_(freep) char *text = draw(&live, 10, 0);
	assert_non_null(strstr(text, " 9  -     present"));
	assert_non_null(strstr(text, "\nand 6 more\n\n"));
	assert_int_equal(count_lines(text), 10);
}

static void test_keeps_the_latest_events(void **state)
{
	_cleanup_(live_deinit) struct live live;
	struct event event = greeting;

	(void)state;
	live_init(&live, false, 0);
	for (event.count = 1; event.count <= 1000; event.count++)
		live_event(&live, &event);
	_cleanup_(freep) char *text = draw(&live, 500, 0);
	assert_non_null(strstr(text, "count 1000\n"));
	assert_non_null(strstr(text, "count 745\n"));
	assert_null(strstr(text, "count 744\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shows_rates_roll_and_events),
		cmocka_unit_test(test_takes_the_rate_of_the_last_tick_alone),
		cmocka_unit_test(test_says_when_nobody_is_there),
		cmocka_unit_test(test_never_draws_more_lines_than_there_are),
		cmocka_unit_test(test_shows_first_who_is_missing),
		cmocka_unit_test(test_shares_a_small_terminal),
		cmocka_unit_test(test_keeps_the_latest_events),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}

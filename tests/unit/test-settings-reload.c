/* What a reload may change, and what waits for a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/settings.h"

struct fixture {
	struct settings *fresh, *running;
	const char *pending[SETTINGS_PENDING_MAX];
	size_t n_pending;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	settings_free(f->fresh);
	settings_free(f->running);
	free(f);
	return 0;
}

static struct settings *parse(const char *text)
{
	struct settings_report report = { 0 };
	struct settings *settings = NULL;

	assert_int_equal(settings_parse(text, strlen(text), "test", &settings, &report), 0);
	return settings;
}

static void reload(struct fixture *f, const char *running, const char *fresh)
{
	f->running = parse(running);
	f->fresh = parse(fresh);
	f->n_pending = settings_hold_back(f->fresh, f->running, f->pending);
}

static void test_the_same_settings_leave_nothing_pending(void **state)
{
	struct fixture *f = *state;

	reload(f, "port = 9000; listen = [ \"127.0.0.1\" ];", "port = 9000; listen = [ \"127.0.0.1\" ];");
	assert_int_equal(f->n_pending, 0);
	assert_int_equal(f->fresh->port, 9000);
	assert_string_equal(f->fresh->listen[0], "127.0.0.1");
}

static void test_takes_every_setting_that_can_be_reloaded(void **state)
{
	struct fixture *f = *state;

	reload(f, "",
		"reply = \"yes\"; max_connections = 5; max_connections_per_source = 2; settle = 0;"
		"greeting_timeout = 1; idle_timeout = 2; idle_exit = 3; journal_burst = 4;"
		"expect = ( { id = \"1\"; every = 60; } );");
	assert_int_equal(f->n_pending, 0);
	assert_string_equal(f->fresh->reply, "yes");
	assert_int_equal(f->fresh->max_connections, 5);
	assert_int_equal(f->fresh->max_connections_per_source, 2);
	assert_int_equal(f->fresh->settle_usec, 0);
	assert_int_equal(f->fresh->greeting_timeout_usec, USEC_PER_SEC);
	assert_int_equal(f->fresh->idle_timeout_usec, 2 * USEC_PER_SEC);
	assert_int_equal(f->fresh->idle_exit_usec, 3 * USEC_PER_SEC);
	assert_int_equal(f->fresh->journal_burst, 4);
	assert_int_equal(f->fresh->n_expect, 1);
}

static void test_holds_back_and_names_what_takes_a_restart(void **state)
{
	struct fixture *f = *state;

	reload(f, "",
		"port = 9000; listen = [ \"127.0.0.1\", \"[::1]\" ]; max_id = 10; workers = 2; reply = "
		"\"yes\";");
	assert_int_equal(f->n_pending, 4);
	assert_string_equal(f->pending[0], "port");
	assert_string_equal(f->pending[1], "listen");
	assert_string_equal(f->pending[2], "max_id");
	assert_string_equal(f->pending[3], "workers");
	assert_int_equal(f->fresh->port, 8080);
	assert_int_equal(f->fresh->n_listen, 1);
	assert_string_equal(f->fresh->listen[0], "*");
	assert_int_equal(f->fresh->max_id, 65535);
	assert_int_equal(f->fresh->workers, 1);
	assert_string_equal(f->fresh->reply, "yes");
	assert_int_equal(f->running->port, 9000); /* and the other one has what waits */
	assert_int_equal(f->running->n_listen, 2);
}

static void test_an_address_changed_is_a_list_changed(void **state)
{
	struct fixture *f = *state;

	reload(f, "listen = [ \"127.0.0.1\", \"127.0.0.2\" ];", "listen = [ \"127.0.0.1\", \"127.0.0.3\" ];");
	assert_int_equal(f->n_pending, 1);
	assert_string_equal(f->pending[0], "listen");
	assert_string_equal(f->fresh->listen[1], "127.0.0.2");
}

static void test_what_is_taken_back_is_not_pending_any_more(void **state)
{
	struct fixture *f = *state;

	reload(f, "port = 9000;", "port = 9001;");
	settings_free(f->running);
	f->running = f->fresh; /* as the daemon does */
	f->fresh = parse("port = 9000;");
	assert_int_equal(settings_hold_back(f->fresh, f->running, f->pending), 0);
}

static void test_every_key_that_cannot_be_reloaded_is_held_back(void **state)
{
	size_t n, n_restart = 0;
	const struct settings_key *keys = settings_keys(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (!keys[i].reloadable) {
			n_restart++; /* of a kind that settings_hold_back() can exchange */
			assert_true(keys[i].kind == SETTINGS_INTEGER || keys[i].kind == SETTINGS_DURATION ||
				    keys[i].kind == SETTINGS_LISTEN);
		}
	assert_int_equal(n_restart, 4);
	assert_true(n <= SETTINGS_PENDING_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_same_settings_leave_nothing_pending),
		CASE(test_takes_every_setting_that_can_be_reloaded),
		CASE(test_holds_back_and_names_what_takes_a_restart),
		CASE(test_an_address_changed_is_a_list_changed),
		CASE(test_what_is_taken_back_is_not_pending_any_more),
		CASE(test_every_key_that_cannot_be_reloaded_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

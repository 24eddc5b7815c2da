/* The roll call with a roll and a journal, its timer run by the loop's real clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/duration.h"
#include "greeterd/rollcall.h"

#define CHANGES_MAX 16

struct fixture {
	sd_event *event;
	struct roll *roll;
	struct journal *journal;
	struct rollcall *rollcall;
	struct settings *settings;
	int log_read, log_write;
	char changes[CHANGES_MAX][64]; /* "ID GROUP BEFORE AFTER" */
	size_t n_changes;
};

static void on_change(
	void *data, uint32_t id, const char *group, enum attendance_state before, enum attendance_state after)
{
	struct fixture *f = data;

	assert_true(f->n_changes < CHANGES_MAX);
	snprintf(f->changes[f->n_changes++], sizeof(f->changes[0]), "%u %s %s %s", id, group,
		attendance_state_name(before), attendance_state_name(after));
}

static void opens(struct fixture *f)
{
	const struct rollcall_setup setup = {
		.event = f->event,
		.roll = f->roll,
		.journal = f->journal,
		.max_id = 1000,
		.changed = on_change,
		.data = f,
	};

	assert_int_equal(rollcall_new(&setup, &f->rollcall), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int log[2];

	assert_non_null(f);
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	f->log_read = log[0];
	f->log_write = log[1];

	const struct journal_setup journal = { .fd = f->log_write, .max_id = 1000 };
	assert_int_equal(journal_new(&journal, &f->journal), 0);
	assert_int_equal(roll_new(&(struct roll_setup){ .max_id = 1000 }, &f->roll), 0);
	assert_true(sd_event_new(&f->event) >= 0);
	opens(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	rollcall_free(f->rollcall);
	sd_event_unref(f->event);
	roll_free(f->roll);
	journal_free(f->journal);
	settings_free(f->settings);
	close(f->log_read);
	close(f->log_write);
	free(f);
	return 0;
}

static uint64_t now(const struct fixture *f)
{
	uint64_t usec;

	assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &usec) >= 0);
	return usec;
}

static void expects(struct fixture *f, const char *text)
{
	struct settings_report report = { 0 };
	struct settings *fresh;

	assert_int_equal(settings_parse(text, strlen(text), "test", &fresh, &report), 0);
	assert_int_equal(rollcall_configure(f->rollcall, fresh, now(f)), 0);
	settings_free(f->settings);
	f->settings = fresh;
}

static void greets(struct fixture *f, uint32_t id)
{
	attendance_greeting(rollcall_attendance(f->rollcall), id, now(f));
	rollcall_served(f->rollcall);
}

/* Runs the loop until so many changes were told. */
static void runs_until(struct fixture *f, size_t n_changes)
{
	for (int i = 0; i < 1000 && f->n_changes < n_changes; i++)
		assert_true(sd_event_run(f->event, 10 * USEC_PER_SEC) >= 0);
	assert_int_equal(f->n_changes, n_changes);
}

static const char *log_text(struct fixture *f)
{
	static char text[4096];
	ssize_t n;

	journal_flush(f->journal, now(f));
	n = read(f->log_read, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static uint8_t kept_state(struct fixture *f, uint32_t id)
{
	struct roll_entry entry;

	return roll_get(f->roll, id, &entry) == 0 ? entry.state : ATTENDANCE_UNEXPECTED;
}

static void test_who_does_not_greet_is_late_then_missing_then_returned(void **state)
{
	struct fixture *f = *state;

	expects(f, "expect = ( { id = \"2\"; every = \"1s\"; grace = \"0\"; name = \"rack A\"; } );");
	runs_until(f, 2);
	assert_string_equal(f->changes[0], "2 rack A new late");
	assert_string_equal(f->changes[1], "2 rack A late missing");
	assert_string_equal(log_text(f), "client 2 (rack A) is late, was new\n"
					 "client 2 (rack A) is missing, was late\n");
	assert_int_equal(kept_state(f, 2), ATTENDANCE_MISSING);
	greets(f, 2);
	assert_string_equal(f->changes[2], "2 rack A missing returned");
	assert_string_equal(log_text(f), "client 2 (rack A) is returned, was missing\n");
}

static void test_who_greets_is_present(void **state)
{
	struct fixture *f = *state;

	expects(f, "expect = ( { id = \"1-3\"; every = \"60s\"; } );");
	greets(f, 3);
	greets(f, 4);
	assert_int_equal(f->n_changes, 1);
	assert_string_equal(f->changes[0], "3  new present");
	assert_string_equal(log_text(f), "client 3 is present, was new\n");
}

static void test_who_was_missing_before_a_restart_still_is(void **state)
{
	struct fixture *f = *state;

	roll_set_state(f->roll, 5, ATTENDANCE_MISSING);
	expects(f, "expect = ( { id = \"5\"; every = \"60s\"; } );");
	assert_int_equal(f->n_changes, 0);
	assert_int_equal(attendance_state(rollcall_attendance(f->rollcall), 5), ATTENDANCE_MISSING);
	greets(f, 5);
	assert_string_equal(f->changes[0], "5  missing returned");
}

static void test_other_settings_keep_who_stays(void **state)
{
	struct fixture *f = *state;

	expects(f, "expect = ( { id = \"1,2\"; every = \"60s\"; name = \"one\"; } );");
	greets(f, 1);
	expects(f, "expect = ( { id = \"1\"; every = \"30s\"; name = \"two\"; } );");
	assert_int_equal(attendance_state(rollcall_attendance(f->rollcall), 1), ATTENDANCE_PRESENT);
	assert_int_equal(attendance_state(rollcall_attendance(f->rollcall), 2), ATTENDANCE_UNEXPECTED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_who_does_not_greet_is_late_then_missing_then_returned),
		CASE(test_who_greets_is_present),
		CASE(test_who_was_missing_before_a_restart_still_is),
		CASE(test_other_settings_keep_who_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

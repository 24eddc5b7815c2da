/* What the bus may see and change of the daemon: a roll, a server and an attendance, without a bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/netio.h"
#include "greeterd/control.h"

#define TEXT \
	"port = 8081; listen = [ \"127.0.0.1\", \"[::1]:9000\" ]; max_id = 100;" \
	"expect = ( { id = \"2,50\"; every = \"60s\"; grace = \"30s\"; name = \"rack A\"; } );"

struct fixture {
	sd_event *event;
	struct inforce settings;
	struct listeners listeners;
	int listener;
	struct journal *journal;
	struct watchers watchers;
	struct server *server;
	struct control control;
	char addresses[512];
	unsigned reloaded, watched, changed;
};

static int reload(void *daemon, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	(void)ret_pending, (void)report;
	((struct fixture *)daemon)->reloaded++;
	*ret_n_pending = 0;
	return 0;
}

static void changed(void *daemon)
{
	((struct fixture *)daemon)->changed++;
}

static void watched(void *daemon)
{
	((struct fixture *)daemon)->watched++;
}

static void say(void *daemon, const char *sentence)
{
	snprintf(((struct fixture *)daemon)->addresses, 512, "%s", sentence);
}

static void greet(struct fixture *f, uint32_t id)
{
	const struct netio_peer peer = { .family = AF_INET, .port = 40312, .ip = { 127, 0, 0, 1 } };

	roll_record(f->control.roll, id, &peer, 1, 1000);
}

static int set_up_with(void **state, const char *text)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct settings_report report = { 0 };
	struct netio_address address[NETIO_PARSE_MAX];
	struct server_setup setup;

	assert_non_null(f);
	assert_int_equal(settings_parse(text, strlen(text), "f", &f->settings.now, &report), 0);
	assert_int_equal(
		journal_new(&(struct journal_setup){ .fd = STDERR_FILENO, .max_id = 100 }, &f->journal), 0);
	assert_int_equal(roll_new(&(struct roll_setup){ .max_id = 100 }, &f->control.roll), 0);
	assert_int_equal(netio_parse("127.0.0.1", 0, address), 1);
	f->listener = netio_listen(address, 5);
	assert_true(f->listener >= 0);
	f->listeners = (struct listeners){ .fds = &f->listener, .n = 1 };
	assert_true(sd_event_new(&f->event) >= 0);

	const struct rollcall_setup rollcall = {
		.event = f->event,
		.roll = f->control.roll,
		.journal = f->journal,
		.max_id = 100,
	};
	assert_int_equal(rollcall_new(&rollcall, &f->control.rollcall), 0);
	setup = (struct server_setup){
		.settings = f->settings.now,
		.listeners = &f->listener,
		.n_listeners = 1,
		.roll = f->control.roll,
		.attendance = rollcall_attendance(f->control.rollcall),
		.journal = f->journal,
		.watchers = &f->watchers,
	};
	assert_int_equal(server_new(&setup, &f->server), 0);
	f->control.settings = &f->settings;
	f->control.listeners = &f->listeners;
	f->control.server = f->server;
	f->control.watchers = &f->watchers;
	f->control.reload = reload;
	f->control.changed = changed;
	f->control.watched = watched;
	f->control.say = say;
	f->control.daemon = f;
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, TEXT);
}

static int set_up_threads(void **state)
{
	int r = set_up_with(state, "workers = 2;" TEXT);
	struct fixture *f = *state;

	return r < 0 ? r : server_start(f->server);
}

static void expect(struct fixture *f)
{
	uint64_t now;

	assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &now) >= 0);
	roll_set_state(f->control.roll, 50, ATTENDANCE_MISSING); /* as it was told before a restart */
	assert_int_equal(rollcall_configure(f->control.rollcall, f->settings.now, now), 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	server_free(f->server);
	rollcall_free(f->control.rollcall);
	sd_event_unref(f->event);
	roll_free(f->control.roll);
	journal_free(f->journal);
	inforce_deinit(&f->settings);
	close(f->listener);
	free(f);
	return 0;
}

/* Returns how many were changed; in *ret_steps, of so many looks each, how many steps that took. */
static uint32_t change_in_steps(
	struct fixture *f, enum bus_change what, const char *text, unsigned looks, unsigned *ret_steps)
{
	const struct bus_time now = { .monotonic = 1000 * USEC_PER_SEC, .realtime = 77 };
	struct idset *ids;
	uint32_t changed = 0, next = 0;

	assert_int_equal(idset_parse(text, 100, &ids), 0);
	*ret_steps = 0;
	do {
		changed += control_ops.change(&f->control, what, ids, &next, looks, &now);
		(*ret_steps)++;
	} while (next != 0);
	idset_free(ids);
	return changed;
}

static uint32_t change(struct fixture *f, enum bus_change what, const char *text)
{
	unsigned steps;

	return change_in_steps(f, what, text, 1000, &steps);
}

static void test_shows_who_has_greeted_where_nobody_is_expected(void **state)
{
	struct fixture *f = *state;
	struct bus_client client;

	assert_int_equal(control_ops.next(&f->control, 0, &client), -ENOENT);
	greet(f, 0);
	greet(f, 2);
	greet(f, 2);
	assert_int_equal(control_ops.next(&f->control, 1, &client), 0);
	assert_int_equal(client.id, 2);
	assert_int_equal(client.count, 2);
	assert_string_equal(client.state, "present");
	assert_string_equal(client.name, "");
	assert_int_equal(control_ops.next(&f->control, 3, &client), -ENOENT);
	assert_int_equal(control_ops.clients(&f->control), 2);
}

static void test_shows_who_is_expected_among_who_has_greeted(void **state)
{
	struct fixture *f = *state;
	struct bus_client client;
	struct bus_values values;

	expect(f);
	greet(f, 7);
	assert_int_equal(control_ops.next(&f->control, 0, &client), 0);
	assert_int_equal(client.id, 2);
	assert_string_equal(client.state, "new");
	assert_string_equal(client.name, "rack A");
	assert_int_equal(client.count, 0);
	assert_int_equal(control_ops.next(&f->control, 3, &client), 0);
	assert_int_equal(client.id, 7);
	assert_int_equal(control_ops.next(&f->control, 8, &client), 0);
	assert_int_equal(client.id, 50);
	assert_true(client.missing);
	assert_int_equal(control_ops.next(&f->control, 51, &client), -ENOENT);
	control_ops.values(&f->control, &values);
	assert_int_equal(values.missing, 1);
	assert_int_equal(values.max_id, 100);
}

static void test_forgets_who_is_known(void **state)
{
	struct fixture *f = *state;
	struct bus_client client;

	expect(f);
	greet(f, 2);
	greet(f, 7);
	assert_int_equal(control_ops.clients(&f->control), 2);
	assert_int_equal(change(f, BUS_FORGET, "1-6,9"), 1);
	assert_int_equal(control_ops.clients(&f->control), 1);
	assert_int_equal(control_ops.next(&f->control, 3, &client), 0);
	assert_int_equal(client.id, 7);
	assert_int_equal(f->watchers.seq, 1);
	assert_int_equal(f->changed, 1);
	assert_int_equal(change(f, BUS_FORGET, "1-6,9"), 0);
	assert_int_equal(f->changed, 1);
}

static void test_changes_in_steps(void **state)
{
	struct fixture *f = *state;
	unsigned steps;

	for (uint32_t id = 1; id <= 100; id++)
		greet(f, id);
	assert_int_equal(control_ops.clients(&f->control), 100);
	assert_int_equal(change_in_steps(f, BUS_FORGET, "2-41,60", 10, &steps), 41);
	assert_int_equal(steps, 5);
	assert_int_equal(control_ops.clients(&f->control), 59);
	expect(f);
	assert_int_equal(change_in_steps(f, BUS_PAUSE, "1-100", 7, &steps), 2);
}

static void test_an_event_has_the_time_of_the_caller(void **state)
{
	struct fixture *f = *state;
	struct watcher watcher = { 0 };

	assert_int_equal(watchers_attach(&f->watchers, &watcher, NULL), 0);
	greet(f, 2);
	change(f, BUS_FORGET, "2");
	assert_int_equal(watcher.n_events, 1);
	assert_int_equal(watcher.events[0].when, 77);
	watchers_detach(&f->watchers, &watcher);
}

static void test_pauses_and_resumes_who_is_expected(void **state)
{
	struct fixture *f = *state;

	greet(f, 7);
	assert_int_equal(change(f, BUS_PAUSE, "1-100"), 0);
	expect(f);
	assert_int_equal(change(f, BUS_PAUSE, "1-10,50"), 2);
	assert_int_equal(change(f, BUS_PAUSE, "1-100"), 0);
	assert_int_equal(change(f, BUS_RESUME, "50"), 1);
}

static void lets_workers_go_on(const struct fixture *f)
{
	server_unlock(f->server);
	usleep(1000);
	server_lock(f->server);
}

static int connect_client(const struct fixture *f)
{
	const struct timeval patience = { .tv_usec = 100000 };
	struct netio_address address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(netio_local(f->listener, &address), 0);
	assert_int_equal(connect(fd, &address.any, address.len), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	while (server_counters(f->server)->connections == 0)
		lets_workers_go_on(f);
	lets_workers_go_on(f); /* to the end of that batch */
	return fd;
}

/* It is answered, then, and its worker waits for the lock, to tell of it. */
static void say_hello(const struct fixture *f, int fd, const char *line)
{
	char reply[64];
	ssize_t n;

	assert_int_equal(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	while ((n = recv(fd, reply, sizeof(reply), 0)) < 0 && errno == EAGAIN)
		lets_workers_go_on(f); /* it still had something else to tell */
	assert_int_equal(n, (ssize_t)strlen("I am SERVER\n"));
}

/* Lets the workers tell of what was answered. */
static void settle(const struct fixture *f)
{
	server_pause(f->server);
	server_resume(f->server);
}

static void test_counts_once_who_was_just_answered(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	say_hello(f, fd, "I am client 2\n");
	assert_int_equal(control_ops.clients(&f->control), 1);
	settle(f);
	assert_int_equal(control_ops.clients(&f->control), 1);
	close(fd);
}

static void test_forgets_who_was_just_answered(void **state)
{
	struct fixture *f = *state;
	struct watcher watcher = { 0 };
	struct bus_client client;
	int fd = connect_client(f);

	expect(f);
	assert_int_equal(watchers_attach(&f->watchers, &watcher, NULL), 0);
	say_hello(f, fd, "I am client 2\n");
	assert_int_equal(change(f, BUS_FORGET, "2"), 1);
	settle(f);
	assert_int_equal(control_ops.next(&f->control, 2, &client), 0);
	assert_int_equal(client.id, 2);
	assert_string_equal(client.state, "new");
	assert_int_equal(client.count, 0);
	assert_int_equal(control_ops.clients(&f->control), 0);
	assert_int_equal(watcher.n_events, 2);
	assert_int_equal(watcher.events[0].kind, WATCH_GREETING);
	assert_int_equal(watcher.events[1].kind, WATCH_FORGOTTEN);
	watchers_detach(&f->watchers, &watcher);
	close(fd);
}

static int put(void *to, const char *address)
{
	struct fixture *f = to;

	strcat(strcat(f->addresses, address), " ");
	return 0;
}

static void test_shows_where_it_listens_and_where_it_should(void **state)
{
	struct fixture *f = *state;
	struct settings_report report = { 0 };

	assert_int_equal(control_ops.listen(&f->control, true, put, f), 0);
	assert_string_equal(f->addresses, "127.0.0.1:8081 [::1]:9000 ");
	assert_int_equal(
		settings_parse("listen = [ \"127.0.0.2\" ];", 25, "f", &f->settings.replaced, &report), 0);
	f->addresses[0] = '\0';
	assert_int_equal(control_ops.listen(&f->control, true, put, f), 0);
	assert_string_equal(f->addresses, "127.0.0.2:8080 ");
	f->addresses[0] = '\0';
	assert_int_equal(control_ops.listen(&f->control, false, put, f), 0);
	assert_memory_equal(f->addresses, "127.0.0.1:", 10);
}

static void test_leaves_the_rest_to_the_daemon(void **state)
{
	struct fixture *f = *state;
	const char *pending[SETTINGS_PENDING_MAX];
	struct settings_report report = { 0 };
	size_t n;

	assert_int_equal(control_ops.reload(&f->control, pending, &n, &report), 0);
	control_ops.watched(&f->control);
	control_ops.say(&f->control, "there");
	assert_int_equal(f->reloaded, 1);
	assert_int_equal(f->watched, 1);
	assert_string_equal(f->addresses, "there");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define THREADED(test) cmocka_unit_test_setup_teardown(test, set_up_threads, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_shows_who_has_greeted_where_nobody_is_expected),
		CASE(test_shows_who_is_expected_among_who_has_greeted),
		CASE(test_forgets_who_is_known),
		CASE(test_changes_in_steps),
		CASE(test_an_event_has_the_time_of_the_caller),
		CASE(test_pauses_and_resumes_who_is_expected),
		CASE(test_shows_where_it_listens_and_where_it_should),
		CASE(test_leaves_the_rest_to_the_daemon),
		THREADED(test_counts_once_who_was_just_answered),
		THREADED(test_forgets_who_was_just_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

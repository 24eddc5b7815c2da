#include "greeterd/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/activation.h"
#include "greeterd/bus.h"
#include "greeterd/control.h"
#include "greeterd/exits.h"
#include "greeterd/inforce.h"
#include "greeterd/journal.h"
#include "greeterd/notify.h"
#include "greeterd/restart.h"
#include "greeterd/roll.h"
#include "greeterd/rollcall.h"
#include "greeterd/server.h"
#include "greeterd/startup.h"

/* For peers to read what they are owed, before they are cut off. */
#define DRAIN_USEC (USEC_PER_SEC * 7 / 10)

/* That what was recorded waits for the disk. */
#define SYNC_USEC (5 * USEC_PER_SEC)

/* That stopping may take in all, systemd is told. */
#define STOP_USEC (10 * USEC_PER_SEC)

#define WHERE_MAX 448

/* Members in the order in which they are made; daemon_deinit() goes backwards. */
struct daemon {
	struct inforce settings;
	struct journal *journal;
	struct listeners listeners;
	struct roll *roll;
	struct rollcall *rollcall;
	struct watchers watchers;
	struct server *server;
	sd_event *event;
	struct notify *notify;
	struct control control;
	struct bus *bus;
	sd_event_source *sync_timer; /* armed while there is news for the disk */
	sd_event_source *idle_timer; /* armed while nobody is connected and idle_exit is on */
	uint64_t idle_span;          /* it goes off so long after that began; 0: it is not armed */
	bool stopping;
};

static void daemon_deinit(struct daemon *daemon)
{
	bus_free(daemon->bus);
	sd_event_source_disable_unref(daemon->idle_timer);
	sd_event_source_disable_unref(daemon->sync_timer);
	notify_free(daemon->notify);
	sd_event_unref(daemon->event);
	server_free(daemon->server);
	rollcall_free(daemon->rollcall);
	roll_free(daemon->roll);
	activation_close(&daemon->listeners);
	if (daemon->journal)
		journal_flush(daemon->journal, UINT64_MAX);
	journal_free(daemon->journal);
	inforce_deinit(&daemon->settings);
}

static int say_failure(struct daemon *daemon, const char *what, int error)
{
	journal_say(daemon->journal, MESSAGE_PROBLEM, "%s: %s", what, strerror(-error));
	return DAEMON_FAILURE;
}

static uint64_t loop_now(const struct daemon *daemon)
{
	uint64_t now = 0;

	(void)sd_event_now(daemon->event, CLOCK_MONOTONIC, &now); /* fails for no clock that we ask for */
	return now;
}

/* Before the server is called: the time of day is read once a batch, as the other clock. */
static uint64_t serving_now(struct daemon *daemon)
{
	uint64_t realtime = 0;

	(void)sd_event_now(daemon->event, CLOCK_REALTIME, &realtime);
	server_set_realtime(daemon->server, realtime);
	return loop_now(daemon);
}

static void describe(void *data, char text[static NOTIFY_TEXT_MAX])
{
	const struct daemon *daemon = data;
	const struct server_counters *counters = server_counters(daemon->server);
	const struct inforce *settings = &daemon->settings;
	size_t n_missing = attendance_count(rollcall_attendance(daemon->rollcall), ATTENDANCE_MISSING);
	char missing[40] = "";

	if (n_missing > 0)
		snprintf(missing, sizeof(missing), ", %zu missing", n_missing);
	snprintf(text, NOTIFY_TEXT_MAX, "%zu connected, %" PRIu64 " greetings%s%s%s%s%s",
		server_connections(daemon->server), counters->greetings, missing,
		settings->port_trouble[0] ? "; " : "", settings->port_trouble,
		settings->trouble[0] ? "; " : "", settings->trouble);
}

static bool is_stuck(void *data)
{
	const struct daemon *daemon = data;

	if (!server_is_stuck(daemon->server))
		return false;
	journal_say(daemon->journal, MESSAGE_PROBLEM,
		"a worker is stuck: the watchdog is not told that all is well");
	journal_flush(daemon->journal, loop_now(daemon));
	return true;
}

/* --- idle exit */

/* Whom somebody watches, or who awaits somebody, is not idle. */
static void update_idle(struct daemon *daemon)
{
	bool idle = daemon->listeners.inherited && server_connections(daemon->server) == 0 &&
		    daemon->watchers.n == 0 && daemon->settings.now->n_expect == 0;
	uint64_t span = idle ? daemon->settings.now->idle_exit_usec : 0;

	if (span == daemon->idle_span)
		return;
	daemon->idle_span = span;
	(void)sd_event_source_set_time(daemon->idle_timer, loop_now(daemon) + span);
	(void)sd_event_source_set_enabled(daemon->idle_timer, span > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Who connects from here on waits in the listener's backlog, which is systemd's, and starts the next process.
 */
static int on_idle(sd_event_source *source, uint64_t due, void *data)
{
	struct daemon *daemon = data;

	(void)source, (void)due;
	if (!server_stop_if_idle(daemon->server)) { /* somebody has just come to one of the workers */
		daemon->idle_span = 0;
		update_idle(daemon);
		return 0;
	}
	journal_say(daemon->journal, MESSAGE_IDLE, "nobody is connected: exiting until somebody is");
	notify_stopping(daemon->notify, "Idle", STOP_USEC);
	return sd_event_exit(daemon->event, 0);
}

/* --- the roll's way to the disk */

static int on_sync(sd_event_source *source, uint64_t due, void *data)
{
	struct daemon *daemon = data;

	(void)source, (void)due;
	roll_sync(daemon->roll);
	journal_flush(daemon->journal, loop_now(daemon));
	return 0;
}

/* The roll has news: the disk is asked for at most once in SYNC_USEC, and never while there is none. */
static void sync_soon(struct daemon *daemon, uint64_t now)
{
	int armed = SD_EVENT_OFF;

	if (sd_event_source_get_enabled(daemon->sync_timer, &armed) > 0 || !roll_is_kept(daemon->roll))
		return;
	(void)sd_event_source_set_time(daemon->sync_timer, now + SYNC_USEC);
	(void)sd_event_source_set_enabled(daemon->sync_timer, SD_EVENT_ONESHOT);
}

/* What the roll and the status tell may have changed. */
static void changed(void *data)
{
	struct daemon *daemon = data;
	uint64_t now = loop_now(daemon);

	sync_soon(daemon, now);
	notify_changed(daemon->notify, now);
}

/* --- the loop */

static int end_when_drained(struct daemon *daemon)
{
	if (!daemon->stopping || server_connections(daemon->server) > 0)
		return 0;
	return sd_event_exit(daemon->event, 0);
}

static int on_server_ready(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct daemon *daemon = data;
	uint64_t now = serving_now(daemon);
	int r = server_dispatch(daemon->server, now);

	(void)source, (void)fd, (void)revents;
	if (r < 0)
		return sd_event_exit(daemon->event, r);
	if (daemon->stopping)
		return end_when_drained(daemon);
	rollcall_served(daemon->rollcall);
	update_idle(daemon);
	sync_soon(daemon, now);
	bus_served(daemon->bus);
	notify_changed(daemon->notify, now);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct daemon *daemon = data;
	uint64_t now = serving_now(daemon);

	(void)source;
	if (!daemon->stopping) {
		journal_say(daemon->journal, MESSAGE_STOPPING,
			"stopping on signal %" PRIu32 ", %zu connected", info->ssi_signo,
			server_connections(daemon->server));
		notify_stopping(daemon->notify, "Answering what was received", STOP_USEC);
		daemon->stopping = true;
		if (restart_hand_over(daemon->server, &daemon->listeners, daemon->journal, now))
			return sd_event_exit(daemon->event, 0);
	}
	if (server_drain(daemon->server, now, now + DRAIN_USEC) < 0)
		return sd_event_exit(daemon->event, 0);
	return end_when_drained(daemon);
}

static int reload(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	struct daemon *daemon = data;
	uint64_t now = loop_now(daemon);
	int r;

	if (daemon->stopping)
		return -ESHUTDOWN;
	notify_reloading(now);
	r = inforce_reload(&daemon->settings, daemon->server, &daemon->listeners, daemon->journal,
		ret_pending, ret_n_pending, report);
	if (r == 0)
		(void)sd_event_now(daemon->event, CLOCK_REALTIME, &daemon->control.reloaded_at);
	if (rollcall_configure(daemon->rollcall, daemon->settings.now, now) < 0)
		journal_say(
			daemon->journal, MESSAGE_PROBLEM, "out of memory: the setting expect is as before");
	journal_flush(daemon->journal, now);
	update_idle(daemon);
	notify_ready(daemon->notify, now);
	bus_properties_changed(daemon->bus);
	return r;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	const char *pending[SETTINGS_PENDING_MAX];
	size_t n_pending;

	(void)source, (void)info;
	(void)reload(data, pending, &n_pending, &report); /* which says how it went */
	return 0;
}

static const struct {
	int signal;
	sd_event_signal_handler_t handler;
} signals[] = {
	{ SIGTERM, on_stop },
	{ SIGINT, on_stop },
	{ SIGHUP, on_reload },
};

static int add_timer(struct daemon *daemon, sd_event_source **source, sd_event_time_handler_t handler)
{
	int r = sd_event_add_time(daemon->event, source, CLOCK_MONOTONIC, UINT64_MAX, 0, handler, daemon);

	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

static int open_loop(struct daemon *daemon)
{
	sigset_t blocked;
	int r;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ELEMENTS(signals); i++)
		sigaddset(&blocked, signals[i].signal);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return -errno;
	r = 0;
	for (size_t i = 0; r >= 0 && i < ELEMENTS(signals); i++)
		r = sd_event_add_signal(daemon->event, NULL, signals[i].signal, signals[i].handler, daemon);
	if (r >= 0)
		r = sd_event_add_io(
			daemon->event, NULL, server_fd(daemon->server), EPOLLIN, on_server_ready, daemon);
	if (r >= 0)
		r = add_timer(daemon, &daemon->sync_timer, on_sync);
	if (r >= 0)
		r = add_timer(daemon, &daemon->idle_timer, on_idle);
	if (r >= 0)
		r = notify_new(daemon->event, describe, daemon, &daemon->notify);
	return r < 0 ? r : notify_watchdog(daemon->notify, is_stuck);
}

/* What the main thread shares with the workers, it has but while it waits. */
static int run_loop(struct daemon *daemon)
{
	int r = server_start(daemon->server);

	while (r >= 0 && sd_event_get_state(daemon->event) != SD_EVENT_FINISHED) {
		r = sd_event_prepare(daemon->event);
		if (r == 0) {
			server_unlock(daemon->server);
			r = sd_event_wait(daemon->event, UINT64_MAX);
			server_lock(daemon->server);
		}
		if (r > 0)
			r = sd_event_dispatch(daemon->event);
	}
	if (r >= 0)
		(void)sd_event_get_exit_code(daemon->event, &r);
	return r;
}

/* --- start */

static void say_of_roll(void *data, const char *sentence)
{
	const struct daemon *daemon = data;

	journal_say(daemon->journal, MESSAGE_PROBLEM, "%s", sentence);
}

static void on_state_changed(
	void *data, uint32_t id, const char *group, enum attendance_state before, enum attendance_state after)
{
	static const enum watch_kind kinds[ATTENDANCE_STATES] = {
		[ATTENDANCE_PRESENT] = WATCH_PRESENT,
		[ATTENDANCE_LATE] = WATCH_LATE,
		[ATTENDANCE_MISSING] = WATCH_MISSING,
		[ATTENDANCE_RETURNED] = WATCH_RETURNED,
		[ATTENDANCE_PAUSED] = WATCH_PAUSED,
	};
	struct daemon *daemon = data;
	uint64_t when = 0;

	if (!daemon->bus) /* at the start nobody has heard of anything else yet */
		return;
	(void)sd_event_now(daemon->event, CLOCK_REALTIME, &when);
	if (kinds[after])
		watchers_event(&daemon->watchers, kinds[after], id, NULL, 0, when);
	bus_state_changed(
		daemon->bus, id, group, attendance_state_name(before), attendance_state_name(after), when);
	bus_properties_changed(daemon->bus);
	bus_served(daemon->bus);
	changed(daemon);
}

static int open_rollcall(struct daemon *daemon)
{
	const struct rollcall_setup setup = {
		.event = daemon->event,
		.roll = daemon->roll,
		.journal = daemon->journal,
		.max_id = daemon->settings.now->max_id,
		.changed = on_state_changed,
		.data = daemon,
	};
	int r = rollcall_new(&setup, &daemon->rollcall);

	return r < 0 ? r : rollcall_configure(daemon->rollcall, daemon->settings.now, loop_now(daemon));
}

static int open_server(struct daemon *daemon)
{
	struct server_setup setup = {
		.settings = daemon->settings.now,
		.listeners = daemon->listeners.fds,
		.n_listeners = daemon->listeners.n,
		.journal = daemon->journal,
		.watchers = &daemon->watchers,
	};
	const struct roll_setup roll = {
		.folder = daemon->settings.state_dir,
		.max_id = daemon->settings.now->max_id,
		.now = (uint64_t)time(NULL) * USEC_PER_SEC,
		.say = say_of_roll,
		.data = daemon,
	};
	int r = roll_new(&roll, &daemon->roll);

	if (r >= 0)
		r = open_rollcall(daemon);
	if (r < 0)
		return r;
	setup.roll = daemon->roll;
	setup.attendance = rollcall_attendance(daemon->rollcall);
	return server_new(&setup, &daemon->server);
}

static void watched(void *data)
{
	update_idle(data);
}

static void say_of_control(void *data, const char *sentence)
{
	const struct daemon *daemon = data;

	journal_say(daemon->journal, MESSAGE_CONTROL, "%s", sentence);
	journal_flush(daemon->journal, loop_now(daemon));
}

static int open_bus(struct daemon *daemon, bool user)
{
	const struct bus_setup setup = {
		.event = daemon->event,
		.user = user,
		.watchers = &daemon->watchers,
		.ops = &control_ops,
		.data = &daemon->control,
	};

	daemon->control = (struct control){
		.settings = &daemon->settings,
		.listeners = &daemon->listeners,
		.server = daemon->server,
		.roll = daemon->roll,
		.rollcall = daemon->rollcall,
		.watchers = &daemon->watchers,
		.reload = reload,
		.changed = changed,
		.watched = watched,
		.say = say_of_control,
		.daemon = daemon,
	};
	(void)sd_event_now(daemon->event, CLOCK_REALTIME, &daemon->control.started_at);
	return bus_new(&setup, &daemon->bus);
}

/* READY=1 goes out when everything is up, and not before: sd_notify(3). */
static void say_ready(struct daemon *daemon)
{
	char where[WHERE_MAX];
	uint64_t now = loop_now(daemon);

	startup_describe(&daemon->listeners, where, sizeof(where));
	journal_say(daemon->journal, MESSAGE_LISTENING, "listening on %s%s", where,
		daemon->listeners.inherited ? ", handed over by systemd" : "");
	inforce_check_port(&daemon->settings, daemon->settings.now, &daemon->listeners, daemon->journal);
	journal_flush(daemon->journal, now);
	update_idle(daemon);
	notify_ready(daemon->notify, now);
}

int daemon_run(const struct daemon_options *options)
{
	_cleanup_(daemon_deinit) struct daemon daemon = { .settings = { .file = options->config,
								  .state_dir = options->state_dir } };
	int r = inforce_start(&daemon.settings, options->verbose, &daemon.journal);

	if (r != 0)
		return r;
	startup_descriptors(daemon.settings.now, daemon.journal);
	r = startup_listeners(daemon.settings.now, daemon.journal, &daemon.listeners);
	if (r != 0)
		return r;
	r = sd_event_new(&daemon.event);
	if (r >= 0)
		r = open_server(&daemon);
	if (r < 0)
		return say_failure(&daemon, "cannot serve", r);
	r = open_loop(&daemon);
	if (r < 0)
		return say_failure(&daemon, "cannot start the event loop", r);
	r = open_bus(&daemon, options->user);
	if (r < 0)
		return say_failure(&daemon, "cannot prepare for the bus", r);
	restart_take_up(daemon.server, &daemon.listeners, daemon.journal, loop_now(&daemon));
	say_ready(&daemon);
	r = run_loop(&daemon);
	return r < 0 ? say_failure(&daemon, "the event loop failed", r) : 0;
}

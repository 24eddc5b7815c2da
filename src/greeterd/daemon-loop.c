#include "greeterd/daemon-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/restart.h"

/* How long peers may read what they are owed, before they are cut off. */
#define DRAIN_USEC (USEC_PER_SEC * 7 / 10)

/* How long what was recorded may wait for the disk. */
#define SYNC_USEC (5 * USEC_PER_SEC)

/* How long stopping may take in all, as systemd is told. */
#define STOP_USEC (10 * USEC_PER_SEC)

uint64_t daemon_now(const struct daemon *daemon)
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
	return daemon_now(daemon);
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
	journal_flush(daemon->journal, daemon_now(daemon));
	return true;
}

/* --- idle exit */

/* Whom somebody watches, or who awaits somebody, is not idle. */
void daemon_update_idle(struct daemon *daemon)
{
	bool idle = daemon->listeners.inherited && server_connections(daemon->server) == 0 &&
		    daemon->watchers.n == 0 && daemon->settings.now->n_expect == 0;
	uint64_t span = idle ? daemon->settings.now->idle_exit_usec : 0;

	if (span == daemon->idle_span)
		return;
	daemon->idle_span = span;
	(void)sd_event_source_set_time(daemon->idle_timer, daemon_now(daemon) + span);
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
		daemon_update_idle(daemon);
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
	journal_flush(daemon->journal, daemon_now(daemon));
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
void daemon_changed(void *data)
{
	struct daemon *daemon = data;
	uint64_t now = daemon_now(daemon);

	sync_soon(daemon, now);
	notify_changed(daemon->notify, now);
}

/* --- who is missing */

void daemon_state_changed(
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
	daemon_changed(daemon);
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
	daemon_update_idle(daemon);
	sync_soon(daemon, now);
	bus_served(daemon->bus);
	notify_changed(daemon->notify, now);
	return 0;
}

/* Whether there is no next process to take the connections up. */
static bool stops_for_good(const struct daemon *daemon)
{
	return server_connections(daemon->server) > 0 && bus_says_stop(daemon->bus);
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
		if (!stops_for_good(daemon) &&
			restart_hand_over(daemon->server, &daemon->listeners, daemon->journal, now))
			return sd_event_exit(daemon->event, 0);
	}
	if (server_drain(daemon->server, now, now + DRAIN_USEC) < 0)
		return sd_event_exit(daemon->event, 0);
	return end_when_drained(daemon);
}

int daemon_reload(void *data, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	struct daemon *daemon = data;
	uint64_t now = daemon_now(daemon);
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
	daemon_update_idle(daemon);
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
	(void)daemon_reload(data, pending, &n_pending, &report); /* which says how it went */
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

int daemon_open_loop(struct daemon *daemon)
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
int daemon_run_loop(struct daemon *daemon)
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
		if (daemon_say_heard(daemon))
			journal_flush(daemon->journal, daemon_now(daemon));
	}
	if (r >= 0)
		(void)sd_event_get_exit_code(daemon->event, &r);
	return r;
}

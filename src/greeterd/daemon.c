#include "greeterd/daemon.h"

#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/daemon-internal.h"
#include "greeterd/exits.h"
#include "greeterd/restart.h"
#include "greeterd/startup.h"

/* That a busy journald may take for what is left to say; who is connected waits for it, in a restart. */
#define JOURNAL_USEC (USEC_PER_SEC / 5)

#define WHERE_MAX 448

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
	if (daemon->journal)
		(void)daemon_say_heard(daemon);
	heard_deinit(&daemon->heard);
	activation_close(&daemon->listeners);
	if (daemon->journal)
		journal_end(daemon->journal, JOURNAL_USEC);
	journal_free(daemon->journal);
	inforce_deinit(&daemon->settings);
}

static int say_failure(struct daemon *daemon, const char *what, int error)
{
	journal_say(daemon->journal, MESSAGE_PROBLEM, "%s: %s", what, strerror(-error));
	return DAEMON_FAILURE;
}

static void say_of_roll(void *data, const char *sentence)
{
	struct daemon *daemon = data;

	heard_put(&daemon->heard, sentence);
}

bool daemon_say_heard(struct daemon *daemon)
{
	char *sentence;
	bool said = false;

	while ((sentence = heard_take(&daemon->heard))) {
		journal_say(daemon->journal, MESSAGE_PROBLEM, "%s", sentence);
		free(sentence);
		said = true;
	}
	return said;
}

static int open_rollcall(struct daemon *daemon)
{
	const struct rollcall_setup setup = {
		.event = daemon->event,
		.roll = daemon->roll,
		.journal = daemon->journal,
		.max_id = daemon->settings.now->max_id,
		.changed = daemon_state_changed,
		.data = daemon,
	};
	int r = rollcall_new(&setup, &daemon->rollcall);

	return r < 0 ? r : rollcall_configure(daemon->rollcall, daemon->settings.now, daemon_now(daemon));
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

	(void)daemon_say_heard(daemon);
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
	daemon_update_idle(data);
}

static void say_of_control(void *data, const char *sentence)
{
	const struct daemon *daemon = data;

	journal_say(daemon->journal, MESSAGE_CONTROL, "%s", sentence);
	journal_flush(daemon->journal, daemon_now(daemon));
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
		.reload = daemon_reload,
		.changed = daemon_changed,
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
	uint64_t now = daemon_now(daemon);

	startup_describe(&daemon->listeners, where, sizeof(where));
	journal_say(daemon->journal, MESSAGE_LISTENING, "listening on %s%s", where,
		daemon->listeners.inherited ? ", handed over by systemd" : "");
	inforce_check_port(&daemon->settings, daemon->settings.now, &daemon->listeners, daemon->journal);
	journal_flush(daemon->journal, now);
	daemon_update_idle(daemon);
	notify_ready(daemon->notify, now);
}

int daemon_run(const struct daemon_options *options)
{
	_cleanup_(daemon_deinit) struct daemon daemon = { .settings = { .file = options->config,
								  .state_dir = options->state_dir } };
	int r;

	heard_init(&daemon.heard);
	r = inforce_start(&daemon.settings, options->verbose, &daemon.journal);
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
	r = daemon_open_loop(&daemon);
	if (r < 0)
		return say_failure(&daemon, "cannot start the event loop", r);
	r = open_bus(&daemon, options->user);
	if (r < 0)
		return say_failure(&daemon, "cannot prepare for the bus", r);
	restart_take_up(daemon.server, &daemon.listeners, daemon.journal, daemon_now(&daemon));
	say_ready(&daemon);
	r = daemon_run_loop(&daemon);
	return r < 0 ? say_failure(&daemon, "the event loop failed", r) : 0;
}

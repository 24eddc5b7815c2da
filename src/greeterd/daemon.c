#include "greeterd/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/netio.h"
#include "greeterd/activation.h"
#include "greeterd/journal.h"
#include "greeterd/roll.h"
#include "greeterd/server.h"

/* For peers to read what they are owed, before they are cut off. */
#define DRAIN_USEC (USEC_PER_SEC * 7 / 10)

#define DESCRIPTORS_BESIDES 64 /* that connections cannot have */

/* Members in the order in which they are made; daemon_deinit() goes backwards. */
struct daemon {
	const struct settings *settings;
	struct journal *journal;
	struct listeners listeners;
	struct roll *roll;
	struct server *server;
	sd_event *event;
	bool stopping;
};

static void daemon_deinit(struct daemon *daemon)
{
	sd_event_unref(daemon->event);
	server_free(daemon->server);
	roll_free(daemon->roll);
	activation_close(&daemon->listeners);
	if (daemon->journal)
		journal_flush(daemon->journal, UINT64_MAX);
	journal_free(daemon->journal);
}

static void say_problem(void *data, const char *sentence)
{
	journal_say(((struct daemon *)data)->journal, MESSAGE_PROBLEM, "%s", sentence);
}

static int say_failure(struct daemon *daemon, const char *what, int error)
{
	journal_say(daemon->journal, MESSAGE_PROBLEM, "%s: %s", what, strerror(-error));
	return DAEMON_FAILURE;
}

static int open_journal(struct daemon *daemon, bool verbose)
{
	struct journal_setup setup = {
		.fd = STDERR_FILENO,
		.verbose = verbose,
		.burst = daemon->settings->journal_burst,
		.max_id = daemon->settings->max_id,
	};

	if (journal_owns(STDERR_FILENO, getenv("JOURNAL_STREAM"))) {
		setup.socket = JOURNAL_SOCKET;
		if (journal_new(&setup, &daemon->journal) == 0)
			return 0;
		setup.socket = NULL; /* the stream that we have still leads to the journal */
	}
	return journal_new(&setup, &daemon->journal);
}

/* Adopts systemd's sockets, or binds its own when run by hand. Returns 0 or an exit status. */
static int open_listeners(struct daemon *daemon)
{
	int r = activation_adopt(&daemon->listeners, say_problem, daemon);

	if (r == 0)
		return 0;
	if (r == -EINVAL) {
		say_problem(daemon, "systemd handed over no socket to listen on; see greeterd.socket");
		return DAEMON_CONFIG;
	}
	if (r != -ENOENT)
		return say_failure(daemon, "cannot adopt the sockets handed over", r);
	if (activation_is_service()) {
		say_problem(
			daemon, "started by systemd without a socket; run: systemctl start greeterd.socket");
		return DAEMON_CONFIG;
	}
	r = activation_bind(daemon->settings, &daemon->listeners, say_problem, daemon);
	return r < 0 ? DAEMON_FAILURE : 0;
}

static void describe_listeners(const struct listeners *listeners, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < listeners->n && used < size; i++) {
		struct netio_address address;
		char name[NETIO_TEXT_MAX];

		if (netio_local(listeners->fds[i], &address) == 0)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
				netio_format(&address, name));
	}
}

/* As many descriptors as we may have; says it when the connections that the settings allow are more. */
static void raise_descriptor_limit(struct daemon *daemon)
{
	struct rlimit limit;
	uint64_t wanted = (uint64_t)daemon->settings->max_connections + DESCRIPTORS_BESIDES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
		journal_say(daemon->journal, MESSAGE_PROBLEM,
			"max_connections is %" PRIu32
			", but only %ju descriptors are allowed (LimitNOFILE=, ulimit -n)",
			daemon->settings->max_connections, (uintmax_t)limit.rlim_cur);
}

static void say_unused_settings(struct daemon *daemon)
{
	const struct settings *settings = daemon->settings;
	const char *const unused[] = {
		settings->workers != 1 ? "workers" : NULL,
		settings->idle_exit_usec > 0 ? "idle_exit" : NULL,
		settings->n_expect > 0 ? "expect" : NULL,
	};

	for (size_t i = 0; i < ELEMENTS(unused); i++)
		if (unused[i])
			journal_say(daemon->journal, MESSAGE_PROBLEM,
				"the setting %s has no effect in this version", unused[i]);
}

static uint64_t loop_now(const struct daemon *daemon)
{
	uint64_t now = 0;

	(void)sd_event_now(daemon->event, CLOCK_MONOTONIC, &now); /* fails for no clock that we ask for */
	return now;
}

static int end_when_drained(struct daemon *daemon)
{
	if (!daemon->stopping || server_connections(daemon->server) > 0)
		return 0;
	return sd_event_exit(daemon->event, 0);
}

static int on_server_ready(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct daemon *daemon = data;
	int r = server_dispatch(daemon->server, loop_now(daemon));

	(void)source, (void)fd, (void)revents;
	return r < 0 ? r : end_when_drained(daemon);
}

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct daemon *daemon = data;
	uint64_t now = loop_now(daemon);

	(void)source;
	if (!daemon->stopping)
		journal_say(daemon->journal, MESSAGE_STOPPING,
			"stopping on signal %" PRIu32 ", %zu connected", info->ssi_signo,
			server_connections(daemon->server));
	daemon->stopping = true;
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Answering what was received");
	server_drain(daemon->server, now, now + DRAIN_USEC);
	return end_when_drained(daemon);
}

static int open_loop(struct daemon *daemon)
{
	static const int stop_signals[] = { SIGTERM, SIGINT };
	sigset_t blocked;
	int r;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ELEMENTS(stop_signals); i++)
		sigaddset(&blocked, stop_signals[i]);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return -errno;
	r = sd_event_new(&daemon->event);
	for (size_t i = 0; r >= 0 && i < ELEMENTS(stop_signals); i++)
		r = sd_event_add_signal(daemon->event, NULL, stop_signals[i], on_stop_signal, daemon);
	if (r >= 0)
		r = sd_event_add_io(
			daemon->event, NULL, server_fd(daemon->server), EPOLLIN, on_server_ready, daemon);
	return r;
}

static int open_server(struct daemon *daemon)
{
	struct server_setup setup = {
		.settings = daemon->settings,
		.listeners = daemon->listeners.fds,
		.n_listeners = daemon->listeners.n,
		.journal = daemon->journal,
	};
	int r = roll_new(daemon->settings->max_id, &daemon->roll);

	if (r < 0)
		return r;
	setup.roll = daemon->roll;
	return server_new(&setup, &daemon->server);
}

/* READY=1 goes out when everything is up, and not before: sd_notify(3). */
static void say_ready(struct daemon *daemon)
{
	char where[512];

	describe_listeners(&daemon->listeners, where, sizeof(where));
	journal_say(daemon->journal, MESSAGE_LISTENING, "listening on %s%s", where,
		daemon->listeners.inherited ? ", handed over by systemd" : "");
	journal_flush(daemon->journal, loop_now(daemon));
	(void)sd_notifyf(0, "READY=1\nSTATUS=Listening on %s", where);
}

int daemon_run(const struct settings *settings, bool verbose)
{
	_cleanup_(daemon_deinit) struct daemon daemon = { .settings = settings };
	int r = open_journal(&daemon, verbose);

	if (r < 0) {
		fprintf(stderr, "greeterd: cannot open the log: %s\n", strerror(-r));
		return DAEMON_FAILURE;
	}
	raise_descriptor_limit(&daemon);
	say_unused_settings(&daemon);
	r = open_listeners(&daemon);
	if (r != 0)
		return r;
	r = open_server(&daemon);
	if (r < 0)
		return say_failure(&daemon, "cannot serve", r);
	r = open_loop(&daemon);
	if (r < 0)
		return say_failure(&daemon, "cannot start the event loop", r);
	say_ready(&daemon);
	r = sd_event_loop(daemon.event);
	return r < 0 ? say_failure(&daemon, "the event loop failed", r) : 0;
}

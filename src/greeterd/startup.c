#include "greeterd/startup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/exits.h"
#include "greeterd/notify.h"
#include "greeterd/turnaway.h"

#define DESCRIPTORS_BESIDES 64 /* that connections cannot have */

static void say_problem(void *journal, const char *sentence)
{
	journal_say(journal, MESSAGE_PROBLEM, "%s", sentence);
}

int startup_journal(const struct settings *settings, bool verbose, struct journal **ret)
{
	struct journal_setup setup = {
		.fd = STDERR_FILENO,
		.verbose = verbose,
		.burst = settings->journal_burst,
		.max_id = settings->max_id,
	};

	if (journal_owns(STDERR_FILENO, getenv("JOURNAL_STREAM"))) {
		setup.socket = JOURNAL_SOCKET;
		if (journal_new(&setup, ret) == 0)
			return 0;
		setup.socket = NULL; /* the stream that we have still leads to the journal */
	}
	return journal_new(&setup, ret);
}

void startup_say_report(struct journal *journal, const struct settings_report *report)
{
	for (size_t i = 0; i < report->n_lines; i++)
		journal_say(journal, MESSAGE_SETTINGS, "%s", report->lines[i]);
}

/* In startup_refuse_all() a useless descriptor is the lesser trouble. */
static void say_nothing(void *data, const char *sentence)
{
	(void)data, (void)sentence;
}

void startup_refuse_all(const struct settings_report *report, bool verbose)
{
	_cleanup_(activation_close) struct listeners listeners = { 0 };
	_cleanup_(settings_freep) struct settings *defaults = NULL;
	_cleanup_(journal_freep) struct journal *journal = NULL;

	if (settings_load(NULL, &defaults, &(struct settings_report){ 0 }) < 0 ||
		startup_journal(defaults, verbose, &journal) < 0)
		return;
	startup_say_report(journal, report);
	journal_flush(journal, UINT64_MAX);
	if (activation_adopt(&listeners, NOTIFY_STORE_NAME, say_nothing, NULL) < 0)
		return;
	for (size_t i = 0; i < listeners.n; i++)
		turn_away_waiting(listeners.fds[i], PROTOCOL_REFUSAL_SHUTDOWN, defaults->max_id);
}

int startup_listeners(const struct settings *settings, struct journal *journal, struct listeners *ret)
{
	int r = activation_adopt(ret, NOTIFY_STORE_NAME, say_problem, journal);

	if (r == 0)
		return 0;
	if (r == -EINVAL) {
		say_problem(journal, "systemd handed over no socket to listen on; see greeterd.socket");
		return DAEMON_CONFIG;
	}
	if (r != -ENOENT) {
		journal_say(
			journal, MESSAGE_PROBLEM, "cannot adopt the sockets handed over: %s", strerror(-r));
		return DAEMON_FAILURE;
	}
	if (activation_is_service()) {
		say_problem(
			journal, "started by systemd without a socket; run: systemctl start greeterd.socket");
		return DAEMON_CONFIG;
	}
	r = activation_bind(settings, ret, say_problem, journal);
	return r < 0 ? DAEMON_FAILURE : 0;
}

void startup_descriptors(const struct settings *settings, struct journal *journal)
{
	struct rlimit limit;
	uint64_t wanted = (uint64_t)settings->max_connections + DESCRIPTORS_BESIDES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
		journal_say(journal, MESSAGE_PROBLEM,
			"max_connections is %" PRIu32
			", but only %ju descriptors are allowed (LimitNOFILE=, ulimit -n)",
			settings->max_connections, (uintmax_t)limit.rlim_cur);
}

void startup_describe(const struct listeners *listeners, char *text, size_t size)
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

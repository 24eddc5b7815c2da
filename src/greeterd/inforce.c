#include "greeterd/inforce.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "greeterd/conf.h"
#include "greeterd/exits.h"
#include "greeterd/lastgood.h"
#include "greeterd/startup.h"

#define MEND_PORT "systemctl daemon-reload && systemctl restart greeterd.socket"

static void set_trouble(
	struct inforce *inforce, const char *consequence, const struct settings_report *report)
{
	const char *first = report->n_lines > 0 ? report->lines[0] : "out of memory";

	snprintf(inforce->trouble, sizeof(inforce->trouble), "%s: %s", consequence, first);
}

static void save(const struct inforce *inforce, struct journal *journal)
{
	int r = inforce->state_dir ? lastgood_save(inforce->state_dir, inforce->now) : 0;

	if (r < 0)
		journal_say(journal, MESSAGE_PROBLEM, "cannot keep the settings in %s: %s",
			inforce->state_dir, strerror(-r));
}

int inforce_start(struct inforce *inforce, bool verbose, struct journal **ret)
{
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	bool last_good;
	int r = conf_load_for_start(inforce->file, inforce->state_dir, &inforce->now, &last_good, &report);

	if (r < 0) {
		startup_refuse_all(&report, verbose);
		return DAEMON_CONFIG;
	}
	r = startup_journal(inforce->now, verbose, ret);
	if (r < 0) {
		fprintf(stderr, "greeterd: cannot open the log: %s\n", strerror(-r));
		return DAEMON_FAILURE;
	}
	if (last_good) {
		startup_say_report(*ret, &report);
		set_trouble(inforce, "serving on the last good settings", &report);
		journal_say(*ret, MESSAGE_SETTINGS, "serving on the last good settings: %s/%s",
			inforce->state_dir, LASTGOOD_NAME);
	} else {
		save(inforce, *ret);
	}
	return 0;
}

void inforce_check_port(struct inforce *inforce, const struct settings *configured,
	const struct listeners *listeners, struct journal *journal)
{
	char where[INFORCE_TROUBLE_MAX / 2];

	if (!listeners->inherited || activation_matches(listeners, configured)) {
		inforce->port_trouble[0] = '\0';
		return;
	}
	startup_describe(listeners, where, sizeof(where));
	snprintf(inforce->port_trouble, sizeof(inforce->port_trouble),
		"listening on %s, which is not what the settings name; to mend it: " MEND_PORT, where);
	journal_say(journal, MESSAGE_MISMATCH, "%s", inforce->port_trouble);
}

static void say_reloaded(
	struct inforce *inforce, const char *const *pending, size_t n_pending, struct journal *journal)
{
	char names[INFORCE_TROUBLE_MAX / 2] = "";
	size_t used = 0;

	inforce->trouble[0] = '\0';
	for (size_t i = 0; i < n_pending && used < sizeof(names); i++)
		used += (size_t)snprintf(
			names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", pending[i]);
	if (n_pending > 0)
		snprintf(inforce->trouble, sizeof(inforce->trouble), "waiting for a restart: %s", names);
	journal_say(journal, MESSAGE_RELOAD, "settings reloaded%s%s",
		n_pending > 0 ? "; waiting for a restart: " : "", names);
}

int inforce_reload(struct inforce *inforce, struct server *server, const struct listeners *listeners,
	struct journal *journal, const char *ret_pending[static SETTINGS_PENDING_MAX], size_t *ret_n_pending,
	struct settings_report *report)
{
	struct settings *fresh;
	int r = conf_load(inforce->file, &fresh, report);

	if (r < 0) {
		startup_say_report(journal, report);
		set_trouble(inforce, "not reloaded", report);
		journal_say(journal, MESSAGE_SETTINGS, "the settings before stay in force");
		return r;
	}
	inforce_check_port(inforce, fresh, listeners, journal);
	server_pause(server);
	*ret_n_pending = settings_hold_back(fresh, inforce->now, ret_pending);
	server_reload(server, fresh);
	server_resume(server);
	settings_free(inforce->replaced);
	inforce->replaced = inforce->now;
	inforce->now = fresh;
	save(inforce, journal);
	say_reloaded(inforce, ret_pending, *ret_n_pending, journal);
	return 0;
}

void inforce_deinit(struct inforce *inforce)
{
	settings_free(inforce->replaced);
	settings_free(inforce->now);
}

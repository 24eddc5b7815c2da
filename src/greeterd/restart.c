#include "greeterd/restart.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "greeterd/notify.h"

bool restart_hand_over(
	struct server *server, const struct listeners *listeners, struct journal *journal, uint64_t now)
{
	_cleanup_(closep) int carrier = -1;
	size_t n;
	int r;

	if (!listeners->inherited || !activation_is_service())
		return false;
	carrier = server_hand_over(server, now);
	if (carrier == -ENODATA)
		return server_connections(server) == 0;
	n = server_connections(server);
	r = carrier < 0 ? carrier : notify_store(carrier);
	if (r < 0) {
		journal_say(
			journal, MESSAGE_PROBLEM, "cannot hand over %zu connections: %s", n, strerror(-r));
		return false;
	}
	return true;
}

void restart_take_up(
	struct server *server, const struct listeners *listeners, struct journal *journal, uint64_t now)
{
	size_t taken = 0, lost = 0;

	for (size_t i = 0; i < listeners->n_carriers; i++) {
		size_t lost_here = 0;
		int n = server_take_up(server, listeners->carriers[i], now, &lost_here);

		taken += n > 0 ? (size_t)n : 0;
		lost += lost_here;
	}
	if (listeners->n_carriers > 0)
		notify_clear_store();
	if (taken > 0)
		journal_say(journal, MESSAGE_RESTART, "took up %zu connections of the process before", taken);
	if (lost > 0)
		journal_say(journal, MESSAGE_PROBLEM,
			"closed %zu connections of the process before: damaged, unknown, or too many", lost);
}

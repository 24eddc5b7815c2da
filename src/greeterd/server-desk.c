#include "greeterd/server-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/duration.h"

#define BUSY_REPORT_USEC (10 * USEC_PER_SEC) /* between two journal entries on connections turned away */

/* As server_desk_settle(). */
static void tell(struct server *server, const struct note *note, uint64_t realtime)
{
	server->counters.greetings += note->n;
	server->counters.newcomers += note->count == note->n;
	/* Who was missing has returned with the first greeting, and is present with another. */
	for (size_t i = 0; server->setup.attendance && i < note->n && i < 2; i++)
		attendance_greeting(server->setup.attendance, note->id, server->now);
	watchers_greetings(server->setup.watchers, note->id, &note->peer, note->n, note->count, realtime);
	journal_greeting(server->setup.journal, &note->peer, note->id, note->n, note->count, note->text,
		note->text_len, server->now);
}

void server_desk_settle(struct desk *desk)
{
	struct server *server = desk->server;

	if (desk->now > server->now)
		server->now = desk->now;
	for (size_t i = 0; i < desk->n_notes; i++)
		tell(server, &desk->notes[i], desk->realtime);
	desk->n_notes = 0;
}

/* Takes the lock for what the workers share; what came before is told first. */
static struct server *enter(struct desk *desk)
{
	pool_lock(desk->server->pool);
	server_desk_settle(desk);
	return desk->server;
}

static void leave(struct server *server)
{
	pool_unlock(server->pool);
}

/* Goes on the roll at once, for the answer comes next. The rest waits for others: to lock for each of them,
 * with several workers, would take longer than what is done under it. */
static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	struct desk *desk = data;
	struct note *note = &desk->notes[desk->n_notes++];

	note->id = line->id;
	note->n = n;
	note->count = roll_record(desk->server->setup.roll, line->id, &session->peer, n, desk->realtime);
	note->peer = session->peer;
	note->text_len = (uint32_t)line->text_len;
	memcpy(note->text, line->text, line->text_len);
	if (desk->n_notes == DESK_NOTES_MAX)
		leave(enter(desk));
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	struct server *server;

	if (refusal == PROTOCOL_REFUSAL_BUSY) /* on_busy() counts it, and reports it at a bounded rate */
		return;
	server = enter(data);
	server->counters.refusals[refusal]++;
	roll_refuse(server->setup.roll, session->id);
	journal_refusal(server->setup.journal, &session->peer, refusal, text, text_len, server->now);
	leave(server);
}

static void on_connected(void *data, const struct session *session)
{
	struct desk *desk = data;
	struct server *server = enter(desk);
	char from[NETIO_TEXT_MAX];

	server->counters.connections++;
	watchers_event(
		server->setup.watchers, WATCH_CONNECTED, session->id, &session->peer, 0, desk->realtime);
	if (journal_is_verbose(server->setup.journal))
		journal_say(server->setup.journal, MESSAGE_DETAIL, "client at %s connected",
			netio_peer_format(&session->peer, from));
	leave(server);
}

static void on_disconnected(void *data, const struct session *session)
{
	struct desk *desk = data;
	struct server *server = enter(desk);

	watchers_event(
		server->setup.watchers, WATCH_DISCONNECTED, session->id, &session->peer, 0, desk->realtime);
	journal_disconnect(server->setup.journal, &session->peer, session->id, server->now);
	leave(server);
}

static const char *busy_reason(int error)
{
	switch (error) {
	case -EBUSY:
		return "max_connections is reached";
	case -EDQUOT:
		return "max_connections_per_source is reached";
	default:
		return strerror(-error);
	}
}

/* With the lock held. */
static void count_busy(struct server *server, int error)
{
	uint64_t *total = &server->counters.refusals[PROTOCOL_REFUSAL_BUSY];

	(*total)++;
	if (server->busy_reported > 0 && server->now - server->busy_reported_at < BUSY_REPORT_USEC)
		return;
	journal_say(server->setup.journal, MESSAGE_BUSY, "connections turned away: %" PRIu64 ", %s",
		*total - server->busy_reported, busy_reason(error));
	server->busy_reported_at = server->now;
	server->busy_reported = *total;
}

static void on_busy(void *data, int error)
{
	struct server *server = enter(data);

	count_busy(server, error);
	leave(server);
}

const struct worker_observer server_observer = {
	.session = { .greeting = on_greeting, .refusal = on_refusal },
	.connected = on_connected,
	.disconnected = on_disconnected,
	.busy = on_busy,
};

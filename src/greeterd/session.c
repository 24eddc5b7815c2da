#include "greeterd/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "greeterd/session-internal.h"

/* How often a session that is finishing may receive a full buffer: in one call, and before it is ended all
 * the same. A session that catches up has as many as one call. */
#define FINISH_RECEIVES_STEP 2
#define FINISH_RECEIVES_MAX 64

static uint64_t span(uint64_t usec)
{
	return usec ? usec : DEADLINE_NEVER;
}

void session_shared_set(struct session_shared *shared, const struct settings *settings)
{
	size_t reply_len = strlen(settings->reply);

	assert(reply_len <= PROTOCOL_REPLY_TEXT_MAX);
	shared->settings = settings;
	shared->idle.span = span(settings->idle_timeout_usec);
	shared->unfinished.span = span(settings->greeting_timeout_usec);
	shared->settle.span = span(settings->settle_usec);
	for (enum protocol_end end = 0; end < ELEMENTS(shared->replies); end++) {
		const char *end_bytes = protocol_end_bytes(end);

		memcpy(shared->replies[end].bytes, settings->reply, reply_len);
		memcpy(shared->replies[end].bytes + reply_len, end_bytes, strlen(end_bytes));
		shared->replies[end].len = reply_len + strlen(end_bytes);
	}
}

void session_shared_init(struct session_shared *shared, const struct settings *settings,
	const struct session_observer *observer, void *observer_data)
{
	shared->observer = observer;
	shared->observer_data = observer_data;
	shared->out_len = 0;
	deadlines_init(&shared->idle, DEADLINE_NEVER);
	deadlines_init(&shared->unfinished, DEADLINE_NEVER);
	deadlines_init(&shared->settle, DEADLINE_NEVER);
	deadlines_init(&shared->lingering, SESSION_LINGER_USEC);
	session_shared_set(shared, settings);
}

void session_init(struct session *session, struct session_shared *shared, int fd,
	const struct netio_peer *peer, uint64_t now)
{
	*session = (struct session){ .fd = fd, .peer = *peer, .state = SESSION_OPEN };
	deadline_start(&shared->idle, &session->wait, now);
}

void session_discard(struct session *session)
{
	deadline_stop(&session->wait);
	deadline_stop(&session->settle);
	free(session->held);
}

void session_deinit(struct session *session)
{
	session_discard(session);
	close(session->fd);
}

uint32_t session_events(const struct session *session)
{
	return session->output_waits ? EPOLLOUT : EPOLLIN;
}

static void put(struct session_shared *shared, const char *bytes, size_t len)
{
	memcpy(shared->out + shared->out_len, bytes, len);
	shared->out_len += len;
}

static bool has_room(const struct session_shared *shared)
{
	return shared->out_len + PROTOCOL_REPLY_MAX <= sizeof(shared->out);
}

static void put_refusal(struct session *session, struct session_shared *shared, enum protocol_refusal refusal,
	enum protocol_end end)
{
	char bytes[PROTOCOL_REPLY_MAX];

	put(shared, bytes, protocol_write_refusal(refusal, shared->settings->max_id, end, bytes));
	if (protocol_refusal_closes(refusal))
		session->state = SESSION_FLUSHING;
}

/* Answers a greeting that came n times in a row. */
static void greet(
	struct session *session, struct session_shared *shared, const struct protocol_line *line, size_t n)
{
	session->id = line->id;
	session->refused_in_row = 0;
	shared->observer->greeting(shared->observer_data, session, line, n);
	for (; n > 0; n--)
		put(shared, shared->replies[line->end].bytes, shared->replies[line->end].len);
}

/* How often the greeting that line is stands at the start of data, for which there is room to reply. */
static size_t count_greetings(
	const struct session_shared *shared, const struct protocol_line *line, const char *data, size_t len)
{
	size_t room;

	if (len == line->consumed) /* as a rule, nothing follows */
		return 1;
	room = (sizeof(shared->out) - shared->out_len) / shared->replies[line->end].len;
	return 1 + protocol_count_repeats(data + line->consumed, len - line->consumed, line, room - 1);
}

static void refuse_line(
	struct session *session, struct session_shared *shared, const struct protocol_line *line)
{
	shared->observer->refusal(shared->observer_data, session, line->refusal, line->text, line->text_len);
	put_refusal(session, shared, line->refusal, line->end);
	if (++session->refused_in_row >= SESSION_REFUSALS_MAX)
		session->state = SESSION_FLUSHING;
}

/* Answers the complete lines of data while there is room for replies. Returns how many bytes that took. */
static size_t answer(struct session *session, struct session_shared *shared, const char *data, size_t len)
{
	struct protocol_line line;
	size_t used = 0;

	while (used < len && session->state == SESSION_OPEN && has_room(shared)) {
		enum protocol_verdict verdict = protocol_next(
			data + used, len - used, session->ended, shared->settings->max_id, &line);
		size_t n = 1;

		if (verdict == PROTOCOL_MORE)
			return used;
		if (verdict == PROTOCOL_GREETING) {
			n = count_greetings(shared, &line, data + used, len - used);
			greet(session, shared, &line, n);
		} else if (verdict == PROTOCOL_REFUSED) {
			refuse_line(session, shared, &line);
		}
		used += n * line.consumed;
	}
	return session->state == SESSION_OPEN ? used : len; /* who is being closed is not heard any more */
}

/* Moves what is held into the shared buffers. Returns how many bytes of input that was. */
static size_t load(struct session *session, struct session_shared *shared)
{
	struct session_held *held = TAKE_PTR(session->held);
	size_t in_len = 0;

	session->output_waits = false;
	shared->out_len = 0;
	if (held) {
		in_len = held->in_len;
		memcpy(shared->in, held->bytes, in_len);
		put(shared, held->bytes + in_len, held->out_len);
		free(held);
	}
	return in_len;
}

static int hold(struct session *session, const char *in, size_t in_len, const char *out, size_t out_len)
{
	if (in_len + out_len == 0)
		return 0;
	session->held = malloc(sizeof(*session->held) + in_len + out_len);
	if (!session->held)
		return -ENOMEM;
	session->held->in_len = in_len;
	session->held->out_len = out_len;
	memcpy(session->held->bytes, in, in_len);
	memcpy(session->held->bytes + in_len, out, out_len);
	session->output_waits = out_len > 0;
	return 0;
}

/* Sends the shared output as far as the socket takes it; what is left moves to the front. */
static int flush(const struct session *session, struct session_shared *shared)
{
	ssize_t sent;

	if (shared->out_len == 0)
		return 0;
	sent = send(session->fd, shared->out, shared->out_len, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		return -errno;
	}
	shared->out_len -= (size_t)sent;
	if (shared->out_len > 0)
		memmove(shared->out, shared->out + sent, shared->out_len);
	return 0;
}

/* Whether the unfinished line would be a greeting if it ended here. */
static bool would_greet(
	const struct session_shared *shared, const char *data, size_t len, struct protocol_line *ret_line)
{
	return protocol_next(data, len, true, shared->settings->max_id, ret_line) == PROTOCOL_GREETING;
}

/* All output is out and nothing more will be: shuts our side down and gives the peer the time to read it. */
static int begin_linger(struct session *session, struct session_shared *shared, uint64_t now)
{
	if (session->ended || session->finishing || shutdown(session->fd, SHUT_WR) < 0)
		return SESSION_OVER;
	session->state = SESSION_LINGERING;
	deadline_start(&shared->lingering, &session->wait, now);
	return 0;
}

/* Starts the waits that fit what is left: output, part of a line, or nothing. */
static void begin_waits(struct session *session, struct session_shared *shared, const char *in, size_t in_len,
	bool new_line, uint64_t now)
{
	struct protocol_line line;

	deadline_stop(&session->settle);
	if (session->output_waits || in_len == 0) {
		session->unfinished = false;
		deadline_start(&shared->idle, &session->wait, now);
		return;
	}
	if (new_line || !session->unfinished) {
		session->unfinished = true;
		deadline_start(&shared->unfinished, &session->wait, now);
	}
	if (would_greet(shared, in, in_len, &line))
		deadline_start(&shared->settle, &session->settle, now);
}

/* Answers in_len bytes of the shared input, behind what the shared output holds; sends; keeps what is left.
 */
static int proceed(struct session *session, struct session_shared *shared, size_t in_len, uint64_t now)
{
	const char *in = shared->in;
	bool new_line = false, full;

	do {
		size_t used = answer(session, shared, in, in_len);

		in += used;
		in_len -= used;
		new_line |= used > 0;
		full = !has_room(shared);
		if (flush(session, shared) < 0)
			return SESSION_OVER;
	} while (full && shared->out_len == 0);

	if (hold(session, in, in_len, shared->out, shared->out_len) < 0)
		return SESSION_OVER;
	if (!session->output_waits) {
		if (session->state == SESSION_FLUSHING)
			return begin_linger(session, shared, now);
		if (session->ended)
			return SESSION_OVER;
	}
	begin_waits(session, shared, in, in_len, new_line, now);
	return 0;
}

/* All that was received is answered, but for an unfinished line of in_len bytes: the end of a session that is
 * finishing. */
static int conclude(struct session *session, struct session_shared *shared, size_t in_len, uint64_t now)
{
	struct protocol_line line;

	if (would_greet(shared, shared->in, in_len, &line))
		greet(session, shared, &line, 1);
	put_refusal(session, shared, PROTOCOL_REFUSAL_SHUTDOWN, PROTOCOL_END_LF);
	return proceed(session, shared, 0, now);
}

static int discard(const struct session *session, struct session_shared *shared)
{
	ssize_t n = recv(session->fd, shared->in, sizeof(shared->in), 0);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : SESSION_OVER;
}

static int receive(struct session *session, struct session_shared *shared, uint64_t now)
{
	size_t in_len = load(session, shared);
	ssize_t n = recv(session->fd, shared->in + in_len, sizeof(shared->in) - in_len, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return SESSION_OVER;
		if (session->finishing)
			return conclude(session, shared, in_len, now);
		return hold(session, shared->in, in_len, shared->out, 0) < 0 ? SESSION_OVER : 0;
	}
	session->ended = n == 0;
	return proceed(session, shared, in_len + (size_t)n, now);
}

int session_serve(struct session *session, struct session_shared *shared, uint64_t now)
{
	if (session->state == SESSION_LINGERING)
		return discard(session, shared);
	if (session->output_waits) {
		int r = proceed(session, shared, load(session, shared), now);

		return r == 0 && session->finishing ? session_finish(session, shared, now) : r;
	}
	return receive(session, shared, now);
}

int session_timeout(struct session *session, struct session_shared *shared, uint64_t now)
{
	if (session->state == SESSION_LINGERING || session->output_waits)
		return SESSION_OVER;
	return session_refuse(session, shared, PROTOCOL_REFUSAL_TIMEOUT, now);
}

int session_settle(struct session *session, struct session_shared *shared, uint64_t now)
{
	struct protocol_line line;
	size_t in_len = load(session, shared);

	if (would_greet(shared, shared->in, in_len, &line)) {
		greet(session, shared, &line, 1);
		in_len = 0;
	}
	return proceed(session, shared, in_len, now);
}

int session_refuse(
	struct session *session, struct session_shared *shared, enum protocol_refusal refusal, uint64_t now)
{
	size_t in_len = load(session, shared);

	shared->observer->refusal(shared->observer_data, session, refusal, shared->in, in_len);
	put_refusal(session, shared, refusal, PROTOCOL_END_LF);
	return proceed(session, shared, 0, now);
}

int session_catch_up(struct session *session, struct session_shared *shared, uint64_t now)
{
	int r = 0;

	for (int i = 0; i < FINISH_RECEIVES_STEP && r == 0 && session->state == SESSION_OPEN &&
			!session->output_waits;
		i++)
		r = receive(session, shared, now);
	return r == 0 && session->state == SESSION_LINGERING ? SESSION_OVER : r;
}

int session_finish(struct session *session, struct session_shared *shared, uint64_t now)
{
	int r = 0;

	session->finishing = true;
	if (session->state == SESSION_LINGERING)
		return SESSION_OVER;
	for (int i = 0; i < FINISH_RECEIVES_STEP && r == 0 && !session->output_waits; i++) {
		if (session->finish_receives++ == FINISH_RECEIVES_MAX)
			return conclude(session, shared, load(session, shared), now);
		r = receive(session, shared, now);
	}
	return r;
}

int session_go_on(struct session *session, struct session_shared *shared, const char *in, size_t in_len,
	const char *out, size_t out_len, uint64_t now)
{
	if (hold(session, in, in_len, out, out_len) < 0)
		return -ENOMEM;
	begin_waits(session, shared, in, in_len, true, now);
	return 0;
}

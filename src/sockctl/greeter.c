#include "sockctl/greeter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/escape.h"

#define RETRY_USEC UINT64_C(10000)

/* A server that sends this much unasked is not spoken to any longer. */
#define UNASKED_MAX 4096

static void hang_up(struct greeter *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

void greeter_init(struct greeter *g, const struct greeter_plan *plan, uint32_t id)
{
	*g = (struct greeter){ .plan = plan, .fd = -1, .greeting.id = id };
}

void greeter_deinit(struct greeter *g)
{
	hang_up(g);
	free(g->greeting.text);
	g->greeting.text = NULL;
}

void greeter_close(struct greeter *g)
{
	hang_up(g);
}

void greeter_adopt(struct greeter *g, int fd)
{
	g->fd = fd;
	g->n_connections++;
	g->greeting.address = g->plan->addresses;
}

static const struct netio_address *current_address(const struct greeter *g)
{
	return &g->plan->addresses[(g->first + g->tried) % g->plan->n_addresses];
}

static void finish(struct greeter *g, enum greeting_result result, uint64_t now)
{
	struct greeting *greeting = &g->greeting;

	greeting->result = result;
	greeting->ended = result == GREETING_LOST ? now : g->heard_at;
	greeting->rtt_usec = result == GREETING_LOST ? 0 : g->heard_at - g->sent_at;
	if (result != GREETING_ANSWERED && g->without_since == 0)
		g->without_since = greeting->began;
	greeting->outage_usec = g->without_since ? greeting->ended - g->without_since : 0;
	if (result == GREETING_ANSWERED)
		g->without_since = 0;
	if (result == GREETING_LOST || result == GREETING_FOREIGN)
		hang_up(g); /* a late reply must not pass for the next greeting's */
	g->state = GREETER_RESTING;
	g->in_len = 0;
}

/* Ends the greeting as lost, with why: a phrase that format makes. */
__attribute__((format(printf, 3, 4))) static void lose(
	struct greeter *g, uint64_t now, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	free(g->greeting.text);
	g->greeting.text = text;
	finish(g, GREETING_LOST, now);
}

/* Says why an address could not be reached, behind what was said of those before. */
static void note_failure(struct greeter *g, int error)
{
	char address[NETIO_TEXT_MAX], *text;
	const char *before = g->greeting.text;
	int n = asprintf(&text, "%s%s%s: %s", before ? before : "", before ? "; " : "",
		netio_format(current_address(g), address), strerror(error));

	if (n < 0)
		return;
	free(g->greeting.text);
	g->greeting.text = text;
}

/* Goes on with what netio_connect() returned for the current address: to the next ones when it failed. */
static void take_attempt(struct greeter *g, int fd, uint64_t now)
{
	const char *target = g->plan->target;

	for (; fd < 0 && fd != -EAGAIN; fd = netio_connect(current_address(g))) {
		note_failure(g, -fd);
		if (++g->tried < g->plan->n_addresses)
			continue;

		_cleanup_(freep) char *why = TAKE_PTR(g->greeting.text);
		lose(g, now, "cannot reach %s%s%s", target ? target : "", target ? ": " : "", why ? why : "");
		return;
	}
	g->attempt = now;
	/* An address that swallows everything leaves time for the others. */
	g->attempt_due = g->deadline;
	if (g->deadline > now && g->deadline != GREETER_NEVER)
		g->attempt_due = now + (g->deadline - now) / (g->plan->n_addresses - g->tried);
	if (fd == -EAGAIN) {
		g->state = GREETER_RETRYING;
		return;
	}
	g->state = GREETER_CONNECTING;
	g->fd = fd;
	g->n_connections++;
}

static void attempt_failed(struct greeter *g, int error, uint64_t now)
{
	hang_up(g);
	take_attempt(g, -error, now);
}

static void send_greeting(struct greeter *g, uint64_t now)
{
	char line[PROTOCOL_LINE_MAX];
	size_t len = protocol_write_greeting(g->greeting.id, line);

	if (g->sent == 0)
		g->sent_at = g->heard_at = now;

	ssize_t n = send(g->fd, line + g->sent, len - g->sent, MSG_NOSIGNAL);
	if (n > 0)
		g->sent += (size_t)n;
	/* A connection that has failed says so when it is read, behind what the server may still have sent.
	 */
	g->state = g->sent < len && (n >= 0 || errno == EAGAIN) ? GREETER_SENDING : GREETER_LISTENING;
}

static void connected(struct greeter *g, uint64_t now)
{
	g->greeting.address = current_address(g);
	g->greeting.connect_usec = now > g->attempt ? now - g->attempt : 1;
	g->first = (g->first + g->tried) % g->plan->n_addresses;
	g->tried = 0;
	free(g->greeting.text);
	g->greeting.text = NULL;
	send_greeting(g, now);
}

static void keep_end(struct greeting *greeting, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len <= GREETER_END_MAX)
		memcpy(greeting->end, from, len); /* the rest is 0 since the greeting began */
}

/* Whether the bytes so far are an answer: then the greeting is over. */
static bool answered(struct greeter *g, bool ended, uint64_t now)
{
	static const enum greeting_result results[] = {
		[PROTOCOL_ANSWER_REPLY] = GREETING_ANSWERED,
		[PROTOCOL_ANSWER_REFUSAL] = GREETING_REFUSED,
		[PROTOCOL_ANSWER_OTHER] = GREETING_FOREIGN,
	};
	struct protocol_answer_line line = { .text = g->in, .text_len = g->in_len };
	enum protocol_answer answer = protocol_next_answer(g->in, g->in_len, ended, g->plan->reply, &line);

	if (answer == PROTOCOL_ANSWER_MORE) {
		if (g->in_len < sizeof(g->in))
			return false;
		answer = PROTOCOL_ANSWER_OTHER; /* blank lines and nothing else */
	}
	if (answer == PROTOCOL_ANSWER_REPLY)
		keep_end(&g->greeting, line.text + line.text_len, g->in + line.consumed);
	if (answer != PROTOCOL_ANSWER_REPLY) {
		size_t size = ESCAPE_SIZE(line.text_len) + 4;

		g->greeting.text = malloc(size);
		if (g->greeting.text)
			escape_text(line.text, line.text_len, g->greeting.text, size);
	}
	finish(g, results[answer], now);
	return true;
}

/* The server has closed (error 0), or the connection broke. */
static void connection_ended(struct greeter *g, int error, uint64_t now)
{
	char address[NETIO_TEXT_MAX];

	if (g->state == GREETER_RESTING || (g->in_len > 0 && answered(g, true, now)))
		hang_up(g);
	else if (error)
		lose(g, now, "%s: %s", netio_format(g->greeting.address, address), strerror(error));
	else
		lose(g, now, "%s closed the connection without a reply",
			netio_format(g->greeting.address, address));
}

/* Reads what is there, to the last byte or to the end of the connection. */
static void receive(struct greeter *g, uint64_t now)
{
	while (g->fd >= 0) {
		bool resting = g->state == GREETER_RESTING;
		size_t kept = resting ? 0 : g->in_len;
		ssize_t n = recv(g->fd, g->in + kept, sizeof(g->in) - kept, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			connection_ended(g, n < 0 ? errno : 0, now);
			return;
		}
		g->in_len += (size_t)n;
		if (resting && g->in_len > UNASKED_MAX) {
			hang_up(g);
		} else if (!resting) {
			g->heard_at = now;
			(void)answered(g, false, now);
		}
	}
}

int greeter_greet(struct greeter *g, uint64_t now, bool patient)
{
	struct greeting *greeting = &g->greeting;
	uint64_t timeout = g->plan->timeout_usec;
	int fd = -1;

	g->tried = 0;
	receive(g, now); /* what came unasked is no answer to what follows, and the end is noticed */
	if (g->fd < 0) {
		fd = netio_connect(current_address(g));
		if (patient && (fd == -EMFILE || fd == -ENFILE || fd == -EADDRNOTAVAIL))
			return fd;
	}
	free(greeting->text);
	*greeting = (struct greeting){ .id = greeting->id,
		.seq = greeting->seq + 1,
		.address = g->fd < 0 ? NULL : greeting->address,
		.began = now };
	g->deadline = timeout < GREETER_NEVER - now ? now + timeout : GREETER_NEVER;
	g->sent = g->in_len = 0;
	if (g->fd < 0)
		take_attempt(g, fd, now);
	else
		send_greeting(g, now);
	return 0;
}

/* Whether connecting has come to a good end. */
static bool take_connection(struct greeter *g, uint64_t now)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(g->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		attempt_failed(g, error, now);
		return false;
	}
	connected(g, now);
	return true;
}

bool greeter_ready(struct greeter *g, uint64_t now)
{
	if (g->state == GREETER_CONNECTING)
		return take_connection(g, now);
	if (g->state == GREETER_SENDING)
		send_greeting(g, now);
	receive(g, now);
	return false;
}

uint64_t greeter_deadline(const struct greeter *g)
{
	uint64_t due = g->deadline;

	switch (g->state) {
	case GREETER_RESTING:
		return GREETER_NEVER;
	case GREETER_RETRYING:
		return g->attempt + RETRY_USEC < due ? g->attempt + RETRY_USEC : due;
	case GREETER_CONNECTING:
		return g->attempt_due;
	default:
		if (g->in_len > 0 && g->heard_at + GREETER_SETTLE_USEC < due)
			return g->heard_at + GREETER_SETTLE_USEC;
		return due;
	}
}

void greeter_due(struct greeter *g, uint64_t now)
{
	char address[NETIO_TEXT_MAX], timeout[DURATION_TEXT_MAX];

	if (now < greeter_deadline(g))
		return;
	switch (g->state) {
	case GREETER_RESTING:
		break;
	case GREETER_RETRYING:
		take_attempt(g, now < g->deadline ? netio_connect(current_address(g)) : -ETIMEDOUT, now);
		break;
	case GREETER_CONNECTING:
		attempt_failed(g, ETIMEDOUT, now);
		break;
	default:
		if (g->in_len > 0 && answered(g, true, now))
			break;
		if (now < g->deadline)
			g->in_len = 0; /* blank lines: the reply is still to come */
		else
			lose(g, now, "%s: no reply within %s", netio_format(g->greeting.address, address),
				duration_format(g->plan->timeout_usec, timeout));
		break;
	}
}

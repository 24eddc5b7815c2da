/*
 * fuzz-protocol: any bytes, in any pieces, to the protocol and to a session.
 *
 * An input is a letter that says how the bytes are cut ('0': not at all, '1': into single bytes, else by
 * chance), one whose bits say how the talk goes (enum ending, SLOW, LONG_REPLY), and the bytes themselves.
 * The properties: verdicts do not depend on the cut, nothing is read beyond the data, and a session says
 * exactly what the verdicts amount to, whatever its peer's pace.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/netio.h"
#include "common/protocol.h"
#include "common/settings.h"
#include "greeterd/session.h"

#define WIRE_MAX (16 * 1024)
#define MAX_ID 300
#define SLOW 4       /* the peer reads nothing before the end, and there is little room for it */
#define LONG_REPLY 8 /* the longest that the settings allow */

#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

enum ending { ENDING_STREAM, ENDING_SETTLE, ENDING_TIMEOUT, ENDING_FINISH, ENDINGS };

struct wire {
	const char *bytes;
	size_t len;
	uint32_t cut;
	enum ending ending;
	bool slow, long_reply;
};

/* What a line came to; start counts from the first byte of the wire. */
struct event {
	uint32_t verdict, refusal, end, id, start, text_len;
};

struct reading {
	size_t n, used;
	bool over; /* a line that closes was refused */
	size_t size;
	struct event events[];
};

struct said {
	uint64_t greetings, refusals;
	size_t len, size;
	char bytes[];
};

struct talk {
	struct session session;
	struct session_shared shared;
	struct said *said;
	uint64_t now;
	int client;
	bool over;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct reading *new_reading(const struct wire *wire)
{
	size_t size = wire->len + 1; /* every line but the last has an end */
	struct reading *reading = calloc(1, sizeof(*reading) + size * sizeof(reading->events[0]));

	REQUIRE(reading);
	reading->size = size;
	return reading;
}

static struct said *new_said(const struct wire *wire)
{
	/* What is answered has a byte and an end; two more answers come at the end. */
	size_t size = (wire->len / 2 + 3) * PROTOCOL_REPLY_MAX;
	struct said *said = malloc(sizeof(*said) + size);

	REQUIRE(said);
	*said = (struct said){ .size = size };
	return said;
}

static void fill_reply(const struct wire *wire, char reply[static PROTOCOL_REPLY_TEXT_MAX + 1])
{
	memset(reply, '.', PROTOCOL_REPLY_TEXT_MAX);
	memcpy(reply, PROTOCOL_DEFAULT_REPLY, strlen(PROTOCOL_DEFAULT_REPLY));
	reply[wire->long_reply ? PROTOCOL_REPLY_TEXT_MAX : strlen(PROTOCOL_DEFAULT_REPLY)] = '\0';
}

/* The length of the piece that begins at byte begin. */
static size_t next_piece(const struct wire *wire, size_t begin)
{
	size_t left = wire->len - begin;
	uint32_t chance = ((uint32_t)begin + wire->cut) * 2654435761u;
	size_t len = wire->cut == '0' ? left : wire->cut == '1' ? 1 : 1 + (chance >> 16) % 40;

	return len < left ? len : left;
}

static void add_event(
	struct reading *reading, enum protocol_verdict verdict, const struct protocol_line *line)
{
	bool refused = verdict == PROTOCOL_REFUSED;

	REQUIRE(reading->n < reading->size);
	reading->events[reading->n++] = (struct event){
		.verdict = verdict,
		.refusal = refused ? line->refusal : 0,
		.end = line->end,
		.id = verdict == PROTOCOL_GREETING ? line->id : 0,
		.start = (uint32_t)reading->used,
		.text_len = (uint32_t)line->text_len,
	};
	reading->used += line->consumed;
	reading->over = refused && protocol_refusal_closes(line->refusal);
}

/* Reads the lines of the first len bytes that are not read yet, from a copy with nothing behind it. */
static void read_lines(struct reading *reading, const char *bytes, size_t len, bool eof)
{
	const size_t begin = reading->used;
	_cleanup_(freep) char *copy = malloc(len - begin + 1);
	const char *data = copy + 1; /* so that a read just before it is seen, too */

	REQUIRE(copy);
	memcpy(copy + 1, bytes + begin, len - begin);
	while (!reading->over) {
		struct protocol_line line;
		const char *text = data + (reading->used - begin);
		size_t left = len - reading->used;
		enum protocol_verdict verdict = protocol_next(text, left, eof, MAX_ID, &line);

		if (verdict == PROTOCOL_MORE) {
			REQUIRE(left <= PROTOCOL_PARTIAL_MAX && (!eof || left == 0));
			break;
		}
		REQUIRE(line.consumed > 0 && line.consumed <= left);
		REQUIRE(line.text == text && line.text_len <= PROTOCOL_LINE_MAX);
		REQUIRE(verdict != PROTOCOL_GREETING || line.id <= MAX_ID);
		add_event(reading, verdict, &line);
	}
}

static void read_in_pieces(struct reading *reading, const struct wire *wire, bool eof)
{
	for (size_t end = 0; end < wire->len && !reading->over;) {
		end += next_piece(wire, end);
		read_lines(reading, wire->bytes, end, false);
	}
	if (eof)
		read_lines(reading, wire->bytes, wire->len, true);
}

static void check_cuts(const struct wire *wire, struct reading *whole)
{
	_cleanup_(freep) struct reading *cut = new_reading(wire);
	bool eof = wire->ending == ENDING_STREAM;

	read_lines(whole, wire->bytes, wire->len, eof);
	read_in_pieces(cut, wire, eof);
	REQUIRE(cut->n == whole->n && cut->over == whole->over);
	REQUIRE(cut->over || cut->used == whole->used);
	REQUIRE(memcmp(cut->events, whole->events, cut->n * sizeof(cut->events[0])) == 0);
}

/* The same bytes as if a server had sent them. */
static void check_answers(const struct wire *wire)
{
	struct protocol_answer_line line = { 0 };

	for (size_t used = 0; used < wire->len; used += line.consumed) {
		const char *data = wire->bytes + used;
		size_t len = wire->len - used;

		if (protocol_next_answer(data, len, wire->ending == ENDING_STREAM, PROTOCOL_DEFAULT_REPLY,
			    &line) == PROTOCOL_ANSWER_MORE)
			break;
		REQUIRE(line.consumed > 0 && line.consumed <= len);
		REQUIRE(line.text >= data && line.text + line.text_len <= data + len);
	}
}

static void expect_reply(struct said *said, const struct wire *wire, enum protocol_end end)
{
	char reply[PROTOCOL_REPLY_TEXT_MAX + 1];

	fill_reply(wire, reply);
	said->len += (size_t)sprintf(said->bytes + said->len, "%s%s", reply, protocol_end_bytes(end));
	said->greetings++;
}

static void expect_refusal(struct said *said, enum protocol_refusal refusal, enum protocol_end end)
{
	char *text = said->bytes + said->len;
	size_t len = protocol_write_refusal(refusal, MAX_ID, end, text);
	struct protocol_answer_line line;

	REQUIRE(len <= PROTOCOL_REPLY_MAX);
	REQUIRE(protocol_next_answer(text, len, false, PROTOCOL_DEFAULT_REPLY, &line) ==
		PROTOCOL_ANSWER_REFUSAL);
	REQUIRE(line.consumed == len);
	said->len += len;
	said->refusals++;
}

/* What an unfinished line and the way in which the connection ends add. */
static void expect_ending(struct said *said, const struct wire *wire, size_t begin)
{
	struct protocol_line line;
	bool greets = protocol_next(wire->bytes + begin, wire->len - begin, true, MAX_ID, &line) ==
		      PROTOCOL_GREETING;

	if (greets && (wire->ending == ENDING_SETTLE || wire->ending == ENDING_FINISH))
		expect_reply(said, wire, PROTOCOL_END_LF);
	if (wire->ending == ENDING_TIMEOUT)
		expect_refusal(said, PROTOCOL_REFUSAL_TIMEOUT, PROTOCOL_END_LF);
	if (wire->ending == ENDING_FINISH)
		expect_refusal(said, PROTOCOL_REFUSAL_SHUTDOWN, PROTOCOL_END_LF);
}

static void expect(struct said *said, const struct wire *wire, const struct reading *reading)
{
	unsigned refused_in_row = 0;

	for (size_t i = 0; i < reading->n; i++) {
		const struct event *event = &reading->events[i];

		if (event->verdict == PROTOCOL_GREETING) {
			expect_reply(said, wire, event->end);
			refused_in_row = 0;
		} else if (event->verdict == PROTOCOL_REFUSED) {
			expect_refusal(said, event->refusal, event->end);
			if (protocol_refusal_closes(event->refusal) ||
				++refused_in_row == SESSION_REFUSALS_MAX)
				return;
		}
	}
	expect_ending(said, wire, reading->used);
}

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	struct talk *talk = data;

	REQUIRE(session == &talk->session && line->id <= MAX_ID && n > 0);
	talk->said->greetings += n;
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	struct talk *talk = data;

	REQUIRE(session == &talk->session && refusal < PROTOCOL_REFUSALS);
	REQUIRE(text_len == 0 || text);
	talk->said->refusals++;
}

static void take_result(struct talk *talk, int result)
{
	REQUIRE(result == 0 || result == SESSION_OVER);
	talk->over = result == SESSION_OVER;
	if (talk->over)
		session_deinit(&talk->session);
}

/* Serves as long as one of the events that the session waits for is there. */
static void serve(struct talk *talk)
{
	while (!talk->over) {
		struct pollfd ready = { .fd = talk->session.fd,
			.events = (short)session_events(&talk->session) };

		if (poll(&ready, 1, 0) <= 0)
			return;
		take_result(talk, session_serve(&talk->session, &talk->shared, ++talk->now));
	}
}

/* Reads what the session said. Returns whether there was anything. */
static bool collect(struct talk *talk)
{
	struct said *said = talk->said;
	const size_t before = said->len;
	ssize_t n;

	while ((n = recv(talk->client, said->bytes + said->len, said->size - said->len, 0)) > 0)
		said->len += (size_t)n;
	return said->len > before;
}

static void catch_up(struct talk *talk)
{
	do
		serve(talk);
	while (collect(talk));
}

static void send_pieces(struct talk *talk, const struct wire *wire)
{
	for (size_t begin = 0; begin < wire->len;) {
		size_t len = next_piece(wire, begin);
		ssize_t n = send(talk->client, wire->bytes + begin, len, MSG_NOSIGNAL);

		if (n < 0) {
			REQUIRE(errno == EAGAIN);
			catch_up(talk);
			continue;
		}
		begin += (size_t)n;
		if (wire->slow)
			serve(talk);
		else
			catch_up(talk);
	}
	if (wire->ending != ENDING_FINISH) /* that one may come while output waits */
		catch_up(talk);
	REQUIRE(!talk->over);
}

static void end_talk(struct talk *talk, const struct wire *wire)
{
	struct session *session = &talk->session;
	bool open = session->state == SESSION_OPEN;

	if (wire->ending == ENDING_STREAM)
		(void)shutdown(talk->client, SHUT_WR);
	else if (wire->ending == ENDING_SETTLE && deadline_waits(&session->settle))
		take_result(talk, session_settle(session, &talk->shared, ++talk->now));
	else if (wire->ending == ENDING_TIMEOUT && open)
		take_result(talk, session_timeout(session, &talk->shared, ++talk->now));
	else if (wire->ending == ENDING_FINISH)
		take_result(talk, session_finish(session, &talk->shared, ++talk->now));
	catch_up(talk);
	REQUIRE(talk->over || wire->ending == ENDING_SETTLE || wire->ending == ENDING_TIMEOUT);
	REQUIRE(talk->over || wire->ending == ENDING_SETTLE || session->state == SESSION_LINGERING);
	if (!talk->over)
		session_deinit(session);
}

static void check_session(const struct wire *wire, const struct said *expected)
{
	static const struct session_observer observer = { .greeting = on_greeting, .refusal = on_refusal };
	static const struct netio_peer peer = { .family = AF_UNIX };
	char reply[PROTOCOL_REPLY_TEXT_MAX + 1];
	const struct settings settings = { .reply = reply, .max_id = MAX_ID, .settle_usec = USEC_PER_SEC };
	_cleanup_(freep) struct talk *talk = malloc(sizeof(*talk));
	_cleanup_(freep) struct said *said = new_said(wire);
	const int smallest = 1;
	int fds[2];

	REQUIRE(talk && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	if (wire->slow)
		REQUIRE(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)) == 0);
	talk->client = fds[0];
	talk->over = false;
	talk->now = 1;
	talk->said = said;
	fill_reply(wire, reply);
	session_shared_init(&talk->shared, &settings, &observer, talk);
	session_init(&talk->session, &talk->shared, fds[1], &peer, talk->now);
	send_pieces(talk, wire);
	end_talk(talk, wire);
	close(talk->client);

	/* The refusal at shutdown is not told: nobody did anything wrong. */
	REQUIRE(said->greetings == expected->greetings);
	REQUIRE(said->refusals + (wire->ending == ENDING_FINISH) >= expected->refusals);
	REQUIRE(said->refusals <= expected->refusals);
	REQUIRE(said->len == expected->len);
	REQUIRE(memcmp(said->bytes, expected->bytes, expected->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size - 2 > WIRE_MAX)
		return -1;

	const struct wire wire = {
		.bytes = (const char *)data + 2,
		.len = size - 2,
		.cut = data[0],
		.ending = data[1] % ENDINGS,
		.slow = data[1] & SLOW,
		.long_reply = data[1] & LONG_REPLY,
	};
	_cleanup_(freep) struct reading *reading = new_reading(&wire);
	_cleanup_(freep) struct said *expected = new_said(&wire);

	check_cuts(&wire, reading);
	check_answers(&wire);
	expect(expected, &wire, reading);
	check_session(&wire, expected);
	return 0;
}

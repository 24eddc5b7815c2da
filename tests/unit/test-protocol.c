/* The wire, both sides: by table, and with every input cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/protocol.h"

#define MAX_ID 65535
#define BYTES(literal) literal, sizeof(literal) - 1

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X127 X32 X32 X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X128 X127 "x"

struct transcript {
	char text[8192];
	size_t len;
};

static void say(struct transcript *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct transcript *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, format, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(t->text) - t->len);
	t->len += (size_t)n;
}

static void say_bytes(struct transcript *t, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		say(t, data[i] >= ' ' ? "%c" : "\\%03o", (unsigned char)data[i]);
}

/* A copy with nothing behind it, so that a read past the end is caught by ASan and valgrind. */
static char *exact_copy(const char *data, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

/* One line as "greeting 2 LF", "refused id BR [I am client 0]", "blank CRLF". Returns whether the line was
 * there. */
static bool say_line(
	struct transcript *t, const char *data, size_t len, bool eof, uint32_t max_id, size_t *ret_consumed)
{
	static const char *const ends[] = { "LF", "CRLF", "BR", "STREAM" };
	_cleanup_(freep) char *copy = exact_copy(data, len);
	struct protocol_line line = { .consumed = SIZE_MAX };
	enum protocol_verdict verdict = protocol_next(copy, len, eof, max_id, &line);

	if (verdict == PROTOCOL_MORE) {
		assert_int_equal(line.consumed, SIZE_MAX);
		assert_true(len <= PROTOCOL_PARTIAL_MAX);
		return false;
	}
	assert_true(line.consumed > 0 && line.consumed <= len);
	assert_true(line.text >= copy && line.text + line.text_len <= copy + len);
	if (verdict == PROTOCOL_BLANK)
		say(t, "blank %s; ", ends[line.end]);
	else if (verdict == PROTOCOL_GREETING)
		say(t, "greeting %u %s; ", line.id, ends[line.end]);
	else
		say(t, "%s %s [", protocol_refusal_code(line.refusal), ends[line.end]);
	if (verdict == PROTOCOL_REFUSED) {
		say_bytes(t, line.text, line.text_len);
		say(t, "]; ");
	}
	*ret_consumed = line.consumed;
	if (verdict == PROTOCOL_REFUSED && protocol_refusal_closes(line.refusal))
		*ret_consumed = SIZE_MAX;
	return true;
}

/* What a server makes of the stream when it arrives as the pieces [0, cut), [cut, cut + step), … */
static void read_stream(
	struct transcript *t, const char *data, size_t len, uint32_t max_id, size_t cut, size_t step)
{
	size_t begin = 0, arrived = cut < len ? cut : len;

	for (;;) {
		size_t consumed;
		bool all = arrived == len;

		while (say_line(t, data + begin, arrived - begin, all, max_id, &consumed)) {
			if (consumed == SIZE_MAX)
				return;
			begin += consumed;
		}
		if (all)
			break;
		arrived = len - arrived > step ? arrived + step : len;
	}
	assert_int_equal(begin, len);
}

static void assert_stream(const char *data, size_t len, uint32_t max_id, const char *expected)
{
	struct transcript whole = { .len = 0 };

	read_stream(&whole, data, len, max_id, len, len);
	assert_string_equal(whole.text, expected);
	for (size_t cut = 0; cut <= len; cut++) {
		struct transcript halves = { .len = 0 }, bytes = { .len = 0 };

		read_stream(&halves, data, len, max_id, cut, len);
		assert_string_equal(halves.text, expected);
		read_stream(&bytes, data, len, max_id, cut, 1);
		assert_string_equal(bytes.text, expected);
	}
}

static void assert_more(const char *data, size_t len)
{
	struct transcript t = { .len = 0 };
	size_t consumed;

	assert_false(say_line(&t, data, len, false, MAX_ID, &consumed));
}

struct stream {
	const char *data;
	size_t len;
	const char *expected;
};

static void assert_streams(const struct stream *streams, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_stream(streams[i].data, streams[i].len, MAX_ID, streams[i].expected);
}

static void test_reads_a_greeting_of_each_end(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("I am client 2\n"), "greeting 2 LF; " },
		{ BYTES("I am client 2\r\n"), "greeting 2 CRLF; " },
		{ BYTES("I am client 2<br>"), "greeting 2 BR; " },
		{ BYTES("I am client 2"), "greeting 2 STREAM; " },
		{ BYTES("I am client 2\r"), "greeting 2 STREAM; " },
		{ BYTES("I am client\n"), "greeting 0 LF; " },
		{ BYTES("I am client\r\n"), "greeting 0 CRLF; " },
		{ BYTES("I am CLIENT<br>"), "greeting 0 BR; " },
		{ BYTES("I am client"), "greeting 0 STREAM; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_reads_words_and_end_in_any_letter_case(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("i AM cLiEnT 2<BR>"), "greeting 2 BR; " },
		{ BYTES("I AM CLIENT<bR>"), "greeting 0 BR; " },
		{ BYTES("i am client 9<Br>i am client 8<br>"), "greeting 9 BR; greeting 8 BR; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_reads_pipelined_lines_in_order(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("I am client 1\r\nI am client 2\nnonsense\nI am client 3<br>"),
			"greeting 1 CRLF; greeting 2 LF; syntax LF [nonsense]; greeting 3 BR; " },
		{ BYTES("I am client 1<br>\nI am client 2<br>\r\n"),
			"greeting 1 BR; blank LF; greeting 2 BR; blank CRLF; " },
		{ BYTES("I am client 1\nI am client 2"), "greeting 1 LF; greeting 2 STREAM; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_passes_over_blank_lines(void **state)
{
	static const struct stream streams[] = {
		{ BYTES(""), "" },
		{ BYTES("\n"), "blank LF; " },
		{ BYTES("\r\n"), "blank CRLF; " },
		{ BYTES("\r\r\n"), "blank CRLF; " },
		{ BYTES("<br>"), "blank BR; " },
		{ BYTES(" \t \n"), "blank LF; " },
		{ BYTES("\r"), "blank STREAM; " },
		{ BYTES(" "), "blank STREAM; " },
		{ BYTES("\n\n<br>"), "blank LF; blank LF; blank BR; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_refuses_what_is_no_greeting(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("nonsense\n"), "syntax LF [nonsense]; " },
		{ BYTES("I am client2\n"), "syntax LF [I am client2]; " },
		{ BYTES("I am client \n"), "syntax LF [I am client ]; " },
		{ BYTES("I am client  2\n"), "syntax LF [I am client  2]; " },
		{ BYTES("I am client 2 \n"), "syntax LF [I am client 2 ]; " },
		{ BYTES(" I am client 2\n"), "syntax LF [ I am client 2]; " },
		{ BYTES("I am client 2x\n"), "syntax LF [I am client 2x]; " },
		{ BYTES("I am client 0x10\n"), "syntax LF [I am client 0x10]; " },
		{ BYTES("I am client 2.0\n"), "syntax LF [I am client 2.0]; " },
		{ BYTES("I am client -\n"), "syntax LF [I am client -]; " },
		{ BYTES("I am client +\n"), "syntax LF [I am client +]; " },
		{ BYTES("I am client --1\n"), "syntax LF [I am client --1]; " },
		{ BYTES("I am client\t2\n"), "syntax LF [I am client\\0112]; " },
		{ BYTES("I am clien\n"), "syntax LF [I am clien]; " },
		{ BYTES("I am client 2\rI am client 3\n"), "syntax LF [I am client 2\\015I am client 3]; " },
		{ BYTES("I am client 2\r\r\n"), "syntax CRLF [I am client 2\\015]; " },
		{ BYTES("GET / HTTP/1.1\r\n\r\n"), "syntax CRLF [GET / HTTP/1.1]; blank CRLF; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_takes_the_beginning_of_an_end_for_text_when_it_comes_to_nothing(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("I am client 2<"), "syntax STREAM [I am client 2<]; " },
		{ BYTES("I am client 2<b"), "syntax STREAM [I am client 2<b]; " },
		{ BYTES("I am client 2<br"), "syntax STREAM [I am client 2<br]; " },
		{ BYTES("I am client 2<bx>\n"), "syntax LF [I am client 2<bx>]; " },
		{ BYTES("I am client 2<br\n"), "syntax LF [I am client 2<br]; " },
		{ BYTES("I am client 2<<br>"), "syntax BR [I am client 2<]; " },
		{ BYTES("I am client 2<b<br>"), "syntax BR [I am client 2<b]; " },
		{ BYTES("I am client 2\r<br>"), "syntax BR [I am client 2\\015]; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_waits_while_an_end_may_still_come(void **state)
{
	(void)state;
	assert_more(BYTES(""));
	assert_more(BYTES("I am client 2"));
	assert_more(BYTES("I am client 2\r"));
	assert_more(BYTES("I am client 2<"));
	assert_more(BYTES("I am client 2<b"));
	assert_more(BYTES("I am client 2<br"));
	assert_more(BYTES(X128));
	assert_more(BYTES(X128 "\r"));
	assert_more(BYTES(X128 "<br"));
}

static void test_takes_nul_for_a_byte_like_any_other(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("\0\n"), "syntax LF [\\000]; " },
		{ BYTES("I am client\0\n"), "syntax LF [I am client\\000]; " },
		{ BYTES("I am client 2\0<br>"), "syntax BR [I am client 2\\000]; " },
		{ BYTES("I am client 2\0003\n"), "syntax LF [I am client 2\\0003]; " },
		{ BYTES("<\0r>\n"), "syntax LF [<\\000r>]; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_refuses_id_zero(void **state)
{
	(void)state;
	assert_stream(BYTES("I am client 0\n"), MAX_ID, "id LF [I am client 0]; ");
	assert_stream(BYTES("I am client 000<br>"), MAX_ID, "id BR [I am client 000]; ");
}

static void test_refuses_leading_zeros(void **state)
{
	(void)state;
	assert_stream(BYTES("I am client 007\n"), MAX_ID, "id LF [I am client 007]; ");
}

static void test_refuses_signs(void **state)
{
	(void)state;
	assert_stream(BYTES("I am client -1\n"), MAX_ID, "id LF [I am client -1]; ");
	assert_stream(BYTES("I am client +1\n"), MAX_ID, "id LF [I am client +1]; ");
	assert_stream(BYTES("I am client -0\n"), MAX_ID, "id LF [I am client -0]; ");
}

static void test_takes_ids_up_to_the_greatest(void **state)
{
	static const struct {
		uint32_t max_id;
		const char *id;
		bool taken;
	} ids[] = {
		{ 1, "1", true },
		{ 1, "2", false },
		{ 9, "10", false },
		{ 65535, "65535", true },
		{ 65535, "65536", false },
		{ 65535, "4294967297", false },
		{ 65535, "18446744073709551617", false },
		{ 65535, "99999999999999999999", false },
		{ UINT32_MAX, "4294967295", true },
		{ UINT32_MAX, "4294967296", false },
		{ UINT32_MAX, "99999999999999999999999999999999999999999999", false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(ids); i++) {
		char line[128], expected[128];

		snprintf(line, sizeof(line), "I am client %s\n", ids[i].id);
		snprintf(expected, sizeof(expected),
			ids[i].taken ? "greeting %s LF; " : "id LF [I am client %s]; ", ids[i].id);
		assert_stream(line, strlen(line), ids[i].max_id, expected);
	}
}

/* A line of n bytes of text is read whole up to 128 bytes, whatever its end, and refused beyond. */
static void test_limits_the_line_to_128_bytes_before_any_end(void **state)
{
	static const struct {
		const char *bytes, *name;
	} ends[] = { { "\n", "LF" }, { "\r\n", "CRLF" }, { "<br>", "BR" }, { "", "STREAM" } };

	(void)state;
	for (size_t e = 0; e < ELEMENTS(ends); e++)
		for (size_t n = 120; n <= 140; n++) {
			char line[160], expected[200];

			memset(line, 'x', n);
			strcpy(line + n, ends[e].bytes);
			snprintf(expected, sizeof(expected), "%s %s [%.*s]; ",
				n > PROTOCOL_LINE_MAX ? "long" : "syntax",
				n > PROTOCOL_LINE_MAX ? "LF" : ends[e].name,
				(int)(n > PROTOCOL_LINE_MAX ? PROTOCOL_LINE_MAX : n), line);
			assert_stream(line, strlen(line), MAX_ID, expected);
		}
}

static void test_counts_a_broken_end_against_the_limit(void **state)
{
	static const struct stream streams[] = {
		{ BYTES(X127 "\r\r\n"), "syntax CRLF [" X127 "\\015]; " },
		{ BYTES(X128 "\r\r\n"), "long LF [" X128 "]; " },
		{ BYTES(X128 "\rx\n"), "long LF [" X128 "]; " },
		{ BYTES(X128 "<bx"), "long LF [" X128 "]; " },
		{ BYTES(X128 "<br"), "long LF [" X128 "]; " },
		{ BYTES(X128 "\r"), "syntax STREAM [" X128 "]; " },
		{ BYTES(X127 "<"), "syntax STREAM [" X127 "<]; " },
		{ BYTES(X127 "<b"), "long LF [" X127 "<]; " },
		{ BYTES("I am client 1\n" X128 X128), "greeting 1 LF; long LF [" X128 "]; " },
	};

	(void)state;
	assert_streams(streams, ELEMENTS(streams));
}

static void test_agrees_on_any_cut_of_random_streams(void **state)
{
	static const char *const pieces[] = { "I am client", " ", "2", "0", "-", "\r", "\n", "<", "b", "r",
		">", "<br>", "\r\n", "x", X32, X127, "i AM" };
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		char data[2048] = "";
		struct transcript whole = { .len = 0 };

		for (int n = rand_r(&seed) % 12; n >= 0; n--)
			strcat(data, pieces[(size_t)rand_r(&seed) % ELEMENTS(pieces)]);
		read_stream(&whole, data, strlen(data), MAX_ID, strlen(data), 1);
		assert_stream(data, strlen(data), MAX_ID, whole.text);
	}
}

static void test_refusals_are_said_in_the_words_of_the_manual(void **state)
{
	static const struct {
		enum protocol_refusal refusal;
		const char *code, *text;
		bool closes;
	} refusals[] = {
		{ PROTOCOL_REFUSAL_SYNTAX, "syntax", "ERR syntax a greeting reads: I am client 2", false },
		{ PROTOCOL_REFUSAL_ID, "id",
			"ERR id client numbers have no sign or leading zero and run from 1 to 65535", false },
		{ PROTOCOL_REFUSAL_LONG, "long",
			"ERR long a greeting has at most 128 bytes and ends with a newline", true },
		{ PROTOCOL_REFUSAL_BUSY, "busy", "ERR busy too many connections, try again later", true },
		{ PROTOCOL_REFUSAL_TIMEOUT, "timeout", "ERR timeout waited too long for a greeting", true },
		{ PROTOCOL_REFUSAL_SHUTDOWN, "shutdown", "ERR shutdown the server is stopping", true },
	};
	static const char *const ends[] = { "\n", "\r\n", "<br>", "\n" };

	(void)state;
	assert_int_equal(ELEMENTS(refusals), PROTOCOL_REFUSALS);
	for (size_t i = 0; i < ELEMENTS(refusals); i++) {
		assert_string_equal(protocol_refusal_code(refusals[i].refusal), refusals[i].code);
		assert_int_equal(protocol_refusal_closes(refusals[i].refusal), refusals[i].closes);
		for (size_t end = 0; end < ELEMENTS(ends); end++) {
			char out[PROTOCOL_REPLY_MAX], expected[PROTOCOL_REPLY_MAX];
			size_t len = protocol_write_refusal(
				refusals[i].refusal, MAX_ID, (enum protocol_end)end, out);

			snprintf(expected, sizeof(expected), "%s%s", refusals[i].text, ends[end]);
			assert_int_equal(len, strlen(expected));
			assert_memory_equal(out, expected, len);
		}
	}
}

static void test_every_refusal_is_known_to_a_client_as_one(void **state)
{
	(void)state;
	for (int refusal = 0; refusal < PROTOCOL_REFUSALS; refusal++) {
		char out[PROTOCOL_REPLY_MAX];
		size_t len = protocol_write_refusal(
			(enum protocol_refusal)refusal, UINT32_MAX, PROTOCOL_END_BR, out);
		struct protocol_answer_line line;

		assert_int_equal(protocol_next_answer(out, len, false, PROTOCOL_DEFAULT_REPLY, &line),
			PROTOCOL_ANSWER_REFUSAL);
		assert_int_equal(line.consumed, len);
	}
}

static void test_every_greeting_written_is_read_back(void **state)
{
	static const uint32_t ids[] = { 0, 1, 2, 65535, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(ids); i++) {
		char out[PROTOCOL_LINE_MAX];
		size_t len = protocol_write_greeting(ids[i], out);
		struct protocol_line line;

		assert_int_equal(protocol_next(out, len, false, UINT32_MAX, &line), PROTOCOL_GREETING);
		assert_int_equal(line.id, ids[i]);
		assert_int_equal(line.consumed, len);
		assert_int_equal(line.end, PROTOCOL_END_LF);
	}
}

/* As say_line(): "reply [I am SERVER]", "refusal [ERR id …]", "other [HTTP/1.1 400]". */
static bool say_answer(struct transcript *t, const char *data, size_t len, bool ended, size_t *ret_consumed)
{
	static const char *const answers[] = { "more", "reply", "refusal", "other" };
	_cleanup_(freep) char *copy = exact_copy(data, len);
	struct protocol_answer_line line = { .consumed = SIZE_MAX };
	enum protocol_answer answer = protocol_next_answer(copy, len, ended, PROTOCOL_DEFAULT_REPLY, &line);

	if (answer == PROTOCOL_ANSWER_MORE) {
		assert_int_equal(line.consumed, SIZE_MAX);
		return false;
	}
	assert_true(line.consumed > 0 && line.consumed <= len);
	assert_true(line.text >= copy && line.text + line.text_len <= copy + len);
	say(t, "%s [", answers[answer]);
	say_bytes(t, line.text, line.text_len);
	say(t, "]; ");
	*ret_consumed = line.consumed;
	return true;
}

static void read_answers(struct transcript *t, const char *data, size_t len, size_t cut, size_t step)
{
	size_t begin = 0, arrived = cut < len ? cut : len;

	for (;;) {
		size_t consumed;

		while (say_answer(t, data + begin, arrived - begin, arrived == len, &consumed))
			begin += consumed;
		if (arrived == len)
			return;
		arrived = len - arrived > step ? arrived + step : len;
	}
}

static void assert_answers(const char *data, size_t len, const char *expected)
{
	for (size_t cut = 0; cut <= len; cut++) {
		struct transcript halves = { .len = 0 }, bytes = { .len = 0 };

		read_answers(&halves, data, len, cut, len);
		assert_string_equal(halves.text, expected);
		read_answers(&bytes, data, len, cut, 1);
		assert_string_equal(bytes.text, expected);
	}
}

static void test_client_reads_replies_of_each_end(void **state)
{
	(void)state;
	assert_answers(BYTES(""), "");
	assert_answers(BYTES("I am SERVER\n"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER\r\n"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER<br>"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER\r"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER<br>I am SERVER\nI am SERVER"),
		"reply [I am SERVER]; reply [I am SERVER]; reply [I am SERVER]; ");
}

static void test_client_passes_over_blank_lines(void **state)
{
	(void)state;
	assert_answers(BYTES("\n\r\n<br> \nI am SERVER\n"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER<br>\r\n"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER<br>\r"), "reply [I am SERVER]; ");
	assert_answers(BYTES("I am SERVER\n "), "reply [I am SERVER]; ");
}

static void test_client_knows_refusals(void **state)
{
	(void)state;
	assert_answers(BYTES("ERR busy too many\n"), "refusal [ERR busy too many]; ");
	assert_answers(BYTES("ERR x"), "refusal [ERR x]; ");
	assert_answers(BYTES("ERR busy<br>"), "refusal [ERR busy]; ");
}

static void test_client_knows_what_is_not_the_protocol(void **state)
{
	static const struct stream streams[] = {
		{ BYTES("HTTP/1.1 400 Bad Request\r\n"), "other [HTTP/1.1 400 Bad Request]; " },
		{ BYTES("I am server\n"), "other [I am server]; " },
		{ BYTES("I am SERVER \n"), "other [I am SERVER ]; " },
		{ BYTES("I am SERVERI am SERVER"), "other [I am SERVERI am SERVER]; " },
		{ BYTES("I am SERVER<"), "other [I am SERVER<]; " },
		{ BYTES("I am SERVER<br"), "other [I am SERVER<br]; " },
		{ BYTES("I am SERVER\0\n"), "other [I am SERVER\\000]; " },
		{ BYTES("ERR\n"), "other [ERR]; " },
		{ BYTES("ERR \n"), "other [ERR ]; " },
		{ BYTES("ERR  busy\n"), "other [ERR  busy]; " },
		{ BYTES("ERR Busy\n"), "other [ERR Busy]; " },
		{ BYTES("ERR busy: no\n"), "other [ERR busy: no]; " },
		{ BYTES("err busy\n"), "other [err busy]; " },
		{ BYTES("ERROR\n"), "other [ERROR]; " },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(streams); i++)
		assert_answers(streams[i].data, streams[i].len, streams[i].expected);
}

static void test_client_waits_while_the_reply_may_still_come(void **state)
{
	static const char *const parts[] = { "", "I", "I am SERVER", "I am SERVER\r", "I am SERVER<br",
		"\n\n", "ERR busy too many" };
	struct protocol_answer_line line;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(parts); i++)
		assert_int_equal(protocol_next_answer(
					 parts[i], strlen(parts[i]), false, PROTOCOL_DEFAULT_REPLY, &line),
			PROTOCOL_ANSWER_MORE);
}

static void test_client_takes_a_reply_of_the_longest_text(void **state)
{
	char reply[PROTOCOL_REPLY_TEXT_MAX + 1] = "", data[PROTOCOL_REPLY_MAX + 1];
	struct protocol_answer_line line;

	(void)state;
	memset(reply, 'r', sizeof(reply) - 1);
	assert_int_equal(protocol_next_answer(reply, PROTOCOL_REPLY_TEXT_MAX, false, reply, &line),
		PROTOCOL_ANSWER_MORE);
	snprintf(data, sizeof(data), "%s<br>", reply);
	for (size_t cut = PROTOCOL_REPLY_TEXT_MAX; cut < PROTOCOL_REPLY_MAX; cut++)
		assert_int_equal(protocol_next_answer(data, cut, false, reply, &line), PROTOCOL_ANSWER_MORE);
	assert_int_equal(
		protocol_next_answer(data, PROTOCOL_REPLY_MAX, false, reply, &line), PROTOCOL_ANSWER_REPLY);
}

static void test_client_gives_up_on_a_line_without_end(void **state)
{
	char data[PROTOCOL_REPLY_TEXT_MAX + 1];
	struct protocol_answer_line line;

	(void)state;
	memset(data, 'r', sizeof(data));
	assert_int_equal(protocol_next_answer(data, sizeof(data), false, PROTOCOL_DEFAULT_REPLY, &line),
		PROTOCOL_ANSWER_OTHER);
	assert_int_equal(line.consumed, sizeof(data));
	memset(data, ' ', sizeof(data));
	assert_int_equal(protocol_next_answer(data, sizeof(data), false, PROTOCOL_DEFAULT_REPLY, &line),
		PROTOCOL_ANSWER_OTHER);
}

/* How often the first line of data is repeated behind it. */
static size_t repeats(const char *data, size_t max)
{
	_cleanup_(freep) char *copy = exact_copy(data, strlen(data));
	struct protocol_line line;

	assert_int_equal(protocol_next(copy, strlen(data), true, MAX_ID, &line), PROTOCOL_GREETING);
	return protocol_count_repeats(copy + line.consumed, strlen(data) - line.consumed, &line, max);
}

static void test_counts_how_often_a_line_is_repeated(void **state)
{
	(void)state;
	assert_int_equal(repeats("I am client 2\n", 9), 0);
	assert_int_equal(repeats("I am client 2\nI am client 2\nI am client 2\nI am client 3\n", 9), 2);
	assert_int_equal(repeats("I am client 2\nI am client 2\nI am client 2\n", 1), 1);
	assert_int_equal(repeats("I am CLIENT<br>I am CLIENT<br>I am CLIENT<BR>", 9), 1);
	assert_int_equal(repeats("I am client 2\r\nI am client 2\r\nI am client 2\n", 9), 1);
}

static void test_what_is_not_whole_is_no_repetition(void **state)
{
	(void)state;
	assert_int_equal(repeats("I am client 2\nI am client 2", 9), 0);
	assert_int_equal(repeats("I am client 2\nI am client 22\n", 9), 0);
	assert_int_equal(repeats("I am client 2", 9), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_greeting_of_each_end),
		cmocka_unit_test(test_reads_words_and_end_in_any_letter_case),
		cmocka_unit_test(test_reads_pipelined_lines_in_order),
		cmocka_unit_test(test_passes_over_blank_lines),
		cmocka_unit_test(test_refuses_what_is_no_greeting),
		cmocka_unit_test(test_takes_the_beginning_of_an_end_for_text_when_it_comes_to_nothing),
		cmocka_unit_test(test_waits_while_an_end_may_still_come),
		cmocka_unit_test(test_takes_nul_for_a_byte_like_any_other),
		cmocka_unit_test(test_refuses_id_zero),
		cmocka_unit_test(test_refuses_leading_zeros),
		cmocka_unit_test(test_refuses_signs),
		cmocka_unit_test(test_takes_ids_up_to_the_greatest),
		cmocka_unit_test(test_limits_the_line_to_128_bytes_before_any_end),
		cmocka_unit_test(test_counts_a_broken_end_against_the_limit),
		cmocka_unit_test(test_agrees_on_any_cut_of_random_streams),
		cmocka_unit_test(test_counts_how_often_a_line_is_repeated),
		cmocka_unit_test(test_what_is_not_whole_is_no_repetition),
		cmocka_unit_test(test_refusals_are_said_in_the_words_of_the_manual),
		cmocka_unit_test(test_every_refusal_is_known_to_a_client_as_one),
		cmocka_unit_test(test_every_greeting_written_is_read_back),
		cmocka_unit_test(test_client_reads_replies_of_each_end),
		cmocka_unit_test(test_client_passes_over_blank_lines),
		cmocka_unit_test(test_client_knows_refusals),
		cmocka_unit_test(test_client_knows_what_is_not_the_protocol),
		cmocka_unit_test(test_client_waits_while_the_reply_may_still_come),
		cmocka_unit_test(test_client_takes_a_reply_of_the_longest_text),
		cmocka_unit_test(test_client_gives_up_on_a_line_without_end),
	};

	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}

#include "common/protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char greeting_words[] = "I am client";
static const char br[] = "<br>";

static const struct {
	const char *code;
	const char *text; /* with the code "id", max_id stands behind it */
	bool closes;
} refusals[PROTOCOL_REFUSALS] = {
	[PROTOCOL_REFUSAL_SYNTAX] = { "syntax", "a greeting reads: I am client 2", false },
	[PROTOCOL_REFUSAL_ID] = { "id", "client numbers have no sign or leading zero and run from 1 to ",
		false },
	[PROTOCOL_REFUSAL_LONG] = { "long", "a greeting has at most 128 bytes and ends with a newline",
		true },
	[PROTOCOL_REFUSAL_BUSY] = { "busy", "too many connections, try again later", true },
	[PROTOCOL_REFUSAL_TIMEOUT] = { "timeout", "waited too long for a greeting", true },
	[PROTOCOL_REFUSAL_SHUTDOWN] = { "shutdown", "the server is stopping", true },
};

const char *protocol_end_bytes(enum protocol_end end)
{
	static const char *const bytes[] = {
		[PROTOCOL_END_LF] = "\n",
		[PROTOCOL_END_CRLF] = "\r\n",
		[PROTOCOL_END_BR] = br,
		[PROTOCOL_END_STREAM] = "\n",
	};

	return bytes[end];
}

const char *protocol_refusal_code(enum protocol_refusal refusal)
{
	return refusals[refusal].code;
}

bool protocol_refusal_closes(enum protocol_refusal refusal)
{
	return refusals[refusal].closes;
}

/* How many bytes of "<br>" the len bytes at data begin with: 4 when they are it, fewer when they end inside
 * it, else 0. */
static size_t match_br(const char *data, size_t len)
{
	size_t n = len < strlen(br) ? len : strlen(br);

	return strncasecmp(data, br, n) == 0 ? n : 0;
}

/* What might have become an end is text when nothing follows it, but for the CR of a CR LF. */
static size_t text_at_eof(const char *data, size_t len)
{
	return len > 0 && data[len - 1] == '\r' ? len - 1 : len;
}

/*
 * Finds the first end in the len bytes at data; the text before it has *ret_text_len bytes. Returns false
 * when there is none: then *ret_text_len counts the bytes that belong to the text whatever follows.
 */
static bool find_end(const char *data, size_t len, enum protocol_end *ret_end, size_t *ret_text_len)
{
	const char *lf = memchr(data, '\n', len), *end = lf ? lf : data + len, *angle = data;

	for (; (angle = memchr(angle, '<', (size_t)(end - angle))); angle++) {
		size_t n = match_br(angle, len - (size_t)(angle - data));

		if (n == 0)
			continue;
		*ret_text_len = (size_t)(angle - data);
		if (n < strlen(br)) /* the data end inside of it */
			return false;
		*ret_end = PROTOCOL_END_BR;
		return true;
	}
	if (!lf) {
		*ret_text_len = text_at_eof(data, len);
		return false;
	}
	*ret_end = lf > data && lf[-1] == '\r' ? PROTOCOL_END_CRLF : PROTOCOL_END_LF;
	*ret_text_len = (size_t)(lf - data) - (*ret_end == PROTOCOL_END_CRLF);
	return true;
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

/* The number after "I am client ": digits; a sign before them is read only to be refused as such. */
static enum protocol_verdict read_id(
	const char *text, size_t len, uint32_t max_id, struct protocol_line *line)
{
	uint64_t id = 0;
	size_t digits = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
	bool canonical = digits == 0 && len > 0 && text[0] != '0';

	line->refusal = PROTOCOL_REFUSAL_SYNTAX;
	if (digits == len)
		return PROTOCOL_REFUSED;
	for (size_t i = digits; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return PROTOCOL_REFUSED;
		if (id <= max_id)
			id = id * 10 + (uint64_t)(text[i] - '0');
	}
	if (!canonical || id > max_id) {
		line->refusal = PROTOCOL_REFUSAL_ID;
		return PROTOCOL_REFUSED;
	}
	line->id = (uint32_t)id;
	return PROTOCOL_GREETING;
}

static enum protocol_verdict read_text(
	const char *text, size_t len, uint32_t max_id, struct protocol_line *line)
{
	size_t words = strlen(greeting_words);

	if (is_blank(text, len))
		return PROTOCOL_BLANK;
	if (len >= words && strncasecmp(text, greeting_words, words) == 0) {
		if (len == words)
			return PROTOCOL_GREETING;
		if (text[words] == ' ')
			return read_id(text + words + 1, len - words - 1, max_id, line);
	}
	line->refusal = PROTOCOL_REFUSAL_SYNTAX;
	return PROTOCOL_REFUSED;
}

enum protocol_verdict protocol_next(
	const char *data, size_t len, bool eof, uint32_t max_id, struct protocol_line *ret_line)
{
	/* An end may begin just after the longest text; what lies beyond it cannot change the verdict. */
	size_t window = len < PROTOCOL_LINE_MAX + strlen(br) ? len : PROTOCOL_LINE_MAX + strlen(br);
	struct protocol_line line = { .end = PROTOCOL_END_STREAM, .text = data };
	bool ended = find_end(data, window, &line.end, &line.text_len);

	if (!ended && line.text_len <= PROTOCOL_LINE_MAX) {
		if (!eof || len == 0)
			return PROTOCOL_MORE;
		line.text_len = text_at_eof(data, len);
	}
	if (line.text_len > PROTOCOL_LINE_MAX) {
		line.refusal = PROTOCOL_REFUSAL_LONG;
		line.text_len = PROTOCOL_LINE_MAX;
		line.end = PROTOCOL_END_LF;
		line.consumed = len;
		*ret_line = line;
		return PROTOCOL_REFUSED;
	}
	line.consumed = ended ? line.text_len + strlen(protocol_end_bytes(line.end)) : len;

	enum protocol_verdict verdict = read_text(line.text, line.text_len, max_id, &line);
	*ret_line = line;
	return verdict;
}

size_t protocol_count_repeats(const char *data, size_t len, const struct protocol_line *line, size_t max)
{
	const size_t size = line->consumed;
	size_t n = 0;

	if (line->end == PROTOCOL_END_STREAM)
		return 0;
	while (n < max && len >= size && memcmp(data, line->text, size) == 0) {
		data += size;
		len -= size;
		n++;
	}
	return n;
}

size_t protocol_write_refusal(enum protocol_refusal refusal, uint32_t max_id, enum protocol_end end,
	char out[static PROTOCOL_REPLY_MAX])
{
	char limit[16] = "";

	if (refusal == PROTOCOL_REFUSAL_ID)
		snprintf(limit, sizeof(limit), "%" PRIu32, max_id);
	return (size_t)snprintf(out, PROTOCOL_REPLY_MAX, "ERR %s %s%s%s", refusals[refusal].code,
		refusals[refusal].text, limit, protocol_end_bytes(end));
}

size_t protocol_write_greeting(uint32_t id, char out[static PROTOCOL_LINE_MAX])
{
	int n = id ? snprintf(out, PROTOCOL_LINE_MAX, "%s %" PRIu32 "\n", greeting_words, id)
		   : snprintf(out, PROTOCOL_LINE_MAX, "%s\n", greeting_words);

	return (size_t)n;
}

/* "ERR " and a code of lower-case letters, then the end or a space. */
static bool is_refusal(const char *text, size_t len)
{
	size_t i = 4;

	if (len < 5 || memcmp(text, "ERR ", 4) != 0)
		return false;
	while (i < len && text[i] >= 'a' && text[i] <= 'z')
		i++;
	return i > 4 && (i == len || text[i] == ' ');
}

enum protocol_answer protocol_next_answer(
	const char *data, size_t len, bool ended, const char *expected, struct protocol_answer_line *ret_line)
{
	struct protocol_answer_line line = { 0 };
	size_t start = 0;
	enum protocol_end end = PROTOCOL_END_STREAM;

	for (;;) {
		bool has_end = find_end(data + start, len - start, &end, &line.text_len);

		line.text = data + start;
		if (!has_end) {
			/* A longer line than any server of this protocol sends is none, wherever it ends. */
			if (!ended && line.text_len <= PROTOCOL_REPLY_TEXT_MAX)
				return PROTOCOL_ANSWER_MORE;
			line.text_len = text_at_eof(line.text, len - start);
			line.consumed = len;
			if (ended && is_blank(line.text, line.text_len))
				return PROTOCOL_ANSWER_MORE;
			break;
		}
		start += line.text_len + strlen(protocol_end_bytes(end));
		line.consumed = start;
		if (!is_blank(line.text, line.text_len))
			break;
	}
	*ret_line = line;
	if (line.text_len == strlen(expected) && memcmp(line.text, expected, line.text_len) == 0)
		return PROTOCOL_ANSWER_REPLY;
	return is_refusal(line.text, line.text_len) ? PROTOCOL_ANSWER_REFUSAL : PROTOCOL_ANSWER_OTHER;
}

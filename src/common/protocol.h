/*
 * protocol.h: the wire of greeterd-protocol(7), both sides of it.
 *
 * Pure: bytes in, verdict out. No I/O, no clock, no allocation, no state; callable from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that a line may have before its end. */
#define PROTOCOL_LINE_MAX 128

/* The most bytes that a connection can have sent without a verdict: a full line and all but the last byte of
 * "<br>". */
#define PROTOCOL_PARTIAL_MAX (PROTOCOL_LINE_MAX + 3)

/* The most bytes of a reply or refusal, with its end. */
#define PROTOCOL_REPLY_TEXT_MAX 200
#define PROTOCOL_REPLY_MAX (PROTOCOL_REPLY_TEXT_MAX + 4)

#define PROTOCOL_DEFAULT_REPLY "I am SERVER"
#define PROTOCOL_DEFAULT_PORT 8080
#define PROTOCOL_DEFAULT_MAX_ID 65535

/* How a line was ended, and so how its reply is. */
enum protocol_end { PROTOCOL_END_LF, PROTOCOL_END_CRLF, PROTOCOL_END_BR, PROTOCOL_END_STREAM };

enum protocol_refusal {
	PROTOCOL_REFUSAL_SYNTAX,   /* not a greeting; the connection stays open */
	PROTOCOL_REFUSAL_ID,       /* not a client number from 1 to max_id; stays open */
	PROTOCOL_REFUSAL_LONG,     /* over PROTOCOL_LINE_MAX bytes without an end; this and the rest close */
	PROTOCOL_REFUSAL_BUSY,     /* no room for another connection */
	PROTOCOL_REFUSAL_TIMEOUT,  /* a line unfinished, or silence, for too long */
	PROTOCOL_REFUSAL_SHUTDOWN, /* the server is going away */
	PROTOCOL_REFUSALS
};

enum protocol_verdict {
	PROTOCOL_MORE,     /* no complete line yet */
	PROTOCOL_BLANK,    /* an empty line: nothing to answer */
	PROTOCOL_GREETING, /* a greeting from id */
	PROTOCOL_REFUSED   /* a line to be refused, as refusal says */
};

struct protocol_line {
	enum protocol_end end;
	enum protocol_refusal refusal; /* with PROTOCOL_REFUSED */
	uint32_t id;                   /* with PROTOCOL_GREETING: 1 to max_id, or 0 for an unnumbered one */
	const char *text;              /* the line without its end, inside the caller's data */
	size_t text_len;
	size_t consumed; /* bytes of the line with its end */
};

/*
 * Reads the first line of data. With eof, the end of the data ends the last line.
 * The verdict on a byte stream does not depend on how it was cut into pieces. *ret_line is untouched with
 * PROTOCOL_MORE.
 */
enum protocol_verdict protocol_next(
	const char *data, size_t len, bool eof, uint32_t max_id, struct protocol_line *ret_line);

/*
 * How often the bytes of line, its end with them, stand at the start of data, one after the other: max times
 * at the most. Their verdict is that of line, so they need not be read; but what the end of the stream ended
 * is not repeated by anything.
 */
size_t protocol_count_repeats(const char *data, size_t len, const struct protocol_line *line, size_t max);

/* The bytes that end a line of this kind: LF for the end of stream. */
const char *protocol_end_bytes(enum protocol_end end);

/* The word after "ERR ": "syntax", "id", … */
const char *protocol_refusal_code(enum protocol_refusal refusal);

/* Whether the connection is closed after this refusal. */
bool protocol_refusal_closes(enum protocol_refusal refusal);

/* Writes a refusal with its end (no NUL). Returns its length. */
size_t protocol_write_refusal(enum protocol_refusal refusal, uint32_t max_id, enum protocol_end end,
	char out[static PROTOCOL_REPLY_MAX]);

/* Writes the greeting of client id (0: unnumbered), ended by LF (no NUL). Returns its length. */
size_t protocol_write_greeting(uint32_t id, char out[static PROTOCOL_LINE_MAX]);

/* What a client makes of a line from the server. */
enum protocol_answer {
	PROTOCOL_ANSWER_MORE,    /* no complete line yet */
	PROTOCOL_ANSWER_REPLY,   /* the reply that was expected */
	PROTOCOL_ANSWER_REFUSAL, /* "ERR code text" */
	PROTOCOL_ANSWER_OTHER    /* something that is not this protocol */
};

struct protocol_answer_line {
	const char *text; /* without its end, inside the caller's data */
	size_t text_len;
	size_t consumed;
};

/*
 * Reads the first line of data that a server sent, of any end; blank lines are passed over. With ended, the
 * end of the data ends the last line: the server closed, or fell silent (one of the original exercise sends
 * no end at all). expected: the text of a reply. *ret_line is untouched with PROTOCOL_ANSWER_MORE.
 */
enum protocol_answer protocol_next_answer(const char *data, size_t len, bool ended, const char *expected,
	struct protocol_answer_line *ret_line);

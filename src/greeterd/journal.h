/*
 * journal.h: what the daemon says, as structured entries to systemd's journal or as lines to standard error.
 * With journal-sink.c, which sends them, the only file that writes either.
 *
 * Nothing here waits but journal_end(): entries are kept until journal_flush() and sent without blocking. Of
 * greetings, disconnects and refusals, those beyond the burst of a second, and those that the journal did not
 * take, are counted instead, and the counts become entries of their own: one for each client and second. One
 * thread at a time. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "common/protocol.h"
#include "greeterd/messages.h"

struct journal;

struct journal_setup {
	const char *socket; /* journald's native datagram socket; NULL: lines go to fd instead */
	int fd;             /* not taken over */
	bool verbose;       /* LOG_DEBUG too */
	uint32_t burst;     /* greetings a second that get an entry of their own; 0: all */
	uint32_t max_id;
};

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Returns 0, -ENOMEM, or the error of socket(2) or connect(2). */
int journal_new(const struct journal_setup *setup, struct journal **ret);
void journal_free(struct journal *journal);
DEFINE_CLEANUP(struct journal *, journal_free)

/* Whether fd is the stream to journald that journal_stream, the value of $JOURNAL_STREAM, names:
 * systemd.exec(5). */
bool journal_owns(int fd, const char *journal_stream);

/* Whether details are logged. */
bool journal_is_verbose(const struct journal *journal);

/* Another burst from here on. */
void journal_set_burst(struct journal *journal, uint32_t burst);

/* The same greeting n times in a row. count: how often that client has greeted, with the last of them. */
void journal_greeting(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t n,
	uint64_t count, const char *text, size_t text_len, uint64_t now);
void journal_disconnect(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t now);
void journal_refusal(struct journal *journal, const struct netio_peer *peer, enum protocol_refusal refusal,
	const char *text, size_t text_len, uint64_t now);

/* A client of a group (a name, or "") has another state: attendance.h. */
void journal_state(struct journal *journal, enum message message, uint32_t id, const char *group,
	const char *before, const char *after);

/* Any other message. */
void journal_say(struct journal *journal, enum message message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sends what was said, and the counts of a second that is over, some at a time; UINT64_MAX: all that is left.
 */
void journal_flush(struct journal *journal, uint64_t now);

/* The end: sends all that is left. The one that waits, for a journal that takes no more now, so long at most.
 */
void journal_end(struct journal *journal, uint64_t patience);

/* When journal_flush() should be called again though nothing was said: UINT64_MAX for never. */
uint64_t journal_next(const struct journal *journal);

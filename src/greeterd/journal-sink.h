/*
 * journal-sink.h: where the entries of the log go: journald's native datagram socket, or a descriptor that
 * takes lines.
 *
 * Nothing here waits but journal_sink_wait(). The sink belongs to the journal, which closes it; one thread at
 * a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct journal_sink {
	int fd;             /* of lines: the owner's, or the same file opened once more */
	bool owned;         /* fd is closed with the sink */
	const char *socket; /* the path that fd is connected to; NULL: fd takes lines */
};

/* The most entries of one journal_sink_send(). */
#define JOURNAL_SINK_ENTRIES_MAX 64

/*
 * socket: journald's, of systemd's "Native Journal Protocol"; it must outlive the sink. NULL: fd takes lines.
 * Returns 0, or the error of socket(2) or connect(2).
 */
int journal_sink_open(struct journal_sink *ret, const char *socket, int fd);
void journal_sink_close(struct journal_sink *sink);

/*
 * Sends entries, each a line with its newline or a datagram of the native protocol, as many as one system
 * call that cannot block takes. Returns how many were taken whole; -EAGAIN, or another error of poll(2),
 * writev(2), sendmmsg(2), connect(2). *ret_torn: the one behind those was taken in part, and is its rest now.
 */
int journal_sink_send(const struct journal_sink *sink, struct iovec *entries, size_t n, bool *ret_torn);

/* Waits until it may take something, so long at most. Returns whether it may. */
bool journal_sink_wait(const struct journal_sink *sink, int timeout_msec);

/*
 * session.h: one connection, from accept to close: what it sent is answered in order, what it does not read
 * is kept for it.
 *
 * The worker that accepted a connection owns its session, and the descriptor in it; only that worker's thread
 * calls in here. At rest (nothing half received, nothing half sent) a session holds no buffer: it borrows
 * those of struct session_shared while it is served. Times are CLOCK_MONOTONIC in microseconds and are passed
 * in.
 *
 * Functions that serve return 0, or SESSION_OVER: the caller then ends the session with session_deinit().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netio.h"
#include "common/protocol.h"
#include "common/settings.h"
#include "greeterd/deadlines.h"

#define SESSION_OVER 1

#define SESSION_IN_SIZE (16 * 1024)  /* the most that one batch receives from a connection */
#define SESSION_OUT_SIZE (64 * 1024) /* the most that waits for a peer to read it */

/* Refused lines in a row, of the kinds that leave a connection open, after which it is closed anyway. */
#define SESSION_REFUSALS_MAX 10

/* How long a connection that we closed is kept for its peer to read the last words, in microseconds. */
#define SESSION_LINGER_USEC UINT64_C(1000000)

enum session_state {
	SESSION_OPEN,
	SESSION_FLUSHING, /* nothing more is taken in; when the output is out, it ends */
	SESSION_LINGERING /* our side is shut down; what still comes is thrown away */
};

struct session_held;

struct session {
	int fd;
	uint32_t id; /* of the last greeting; 0: unnumbered, or none yet */
	struct netio_peer peer;
	struct deadline wait;      /* in one of the shared queues idle, unfinished, lingering */
	struct deadline settle;    /* in the shared queue settle, or in none */
	struct session_held *held; /* input without a verdict, output not sent; NULL at rest */
	uint8_t state;             /* enum session_state */
	uint8_t refused_in_row;
	uint8_t finish_receives;
	bool output_waits : 1; /* held has output: nothing is received until it is sent */
	bool unfinished : 1;   /* wait runs since the first byte of an unfinished line */
	bool ended : 1;        /* the peer has shut down its side */
	bool finishing : 1;    /* ours is to end as soon as what was received is answered */
	bool admitted : 1;     /* counts against the limits: the worker's */
};

/* What becomes of what a session hears: called while it is served, before the reply is sent. */
struct session_observer {
	/* The same line, n times in a row. */
	void (*greeting)(
		void *data, const struct session *session, const struct protocol_line *line, size_t n);
	void (*refusal)(void *data, const struct session *session, enum protocol_refusal refusal,
		const char *text, size_t text_len);
};

/* What all sessions of one worker share. The worker owns it. */
struct session_shared {
	const struct settings *settings;
	const struct session_observer *observer;
	void *observer_data;
	struct deadlines idle, unfinished, settle, lingering;
	struct {
		char bytes[PROTOCOL_REPLY_MAX];
		size_t len;
	} replies[PROTOCOL_END_STREAM + 1]; /* by enum protocol_end */
	size_t out_len;
	char in[SESSION_IN_SIZE];
	char out[SESSION_OUT_SIZE];
};

/* settings and observer must outlive it. */
void session_shared_init(struct session_shared *shared, const struct settings *settings,
	const struct session_observer *observer, void *observer_data);

/* Takes other settings from here on: waits that are under way last as long as the new ones say. */
void session_shared_set(struct session_shared *shared, const struct settings *settings);

/* Takes over fd, a connected, non-blocking stream socket. */
void session_init(struct session *session, struct session_shared *shared, int fd,
	const struct netio_peer *peer, uint64_t now);

/* Closes the descriptor and frees what is held. */
void session_deinit(struct session *session);

/* Frees what is held, and leaves the descriptor to the caller. */
void session_discard(struct session *session);

/* The epoll(7) events it waits for. */
uint32_t session_events(const struct session *session);

/* One of those events has come. One recv(2) and one send(2), as a rule. */
int session_serve(struct session *session, struct session_shared *shared, uint64_t now);

/* Its wait is due: it was silent, or its peer did not read, for too long. */
int session_timeout(struct session *session, struct session_shared *shared, uint64_t now);

/* Its settle is due: the unfinished line is a greeting, and answered as if it had ended. */
int session_settle(struct session *session, struct session_shared *shared, uint64_t now);

/* Says the refusal and closes. refusal: one that closes. */
int session_refuse(
	struct session *session, struct session_shared *shared, enum protocol_refusal refusal, uint64_t now);

/* Answers what was received so far, a bounded part of it, as far as the peer reads the answers. */
int session_catch_up(struct session *session, struct session_shared *shared, uint64_t now);

/* Answers what was received so far, says ERR shutdown and closes: a part of that in each call, for it may be
 * a lot. Call it again while it returns 0, but for output_waits: then session_serve() goes on. */
int session_finish(struct session *session, struct session_shared *shared, uint64_t now);

/* What a session is besides its descriptor, for another process to go on with. Of constant layout: version 1
 * of handover.h. */
struct session_record {
	uint32_t id;
	uint32_t in_len, out_len; /* bytes that go with it: input without a verdict, then output not sent */
	uint8_t state, refused_in_row, ended, unused;
	struct netio_peer peer;
};

/* *ret_bytes points into the session: in_len + out_len bytes. A session that lingers is not to be exported.
 */
void session_export(const struct session *session, struct session_record *ret_record, const char **ret_bytes);

/* Like session_init(), with what another process has exported. Returns 0; -EBADMSG for what cannot be,
 * -ENOMEM: then fd is not taken over. */
int session_import(struct session *session, struct session_shared *shared, int fd,
	const struct session_record *record, const char *bytes, uint64_t now);

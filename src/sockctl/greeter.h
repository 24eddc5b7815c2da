/*
 * greeter.h: one client: it connects, greets, reads the reply, one greeting after another.
 *
 * A state machine over a descriptor that the greeter owns. It never waits and knows no clock: whoever runs it
 * calls greeter_ready() when the descriptor may be read or written (edge-triggered notice is enough) and
 * greeter_due() when greeter_deadline() has passed. One thread at a time. Times are in microseconds on a
 * clock that does not go back.
 *
 * Servers of the original exercise are understood too: a reply without an end is over when the server closes,
 * or has been quiet for GREETER_SETTLE_USEC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netio.h"
#include "common/protocol.h"

#define GREETER_SETTLE_USEC UINT64_C(250000)
#define GREETER_NEVER UINT64_MAX

/* "<br>" */
#define GREETER_END_MAX 4

/* What all greeters of a run share. It outlives them. */
struct greeter_plan {
	const struct netio_address *addresses; /* at least one */
	size_t n_addresses;
	const char *target;    /* for errors, "localhost port 8080"; NULL: an address names itself */
	const char *reply;     /* the text of the reply that counts as right */
	uint64_t timeout_usec; /* for connection and reply together */
};

enum greeting_result {
	GREETING_ANSWERED,
	GREETING_REFUSED, /* "ERR code text" */
	GREETING_FOREIGN, /* answered with something that is not the protocol */
	GREETING_LOST     /* no connection, or no reply in time */
};

/* What became of a greeting. */
struct greeting {
	uint32_t id;  /* 0: unnumbered */
	uint64_t seq; /* of this client, from 1 */
	enum greeting_result result;
	const struct netio_address *address; /* of the connection; NULL: there was none */
	char end[GREETER_END_MAX + 1];       /* ANSWERED: the bytes that ended the reply; "": none did */
	char *text; /* REFUSED, FOREIGN: what the server said, escaped. LOST: why, a phrase. Else NULL */
	uint64_t began, ended;
	uint64_t connect_usec; /* how long connecting took; 0: the connection was there */
	uint64_t rtt_usec;     /* but with LOST: from sending the greeting to the last byte of the reply */
	uint64_t outage_usec;  /* how long the client has been without a right reply, up to its end */
};

enum greeter_state {
	GREETER_RESTING,    /* no greeting under way */
	GREETER_RETRYING,   /* the server's backlog is full: unix(7), EAGAIN */
	GREETER_CONNECTING, /* to one of the addresses */
	GREETER_SENDING,
	GREETER_LISTENING
};

struct greeter {
	const struct greeter_plan *plan;
	enum greeter_state state;
	int fd;                 /* -1: not connected */
	uint64_t n_connections; /* how many descriptors there have been: tells when fd is another one */
	size_t first, tried;    /* addresses: where to begin, how many have failed for this greeting */
	uint64_t deadline;      /* of the greeting */
	uint64_t attempt, attempt_due; /* when connecting to this address began, and must end */
	uint64_t sent_at, heard_at;    /* first byte sent, last byte received */
	uint64_t without_since;        /* since when no right reply has come; 0: the last one was right */
	size_t sent;
	size_t in_len; /* resting: bytes that came unasked */
	char in[2 * PROTOCOL_REPLY_MAX];
	struct greeting greeting; /* under way, or the last one */
};

void greeter_init(struct greeter *greeter, const struct greeter_plan *plan, uint32_t id);
void greeter_deinit(struct greeter *greeter);

/* For unit tests only: hands over a connected descriptor, to the first address. The greeter must be without
 * one. */
void greeter_adopt(struct greeter *greeter, int fd);

/*
 * Begins a greeting of a resting greeter, on the connection it has or on a new one. It may be over at once.
 *
 * Returns 0. With patient and a connection to be made: -EMFILE, -ENFILE or -EADDRNOTAVAIL when this end has
 * no descriptor or port to spare now; then nothing has begun.
 */
int greeter_greet(struct greeter *greeter, uint64_t now, bool patient);

/* Returns whether to call it again at once, with the clock read anew: a reply may be there already. */
bool greeter_ready(struct greeter *greeter, uint64_t now);

void greeter_due(struct greeter *greeter, uint64_t now);

/* When greeter_due() wants to be called, or GREETER_NEVER. */
uint64_t greeter_deadline(const struct greeter *greeter);

/* Gives the connection up; only while resting. */
void greeter_close(struct greeter *greeter);

static inline bool greeter_resting(const struct greeter *greeter)
{
	return greeter->state == GREETER_RESTING;
}

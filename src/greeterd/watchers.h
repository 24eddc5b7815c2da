/*
 * watchers.h: who watches what happens, and what each of them is to be told next: events, and how many
 * greetings there was no room for.
 *
 * A struct watchers belongs to who zeroed it, a struct watcher to who attached it, and must be detached
 * before it goes. No I/O, no clock, and no allocation but for idset. One thread at a time. Times are
 * CLOCK_REALTIME in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/idset.h"
#include "common/netio.h"

#define WATCHERS_MAX 64
#define WATCHERS_BATCH_MAX 256 /* events that wait for one watcher */

/* Of these, the last WATCHERS_BATCH_MAX / 4 are left to changes of state, which no flood of greetings may
 * displace. */
enum watch_kind {
	WATCH_GREETING,
	WATCH_CONNECTED,
	WATCH_DISCONNECTED,
	WATCH_LATE, /* the first that is a change of state */
	WATCH_MISSING,
	WATCH_RETURNED,
	WATCH_PRESENT,
	WATCH_PAUSED,
	WATCH_FORGOTTEN,
	WATCH_KINDS
};

struct watch_event {
	uint64_t seq;   /* numbers all events, watched or not */
	uint64_t count; /* greetings of that client; 0: this is none of its greetings */
	uint64_t when;
	struct netio_peer peer; /* family 0: unknown */
	uint32_t id;
	enum watch_kind kind;
};

struct watcher {
	struct idset *ids; /* what it watches, freed by watchers_detach(); NULL: everything */
	uint64_t missed;   /* greetings that were left out since watcher_clear() */
	size_t n_events;
	struct watch_event events[WATCHERS_BATCH_MAX]; /* by seq */
};

struct watchers {
	uint64_t seq; /* of the latest event */
	size_t n;
	bool news; /* somebody is to be told something; the reader resets it */
	struct watcher *all[WATCHERS_MAX];
};

/* "greeting", "connected", … */
const char *watch_kind_name(enum watch_kind kind);

/* Takes up a zeroed watcher of these ids, which it owns from here on. Returns 0, or -ENOSPC: then ids stays
 * the caller's. */
int watchers_attach(struct watchers *watchers, struct watcher *watcher, struct idset *ids);
void watchers_detach(struct watchers *watchers, struct watcher *watcher);

/* It watches these ids from here on; what waits for it stays. */
void watcher_set(struct watcher *watcher, struct idset *ids);

/* Whether it is to be told something. */
static inline bool watcher_waits(const struct watcher *watcher)
{
	return watcher->n_events > 0 || watcher->missed > 0;
}

/* It was told all that. */
void watcher_clear(struct watcher *watcher);

/* For watchers_event(): somebody watches. */
void watchers_tell(struct watchers *watchers, const struct watch_event *event);

/* Something happened: seq is filled in. Costs a branch while nobody watches. */
static inline void watchers_event(struct watchers *watchers, enum watch_kind kind, uint32_t id,
	const struct netio_peer *peer, uint64_t count, uint64_t when)
{
	watchers->seq++;
	if (__builtin_expect(watchers->n == 0, 1))
		return;
	watchers_tell(watchers, &(struct watch_event){
					.seq = watchers->seq,
					.count = count,
					.when = when,
					.peer = peer ? *peer : (struct netio_peer){ 0 },
					.id = id,
					.kind = kind,
				});
}

/* A client has greeted n times in a row, count times with the last of them. */
static inline void watchers_greetings(struct watchers *watchers, uint32_t id, const struct netio_peer *peer,
	uint64_t n, uint64_t count, uint64_t when)
{
	if (__builtin_expect(watchers->n == 0, 1)) {
		watchers->seq += n;
		return;
	}
	for (; n > 0; n--)
		watchers_event(watchers, WATCH_GREETING, id, peer, count - n + 1, when);
}

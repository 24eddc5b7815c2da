/*
 * roll.h: who has greeted: how often, when first and last, from where.
 *
 * One record for each client id and one for the unnumbered, in a file that is mapped shared (roll-format.h):
 * what is recorded survives the process at once, and the machine as of the last roll_sync(). Without a
 * folder, or when the file is of no use, the roll is kept in memory, after saying why.
 *
 * Any thread may call in, but for roll_new(), roll_free() and roll_sync(), which belong to the one that made
 * the roll. Recording is a few stores and an exchange: no system call and no allocation, but for the first
 * record of each 64 KiB of the file, for which room on the disk is made sure of; so no store can ever fail. A
 * record that a killed process was writing is mended, and one that is damaged is reset, when it is first
 * touched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/netio.h"
#include "greeterd/roll-file.h"

struct roll;

struct roll_setup {
	const char *folder; /* NULL: in memory only; must outlive the roll */
	uint32_t max_id;
	uint64_t now;  /* CLOCK_REALTIME in microseconds, for the name of a file that is set aside */
	roll_say *say; /* not called without a folder; may be called by any thread that calls in, by one at a
			* time; must not call in itself
			*/
	void *data;
	int (*sync)(int fd); /* NULL: fdatasync(2) */
};

struct roll_entry {
	uint32_t id;
	uint8_t state; /* as set last; 0 at first */
	uint32_t refusals;
	uint64_t count;
	uint64_t first_seen, last_seen; /* CLOCK_REALTIME in microseconds; 0: never */
	struct netio_peer peer;         /* family 0: unknown */
};

#define ROLL_REFUSALS_MAX ((UINT32_C(1) << 24) - 1) /* they are counted no further */

/* Returns 0; -EINVAL for a max_id over ROLL_ID_MAX, -ENOMEM. Trouble with the file is said, and is no
 * failure. */
int roll_new(const struct roll_setup *setup, struct roll **ret);
void roll_free(struct roll *roll);
DEFINE_CLEANUP(struct roll *, roll_free)

/* Whether it is kept in a file. */
bool roll_is_kept(const struct roll *roll);

/* For all of these, ids are at most max_id; 0: the unnumbered. Times are CLOCK_REALTIME in microseconds. */

/* Records n greetings. Returns how often that client has greeted now. */
uint64_t roll_record(struct roll *roll, uint32_t id, const struct netio_peer *peer, uint64_t n, uint64_t now);

/* Records a line of that client, or of one whose last greeting was its, that was refused. */
void roll_refuse(struct roll *roll, uint32_t id);

/* Keeps a byte that means something to the caller. */
void roll_set_state(struct roll *roll, uint32_t id, uint8_t state);

/* Makes the client one that was never seen. */
void roll_forget(struct roll *roll, uint32_t id);

/* Returns 0 and the record as it was at one moment, or -ENOENT for a client that was never seen. */
int roll_get(struct roll *roll, uint32_t id, struct roll_entry *ret);

/* The known client of the smallest id from first on: returns 0; 1 when so many records were looked at without
 * finding it: ret->id is where to go on, and the rest of it blank; or -ENOENT when there is none. */
int roll_next(struct roll *roll, uint32_t first, uint32_t looks, struct roll_entry *ret);

/*
 * Asks a thread of its own to bring to the disk what was recorded; returns at once. To be called every few
 * seconds. Says when the disk fails, or does not answer until the third call after, and when it does again.
 */
void roll_sync(struct roll *roll);

/*
 * roll-internal.h: what roll.c and roll-record.c share of the roll, and nobody else: roll.c opens and closes
 * it and sees to the disk, roll-record.c writes and reads its records.
 *
 * The roll owns all of it; roll.h says which thread may call what.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "greeterd/flusher.h"
#include "greeterd/roll-map.h"
#include "greeterd/roll.h"

#define MENDED_SAID_MAX 20 /* records that are reported one by one; the rest is counted */

struct roll {
	uint32_t max_id;
	uint32_t session; /* in the head of each record written by this process */
	const char *folder;
	int (*sync)(int fd);
	struct roll_voice voice;
	struct roll_map map;
	_Atomic uint64_t mended; /* records reset or mended so far */
	uint64_t mended_told;
	struct flusher *flusher; /* made at the first roll_sync() */
	int sync_error;          /* the last that was told */
	int overdue;             /* calls of roll_sync() that found the one before under way */
};

/*
 * roll-map.h: the memory that the records are in: the roll's file, mapped shared, or a stand-in for it.
 *
 * A struct roll_map is filled by roll_map_init() and released by roll_map_deinit(), both on the main thread;
 * any thread may call the rest. Of a file, room on the disk is made sure of chunk by chunk, before the first
 * access; where there is none, memory takes the chunk's place. So no access can raise SIGBUS for want of
 * room, and a roll of a million ids takes disk and memory for those in use alone.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "greeterd/roll-file.h"
#include "greeterd/roll-format.h"

enum roll_chunk {
	ROLL_CHUNK_UNTOUCHED, /* mapped to the file, where there may be no room for it */
	ROLL_CHUNK_IN_FILE,
	ROLL_CHUNK_IN_MEMORY
};

struct roll_map {
	int fd;      /* of the file; -1: all is in memory */
	size_t size; /* of the mapping */
	char *base;
	_Atomic uint8_t *chunks; /* enum roll_chunk of each ROLL_CHUNK_SIZE */
	size_t n_chunks;
	pthread_mutex_t touching; /* held to change one */
	bool full;                /* that the disk is full has been told */
	const char *folder;
	struct roll_voice *voice;
};

/* folder (or NULL) and voice must outlive the map. Returns 0 or -ENOMEM. */
int roll_map_init(
	struct roll_map *map, const char *folder, uint32_t max_id, uint64_t now, struct roll_voice *voice);

/* What was in memory for want of room is written if there is room now. */
void roll_map_deinit(struct roll_map *map);

/* The end of the part around this offset that has never been written: there is no data before it. offset
 * itself: there may be data. */
size_t roll_map_skip(const struct roll_map *map, size_t offset);

void roll_map_touch(struct roll_map *map, size_t chunk);

/* What is at this offset of the file. */
static inline void *roll_map_at(struct roll_map *map, size_t offset)
{
	const size_t chunk = offset / ROLL_CHUNK_SIZE;

	if (atomic_load_explicit(&map->chunks[chunk], memory_order_acquire) == ROLL_CHUNK_UNTOUCHED)
		roll_map_touch(map, chunk);
	return map->base + offset;
}

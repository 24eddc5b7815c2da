/*
 * roll-format.h: the bytes of the file that a roll is kept in.
 *
 * A header of 4096 bytes, then one record of 64 bytes for each id from 0 (the unnumbered) on, in host byte
 * order. A record is eight words, and each word is whole at any moment: a process that is killed leaves at
 * most some words written and others not, and the odd sequence that tells so. A record of zeros is of a
 * client never seen.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ROLL_MAGIC "greeterd roll\r\n" /* with its NUL, 16 bytes */
#define ROLL_VERSION 1
#define ROLL_HEADER_SIZE 4096
#define ROLL_ID_MAX ((UINT32_C(1) << 24) - 1)

/* The file is a whole number of these, which are a whole number of pages on every machine. */
#define ROLL_CHUNK_SIZE ((size_t)64 * 1024)

struct roll_header {
	char magic[16];
	uint32_t version, record_size;
	uint32_t max_id;   /* of the last record */
	uint32_t checksum; /* of what is before it */
};

struct roll_record {
	_Atomic uint64_t
		head; /* session << 32 | id << 8 | sequence, which is odd while the rest is written */
	_Atomic uint64_t count;
	_Atomic uint64_t first_seen, last_seen; /* CLOCK_REALTIME in microseconds */
	_Atomic uint64_t peer[3];               /* struct netio_peer */
	_Atomic uint64_t tail;                  /* checksum << 32 | refusals << 8 | state */
};

_Static_assert(sizeof(struct roll_record) == 64, "a record is one line of the cache");
_Static_assert(sizeof(struct roll_header) == 32, "the header has no holes");

/* What the checksum of a record covers, in order: count to peer, then id << 32 | refusals << 8 | state. */
#define ROLL_SUMMED_WORDS 7

/* Of words that differ in one alone, it differs unless 32 bits happen to be the same. */
static inline uint32_t roll_checksum(const uint64_t *words, size_t n)
{
	uint64_t sum = UINT64_C(0x6772656574657264);

	for (size_t i = 0; i < n; i++) {
		sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
	}
	return (uint32_t)sum;
}

/* The size of a file with records from 0 to max_id. */
static inline size_t roll_file_size(uint32_t max_id)
{
	size_t size = ROLL_HEADER_SIZE + ((size_t)max_id + 1) * sizeof(struct roll_record);

	return (size + ROLL_CHUNK_SIZE - 1) / ROLL_CHUNK_SIZE * ROLL_CHUNK_SIZE;
}

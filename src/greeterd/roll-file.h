/*
 * roll-file.h: the file that a roll is kept in: found or made, checked, locked, grown.
 *
 * Main thread, when the daemon starts; any thread may tell. What is wrong with a file is told in one
 * sentence, and never ends the daemon: the roll is then kept in memory.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The name of the file inside of the state folder. */
#define ROLL_FILE_NAME "roll"

/* Told what an administrator should know: one sentence, without a newline. */
typedef void roll_say(void *data, const char *sentence);

/* Who says it, for several threads. */
struct roll_voice {
	roll_say *say;
	void *data;
	pthread_mutex_t one_at_a_time; /* initialised by who owns the voice */
};

void roll_tell(struct roll_voice *voice, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct roll_file {
	int fd;        /* belongs to the caller; -1: none */
	bool writable; /* the file is ours alone and has room for max_id; else it is only to be read from */
};

/*
 * Opens FOLDER/roll for records of ids up to max_id. A file for fewer is grown; one for more keeps them all.
 * One that cannot be a roll is set aside as roll.damaged-TIME, and a new one begun. now: CLOCK_REALTIME in
 * microseconds, for that name.
 */
void roll_file_open(
	const char *folder, uint32_t max_id, uint64_t now, struct roll_voice *voice, struct roll_file *ret);

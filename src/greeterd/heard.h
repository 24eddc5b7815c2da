/*
 * heard.h: what threads without the lock have to say, kept until the main thread says it.
 *
 * A struct heard belongs to who initialised it. Any thread may put, and never waits for long: it may hold
 * what others wait for. One thread takes.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

#define HEARD_MAX 32 /* sentences that wait */

struct heard {
	pthread_mutex_t lock;
	size_t n;
	char *sentences[HEARD_MAX];
};

void heard_init(struct heard *heard);
void heard_deinit(struct heard *heard);

/* Keeps a copy. A sentence for which there is no room or no memory is lost. */
void heard_put(struct heard *heard, const char *sentence);

/* The oldest sentence, which the caller frees, or NULL. */
char *heard_take(struct heard *heard);

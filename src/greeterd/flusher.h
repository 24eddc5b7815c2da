/*
 * flusher.h: a thread that brings a file to the disk when asked, so that nobody else waits for the disk.
 *
 * One thread asks. What was asked is done, also when flusher_free() comes right after. A flusher whose disk
 * never answers is left behind by flusher_free(), with what it needs.
 */
#pragma once

#include <stdbool.h>

#include "common/cleanup.h"

struct flusher;

/* sync: fdatasync(2), or one that the test owns. fd is duplicated. Returns 0; -ENOMEM, the error of dup(2) or
 * pthread_create(3). */
int flusher_new(int fd, int (*sync)(int fd), struct flusher **ret);
void flusher_free(struct flusher *flusher);
DEFINE_CLEANUP(struct flusher *, flusher_free)

/* Returns at once: whether it begins now; false: the one before is still under way. */
bool flusher_ask(struct flusher *flusher);

/* Whether one is under way. */
bool flusher_busy(const struct flusher *flusher);

/* How the last one ended: 0 or -errno. */
int flusher_result(const struct flusher *flusher);

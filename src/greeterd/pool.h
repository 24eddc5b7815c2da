/*
 * pool.h: the workers and the threads that they serve in.
 *
 * With one worker there is no thread: pool_dispatch() serves. With several each has a thread of its own, and
 * who calls in here, the main thread, serves nobody but looks after them: it is woken by pool_fd(), soon
 * after a worker has served. Workers belong to who made them, and must not go before pool_stop().
 *
 * Two locks, neither of them there with one worker. pool_lock() is for what the threads share: a worker's
 * holds it while it uses that, and at the end of each batch, the main thread whenever it is awake.
 * pool_pause() is for changing the workers themselves: it waits until no batch is under way, and lets none
 * begin. Who has paused them, or serves a batch, may lock, and not the other way round, so it lets go of the
 * lock.
 *
 * Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "greeterd/worker.h"

#define POOL_WORKERS_MAX 64

struct pool;

struct pool_setup {
	struct worker **workers;
	size_t n; /* 1 to POOL_WORKERS_MAX */
	/* In the thread of worker i, before it serves a batch; realtime: CLOCK_REALTIME in microseconds. */
	void (*begins)(void *data, size_t i, uint64_t now, uint64_t realtime);
	/* The same after it, with pool_lock() held; the batch is under way until this returns. */
	void (*ends)(void *data, size_t i);
	void *data;
};

/* Threads begin with pool_start(). Returns 0, -ENOMEM, or the error of timerfd_create(2). */
int pool_new(const struct pool_setup *setup, struct pool **ret);

/* Ends the threads first. After pool_start(), with the lock held. */
void pool_free(struct pool *pool);
DEFINE_CLEANUP(struct pool *, pool_free)

/* Starts the threads, unless they run, and returns with the lock held. Returns 0, or the error of
 * pthread_create(3). */
int pool_start(struct pool *pool);

/* Ends them. Nobody is served, and there is no lock, until they are started again. */
void pool_stop(struct pool *pool);

/* Readable when pool_dispatch() has something to do. */
int pool_fd(const struct pool *pool);

/* With one worker: serves a batch. realtime: as begins() has it. With several: is to be called when pool_fd()
 * is readable. Returns 0, or the error of a worker. */
int pool_dispatch(struct pool *pool, uint64_t now, uint64_t realtime);

/* Makes pool_fd() readable at that time, if nothing has made it so before; 0: at once; UINT64_MAX: no
 * need. */
void pool_wake_at(struct pool *pool, uint64_t at);

void pool_lock(struct pool *pool);
void pool_unlock(struct pool *pool);

/* The main thread, with the lock held, which it has not in between. */
void pool_pause(struct pool *pool);
void pool_resume(struct pool *pool);

/* The one of the workers with the fewest connections; by and large the one that asks. */
struct worker *pool_place(const struct pool *pool, struct worker *asks);

/* Whether a worker's thread is in the same batch as when this was called last. */
bool pool_is_stuck(struct pool *pool);

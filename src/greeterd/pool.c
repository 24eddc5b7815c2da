#include "greeterd/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>

#include "common/clock.h"
#include "common/duration.h"

/* How soon the main thread looks after what workers have served: often enough for what it tells watchers, and
 * seldom enough to cost nothing. */
#define BELL_USEC (USEC_PER_SEC / 100)

/* How many more connections than others a worker may have: one share in so many, and one. */
#define PLACE_SLACK_SHARE 16

/* A worker in its thread. */
struct seat {
	struct pool *pool;
	struct worker *worker;
	size_t i;
	pthread_t thread;
	bool started;
	atomic_uint batches; /* begun and ended: odd while one is under way */
	unsigned seen;       /* batches, when pool_is_stuck() looked last */
};

struct pool {
	struct pool_setup setup;
	bool started;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_rwlock_t world; /* read by who serves, written by who changes workers from outside */
	int bell_fd;            /* timerfd_create(2); -1: no threads */
	uint64_t bell_at;       /* with the lock held */
	int error;              /* the same: of a worker that had to stop */
	struct seat seats[];
};

static void init_locks(struct pool *pool)
{
	pthread_mutexattr_t spins; /* before it sleeps: it is never held for long */
	pthread_rwlockattr_t fair; /* who serves without end must not keep the writer out */

	pthread_mutexattr_init(&spins);
	pthread_mutexattr_settype(&spins, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&pool->lock, &spins);
	pthread_mutexattr_destroy(&spins);
	pthread_rwlockattr_init(&fair);
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&pool->world, &fair);
	pthread_rwlockattr_destroy(&fair);
}

int pool_new(const struct pool_setup *setup, struct pool **ret)
{
	_cleanup_(pool_freep) struct pool *pool = NULL;

	pool = calloc(1, sizeof(*pool) + setup->n * sizeof(pool->seats[0]));
	if (!pool)
		return -ENOMEM;
	pool->setup = *setup;
	pool->bell_fd = -1;
	pool->bell_at = UINT64_MAX;
	init_locks(pool);
	for (size_t i = 0; i < setup->n; i++) {
		pool->seats[i].pool = pool;
		pool->seats[i].worker = setup->workers[i];
		pool->seats[i].i = i;
	}
	if (setup->n > 1) {
		pool->bell_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		if (pool->bell_fd < 0)
			return -errno;
	}
	*ret = TAKE_PTR(pool);
	return 0;
}

int pool_fd(const struct pool *pool)
{
	return pool->bell_fd >= 0 ? pool->bell_fd : worker_fd(pool->seats[0].worker);
}

void pool_lock(struct pool *pool)
{
	if (pool->started)
		pthread_mutex_lock(&pool->lock);
}

void pool_unlock(struct pool *pool)
{
	if (pool->started)
		pthread_mutex_unlock(&pool->lock);
}

void pool_pause(struct pool *pool)
{
	if (!pool->started)
		return;
	pool_unlock(pool);
	pthread_rwlock_wrlock(&pool->world);
	for (size_t i = 0; i < pool->setup.n; i++)
		worker_interrupted(pool->seats[i].worker);
}

void pool_resume(struct pool *pool)
{
	if (!pool->started)
		return;
	pthread_rwlock_unlock(&pool->world);
	pool_lock(pool);
}

void pool_wake_at(struct pool *pool, uint64_t at)
{
	if (pool->bell_fd < 0) {
		worker_wake_at(pool->seats[0].worker, at);
		return;
	}
	if (at < pool->bell_at && clock_arm(pool->bell_fd, at) == 0)
		pool->bell_at = at;
}

/* --- the threads */

static void serve_batch(struct seat *seat)
{
	struct pool *pool = seat->pool;
	uint64_t now;

	atomic_fetch_add(&seat->batches, 1);
	pthread_rwlock_rdlock(&pool->world);
	now = clock_usec(CLOCK_MONOTONIC);
	pool->setup.begins(pool->setup.data, seat->i, now, clock_usec(CLOCK_REALTIME));
	worker_serve(seat->worker, now);
	pool_lock(pool);
	pool->setup.ends(pool->setup.data, seat->i);
	pool_wake_at(pool, now + BELL_USEC);
	pool_unlock(pool);
	pthread_rwlock_unlock(&pool->world);
	atomic_fetch_add(&seat->batches, 1);
}

static void *run(void *data)
{
	struct seat *seat = data;
	struct pool *pool = seat->pool;
	char name[16];
	int r = 0;

	snprintf(name, sizeof(name), "worker %zu", seat->i + 1);
	(void)prctl(PR_SET_NAME, name); /* as ps -L and gdb show it */
	while (r == 0 && !atomic_load(&pool->stopping)) {
		r = worker_wait(seat->worker, -1);
		if (r == 0)
			serve_batch(seat);
	}
	if (r < 0) {
		pool_lock(pool);
		pool->error = r;
		pool_wake_at(pool, 1);
		pool_unlock(pool);
	}
	return NULL;
}

int pool_start(struct pool *pool)
{
	sigset_t all, before;
	int r = 0;

	if (pool->bell_fd < 0 || pool->started)
		return 0;
	pool->started = true;
	pool_lock(pool);
	sigfillset(&all); /* signals belong to the thread that has the loop */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; r == 0 && i < pool->setup.n; i++) {
		r = pthread_create(&pool->seats[i].thread, NULL, run, &pool->seats[i]);
		pool->seats[i].started = r == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

void pool_stop(struct pool *pool)
{
	if (!pool->started)
		return;
	atomic_store(&pool->stopping, true);
	pool_unlock(pool);
	for (size_t i = 0; i < pool->setup.n; i++) {
		struct seat *seat = &pool->seats[i];

		if (!seat->started)
			continue;
		worker_rouse(seat->worker);
		pthread_join(seat->thread, NULL);
		seat->started = false;
	}
	pool->started = false;
	atomic_store(&pool->stopping, false);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pool_stop(pool);
	closep(&pool->bell_fd);
	pthread_rwlock_destroy(&pool->world);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int pool_dispatch(struct pool *pool, uint64_t now, uint64_t realtime)
{
	uint64_t expirations;
	int r;

	if (pool->bell_fd < 0) {
		pool->setup.begins(pool->setup.data, 0, now, realtime);
		r = worker_dispatch(pool->seats[0].worker, now);
		pool->setup.ends(pool->setup.data, 0);
		return r;
	}
	if (read(pool->bell_fd, &expirations, sizeof(expirations)) > 0)
		pool->bell_at = UINT64_MAX;
	return pool->error;
}

struct worker *pool_place(const struct pool *pool, struct worker *asks)
{
	struct worker *fewest = asks;
	size_t n = worker_sessions(asks), least = n;

	for (size_t i = 0; i < pool->setup.n; i++) {
		size_t sessions = worker_sessions(pool->seats[i].worker);

		if (sessions < least) {
			least = sessions;
			fewest = pool->seats[i].worker;
		}
	}
	return n <= least + least / PLACE_SLACK_SHARE + 1 ? asks : fewest;
}

bool pool_is_stuck(struct pool *pool)
{
	bool stuck = false;

	for (size_t i = 0; i < pool->setup.n; i++) {
		struct seat *seat = &pool->seats[i];
		unsigned batches = atomic_load(&seat->batches);

		stuck |= batches % 2 == 1 && batches == seat->seen;
		seat->seen = batches;
	}
	return stuck;
}

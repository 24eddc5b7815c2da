#include "greeterd/flusher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#define PATIENCE_STEPS 20 /* that flusher_free() waits, before it leaves the thread behind */
#define PATIENCE_STEP_NSEC (10 * 1000 * 1000)

struct flusher {
	atomic_int owners; /* the thread and who made it: the last one frees */
	int fd;
	int (*sync)(int fd);
	pthread_t thread;
	sem_t asked;
	atomic_bool stop, busy;
	atomic_int result;
};

static void disown(struct flusher *flusher)
{
	if (atomic_fetch_sub(&flusher->owners, 1) > 1)
		return;
	sem_destroy(&flusher->asked);
	closep(&flusher->fd);
	free(flusher);
}

static void *run(void *data)
{
	struct flusher *flusher = data;

	(void)prctl(PR_SET_NAME, "roll-flusher");
	for (;;) {
		while (sem_wait(&flusher->asked) < 0)
			continue;                  /* EINTR, by a debugger: no signal comes here */
		if (atomic_load(&flusher->busy)) { /* asked, be it just before the end */
			atomic_store(&flusher->result, flusher->sync(flusher->fd) < 0 ? -errno : 0);
			atomic_store(&flusher->busy, false);
		} else if (atomic_load(&flusher->stop)) {
			break;
		}
	}
	disown(flusher);
	return NULL;
}

/* Signals belong to the thread that has the loop. */
static int start(struct flusher *flusher)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&flusher->thread, NULL, run, flusher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int flusher_new(int fd, int (*sync)(int fd), struct flusher **ret)
{
	struct flusher *flusher = calloc(1, sizeof(*flusher));
	int r;

	if (!flusher)
		return -ENOMEM;
	flusher->owners = 1;
	flusher->sync = sync;
	sem_init(&flusher->asked, 0, 0);
	flusher->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (flusher->fd < 0) {
		r = -errno;
		disown(flusher);
		return r;
	}
	flusher->owners = 2;
	r = start(flusher);
	if (r < 0) {
		flusher->owners = 1;
		disown(flusher);
		return r;
	}
	*ret = flusher;
	return 0;
}

void flusher_free(struct flusher *flusher)
{
	const struct timespec step = { .tv_nsec = PATIENCE_STEP_NSEC };

	if (!flusher)
		return;
	atomic_store(&flusher->stop, true);
	sem_post(&flusher->asked);
	for (int i = 0; i < PATIENCE_STEPS && flusher_busy(flusher); i++)
		nanosleep(&step, NULL);
	if (flusher_busy(flusher))
		pthread_detach(flusher->thread);
	else
		pthread_join(flusher->thread, NULL);
	disown(flusher);
}

bool flusher_ask(struct flusher *flusher)
{
	if (atomic_exchange(&flusher->busy, true))
		return false;
	sem_post(&flusher->asked);
	return true;
}

bool flusher_busy(const struct flusher *flusher)
{
	return atomic_load(&flusher->busy);
}

int flusher_result(const struct flusher *flusher)
{
	return atomic_load(&flusher->result);
}

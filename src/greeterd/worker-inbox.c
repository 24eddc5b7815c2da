#include "greeterd/worker-internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ARRIVALS_MAX 64 /* connections that wait for their worker */

/* Any thread puts in, the worker's own takes out. */
struct worker_inbox {
	int fd; /* eventfd(2): readable when the worker is to look into it */
	pthread_mutex_t lock;
	size_t n;
	struct arrival {
		int fd;
		struct netio_address from;
		const struct worker *first;
	} arrivals[ARRIVALS_MAX];
};

int worker_inbox_open(struct worker *worker)
{
	struct worker_inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return -ENOMEM;
	pthread_mutex_init(&inbox->lock, NULL);
	worker->inbox = inbox;
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (inbox->fd < 0)
		return -errno;
	return worker_watch(worker, EPOLL_CTL_ADD, inbox->fd, EPOLLIN, worker, TAG_INBOX);
}

/* Takes out the first arrival. Returns false when there is none. */
static bool take_out(struct worker_inbox *inbox, struct arrival *ret)
{
	bool taken;

	pthread_mutex_lock(&inbox->lock);
	taken = inbox->n > 0;
	if (taken)
		*ret = inbox->arrivals[--inbox->n];
	pthread_mutex_unlock(&inbox->lock);
	return taken;
}

/* It was counted when it was put in. */
static void uncount(struct worker *worker)
{
	atomic_fetch_sub_explicit(&worker->n_sessions, 1, memory_order_relaxed);
}

void worker_inbox_close(struct worker *worker)
{
	struct arrival arrival;

	if (!worker->inbox)
		return;
	while (take_out(worker->inbox, &arrival)) {
		close(arrival.fd);
		uncount(worker);
	}
	closep(&worker->inbox->fd);
	pthread_mutex_destroy(&worker->inbox->lock);
	free(worker->inbox);
	worker->inbox = NULL;
}

void worker_inbox_take(struct worker *worker, uint64_t now)
{
	struct arrival arrival;
	eventfd_t times;

	if (!worker->inbox)
		return;
	(void)eventfd_read(
		worker->inbox->fd, &times); /* before the look, or a later arrival could be missed */
	while (take_out(worker->inbox, &arrival)) {
		worker_welcome(worker, arrival.fd, &arrival.from, arrival.first, now);
		uncount(worker);
	}
}

void worker_rouse(struct worker *worker)
{
	(void)eventfd_write(worker->inbox->fd, 1);
}

int worker_post(struct worker *worker, int fd, const struct netio_address *from, const struct worker *first)
{
	struct worker_inbox *inbox = worker->inbox;
	bool fits;

	pthread_mutex_lock(&inbox->lock);
	fits = inbox->n < ARRIVALS_MAX;
	if (fits) {
		inbox->arrivals[inbox->n++] = (struct arrival){ .fd = fd, .from = *from, .first = first };
		atomic_fetch_add_explicit(&worker->n_sessions, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&inbox->lock);
	if (!fits)
		return -ENOSPC;
	worker_rouse(worker);
	return 0;
}

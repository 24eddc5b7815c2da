#include "greeterd/worker-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "greeterd/turnaway.h"

#define ACCEPTS_MAX 64      /* connections that one listener may take in one batch */
#define TURNED_AWAY_MAX 256 /* connections over the limit that are kept until they have read why */

int worker_open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void pause_accepting(struct worker *worker, uint64_t now)
{
	worker->accepts_again_at = now + WORKER_PAUSE_USEC;
	(void)worker_watch_listeners(worker, EPOLL_CTL_DEL, 0); /* no events would still mean EPOLLHUP */
}

/* accept4(2) said error: out of descriptors or memory. One connection is refused with the reserve; without
 * it, all wait. */
static void accept_without_descriptors(struct worker *worker, int listener, int error, uint64_t now)
{
	int fd;

	if (worker->reserve_fd < 0) {
		worker->reserve_fd = worker_open_reserve();
		if (worker->reserve_fd < 0) {
			pause_accepting(worker, now);
			return;
		}
	}
	close(worker->reserve_fd);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		worker->setup.observer->busy(worker->setup.observer_data, error);
		turn_away(fd, PROTOCOL_REFUSAL_BUSY, worker->setup.settings->max_id);
	} else {
		pause_accepting(worker, now);
	}
	worker->reserve_fd = worker_open_reserve();
}

static void turn_session_away(struct worker *worker, struct session *session, int error, uint64_t now)
{
	worker->n_turned_away++;
	worker->setup.observer->busy(worker->setup.observer_data, error);
	worker_settle_up(worker, session, EPOLLIN,
		session_refuse(session, &worker->shared, PROTOCOL_REFUSAL_BUSY, now));
}

/* Asks the next worker for room, unless all were asked. Returns whether the connection is its own now. */
static bool pass_on(
	struct worker *worker, int fd, const struct netio_address *from, const struct worker *first)
{
	struct worker *next;

	if (!worker->setup.next || worker->closed || first == worker)
		return false;
	next = worker->setup.next(worker->setup.observer_data, worker);
	return worker_post(next, fd, from, first ? first : worker) == 0;
}

void worker_welcome(struct worker *worker, int fd, const struct netio_address *from,
	const struct worker *first, uint64_t now)
{
	struct netio_peer peer;
	struct session *session;
	int error;

	netio_peer_from(fd, from, &peer);
	error = admission_enter(worker->setup.admission, &peer);
	if ((error == -EBUSY || error == -EDQUOT) && pass_on(worker, fd, from, first))
		return;
	if (error == 0 || worker->n_turned_away < TURNED_AWAY_MAX)
		session = malloc(sizeof(*session));
	else
		session = NULL;
	if (session && worker_watch(worker, EPOLL_CTL_ADD, fd, EPOLLIN, session, TAG_SESSION) < 0) {
		free(session);
		session = NULL;
	}
	if (!session) {
		if (error == 0)
			admission_leave(worker->setup.admission, &peer);
		worker->setup.observer->busy(worker->setup.observer_data, error ? error : -ENOMEM);
		turn_away(fd, PROTOCOL_REFUSAL_BUSY, worker->setup.settings->max_id);
		return;
	}
	session_init(session, &worker->shared, fd, &peer, now);
	atomic_fetch_add_explicit(&worker->n_sessions, 1, memory_order_relaxed);
	session->admitted = error == 0;
	if (error)
		turn_session_away(worker, session, error, now);
	else
		worker->setup.observer->connected(worker->setup.observer_data, session);
}

/* To whom it belongs, who may not have room for another now. */
static void place(struct worker *worker, int fd, const struct netio_address *from, uint64_t now)
{
	struct worker *whose = worker;

	if (worker->setup.place)
		whose = worker->setup.place(worker->setup.observer_data, worker);
	if (whose == worker || worker_post(whose, fd, from, NULL) < 0)
		worker_welcome(worker, fd, from, NULL, now);
}

void worker_accept(struct worker *worker, int listener, uint64_t now)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct netio_address from = { .len = sizeof(from.storage) };
		int fd = accept4(listener, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			place(worker, fd, &from, now);
			continue;
		}
		switch (errno) {
		case EAGAIN:
			return;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			accept_without_descriptors(worker, listener, -errno, now);
			return;
		case EINVAL: /* it does not listen any more */
		case EBADF:
		case ENOTSOCK:
			pause_accepting(worker, now);
			return;
		default: /* of one connection that is gone already: accept(2), "Error handling" */
			break;
		}
	}
}

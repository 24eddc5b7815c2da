#include "greeterd/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "greeterd/worker-internal.h"

#define FINISHES_MAX 64 /* sessions that a draining worker goes on with in one batch */

int worker_watch(const struct worker *worker, int operation, int fd, uint32_t events, const void *subject,
	unsigned tag)
{
	struct epoll_event event = { .events = events, .data.u64 = (uintptr_t)subject | tag };

	return epoll_ctl(worker->epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

int worker_watch_listeners(const struct worker *worker, int operation, uint32_t events)
{
	int error = 0;

	for (size_t i = 0; i < worker->setup.n_listeners; i++) {
		const int *listener = &worker->setup.listeners[i];
		int r = worker_watch(worker, operation, *listener,
			events | (worker->inbox ? EPOLLEXCLUSIVE : 0), listener, TAG_LISTENER);

		if (r < 0 && r != -EEXIST && error == 0)
			error = r;
	}
	return error;
}

int worker_new(const struct worker_setup *setup, struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->setup = *setup;
	worker->timer_at = worker->accepts_again_at = worker->drain_deadline = DEADLINE_NEVER;
	worker->timer_fd = worker->reserve_fd = -1;
	session_shared_init(
		&worker->shared, setup->settings, &setup->observer->session, setup->observer_data);
	deadlines_init(&worker->draining, DEADLINE_NEVER);
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd < 0)
		return -errno;
	worker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (worker->timer_fd < 0)
		return -errno;
	worker->reserve_fd = worker_open_reserve();
	if (worker->reserve_fd < 0)
		return -errno;
	r = worker_watch(worker, EPOLL_CTL_ADD, worker->timer_fd, EPOLLIN, worker, TAG_TIMER);
	if (r < 0)
		return r;
	if (setup->place)
		r = worker_inbox_open(worker);
	if (r < 0)
		return r;
	r = worker_watch_listeners(worker, EPOLL_CTL_ADD, EPOLLIN);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(worker);
	return 0;
}

static void end_session(struct worker *worker, struct session *session)
{
	if (session->admitted) {
		if (!worker->handed_over)
			worker->setup.observer->disconnected(worker->setup.observer_data, session);
		admission_leave(worker->setup.admission, &session->peer);
	} else {
		worker->n_turned_away--;
	}
	atomic_fetch_sub_explicit(&worker->n_sessions, 1, memory_order_relaxed);
	session_deinit(session);
	free(session);
}

/* The session whose wait (or settle) this is. */
#define SESSION_OF(deadline, member) \
	((struct session *)(void *)((char *)(deadline)-offsetof(struct session, member)))

/* Moves every session out of the queues it waits in: to be ended, or put back into one of them. */
static void collect_sessions(struct worker *worker)
{
	struct session_shared *shared = &worker->shared;

	deadlines_move_all(&worker->draining, &shared->idle);
	deadlines_move_all(&worker->draining, &shared->unfinished);
	deadlines_move_all(&worker->draining, &shared->lingering);
}

static void end_all(struct worker *worker)
{
	struct deadline *wait;

	collect_sessions(worker);
	while ((wait = deadlines_first(&worker->draining)))
		end_session(worker, SESSION_OF(wait, wait));
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	worker_inbox_close(worker);
	if (worker_sessions(worker) > 0)
		end_all(worker);
	closep(&worker->reserve_fd);
	closep(&worker->timer_fd);
	closep(&worker->epoll_fd);
	free(worker);
}

int worker_fd(const struct worker *worker)
{
	return worker->epoll_fd;
}

size_t worker_sessions(const struct worker *worker)
{
	return atomic_load_explicit(&worker->n_sessions, memory_order_relaxed);
}

void worker_settle_up(struct worker *worker, struct session *session, uint32_t events_before, int result)
{
	uint32_t events = session_events(session);

	if (result == 0 && events != events_before)
		result = worker_watch(worker, EPOLL_CTL_MOD, session->fd, events, session, TAG_SESSION);
	if (result != 0)
		end_session(worker, session);
}

static bool is_draining(const struct worker *worker)
{
	return worker->drain_deadline != DEADLINE_NEVER;
}

static void serve_session(struct worker *worker, struct session *session, uint64_t now)
{
	uint32_t events = session_events(session);
	bool finish = is_draining(worker) && !session->output_waits;
	int r = finish ? session_finish(session, &worker->shared, now)
		       : session_serve(session, &worker->shared, now);

	if (r == 0 && is_draining(worker) && !session->output_waits)
		deadline_start(&worker->draining, &session->wait, now);
	worker_settle_up(worker, session, events, r);
}

/* Goes on with some of those who are to be ended: the deadline must be seen in between, however much they had
 * sent. */
static void drain_some(struct worker *worker, uint64_t now)
{
	struct deadline *wait;

	for (int i = 0; i < FINISHES_MAX && (wait = deadlines_first(&worker->draining)); i++) {
		struct session *session = SESSION_OF(wait, wait);

		deadline_start(&worker->shared.idle, wait, now);
		if (!session->output_waits)
			serve_session(worker, session, now);
	}
}

static void serve_event(struct worker *worker, const struct epoll_event *event, uint64_t now)
{
	void *subject = (void *)(uintptr_t)(event->data.u64 & ~(uint64_t)TAG_MASK);
	struct session *session = subject;
	uint64_t expirations;

	switch (event->data.u64 & TAG_MASK) {
	case TAG_LISTENER:
		worker_accept(worker, *(const int *)subject, now);
		break;
	case TAG_TIMER:
		if (read(worker->timer_fd, &expirations, sizeof(expirations)) > 0)
			worker->timer_at = DEADLINE_NEVER;
		break;
	case TAG_INBOX:
		worker->has_arrivals = true; /* who has left makes room for them first */
		break;
	default:
		/* When draining, those without output have their turn in drain_some(). */
		if (session->output_waits || !is_draining(worker))
			serve_session(worker, session, now);
		break;
	}
}

/* Handles what is due of a queue that is wired to one kind of end; each is handled once, for none is due anew
 * now. */
static void serve_due_waits(struct worker *worker, struct deadlines *queue, uint64_t now)
{
	struct deadline *wait;

	while ((wait = deadlines_due(queue, now))) {
		struct session *session = SESSION_OF(wait, wait);

		worker_settle_up(worker, session, session_events(session),
			session_timeout(session, &worker->shared, now));
	}
}

static void serve_due(struct worker *worker, uint64_t now)
{
	struct session_shared *shared = &worker->shared;
	struct deadline *wait;

	drain_some(worker, now);
	while (!is_draining(worker) && (wait = deadlines_due(&shared->settle, now))) {
		struct session *session = SESSION_OF(wait, settle);

		worker_settle_up(
			worker, session, session_events(session), session_settle(session, shared, now));
	}
	serve_due_waits(worker, &shared->unfinished, now);
	serve_due_waits(worker, &shared->idle, now);
	serve_due_waits(worker, &shared->lingering, now);
	if (worker->accepts_again_at <= now) {
		bool failed = worker_watch_listeners(worker, EPOLL_CTL_ADD, EPOLLIN) < 0;

		worker->accepts_again_at = failed ? now + WORKER_PAUSE_USEC : DEADLINE_NEVER;
	}
	if (worker->drain_deadline <= now)
		end_all(worker);
}

void worker_wake_at(struct worker *worker, uint64_t at)
{
	if (at < worker->timer_at && clock_arm(worker->timer_fd, at) == 0)
		worker->timer_at = at;
}

/* A wait that is started anew with every greeting must not cost a system call each: the timer only ever moves
 * to an earlier time, and when it goes off early it is set again. */
static void arm_timer(struct worker *worker, uint64_t now)
{
	const struct session_shared *shared = &worker->shared;

	if (is_draining(worker))
		worker_wake_at(worker, deadlines_first(&worker->draining) ? now : worker->drain_deadline);
	else
		worker_wake_at(worker, deadlines_next(&shared->settle));
	worker_wake_at(worker, deadlines_next(&shared->unfinished));
	worker_wake_at(worker, deadlines_next(&shared->idle));
	worker_wake_at(worker, deadlines_next(&shared->lingering));
	worker_wake_at(worker, worker->accepts_again_at);
}

int worker_wait(struct worker *worker, int timeout_msec)
{
	int n = epoll_wait(worker->epoll_fd, worker->events, WORKER_BATCH_MAX, timeout_msec);

	worker->n_events = n < 0 ? 0 : n;
	return n < 0 && errno != EINTR ? -errno : 0;
}

void worker_serve(struct worker *worker, uint64_t now)
{
	for (int i = 0; i < worker->n_events && !worker->interrupted; i++)
		serve_event(worker, &worker->events[i], now);
	if (worker->has_arrivals)
		worker_inbox_take(worker, now);
	worker->has_arrivals = worker->interrupted = false;
	serve_due(worker, now);
	arm_timer(worker, now);
}

void worker_interrupted(struct worker *worker)
{
	worker->interrupted = true;
}

int worker_dispatch(struct worker *worker, uint64_t now)
{
	int r = worker_wait(worker, 0);

	if (r == 0)
		worker_serve(worker, now);
	return r;
}

static void stop_accepting(struct worker *worker)
{
	(void)worker_watch_listeners(worker, EPOLL_CTL_DEL, 0); /* they may be out of the set already */
	worker->accepts_again_at = DEADLINE_NEVER;
	worker->closed = true;
}

void worker_drain(struct worker *worker, uint64_t now, uint64_t deadline)
{
	stop_accepting(worker);
	worker_inbox_take(worker, now);
	worker->drain_deadline = deadline;
	worker->handed_over = false;
	collect_sessions(worker);
	drain_some(worker, now);
	arm_timer(worker, now);
}

void worker_reload(struct worker *worker, const struct settings *settings, uint64_t now)
{
	worker->setup.settings = settings;
	session_shared_set(&worker->shared, settings);
	arm_timer(worker, now);
}

/* Catches up with a session and adds it. Returns whether it goes on elsewhere. */
static bool hand_over_session(
	struct worker *worker, struct session *session, struct handover *handover, uint64_t now)
{
	return session->admitted && session_catch_up(session, &worker->shared, now) == 0 &&
	       handover_add(handover, session) == 0;
}

void worker_hand_over(struct worker *worker, struct handover *handover, uint64_t now)
{
	struct deadline *wait;

	stop_accepting(worker);
	worker_inbox_take(worker, now);
	collect_sessions(worker);
	while ((wait = deadlines_first(&worker->draining))) {
		struct session *session = SESSION_OF(wait, wait);

		deadline_start(&worker->shared.idle, wait, now);
		if (!hand_over_session(worker, session, handover, now))
			end_session(worker, session);
	}
	worker->handed_over = true;
}

int worker_take_up(
	struct worker *worker, int fd, const struct session_record *record, const char *bytes, uint64_t now)
{
	_cleanup_(freep) struct session *session = malloc(sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	r = admission_enter(worker->setup.admission, &record->peer);
	if (r < 0)
		return r;
	r = session_import(session, &worker->shared, fd, record, bytes, now);
	if (r == 0) {
		r = worker_watch(worker, EPOLL_CTL_ADD, fd, session_events(session), session, TAG_SESSION);
		if (r < 0)
			session_discard(session);
	}
	if (r < 0) {
		admission_leave(worker->setup.admission, &record->peer);
		return r;
	}
	session->admitted = true;
	atomic_fetch_add_explicit(&worker->n_sessions, 1, memory_order_relaxed);
	TAKE_PTR(session);
	arm_timer(worker, now);
	return 0;
}

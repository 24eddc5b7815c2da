#include "sockctl/swarm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "sockctl/timers.h"

/* How many clients are begun, and how many events taken, before the others are looked after again. */
#define BATCH 64

/* The most greetings under way: what a listener's backlog holds at best (somaxconn of listen(2)). More of
 * them would not be served sooner, but run into their timeouts. */
#define UNDER_WAY_MAX 4096

/* When this end is short of descriptors or ports: how long until the next try. */
#define SHORTAGE_USEC UINT64_C(20000)

/* Descriptors that are not connections: the standard three, the loop's, libc's. */
#define OTHER_DESCRIPTORS 16

struct client {
	struct timer timer; /* of the greeting under way, or until the next one */
	struct greeter greeter;
	uint64_t watched; /* the connection that is in the epoll set, by number */
	struct client *next_waiting;
	bool finished;
};

struct swarm {
	const struct swarm_plan *plan;
	const struct swarm_listener *listener;
	int epoll, alarm, signals;
	struct timers timers;
	struct timer tick, shortage;
	uint64_t shortage_since; /* 0: there is none */
	uint64_t alarm_at;
	struct client *clients;
	size_t n_clients, n_finished, n_reported, n_open, n_under_way;
	struct client *waiting, **waiting_end; /* whose greeting is due, first come first served */
	bool share;                            /* connections are closed after each greeting, for others */
	bool ever_connected;
};

size_t swarm_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= SIZE_MAX)
		return SIZE_MAX;
	return limit.rlim_cur > OTHER_DESCRIPTORS ? (size_t)limit.rlim_cur - OTHER_DESCRIPTORS : 1;
}

static void enqueue(struct swarm *s, struct client *client)
{
	client->next_waiting = NULL;
	*s->waiting_end = client;
	s->waiting_end = &client->next_waiting;
}

static struct client *dequeue(struct swarm *s)
{
	struct client *client = s->waiting;

	s->waiting = client->next_waiting;
	if (!s->waiting)
		s->waiting_end = &s->waiting;
	return client;
}

/* Hands over results in order of id, as far as they are there. */
static void report_in_order(struct swarm *s, bool with_gaps)
{
	for (; s->n_reported < s->n_clients; s->n_reported++) {
		struct client *client = &s->clients[s->n_reported];

		if (client->finished)
			s->listener->greeted(s->listener->userdata, &client->greeter.greeting);
		else if (!with_gaps)
			return;
	}
}

static void greeting_over(struct swarm *s, struct client *client)
{
	const struct greeting *greeting = &client->greeter.greeting;
	uint64_t next = greeting->began + s->plan->interval_usec;

	s->n_under_way--;
	client->finished = s->plan->count > 0 && greeting->seq >= s->plan->count;
	if (client->finished)
		s->n_finished++;
	if (client->finished || s->share)
		greeter_close(&client->greeter);
	if (client->finished)
		timer_clear(&s->timers, &client->timer);
	else
		timer_set(&s->timers, &client->timer, next < greeting->began ? TIMER_NEVER : next);
	if (s->plan->in_order)
		report_in_order(s, false);
	else
		s->listener->greeted(s->listener->userdata, greeting);
}

static void count_open(struct swarm *s, const struct client *client, bool was_open)
{
	bool open = client->greeter.fd >= 0;

	if (open && !was_open)
		s->n_open++;
	if (was_open && !open) {
		s->n_open--;
		timer_clear(&s->timers, &s->shortage); /* it may be over */
	}
}

/* After its greeter has run: a new connection is watched, the timer set. */
static void follow(struct swarm *s, struct client *client, bool was_open, bool was_resting)
{
	struct greeter *greeter = &client->greeter;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = client };

	if (greeter->fd >= 0 && client->watched != greeter->n_connections) {
		client->watched = greeter->n_connections;
		s->ever_connected = true;
		/* Should there be no memory for it, the greeting runs into its timeout. */
		(void)epoll_ctl(s->epoll, EPOLL_CTL_ADD, greeter->fd, &event);
	}
	if (!greeter_resting(greeter))
		timer_set(&s->timers, &client->timer, greeter_deadline(greeter));
	else if (!was_resting)
		greeting_over(s, client);
	count_open(s, client, was_open);
}

/* Returns false when this end is short of descriptors or ports. */
static bool begin(struct swarm *s, struct client *client, uint64_t now)
{
	struct greeter *greeter = &client->greeter;
	bool was_open = greeter->fd >= 0;
	bool patient = (s->n_open > 0 || s->ever_connected) &&
		       (s->shortage_since == 0 || now - s->shortage_since < s->plan->greeter->timeout_usec);

	if (greeter_greet(greeter, now, patient) < 0) {
		count_open(s, client, was_open);
		if (s->shortage_since == 0)
			s->shortage_since = now;
		timer_set(&s->timers, &s->shortage, now + SHORTAGE_USEC);
		s->share = true;
		return false;
	}
	s->shortage_since = 0;
	s->n_under_way++;
	follow(s, client, was_open, false);
	return true;
}

/* Begins greetings that are due, as far as there are connections for them. Returns whether some could begin
 * yet. */
static bool begin_waiting(struct swarm *s)
{
	for (int i = 0; s->waiting && s->shortage.place == 0 && s->n_under_way < UNDER_WAY_MAX; i++) {
		if (s->waiting->greeter.fd < 0 && s->n_open >= s->plan->max_connections)
			return false;
		if (i == BATCH)
			return true;

		struct client *client = s->waiting;
		if (!begin(s, client, clock_usec(CLOCK_MONOTONIC)))
			return false;
		(void)dequeue(s);
	}
	return false;
}

static void run_timers(struct swarm *s)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);
	struct timer *timer;

	while ((timer = timers_take_due(&s->timers, now))) {
		if (timer == &s->shortage)
			continue;
		if (timer == &s->tick) {
			s->listener->tick(s->listener->userdata);
			timer_set(&s->timers, timer, now + s->plan->tick_usec);
			continue;
		}

		struct client *client = (struct client *)timer; /* its first member */
		if (greeter_resting(&client->greeter)) {
			enqueue(s, client);
			continue;
		}
		bool was_open = client->greeter.fd >= 0;
		greeter_due(&client->greeter, now);
		follow(s, client, was_open, false);
	}
}

/* The alarm rings when the first timer is due; one that rings too early does no harm and costs no system
 * call. */
static int set_alarm(struct swarm *s)
{
	uint64_t due = timers_next(&s->timers);
	int r;

	if (due >= s->alarm_at)
		return 0;
	r = clock_arm(s->alarm, due);
	if (r == 0)
		s->alarm_at = due;
	return r;
}

static void alarm_rang(struct swarm *s)
{
	uint64_t times;

	if (read(s->alarm, &times, sizeof(times)) > 0)
		s->alarm_at = TIMER_NEVER;
}

static int signal_came(struct swarm *s)
{
	struct signalfd_siginfo info;

	return read(s->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* Returns the number of a signal that came, or 0. */
static int take_events(struct swarm *s, const struct epoll_event *events, int n)
{
	int signal = 0;

	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;
		struct client *client = what;

		if (what == &s->alarm) {
			alarm_rang(s);
		} else if (what == &s->signals) {
			signal = signal_came(s);
		} else {
			bool was_resting = greeter_resting(&client->greeter);
			bool was_open = client->greeter.fd >= 0;

			while (greeter_ready(&client->greeter, clock_usec(CLOCK_MONOTONIC)))
				continue;
			follow(s, client, was_open, was_resting);
		}
	}
	return signal;
}

static int loop(struct swarm *s)
{
	struct epoll_event events[BATCH];

	while (s->n_finished < s->n_clients) {
		bool more = begin_waiting(s);
		int r = s->listener->batch_done(s->listener->userdata);

		if (r < 0)
			return r;
		if (s->n_finished == s->n_clients)
			break;
		r = set_alarm(s);
		if (r < 0)
			return r;

		int n = epoll_wait(s->epoll, events, BATCH, more ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		r = take_events(s, events, n);
		if (r > 0)
			return r;
		run_timers(s);
	}
	return 0;
}

static int watch(struct swarm *s, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (fd < 0)
		return -errno;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct swarm *s, const sigset_t *signals)
{
	int r;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	s->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = watch(s, s->alarm, &s->alarm);
	if (r < 0)
		return r;
	s->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch(s, s->signals, &s->signals);
}

static int make_clients(struct swarm *s)
{
	const struct swarm_plan *plan = s->plan;
	uint32_t id = 0;

	s->n_clients = plan->ids ? (size_t)idset_count(plan->ids) : 1;
	s->clients = calloc(s->n_clients, sizeof(*s->clients));
	if (!s->clients || timers_init(&s->timers, s->n_clients + 2) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_clients; i++) {
		id = plan->ids ? idset_next(plan->ids, id) : 0;
		greeter_init(&s->clients[i].greeter, plan->greeter, id);
		enqueue(s, &s->clients[i]);
	}
	s->share = s->n_clients > plan->max_connections;
	if (plan->tick_usec > 0)
		timer_set(&s->timers, &s->tick, clock_usec(CLOCK_MONOTONIC) + plan->tick_usec);
	return 0;
}

static void deinit(struct swarm *s)
{
	for (size_t i = 0; s->clients && i < s->n_clients; i++)
		greeter_deinit(&s->clients[i].greeter);
	free(s->clients);
	timers_deinit(&s->timers);
	closep(&s->signals);
	closep(&s->alarm);
	closep(&s->epoll);
}

/* Those that end a run, but for what was ignored from the start: nohup(1), a shell's background job. */
static void set_of_signals(sigset_t *ret)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	sigemptyset(ret);
	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		struct sigaction action;

		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(ret, numbers[i]);
	}
}

int swarm_run(const struct swarm_plan *plan, const struct swarm_listener *listener)
{
	_cleanup_(deinit) struct swarm swarm = {
		.plan = plan,
		.listener = listener,
		.epoll = -1,
		.alarm = -1,
		.signals = -1,
		.alarm_at = TIMER_NEVER,
		.waiting_end = &swarm.waiting,
	};
	sigset_t signals, before;
	int r;

	set_of_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, &before);
	r = open_descriptors(&swarm, &signals);
	if (r == 0)
		r = make_clients(&swarm);
	if (r == 0)
		r = loop(&swarm);
	if (plan->in_order && r > 0)
		report_in_order(&swarm, true);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

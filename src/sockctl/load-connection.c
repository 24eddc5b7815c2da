#include "sockctl/load-internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* How long who could not connect waits, or whose connection brought nothing. */
#define AGAIN_NSEC (UINT64_C(50) * 1000 * 1000)

static const struct netio_address *address_of(const struct load *l, const struct load_connection *c)
{
	return &l->plan->addresses[(c->first_address + c->tried) % l->plan->n_addresses];
}

static void again_later(struct load *l, struct load_connection *c)
{
	c->again_at = l->now + AGAIN_NSEC;
	load_enqueue(&l->later, c);
}

static void settle(struct load *l, struct load_connection *c)
{
	if (!c->settled)
		l->n_settled++;
	c->settled = true;
}

static void watch(struct load *l, struct load_connection *c, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	/* Should there be no memory for it, what is under way runs into its timeout. */
	(void)epoll_ctl(l->epoll, op, c->fd, &event);
}

static void hang_up(struct load *l, struct load_connection *c)
{
	if (c->state == LOAD_CONNECTION_OPEN) {
		l->result.open--;
		l->connected_at = l->now;
	}
	if (c->state == LOAD_CONNECTION_CONNECTING)
		l->n_connecting--;
	close(c->fd);
	c->fd = -1;
	c->state = LOAD_CONNECTION_CLOSED;
	c->writing = false;
	c->send_from = c->owed = c->reply_at = c->line_len = 0;
}

/* The connection is over, and with it what was under way on it. */
static void lose(struct load *l, struct load_connection *c, enum load_error kind)
{
	l->result.errors[kind] += c->in_flight;
	l->in_flight -= c->in_flight;
	c->in_flight = 0;
	hang_up(l, c);
	settle(l, c);
	if (c->fruitful)
		load_enqueue(&l->ready, c);
	else
		again_later(l, c);
}

/* Another address is tried at once, the first one again after a while. */
static void connect_failed(struct load *l, struct load_connection *c, int error)
{
	if (c->fd >= 0)
		hang_up(l, c);
	if (++c->tried < l->plan->n_addresses && l->phase < LOAD_DRAINING) {
		load_enqueue(&l->ready, c);
		return;
	}
	c->tried = 0;
	l->in_flight -= c->in_flight;
	c->in_flight = 0;
	l->result.errors[LOAD_CONNECT]++;
	l->result.connect_errno = error;
	settle(l, c);
	again_later(l, c);
}

/* This end has no descriptor or no port to spare: some may come free. */
static void fall_short(struct load *l, struct load_connection *c, int error)
{
	l->result.short_errno = error;
	if (l->short_since == 0)
		l->short_since = l->now;
	l->shortage_ends = l->now + AGAIN_NSEC;
	settle(l, c);
	load_enqueue(&l->ready, c);
}

static void opened(struct load *l, struct load_connection *c)
{
	struct load_result *result = &l->result;

	c->state = LOAD_CONNECTION_OPEN;
	c->fruitful = false;
	l->n_connecting--;
	l->address = (c->first_address + c->tried) % l->plan->n_addresses;
	c->tried = 0;
	l->connected_at = l->now;
	if (l->short_since)
		result->short_of += l->now - l->short_since;
	l->short_since = 0;
	histogram_add(result->connecting, l->now - c->since);
	result->connections++;
	result->address = &l->plan->addresses[l->address];
	if (++result->open > result->most_open)
		result->most_open = result->open;
	c->since = l->now;
	settle(l, c);
}

/* Sends what is owed. Returns 0, or -EAGAIN when not all of it could be sent now, or another -errno. */
static int send_owed(struct load_connection *c)
{
	ssize_t n = send(c->fd, c->tiles->requests + c->send_from, c->owed, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	c->owed -= (size_t)n;
	c->send_from = (c->send_from + (size_t)n) % c->tiles->turn_len;
	return c->owed == 0 ? 0 : -EAGAIN;
}

static void send_more(struct load *l, struct load_connection *c)
{
	bool writing = c->writing;

	c->writing = c->owed > 0 && send_owed(c) == -EAGAIN;
	if (!c->writing)
		c->owed = 0; /* a connection that has failed says so when it is read */
	if (c->writing != writing)
		watch(l, c, EPOLL_CTL_MOD, c->writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void issue(struct load *l, struct load_connection *c, uint64_t due)
{
	uint32_t place = c->head + c->in_flight;
	uint32_t depth = (uint32_t)l->plan->depth;

	c->due[place >= depth ? place - depth : place] = due;
	if (c->in_flight++ == 0)
		c->since = l->now;
	c->owed += c->tiles->request_len;
	l->in_flight++;
	l->result.sent++;
}

void load_connection_fill(struct load *l, struct load_connection *c)
{
	uint64_t due;

	while (c->in_flight < l->plan->depth && load_claim(l, &due))
		issue(l, c, due);
	if (c->in_flight < l->plan->depth)
		load_idle(l, c);
	if (c->owed > 0 && !c->writing)
		send_more(l, c);
}

/* With connect_each the request goes out at once: where connecting takes no time, as on this machine, nothing
 * needs to be waited for. */
static void send_first(struct load *l, struct load_connection *c)
{
	int r = send_owed(c);

	if (r < 0 && r != -EAGAIN && r != -ENOTCONN) {
		connect_failed(l, c, -r);
		return;
	}
	if (c->owed == 0) {
		l->now = clock_nsec(CLOCK_MONOTONIC);
		opened(l, c);
	}
	watch(l, c, EPOLL_CTL_ADD, c->owed == 0 ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static void begin_connecting(struct load *l, struct load_connection *c)
{
	const struct netio_address *address;
	const int on = 1;
	int fd;

	if (c->tried == 0)
		c->first_address = l->address;
	address = address_of(l, c);
	l->now = clock_nsec(CLOCK_MONOTONIC);
	fd = netio_connect(address);
	switch (fd) {
	case -EAGAIN: /* the backlog of a Unix socket is full: unix(7) */
		settle(l, c);
		again_later(l, c);
		return;
	case -EMFILE:
	case -ENFILE:
	case -EADDRNOTAVAIL:
	case -ENOBUFS:
	case -ENOMEM:
		fall_short(l, c, -fd);
		return;
	default:
		break;
	}
	if (fd < 0) {
		connect_failed(l, c, -fd);
		return;
	}
	c->fd = fd;
	c->state = LOAD_CONNECTION_CONNECTING;
	c->since = l->now;
	l->n_connecting++;
	if (l->plan->connect_each) {
		c->owed = c->tiles->request_len;
		send_first(l, c);
		return;
	}
	if (address->any.sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(l, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void load_connection_resume(struct load *l, struct load_connection *c)
{
	uint64_t due;

	if (c->state == LOAD_CONNECTION_OPEN) {
		load_connection_fill(l, c);
		return;
	}
	if (c->state != LOAD_CONNECTION_CLOSED)
		return;
	if (l->plan->connect_each && c->in_flight == 0) {
		if (!load_claim(l, &due)) {
			load_idle(l, c);
			return;
		}
		issue(l, c, due);
	}
	begin_connecting(l, c);
}

/* Returns whether it is connected now. */
static bool take_connection(struct load *l, struct load_connection *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		connect_failed(l, c, error);
		return false;
	}
	opened(l, c);
	if (l->plan->connect_each) {
		c->writing = true;
		send_more(l, c);
		return true;
	}
	watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
	load_connection_fill(l, c);
	return true;
}

/* The request of this connection is over, and so is the connection. */
static void finish_each(struct load *l, struct load_connection *c)
{
	hang_up(l, c);
	load_connection_resume(l, c);
}

static void receive(struct load *l, struct load_connection *c)
{
	ssize_t n = recv(c->fd, l->buffer, LOAD_BUFFER, 0);

	l->now = clock_nsec(CLOCK_MONOTONIC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		load_reply_end(l, c);
		lose(l, c, LOAD_CLOSED);
		return;
	}
	if (!load_reply_take(l, c, l->buffer, (size_t)n)) {
		lose(l, c, LOAD_WRONG);
	} else if (l->plan->connect_each && c->in_flight == 0) {
		finish_each(l, c);
	} else {
		load_connection_fill(l, c);
	}
}

void load_connection_ready(struct load *l, struct load_connection *c, uint32_t events)
{
	if (c->state == LOAD_CONNECTION_CONNECTING) {
		l->now = clock_nsec(CLOCK_MONOTONIC);
		if (!take_connection(l, c))
			return;
	} else if (events & EPOLLOUT) {
		send_more(l, c);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(l, c);
}

void load_connection_check_timeout(struct load *l, struct load_connection *c)
{
	if (l->now < c->since + l->timeout)
		return;
	if (c->state == LOAD_CONNECTION_CONNECTING)
		connect_failed(l, c, ETIMEDOUT);
	else if (c->state == LOAD_CONNECTION_OPEN && c->in_flight > 0)
		lose(l, c, LOAD_TIMEOUT);
}

void load_connection_deinit(struct load_connection *c)
{
	closep(&c->fd);
	free(c->line);
}

/* control-watch.c: what the daemon tells by itself, and waiting for a daemon or a bus that has gone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/duration.h"
#include "sockctl/control-internal.h"

#define RETRY_USEC USEC_PER_SEC

/* Through ssh, trying costs more. */
#define RETRY_REMOTE_USEC (5 * USEC_PER_SEC)

#define NAME_OWNER_CHANGED \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" CONTROL_SERVICE "'"

#define TELL(control, what, ...) (control)->listener->what((control)->listener->userdata, ##__VA_ARGS__)

static void retry_later(struct control *control)
{
	control->retry =
		clock_usec(CLOCK_MONOTONIC) + (control->target.host ? RETRY_REMOTE_USEC : RETRY_USEC);
}

static void gone(struct control *control)
{
	if (!control->owner)
		return;
	free(control->owner);
	control->owner = NULL;
	retry_later(control);
	TELL(control, on_gone);
}

static int read_events(struct control *control, sd_bus_message *m)
{
	uint64_t first, missed;
	struct event event;
	int r = sd_bus_message_read(m, "tt", &first, &missed);

	if (r < 0)
		return r;
	if (missed > 0)
		TELL(control, on_missed, missed);
	r = sd_bus_message_enter_container(m, 'a', "(tsusstt)");
	while (r >= 0) {
		r = sd_bus_message_read(m, "(tsusstt)", &event.seq, &event.kind, &event.id, &event.name,
			&event.peer, &event.count, &event.when);
		if (r == 0)
			break;
		if (r > 0)
			TELL(control, on_event, &event);
	}
	TELL(control, on_batch);
	return r;
}

/* Anyone on the bus may send such a signal: only the daemon's count. */
static int on_events(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct control *control = userdata;
	const char *sender = sd_bus_message_get_sender(m);

	(void)error;
	if (control->owner && sender && strcmp(sender, control->owner) == 0)
		(void)read_events(control, m);
	return 0;
}

static int on_watching(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct control *control = userdata;
	const char *sender = sd_bus_message_get_sender(reply);

	(void)error;
	control->asked_watch = sd_bus_slot_unref(control->asked_watch);
	if (!sd_bus_message_is_method_error(reply, NULL) && sender)
		control->owner = strdup(sender);
	if (control->owner)
		TELL(control, on_back);
	else
		retry_later(control);
	return 0;
}

/* Subscribes again, without having the bus start a daemon that somebody stopped. */
static int watch_again(struct control *control)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int r;

	control->asked_watch = sd_bus_slot_unref(control->asked_watch);
	r = sd_bus_message_new_method_call(
		control->bus, &call, CONTROL_SERVICE, CONTROL_PATH, CONTROL_INTERFACE, "Watch");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	if (r >= 0)
		r = sd_bus_message_append(call, "s", control->ids);
	if (r >= 0)
		r = sd_bus_call_async(control->bus, &control->asked_watch, call, on_watching, control, 0);
	return r;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct control *control = userdata;
	const char *name, *old, *new;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
		return 0;
	if (control->owner && strcmp(control->owner, new) == 0)
		return 0; /* started by our own call */
	gone(control);
	if (new[0])
		control->retry = 0;
	return 0;
}

int control_match(struct control *control)
{
	int r = sd_bus_match_signal_async(control->bus, NULL, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Events",
		on_events, NULL, control);

	if (r < 0)
		return r;
	return sd_bus_add_match_async(
		control->bus, NULL, NAME_OWNER_CHANGED, on_owner_changed, NULL, control);
}

/* Hands out what was asked for, or NULL. */
static void hand_out(struct control *control, bool all)
{
	_cleanup_(client_list_deinit) struct client_list list = control->asked;

	control->asked = (struct client_list){ 0 };
	control->answer(control->answer_userdata, all ? &list : NULL);
}

static int ask_page(struct control *control, uint32_t first);

static int on_page(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	_cleanup_(client_list_deinit) struct client_list page = { 0 };
	struct control *control = userdata;
	uint32_t next = 0;
	bool there;

	(void)error;
	control->asked_clients = sd_bus_slot_unref(control->asked_clients);
	there = !sd_bus_message_is_method_error(reply, NULL) && control_read_page(reply, &page, &next) == 0 &&
		client_list_append(&control->asked, &page) == 0;
	if (!there || next == 0 || ask_page(control, next) < 0)
		hand_out(control, there && next == 0);
	return 0;
}

static int ask_page(struct control *control, uint32_t first)
{
	int r = sd_bus_call_method_async(control->bus, &control->asked_clients, CONTROL_SERVICE, CONTROL_PATH,
		CONTROL_INTERFACE, "ListClientsFrom", on_page, control, CONTROL_PAGE_TYPES, first,
		control->asked_ids, (int)false, UINT32_MAX);

	return r < 0 ? r : 0;
}

int control_ask_clients(struct control *control, const char *ids, control_clients_fn answer, void *userdata)
{
	if (control->asked_clients)
		return -EBUSY;
	if (!control->bus || !control->owner)
		return -ENOTCONN;
	control->asked_ids = ids;
	control->answer = answer;
	control->answer_userdata = userdata;
	return ask_page(control, 0);
}

static void drop_bus(struct control *control)
{
	bool asked = control->asked_clients;

	control->asked_clients = sd_bus_slot_unref(control->asked_clients);
	control->asked_watch = sd_bus_slot_unref(control->asked_watch);
	control->bus = sd_bus_close_unref(control->bus);
	if (asked)
		hand_out(control, false);
	gone(control);
	retry_later(control);
}

/* ssh says on standard error, again and again, what is known; where the picture of a watch is. */
static int connect_quietly(struct control *control)
{
	_cleanup_(closep) int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	_cleanup_(closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int r;

	if (kept >= 0 && null >= 0)
		(void)dup2(null, STDERR_FILENO);
	r = control_connect(control);
	if (kept >= 0)
		(void)dup2(kept, STDERR_FILENO);
	return r;
}

static void try_again(struct control *control)
{
	int r = 0;

	retry_later(control);
	if (!control->bus) {
		r = connect_quietly(control);
		if (r >= 0)
			r = control_match(control);
	}
	if (r >= 0)
		r = watch_again(control);
	if (r < 0)
		drop_bus(control);
}

/* Hears what has arrived. Returns whether there was anything. */
static bool process(struct control *control)
{
	bool any = false;
	int r = 0;

	while (control->bus && (r = sd_bus_process(control->bus, NULL)) > 0)
		any = true;
	if (r < 0) {
		drop_bus(control);
		any = true;
	}
	return any;
}

/* How long poll may wait: until the caller's time, the next try, or what sd-bus itself waits for. */
static uint64_t wait_until(const struct control *control, uint64_t until)
{
	uint64_t bus = UINT64_MAX;

	if (!control->owner && control->retry < until)
		until = control->retry;
	if (control->bus && sd_bus_get_timeout(control->bus, &bus) > 0 && bus < until)
		until = bus;
	return until;
}

static int poll_until(struct control *control, int fd, uint64_t until)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = -1 } };
	uint64_t now = clock_usec(CLOCK_MONOTONIC), left = until > now ? until - now : 0;
	const struct timespec timeout = {
		.tv_sec = (time_t)(left / USEC_PER_SEC),
		.tv_nsec = (long)(left % USEC_PER_SEC) * 1000,
	};

	if (control->bus) {
		fds[1].fd = sd_bus_get_fd(control->bus);
		fds[1].events = (short)sd_bus_get_events(control->bus);
	}
	if (ppoll(fds, 2, until == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
		return -errno;
	return fds[0].revents != 0;
}

int control_wait(struct control *control, int fd, uint64_t until)
{
	for (;;) {
		if (!control->owner && !control->asked_watch && clock_usec(CLOCK_MONOTONIC) >= control->retry)
			try_again(control);
		if (process(control))
			return 0;

		int r = poll_until(control, fd, wait_until(control, until));
		if (r != 0)
			return r;
		if (clock_usec(CLOCK_MONOTONIC) >= until)
			return 0;
	}
}

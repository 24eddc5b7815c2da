#include "greeterd/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "common/duration.h"

#define STORE_WAIT_USEC (5 * USEC_PER_SEC)

#define PINGS 3 /* in the span of the watchdog */

struct notify {
	notify_describe *describe;
	notify_stuck *stuck;
	void *data;
	sd_event_source *timer; /* armed while a change waits for its second to be over */
	bool waits;
	sd_event_source *watchdog;
	uint64_t watchdog_span; /* from one ping to the next */
	uint64_t sent_at;
	char sent[NOTIFY_TEXT_MAX];
};

static void send_status(struct notify *notify, uint64_t now)
{
	char text[NOTIFY_TEXT_MAX];

	notify->describe(notify->data, text);
	notify->sent_at = now;
	if (strcmp(text, notify->sent) == 0)
		return;
	memcpy(notify->sent, text, sizeof(text));
	(void)sd_notifyf(0, "STATUS=%s", text);
}

static int on_timer(sd_event_source *source, uint64_t due, void *data)
{
	struct notify *notify = data;
	uint64_t now = due;

	(void)sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now);
	notify->waits = false;
	send_status(notify, now);
	return 0;
}

int notify_new(sd_event *event, notify_describe *describe, void *data, struct notify **ret)
{
	_cleanup_(notify_freep) struct notify *notify = calloc(1, sizeof(*notify));
	int r;

	if (!notify)
		return -ENOMEM;
	notify->describe = describe;
	notify->data = data;
	r = sd_event_add_time(event, &notify->timer, CLOCK_MONOTONIC, 0, USEC_PER_SEC / 10, on_timer, notify);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(notify->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(notify);
	return 0;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	sd_event_source_disable_unref(notify->watchdog);
	sd_event_source_disable_unref(notify->timer);
	free(notify);
}

static int on_watchdog(sd_event_source *source, uint64_t due, void *data)
{
	struct notify *notify = data;
	uint64_t now = due;
	int r;

	if (notify->stuck(notify->data))
		return 0;
	(void)sd_notify(0, "WATCHDOG=1");
	(void)sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now);
	r = sd_event_source_set_time(source, now + notify->watchdog_span);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int notify_watchdog(struct notify *notify, notify_stuck *stuck)
{
	sd_event *event = sd_event_source_get_event(notify->timer);
	uint64_t span;

	if (sd_watchdog_enabled(0, &span) <= 0)
		return 0;
	notify->stuck = stuck;
	notify->watchdog_span = span / PINGS;
	return sd_event_add_time(event, &notify->watchdog, CLOCK_MONOTONIC, 0, notify->watchdog_span / 10,
		on_watchdog, notify);
}

/* What waits for its second is not told any more. */
static void stop_waiting(struct notify *notify)
{
	(void)sd_event_source_set_enabled(notify->timer, SD_EVENT_OFF);
	notify->waits = false;
}

void notify_ready(struct notify *notify, uint64_t now)
{
	stop_waiting(notify);
	notify->describe(notify->data, notify->sent);
	notify->sent_at = now;
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", notify->sent);
}

void notify_reloading(uint64_t now)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the settings", now);
}

void notify_stopping(struct notify *notify, const char *why, uint64_t usec)
{
	stop_waiting(notify);
	(void)sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s", usec, why);
}

void notify_changed(struct notify *notify, uint64_t now)
{
	uint64_t next = notify->sent_at + USEC_PER_SEC;

	if (notify->waits)
		return;
	if (now >= next) {
		send_status(notify, now);
		return;
	}
	notify->waits = sd_event_source_set_time(notify->timer, next) >= 0 &&
			sd_event_source_set_enabled(notify->timer, SD_EVENT_ONESHOT) >= 0;
}

int notify_store(int fd)
{
	/* Without FDPOLL=0 systemd would drop it: its other end is closed, and so it hangs up. */
	int r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NOTIFY_STORE_NAME, &fd, 1);

	if (r > 0)
		r = sd_notify_barrier(0, STORE_WAIT_USEC);
	return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

void notify_clear_store(void)
{
	(void)sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" NOTIFY_STORE_NAME);
}

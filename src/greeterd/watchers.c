#include "greeterd/watchers.h"

#include <errno.h>

#include "common/cleanup.h"

static const char *const names[WATCH_KINDS] = {
	[WATCH_GREETING] = "greeting",
	[WATCH_CONNECTED] = "connected",
	[WATCH_DISCONNECTED] = "disconnected",
	[WATCH_LATE] = "late",
	[WATCH_MISSING] = "missing",
	[WATCH_RETURNED] = "returned",
	[WATCH_PRESENT] = "present",
	[WATCH_PAUSED] = "paused",
	[WATCH_FORGOTTEN] = "forgotten",
};

const char *watch_kind_name(enum watch_kind kind)
{
	return names[kind];
}

int watchers_attach(struct watchers *watchers, struct watcher *watcher, struct idset *ids)
{
	if (watchers->n >= WATCHERS_MAX)
		return -ENOSPC;
	watcher->ids = ids;
	watchers->all[watchers->n++] = watcher;
	return 0;
}

void watchers_detach(struct watchers *watchers, struct watcher *watcher)
{
	for (size_t i = 0; i < watchers->n; i++) {
		if (watchers->all[i] != watcher)
			continue;
		watchers->all[i] = watchers->all[--watchers->n];
		watcher_set(watcher, NULL);
		return;
	}
}

void watcher_set(struct watcher *watcher, struct idset *ids)
{
	idset_free(watcher->ids);
	watcher->ids = ids;
}

void watcher_clear(struct watcher *watcher)
{
	watcher->n_events = 0;
	watcher->missed = 0;
}

static size_t room_for(enum watch_kind kind)
{
	return kind < WATCH_LATE ? WATCHERS_BATCH_MAX - WATCHERS_BATCH_MAX / 4 : WATCHERS_BATCH_MAX;
}

static void tell(struct watcher *watcher, const struct watch_event *event)
{
	if (watcher->ids && !idset_contains(watcher->ids, event->id))
		return;
	if (watcher->n_events < room_for(event->kind))
		watcher->events[watcher->n_events++] = *event;
	else if (event->kind == WATCH_GREETING)
		watcher->missed++;
}

void watchers_tell(struct watchers *watchers, const struct watch_event *event)
{
	for (size_t i = 0; i < watchers->n; i++)
		tell(watchers->all[i], event);
	watchers->news = true;
}

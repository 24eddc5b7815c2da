/*
 * live.h: the picture of "sockctl watch" on a terminal: rates, the roll, the latest events. Pure: the times
 * are handed in, the picture is a text.
 *
 * A live owns what it was told. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sockctl/control.h"

/* As many events are kept. */
#define LIVE_EVENTS_MAX 256

struct live {
	bool color;
	uint64_t began;                /* CLOCK_MONOTONIC, as all times here but the clients' */
	uint64_t greetings, missed;    /* heard of; of them, without their events */
	uint64_t counted, counted_at;  /* greetings when the rate was taken last */
	double rate;                   /* a second */
	struct client_list roll;       /* owned */
	char *events[LIVE_EVENTS_MAX]; /* lines, a ring */
	uint64_t n_events;             /* ever; the next one's place is this modulo LIVE_EVENTS_MAX */
	const char *trouble;           /* static, or NULL: why nothing is heard */
};

void live_init(struct live *live, bool color, uint64_t now);
void live_deinit(struct live *live);

void live_event(struct live *live, const struct event *event);
void live_missed(struct live *live, uint64_t count, uint64_t wall);
/* What is said of the feed itself. */
void live_note(struct live *live, const char *note, uint64_t wall);
/* Takes the list over. */
void live_roll(struct live *live, struct client_list *list);
/* Takes the rate since it was taken last; once a second. */
void live_tick(struct live *live, uint64_t now);

/*
 * The picture for a terminal of so many columns and lines, for the caller to free; wall is the time of day.
 * Returns 0 or -ENOMEM.
 */
int live_picture(
	const struct live *live, unsigned columns, unsigned lines, uint64_t now, uint64_t wall, char **ret);

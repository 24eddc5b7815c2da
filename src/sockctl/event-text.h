/* event-text.h: what a watcher hears as lines, for people or for programs. Pure, but for the local time zone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sockctl/control.h"

struct event_style {
	bool color;
	bool time_only; /* no date */
};

/* For an event that was inferred, not heard: JSON has no "seq" then. */
#define EVENT_NO_SEQ UINT64_MAX

/* "client 2 (rack A)" or "an unnumbered client"; cut off where it does not fit. */
#define EVENT_WHO_MAX 128
const char *event_who(uint32_t id, const char *name, char text[static EVENT_WHO_MAX]);

void event_text(const struct event *event, const struct event_style *style, FILE *out);
void event_text_missed(uint64_t count, uint64_t now, const struct event_style *style, FILE *out);
/* What is said of the feed itself. */
void event_text_note(const char *note, uint64_t now, const struct event_style *style, FILE *out);

void event_json(const struct event *event, FILE *out);
void event_json_missed(uint64_t count, FILE *out);
/* kind: "gap" or "back". */
void event_json_note(const char *kind, uint64_t now, FILE *out);

/* moment.h: points in time, microseconds since the epoch, as people and programs read them. Pure. */
#pragma once

#include <stdint.h>

#define MOMENT_TEXT_MAX 32

/* "2024-05-01T12:00:00.000250Z", RFC 3339. */
const char *moment_utc(uint64_t usec, char text[static MOMENT_TEXT_MAX]);

/* "2024-05-01 14:00:00", in the local time zone. */
const char *moment_local(uint64_t usec, char text[static MOMENT_TEXT_MAX]);

/* "14:00:00", likewise. */
const char *moment_local_time(uint64_t usec, char text[static MOMENT_TEXT_MAX]);

/* How long before now: "12 s ago", "3 min ago", "5 h ago", "9 d ago"; "now"; "never" for 0. */
const char *moment_ago(uint64_t usec, uint64_t now, char text[static MOMENT_TEXT_MAX]);

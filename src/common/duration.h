/*
 * duration.h: spans of time as people write them, in the syntax of systemd.time(7), "PARSING TIME SPANS".
 *
 * Pure functions, callable from anywhere.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_SEC UINT64_C(1000000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

/* Room for every text that duration_format() writes, with its NUL. */
#define DURATION_TEXT_MAX 64

/*
 * Reads "10s", "5min", "250ms", "1h 30min", "1.5s" or a bare number, which counts seconds. Units: us, ms, s,
 * min, h, d, w and their long names as systemd knows them; white space between parts is free.
 *
 * Returns 0 and the span in microseconds; -EINVAL for what is no span (empty, negative, unknown unit),
 * -ERANGE when it does not fit 64 bits. *ret_usec is untouched on failure.
 */
int duration_parse(const char *text, uint64_t *ret_usec);

/* Writes usec in the shortest form that duration_parse() reads back as the same span: "250ms", "1min 30s",
 * "0". */
const char *duration_format(uint64_t usec, char text[static DURATION_TEXT_MAX]);

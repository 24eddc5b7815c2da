/* escape.h: bytes from strangers, made fit for one line of a log or a terminal. Pure; any thread. */
#pragma once

#include <stddef.h>

/* Bytes that escape_text() may need for len bytes of input, with its NUL. */
#define ESCAPE_SIZE(len) (4 * (len) + 1)

/*
 * Copies data to text: printable ASCII as it is, a backslash doubled, \n \r \t \0 by those names, every other
 * byte as \xNN. What would not fit into size (at least 4) is cut off, and "..." ends the text then. Always
 * ends with a NUL. Returns the length of text.
 */
size_t escape_text(const void *data, size_t len, char *text, size_t size);

/* spelling.h: how far a mistyped name is from another, for messages that suggest one. Pure, callable from
 * anywhere. */
#pragma once

#include <stddef.h>

/* Names longer than this are compared with nothing. */
#define SPELLING_MAX 40

/* Levenshtein's distance: how many letters to insert, leave out or change to make b of a, whatever their
 * case. SIZE_MAX when one of them is longer than SPELLING_MAX. */
size_t spelling_distance(const char *a, const char *b);

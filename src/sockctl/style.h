/* style.h: colour, where it is wanted: on a terminal, unless NO_COLOR or --color= say otherwise. */
#pragma once

#include <stdbool.h>

enum style_color { STYLE_AUTO, STYLE_ALWAYS, STYLE_NEVER };

#define STYLE_BOLD "\033[1m"
#define STYLE_DIM "\033[2m"
#define STYLE_WARNING "\033[33m"
#define STYLE_RESET "\033[0m"

/* Reads "auto", "always" or "never". Returns 0 or -EINVAL. */
int style_parse(const char *text, enum style_color *ret);

/* Whether what goes to fd may have colour: NO_COLOR and TERM of the environment are asked for STYLE_AUTO. */
bool style_wanted(enum style_color color, int fd);

/* The escape sequence that a client's state, or a kind of event, is shown with; NULL: as any text. */
const char *style_of(const char *state);

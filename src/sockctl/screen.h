/*
 * screen.h: the terminal as a page that is drawn anew: its alternate screen, so that what was there before
 * comes back at the end.
 *
 * Whoever enters it must leave it. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

struct screen {
	struct termios before;
	bool keys; /* standard input is a terminal, set to hand over single keys */
};

/* Whether there is one: standard output and input are a terminal that knows escape sequences. */
bool screen_there(void);

void screen_enter(struct screen *screen);
void screen_leave(struct screen *screen);

/* Draws text, whose lines go from the first of the screen on; what is longer than a line is cut off. */
void screen_draw(const char *text);

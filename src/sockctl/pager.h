/* pager.h: long texts on a terminal, page by page. Main thread only. */
#pragma once

#include <stdbool.h>

/* Columns and lines of the terminal on standard output; 0 each where it is none. */
struct terminal_size {
	unsigned short columns, lines;
};

struct terminal_size terminal_size(void);

/*
 * Prints to standard output; where that is a terminal with fewer lines than the text, and allowed, through
 * $PAGER or less(1).
 */
void pager_print(const char *text, bool allowed);

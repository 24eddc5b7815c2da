/*
 * interrupt.h: what ends a command that runs until it is stopped: signals, keys, a reader that goes.
 *
 * Signals are blocked from interrupts_init() to interrupts_deinit(). Main thread only.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

enum interrupt {
	INTERRUPT_NONE,
	INTERRUPT_END,     /* SIGINT, SIGTERM or SIGHUP, and with keys SIGQUIT */
	INTERRUPT_RESIZE,  /* SIGWINCH */
	INTERRUPT_SUSPEND, /* SIGTSTP */
	INTERRUPT_QUIT,    /* the key q */
	INTERRUPT_DEAF,    /* nobody reads standard output any more */
};

struct interrupts {
	int fd; /* readable when there is one */
	int signals;
	sigset_t before;
	bool keys;
};

/* keys: standard input is a terminal that hands over single keys, and resizing and suspending matter. */
int interrupts_init(struct interrupts *interrupts, bool keys);
void interrupts_deinit(struct interrupts *interrupts);

/* The next one. *ret_signal: which signal, for INTERRUPT_END. */
enum interrupt interrupts_next(struct interrupts *interrupts, int *ret_signal);

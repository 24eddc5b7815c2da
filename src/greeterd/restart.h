/*
 * restart.h: the connections between this process and the next, through systemd's file descriptor store, and
 * what is said of it.
 *
 * Main thread; owns nothing. now: CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "greeterd/activation.h"
#include "greeterd/journal.h"
#include "greeterd/server.h"

/* Leaves the connections to the next process, if systemd keeps them for it. Returns whether it does, or there
 * are none. */
bool restart_hand_over(
	struct server *server, const struct listeners *listeners, struct journal *journal, uint64_t now);

/* Goes on with the connections that the process before has left. */
void restart_take_up(
	struct server *server, const struct listeners *listeners, struct journal *journal, uint64_t now);

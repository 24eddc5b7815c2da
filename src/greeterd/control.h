/*
 * control.h: what the bus may see and change of the daemon: struct bus_ops, answered from roll, server,
 * settings and sockets.
 *
 * All that a struct control points to belongs to the daemon and outlives it; it owns nothing. Main thread.
 */
#pragma once

#include "greeterd/activation.h"
#include "greeterd/bus-ops.h"
#include "greeterd/inforce.h"
#include "greeterd/roll.h"
#include "greeterd/rollcall.h"
#include "greeterd/server.h"
#include "greeterd/watchers.h"

struct control {
	const struct inforce *settings;
	const struct listeners *listeners;
	struct server *server;
	struct roll *roll;
	struct rollcall *rollcall;
	struct watchers *watchers;
	uint64_t started_at, reloaded_at; /* CLOCK_REALTIME in microseconds; 0: never */

	/* As in struct bus_ops: what takes the whole daemon. */
	int (*reload)(void *daemon, const char *ret_pending[static SETTINGS_PENDING_MAX],
		size_t *ret_n_pending, struct settings_report *report);
	void (*changed)(void *daemon); /* what is in the roll */
	void (*watched)(void *daemon);
	void (*say)(void *daemon, const char *sentence);
	void *daemon;

	/* Starts zeroed: how many clients were known when as many had newly come; see control.c. */
	bool counted;
	uint32_t clients;
	uint64_t newcomers;
};

/* Their data is a struct control. */
extern const struct bus_ops control_ops;

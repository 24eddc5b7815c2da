/*
 * control.h: greeterd as D-Bus shows it, org.greeterd1(5). The sole user of sd-bus.
 *
 * A control owns its connection. What it returns or hands to callbacks is text of the daemon's own, kept as
 * long as the header of each struct says. Where a function returns an exit status, what is wrong has been
 * said on standard error. Times are microseconds since the epoch, 0 is never. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

struct control;
struct sd_bus_message;

/* Which bus: the system's, the user's, that of a host (through ssh), or that of a container. */
struct control_target {
	bool user;
	const char *host, *machine;
};

struct client {
	uint32_t id; /* 0: the unnumbered */
	const char *name, *state, *peer;
	uint64_t count, refusals, first_seen, last_seen;
};

/* Valid until client_list_deinit(), or, in a callback, until it returns. */
struct client_list {
	struct client *clients;
	size_t n;
	struct sd_bus_message **owners; /* what their texts are in */
	size_t n_owners;
};

struct refusals {
	const char *code;
	uint64_t count;
};

#define REFUSAL_CODES_MAX 16

/* Valid until daemon_status_deinit(). */
struct daemon_status {
	const char *version, *port_trouble, *settings_trouble; /* "": no trouble */
	char **listen, **configured_listen;
	uint32_t connections, max_connections, clients, missing, watchers;
	uint64_t greetings, started_at, reloaded_at;
	struct refusals refusals[REFUSAL_CODES_MAX];
	size_t n_refusals;
	struct sd_bus_message *owner;
};

struct event {
	uint64_t seq;
	const char *kind;
	uint32_t id;
	const char *name, *peer;
	uint64_t count, when;
};

/* What a watcher hears, in this order; valid until the callback returns. */
struct control_listener {
	void (*on_missed)(void *userdata, uint64_t count); /* greetings that were left out just before */
	void (*on_event)(void *userdata, const struct event *event);
	void (*on_batch)(void *userdata); /* that was all for now */
	void (*on_gone)(void *userdata);  /* the daemon, or the bus: what happens now is not heard */
	void (*on_back)(void *userdata);  /* and is heard again */
	void *userdata;
};

/* These return EXIT_DONE or an exit status. ids is a list as idset_parse() reads it, "" for all. */
int control_open(const struct control_target *target, struct control **ret);
int control_status(struct control *control, struct daemon_status *ret);
/* A page of clients from *first on, at most limit of them; moves *first on: to 0 after the last page. The
 * daemon has a limit of its own, so that a roll of any length holds up nobody. */
int control_page(struct control *control, const char *ids, bool missing_only, uint32_t limit, uint32_t *first,
	struct client_list *ret);
/* All pages in one list. */
int control_clients(struct control *control, const char *ids, bool missing_only, struct client_list *ret);
/* Starts no daemon. ret_pending: the keys that wait for a restart, for control_free_texts(). */
int control_reload(struct control *control, char ***ret_pending);
/* method: "Pause", "Resume" or "Forget". */
int control_change(struct control *control, const char *method, const char *ids, uint32_t *ret_changed);
/* Subscribes; ids and listener are kept until control_free(). A daemon that goes is waited for. */
int control_watch(struct control *control, const char *ids, const struct control_listener *listener);

/*
 * Waits until something was heard (0), fd is readable (1), or the clock (CLOCK_MONOTONIC, in microseconds)
 * says until (0). Only while watching.
 */
int control_wait(struct control *control, int fd, uint64_t until);

/*
 * Asks for the roll without waiting, page by page. The answer comes out of control_wait(), NULL when there is
 * none; who wants to keep it takes it away, and leaves an empty list. Returns 0, -EBUSY while an answer is
 * due, -ENOTCONN, -errno.
 */
typedef void (*control_clients_fn)(void *userdata, struct client_list *clients);
int control_ask_clients(struct control *control, const char *ids, control_clients_fn answer, void *userdata);

void control_free(struct control *control);
DEFINE_CLEANUP(struct control *, control_free)
void control_free_texts(char ***texts);
void client_list_deinit(struct client_list *list);
/* Moves the clients of another list to the end of this one. Returns 0; or -ENOMEM: both are as they were. */
int client_list_append(struct client_list *list, struct client_list *from);
void daemon_status_deinit(struct daemon_status *status);

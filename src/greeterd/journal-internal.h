/*
 * journal-internal.h: what journal.c and journal-events.c share of the journal, and nobody else: journal.c
 * makes it, keeps the entries and the counts, and sends them; journal-events.c puts into words what happened.
 *
 * The journal owns all of it; one thread at a time. Times are CLOCK_MONOTONIC in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "greeterd/journal-sink.h"
#include "greeterd/journal.h"

#define ENTRY_MAX 1024                       /* bytes of one entry */
#define ENTRIES_MAX JOURNAL_SINK_ENTRIES_MAX /* that wait for a flush */
#define TEXT_MAX 640                         /* bytes of a message; the fields take the rest of ENTRY_MAX */

/* What entries are counted as when they are too many. */
enum kind { KIND_GREETING, KIND_DISCONNECT, KIND_REFUSAL, KIND_OTHER, KINDS };

struct entry {
	enum kind kind;
	uint32_t id;    /* of the client, with KIND_GREETING */
	uint64_t count; /* how many events it stands for */
	size_t begin, len;
};

#define LIST_END UINT32_MAX

/* The surplus of one client, in a list by index: no allocation while greeting. */
struct client_surplus {
	uint32_t count;
	uint32_t next; /* LIST_END, or the index of the next client in the list */
};

struct journal {
	struct journal_setup setup;
	struct journal_sink sink;
	size_t n_entries, used;
	struct entry entries[ENTRIES_MAX];
	char text[ENTRIES_MAX * ENTRY_MAX];
	bool torn; /* a part of the first entry has been taken: a full disk, a socket */

	uint64_t taken;         /* entries, so far */
	uint64_t second;        /* when the second that is being counted began */
	uint64_t blocked_until; /* the journal took no more: nothing is tried before */
	uint64_t retry; /* how long it was from the last failure to there; 0: none since it took something */
	uint32_t shown[KINDS];   /* entries of this second */
	uint64_t surplus[KINDS]; /* events without an entry; those of KIND_GREETING are below */
	uint32_t surplus_clients;
	uint32_t due_clients;           /* of a second that is over: to be said next */
	struct client_surplus *clients; /* by id, 0 to max_id */
};

/* Whether an event gets an entry of its own: it is to be counted as surplus where not. */
bool journal_admit(struct journal *journal, enum kind kind, uint64_t now);

/* Has so many events go without an entry. id: of the client, with KIND_GREETING. */
void journal_count_surplus(struct journal *journal, enum kind kind, uint32_t id, uint64_t count);

/* Adds an entry: the line alone, or all fields. fields: complete lines "NAME=value\n" besides those that
 * every entry has. */
void journal_add(struct journal *journal, const struct entry *like, enum message message, const char *text,
	const char *fields, uint64_t now);

/* "client 2", or "client" for one without a number. */
const char *journal_client_name(uint32_t id, char name[static 20]);

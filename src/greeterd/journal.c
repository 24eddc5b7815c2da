#include "greeterd/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/duration.h"
#include "greeterd/journal-internal.h"

/* When a journal that took no more is tried again: soon, for a busy journald has room again within
 * milliseconds, and twice as late each time that it still takes nothing. */
#define RETRY_MIN_USEC (USEC_PER_SEC / 500)
#define RETRY_MAX_USEC (USEC_PER_SEC / 4)

/* Clients whose surplus is said in one flush: nobody is served meanwhile. */
#define SUMMARIES_MAX 512

static const char *const kind_names[KINDS] = { "greeting", "disconnect", "refusal", "message" };

static uint64_t later(uint64_t now, uint64_t span)
{
	return now < UINT64_MAX - span ? now + span : UINT64_MAX;
}

bool journal_owns(int fd, const char *journal_stream)
{
	uintmax_t device, inode;
	struct stat st;
	int end = 0;

	if (!journal_stream || sscanf(journal_stream, "%ju:%ju%n", &device, &inode, &end) != 2 ||
		journal_stream[end])
		return false;
	return fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

int journal_new(const struct journal_setup *setup, struct journal **ret)
{
	_cleanup_(journal_freep) struct journal *journal = calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	journal->setup = *setup;
	journal->surplus_clients = journal->due_clients = LIST_END;
	r = journal_sink_open(&journal->sink, setup->socket, setup->fd);
	if (r < 0)
		return r;
	journal->clients = calloc((size_t)setup->max_id + 1, sizeof(*journal->clients));
	if (!journal->clients)
		return -ENOMEM;
	*ret = TAKE_PTR(journal);
	return 0;
}

bool journal_is_verbose(const struct journal *journal)
{
	return journal->setup.verbose;
}

void journal_set_burst(struct journal *journal, uint32_t burst)
{
	journal->setup.burst = burst;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	journal_sink_close(&journal->sink);
	free(journal->clients);
	free(journal);
}

void journal_count_surplus(struct journal *journal, enum kind kind, uint32_t id, uint64_t count)
{
	struct client_surplus *client = &journal->clients[id];
	uint32_t room = UINT32_MAX - client->count;

	if (kind != KIND_GREETING) {
		journal->surplus[kind] += count;
		return;
	}
	if (client->count == 0 && count > 0) {
		client->next = journal->surplus_clients;
		journal->surplus_clients = id;
	}
	client->count += count < room ? (uint32_t)count : room;
}

/* Makes surplus of the entries from first on. Only the rest of a line that was begun is kept, for what comes
 * next would end up on that line. */
static void drop_entries(struct journal *journal, size_t first, const struct iovec *rest)
{
	const size_t kept = journal->torn ? 1 : 0;

	for (size_t i = first + kept; i < journal->n_entries; i++) {
		const struct entry *entry = &journal->entries[i];

		journal_count_surplus(journal, entry->kind, entry->id, entry->count);
	}
	journal->n_entries = kept;
	journal->used = 0;
	if (kept) {
		journal->entries[0] = journal->entries[first];
		journal->entries[0].begin = 0;
		journal->entries[0].len = journal->used = rest->iov_len;
		memmove(journal->text, rest->iov_base, rest->iov_len);
	}
}

static void put_off(struct journal *journal, uint64_t now)
{
	uint64_t retry = journal->retry ? 2 * journal->retry : RETRY_MIN_USEC;

	journal->retry = retry < RETRY_MAX_USEC ? retry : RETRY_MAX_USEC;
	journal->blocked_until = later(now, journal->retry);
}

/* Sends all entries, and drops what is not taken. */
static void send_entries(struct journal *journal, uint64_t now)
{
	struct iovec parts[ENTRIES_MAX];
	size_t first = 0;

	for (size_t i = 0; i < journal->n_entries; i++)
		parts[i] =
			(struct iovec){ journal->text + journal->entries[i].begin, journal->entries[i].len };
	while (first < journal->n_entries && now >= journal->blocked_until) {
		int n = journal_sink_send(
			&journal->sink, parts + first, journal->n_entries - first, &journal->torn);

		if (n == -EINTR)
			continue;
		if (n < 0) {
			put_off(journal, now);
			break;
		}
		journal->retry = 0;
		journal->taken += (uint64_t)n;
		first += (size_t)n;
	}
	drop_entries(journal, first, &parts[first]);
}

void journal_add(struct journal *journal, const struct entry *like, enum message message, const char *text,
	const char *fields, uint64_t now)
{
	const struct message_info *info = message_info(message);
	struct entry *entry;
	int n;

	if (journal->n_entries == ENTRIES_MAX)
		send_entries(journal, now);
	entry = &journal->entries[journal->n_entries];
	*entry = *like;
	entry->begin = journal->used;
	if (journal->setup.socket)
		n = snprintf(journal->text + journal->used, ENTRY_MAX,
			"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=greeterd\nMESSAGE_ID=%s\n%s", text,
			info->level, info->id, fields);
	else
		n = snprintf(journal->text + journal->used, ENTRY_MAX, "%s\n", text);
	entry->len = (size_t)n < ENTRY_MAX ? (size_t)n : ENTRY_MAX - 1;
	journal->used += entry->len;
	journal->n_entries++;
}

const char *journal_client_name(uint32_t id, char name[static 20])
{
	if (id)
		snprintf(name, 20, "client %" PRIu32, id);
	else
		snprintf(name, 20, "client");
	return name;
}

/* Says the surplus of some clients, as far as it is taken: what is not is due still. */
static void add_client_summaries(struct journal *journal, size_t max, uint64_t now)
{
	for (; max > 0 && journal->due_clients != LIST_END && now >= journal->blocked_until; max--) {
		const uint32_t id = journal->due_clients;
		struct entry entry = { .kind = KIND_GREETING, .id = id, .count = journal->clients[id].count };
		char name[20], text[TEXT_MAX], fields[128];

		journal->due_clients = journal->clients[id].next;
		journal->clients[id] = (struct client_surplus){ 0 };
		snprintf(text, sizeof(text), "%s: %" PRIu64 " more greeting%s", journal_client_name(id, name),
			entry.count, entry.count == 1 ? "" : "s");
		snprintf(fields, sizeof(fields),
			"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_SURPLUS=%" PRIu64 "\n", id, entry.count);
		journal_add(journal, &entry, MESSAGE_SUMMARY, text, fields, now);
	}
}

static void add_kind_summaries(struct journal *journal, uint64_t now)
{
	for (enum kind kind = KIND_DISCONNECT; kind < KINDS; kind++) {
		struct entry entry = { .kind = kind, .count = journal->surplus[kind] };
		char text[TEXT_MAX], fields[64];

		if (entry.count == 0)
			continue;
		journal->surplus[kind] = 0;
		snprintf(text, sizeof(text), "%" PRIu64 " more %s%s", entry.count, kind_names[kind],
			entry.count == 1 ? "" : "s");
		snprintf(fields, sizeof(fields), "GREETERD_SURPLUS=%" PRIu64 "\n", entry.count);
		journal_add(journal, &entry, MESSAGE_SUMMARY, text, fields, now);
	}
}

static bool has_surplus(const struct journal *journal)
{
	for (enum kind kind = KIND_DISCONNECT; kind < KINDS; kind++)
		if (journal->surplus[kind] > 0)
			return true;
	return journal->surplus_clients != LIST_END;
}

/* Begins a new second when the last is over: its surplus is due, its burst is free again. */
static void turn_second(struct journal *journal, uint64_t now)
{
	if (now < later(journal->second, USEC_PER_SEC) || now < journal->blocked_until)
		return;
	journal->second = now;
	memset(journal->shown, 0, sizeof(journal->shown));
	if (journal->due_clients == LIST_END) {
		journal->due_clients = journal->surplus_clients;
		journal->surplus_clients = LIST_END;
	}
	add_client_summaries(journal, SUMMARIES_MAX, now);
	add_kind_summaries(journal, now);
}

bool journal_admit(struct journal *journal, enum kind kind, uint64_t now)
{
	turn_second(journal, now);
	if (now < journal->blocked_until ||
		(journal->setup.burst > 0 && journal->shown[kind] >= journal->setup.burst))
		return false;
	journal->shown[kind]++;
	return true;
}

void journal_flush(struct journal *journal, uint64_t now)
{
	if (has_surplus(journal))
		turn_second(journal, now);
	add_client_summaries(journal, now == UINT64_MAX ? SIZE_MAX : SUMMARIES_MAX, now);
	if (journal->n_entries > 0)
		send_entries(journal, now);
}

uint64_t journal_next(const struct journal *journal)
{
	uint64_t second_over = later(journal->second, USEC_PER_SEC);

	if (journal->torn || journal->due_clients != LIST_END)
		return journal->blocked_until;
	if (!has_surplus(journal))
		return UINT64_MAX;
	return second_over > journal->blocked_until ? second_over : journal->blocked_until;
}

void journal_end(struct journal *journal, uint64_t patience)
{
	const uint64_t deadline = later(clock_usec(CLOCK_MONOTONIC), patience);

	journal_flush(journal, UINT64_MAX);
	while ((journal->torn || has_surplus(journal)) && clock_usec(CLOCK_MONOTONIC) < deadline) {
		const uint64_t taken = journal->taken;

		if (!journal_sink_wait(&journal->sink, 1))
			continue;
		journal_flush(journal, UINT64_MAX);
		if (journal->taken == taken) /* journald has gone, or others were faster */
			(void)poll(NULL, 0, 1);
	}
}

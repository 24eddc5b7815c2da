#include "greeterd/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syslog.h>

#include "common/clock.h"
#include "common/duration.h"
#include "common/escape.h"
#include "greeterd/journal-sink.h"

#define ENTRY_MAX 1024                       /* bytes of one entry */
#define ENTRIES_MAX JOURNAL_SINK_ENTRIES_MAX /* that wait for a flush */
#define TEXT_MAX 640                         /* bytes of a message; the fields take the rest of ENTRY_MAX */

/* When a journal that took no more is tried again: soon, for a busy journald has room again within
 * milliseconds, and twice as late each time that it still takes nothing. */
#define RETRY_MIN_USEC (USEC_PER_SEC / 500)
#define RETRY_MAX_USEC (USEC_PER_SEC / 4)

/* Clients whose surplus is said in one flush: nobody is served meanwhile. */
#define SUMMARIES_MAX 512

/* What entries are counted as when they are too many. */
enum kind { KIND_GREETING, KIND_DISCONNECT, KIND_REFUSAL, KIND_OTHER, KINDS };

static const char *const kind_names[KINDS] = { "greeting", "disconnect", "refusal", "message" };

struct entry {
	enum kind kind;
	uint32_t id;    /* of the client, with KIND_GREETING */
	uint64_t count; /* how many events it stands for */
	size_t begin, len;
};

/* The surplus of one client, in a list by index: no allocation while greeting. */
struct client_surplus {
	uint32_t count;
	uint32_t next; /* LIST_END, or the index of the next client in the list */
};

#define LIST_END UINT32_MAX

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

static void count_surplus(struct journal *journal, enum kind kind, uint32_t id, uint64_t count)
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

		count_surplus(journal, entry->kind, entry->id, entry->count);
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

/* Adds an entry: the line alone, or all fields. fields: complete lines "NAME=value\n" besides those that
 * every entry has. */
static void add_entry(struct journal *journal, const struct entry *like, enum message message,
	const char *text, const char *fields, uint64_t now)
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

/* "client 2", or "client" for one without a number. */
static const char *client_name(uint32_t id, char name[static 20])
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
		snprintf(text, sizeof(text), "%s: %" PRIu64 " more greeting%s", client_name(id, name),
			entry.count, entry.count == 1 ? "" : "s");
		snprintf(fields, sizeof(fields),
			"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_SURPLUS=%" PRIu64 "\n", id, entry.count);
		add_entry(journal, &entry, MESSAGE_SUMMARY, text, fields, now);
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
		add_entry(journal, &entry, MESSAGE_SUMMARY, text, fields, now);
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

/* Whether an event gets an entry of its own: it is to be counted as surplus where not. */
static bool admit(struct journal *journal, enum kind kind, uint64_t now)
{
	turn_second(journal, now);
	if (now < journal->blocked_until ||
		(journal->setup.burst > 0 && journal->shown[kind] >= journal->setup.burst))
		return false;
	journal->shown[kind]++;
	return true;
}

/* The same of an event that is not a greeting, which is counted. */
static bool admit_or_count(struct journal *journal, enum kind kind, uint64_t now)
{
	bool admitted = admit(journal, kind, now);

	if (!admitted)
		journal->surplus[kind]++;
	return admitted;
}

static void add_greeting(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t count,
	const char *text, size_t text_len, uint64_t now)
{
	const struct entry entry = { .kind = KIND_GREETING, .id = id, .count = 1 };
	char name[20], from[NETIO_TEXT_MAX], escaped[ESCAPE_SIZE(32)], line[TEXT_MAX], fields[256];

	netio_peer_format(peer, from);
	escape_text(text, text_len, escaped, sizeof(escaped));
	snprintf(line, sizeof(line), "%s at %s: %s", client_name(id, name), from, escaped);
	snprintf(fields, sizeof(fields),
		"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_PEER=%s\nGREETERD_COUNT=%" PRIu64 "\n", id, from,
		count);
	add_entry(journal, &entry, MESSAGE_GREETING, line, fields, now);
}

void journal_greeting(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t n,
	uint64_t count, const char *text, size_t text_len, uint64_t now)
{
	for (; n > 0 && admit(journal, KIND_GREETING, now); n--)
		add_greeting(journal, peer, id, count - n + 1, text, text_len, now);
	count_surplus(journal, KIND_GREETING, id, n);
}

void journal_disconnect(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t now)
{
	const struct entry entry = { .kind = KIND_DISCONNECT, .count = 1 };
	char name[20], from[NETIO_TEXT_MAX], line[TEXT_MAX], fields[256];

	if (!admit_or_count(journal, KIND_DISCONNECT, now))
		return;
	netio_peer_format(peer, from);
	snprintf(line, sizeof(line), "%s at %s disconnected", client_name(id, name), from);
	snprintf(fields, sizeof(fields), "GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_PEER=%s\n", id, from);
	add_entry(journal, &entry, MESSAGE_DISCONNECT, line, fields, now);
}

void journal_refusal(struct journal *journal, const struct netio_peer *peer, enum protocol_refusal refusal,
	const char *text, size_t text_len, uint64_t now)
{
	const struct entry entry = { .kind = KIND_REFUSAL, .count = 1 };
	const char *code = protocol_refusal_code(refusal);
	char from[NETIO_TEXT_MAX], escaped[256], line[TEXT_MAX], fields[256];

	if (!admit_or_count(journal, KIND_REFUSAL, now))
		return;
	netio_peer_format(peer, from);
	escape_text(text, text_len, escaped, sizeof(escaped));
	snprintf(line, sizeof(line), "client at %s refused (%s)%s%s", from, code, text_len > 0 ? ": " : "",
		escaped);
	snprintf(fields, sizeof(fields), "GREETERD_PEER=%s\nGREETERD_REFUSAL=%s\n", from, code);
	add_entry(journal, &entry, MESSAGE_REFUSAL, line, fields, now);
}

/* One line, whatever was put into it: a newline would begin a field of journald's protocol. Letters beyond
 * ASCII, of a path perhaps, stay. */
static void replace_controls(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == '\x7f')
			*line = '?';
}

void journal_state(struct journal *journal, enum message message, uint32_t id, const char *group,
	const char *before, const char *after)
{
	const struct entry entry = { .kind = KIND_OTHER, .count = 1 };
	char name[20], line[TEXT_MAX], fields[256];

	snprintf(line, sizeof(line), "%s%s%s%s is %s, was %s", client_name(id, name), group[0] ? " (" : "",
		group, group[0] ? ")" : "", after, before);
	replace_controls(line);
	snprintf(fields, sizeof(fields),
		"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_GROUP=%s\nGREETERD_STATE=%s\n", id, group, after);
	add_entry(journal, &entry, message, line, fields, journal->second);
}

void journal_say(struct journal *journal, enum message message, const char *format, ...)
{
	const struct entry entry = { .kind = KIND_OTHER, .count = 1 };
	char line[TEXT_MAX];
	va_list arguments;

	if (message_info(message)->level == LOG_DEBUG && !journal->setup.verbose)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	replace_controls(line);
	add_entry(journal, &entry, message, line, "", journal->second);
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

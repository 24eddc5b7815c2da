#include "greeterd/journal-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syslog.h>

#include "common/escape.h"

/* Like journal_admit(), of an event that is not a greeting, and counts it where it is not admitted. */
static bool admit_or_count(struct journal *journal, enum kind kind, uint64_t now)
{
	bool admitted = journal_admit(journal, kind, now);

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
	snprintf(line, sizeof(line), "%s at %s: %s", journal_client_name(id, name), from, escaped);
	snprintf(fields, sizeof(fields),
		"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_PEER=%s\nGREETERD_COUNT=%" PRIu64 "\n", id, from,
		count);
	journal_add(journal, &entry, MESSAGE_GREETING, line, fields, now);
}

void journal_greeting(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t n,
	uint64_t count, const char *text, size_t text_len, uint64_t now)
{
	for (; n > 0 && journal_admit(journal, KIND_GREETING, now); n--)
		add_greeting(journal, peer, id, count - n + 1, text, text_len, now);
	journal_count_surplus(journal, KIND_GREETING, id, n);
}

void journal_disconnect(struct journal *journal, const struct netio_peer *peer, uint32_t id, uint64_t now)
{
	const struct entry entry = { .kind = KIND_DISCONNECT, .count = 1 };
	char name[20], from[NETIO_TEXT_MAX], line[TEXT_MAX], fields[256];

	if (!admit_or_count(journal, KIND_DISCONNECT, now))
		return;
	netio_peer_format(peer, from);
	snprintf(line, sizeof(line), "%s at %s disconnected", journal_client_name(id, name), from);
	snprintf(fields, sizeof(fields), "GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_PEER=%s\n", id, from);
	journal_add(journal, &entry, MESSAGE_DISCONNECT, line, fields, now);
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
	journal_add(journal, &entry, MESSAGE_REFUSAL, line, fields, now);
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

	snprintf(line, sizeof(line), "%s%s%s%s is %s, was %s", journal_client_name(id, name),
		group[0] ? " (" : "", group, group[0] ? ")" : "", after, before);
	replace_controls(line);
	snprintf(fields, sizeof(fields),
		"GREETERD_CLIENT_ID=%" PRIu32 "\nGREETERD_GROUP=%s\nGREETERD_STATE=%s\n", id, group, after);
	journal_add(journal, &entry, message, line, fields, journal->second);
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
	journal_add(journal, &entry, message, line, "", journal->second);
}

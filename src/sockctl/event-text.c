#include "sockctl/event-text.h"

#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/json.h"
#include "sockctl/moment.h"
#include "sockctl/style.h"

/* As wide as the longest kind, "disconnected". */
#define KIND_WIDTH 12

static void print_begin(const char *kind, uint64_t when, const struct event_style *style, FILE *out)
{
	const char *sequence = style->color ? style_of(kind) : NULL;
	char time[MOMENT_TEXT_MAX];

	if (style->time_only)
		moment_local_time(when, time);
	else
		moment_local(when, time);
	fprintf(out, "%s  %s%-*s%s  ", time, sequence ? sequence : "", KIND_WIDTH, kind,
		sequence ? STYLE_RESET : "");
}

const char *event_who(uint32_t id, const char *name, char text[static EVENT_WHO_MAX])
{
	if (id == 0)
		snprintf(text, EVENT_WHO_MAX, "an unnumbered client");
	else if (name[0])
		snprintf(text, EVENT_WHO_MAX, "client %" PRIu32 " (%s)", id, name);
	else
		snprintf(text, EVENT_WHO_MAX, "client %" PRIu32, id);
	return text;
}

void event_text(const struct event *event, const struct event_style *style, FILE *out)
{
	char who[EVENT_WHO_MAX];

	print_begin(event->kind, event->when, style, out);
	if (event->id > 0 || !event->peer[0] || strcmp(event->kind, "greeting") == 0)
		fprintf(out, "%s%s", event_who(event->id, event->name, who), event->peer[0] ? "  " : "");
	fputs(event->peer, out);
	if (event->count > 0)
		fprintf(out, "  count %" PRIu64, event->count);
	fputc('\n', out);
}

void event_text_missed(uint64_t count, uint64_t now, const struct event_style *style, FILE *out)
{
	print_begin("missed", now, style, out);
	fprintf(out, "%" PRIu64 " %s not shown: too many at once\n", count,
		count == 1 ? "greeting" : "greetings");
}

void event_text_note(const char *note, uint64_t now, const struct event_style *style, FILE *out)
{
	print_begin("note", now, style, out);
	fprintf(out, "%s\n", note);
}

void event_json(const struct event *event, FILE *out)
{
	_cleanup_(json_putp) struct json_object *object = json_new();

	if (!object)
		return;
	if (event->seq != EVENT_NO_SEQ)
		json_add_number(object, "seq", event->seq);
	json_add_text(object, "event", event->kind);
	json_add_time(object, "time", event->when);
	json_add_number_or_null(object, "id", event->id);
	json_add_text_or_null(object, "name", event->name);
	json_add_text_or_null(object, "peer", event->peer);
	json_add_number(object, "count", event->count);
	json_print(object, out);
}

void event_json_missed(uint64_t count, FILE *out)
{
	_cleanup_(json_putp) struct json_object *object = json_new();

	if (!object)
		return;
	json_add_text(object, "event", "missed");
	json_add_number(object, "count", count);
	json_print(object, out);
}

void event_json_note(const char *kind, uint64_t now, FILE *out)
{
	_cleanup_(json_putp) struct json_object *object = json_new();

	if (!object)
		return;
	json_add_text(object, "event", kind);
	json_add_time(object, "time", now);
	json_print(object, out);
}

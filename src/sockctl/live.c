#include "sockctl/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "sockctl/event-text.h"
#include "sockctl/roll-text.h"
#include "sockctl/style.h"

/* Lines that are neither client nor event: counts, trouble, the table's head, and a blank one. */
#define FRAME_LINES 4

/* So many lines stay for events, however long the roll is: fewer where there are few lines. */
#define EVENT_LINES_MIN 5

void live_init(struct live *live, bool color, uint64_t now)
{
	*live = (struct live){ .color = color, .began = now, .counted_at = now };
}

void live_deinit(struct live *live)
{
	for (size_t i = 0; i < LIVE_EVENTS_MAX; i++)
		free(live->events[i]);
	client_list_deinit(&live->roll);
}

/* Begins a line of the ring, in place of the oldest. NULL: there is no memory for it. */
static FILE *begin_line(struct live *live, size_t *ret_len)
{
	char **line = &live->events[live->n_events % LIVE_EVENTS_MAX];

	free(*line);
	*line = NULL;
	return open_memstream(line, ret_len);
}

/* Without its end. */
static void end_line(struct live *live, FILE *line, const size_t *len)
{
	if (line && fclose(line) == 0 && *len > 0) {
		live->events[live->n_events % LIVE_EVENTS_MAX][*len - 1] = '\0';
		live->n_events++;
	}
}

void live_event(struct live *live, const struct event *event)
{
	const struct event_style style = { .color = live->color, .time_only = true };
	size_t len = 0;
	FILE *line = begin_line(live, &len);

	live->greetings += strcmp(event->kind, "greeting") == 0;
	if (line)
		event_text(event, &style, line);
	end_line(live, line, &len);
}

void live_missed(struct live *live, uint64_t count, uint64_t wall)
{
	const struct event_style style = { .color = live->color, .time_only = true };
	size_t len = 0;
	FILE *line = begin_line(live, &len);

	live->greetings += count;
	live->missed += count;
	if (line)
		event_text_missed(count, wall, &style, line);
	end_line(live, line, &len);
}

void live_note(struct live *live, const char *note, uint64_t wall)
{
	const struct event_style style = { .color = live->color, .time_only = true };
	size_t len = 0;
	FILE *line = begin_line(live, &len);

	if (line)
		event_text_note(note, wall, &style, line);
	end_line(live, line, &len);
}

void live_roll(struct live *live, struct client_list *list)
{
	client_list_deinit(&live->roll);
	live->roll = *list;
	*list = (struct client_list){ 0 };
}

void live_tick(struct live *live, uint64_t now)
{
	if (now <= live->counted_at)
		return;
	live->rate = (double)(live->greetings - live->counted) * (double)USEC_PER_SEC /
		     (double)(now - live->counted_at);
	live->counted = live->greetings;
	live->counted_at = now;
}

static uint64_t count_missing(const struct live *live)
{
	uint64_t n = 0;

	for (size_t i = 0; i < live->roll.n; i++)
		n += strcmp(live->roll.clients[i].state, "missing") == 0;
	return n;
}

/* What matters most comes first: a narrow terminal shows no more. */
static void print_head(const struct live *live, uint64_t now, FILE *out)
{
	const char *bold = live->color ? STYLE_BOLD : "", *reset = live->color ? STYLE_RESET : "";
	uint64_t missing = count_missing(live);
	char span[DURATION_TEXT_MAX];

	fprintf(out, "%zu %s, ", live->roll.n, live->roll.n == 1 ? "client" : "clients");
	fprintf(out, "%s%" PRIu64 " missing%s; ", missing && live->color ? style_of("missing") : "", missing,
		missing ? reset : "");
	duration_format((now - live->began) / USEC_PER_SEC * USEC_PER_SEC, span);
	fprintf(out, "%s%.0f greetings/s%s, %" PRIu64 " in %s", bold, live->rate, reset, live->greetings,
		strcmp(span, "0") == 0 ? "0s" : span);
	if (live->missed > 0)
		fprintf(out, " (%" PRIu64 " not shown)", live->missed);
	fputc('\n', out);
	if (live->trouble)
		fprintf(out, "%s%s%s", live->color ? STYLE_WARNING : "", live->trouble, reset);
	fputc('\n', out);
}

/* How much a client's state wants to be seen. */
static int urgency(const struct client *client)
{
	static const char *const states[] = { "missing", "late", "returned", "new" };

	for (int i = 0; i < (int)ELEMENTS(states); i++)
		if (strcmp(client->state, states[i]) == 0)
			return i;
	return (int)ELEMENTS(states);
}

static int compare_urgency(const void *a, const void *b)
{
	const struct client *one = a, *other = b;
	int d = urgency(one) - urgency(other);

	if (d != 0)
		return d;
	return one->last_seen > other->last_seen ? -1 : one->last_seen < other->last_seen;
}

static int compare_id(const void *a, const void *b)
{
	const struct client *one = a, *other = b;

	return one->id < other->id ? -1 : one->id > other->id;
}

/* Those of the roll that fit: all of them, or those that want to be seen most, the rest counted. */
static int print_roll(
	const struct live *live, const struct table_style *style, size_t room, uint64_t wall, FILE *out)
{
	const struct client_list *roll = &live->roll;
	_cleanup_(freep) struct client *shown = calloc(roll->n + 1, sizeof(*shown));
	_cleanup_(freep) char *text = NULL;
	size_t n = roll->n;
	int r;

	if (!shown)
		return -ENOMEM;
	if (n == 0) {
		fputs("nobody has greeted yet\n\n", out);
		return 0;
	}
	memcpy(shown, roll->clients, n * sizeof(*shown));
	if (n > room) {
		n = room - 1;
		qsort(shown, roll->n, sizeof(*shown), compare_urgency);
		qsort(shown, n, sizeof(*shown), compare_id);
	}
	r = roll_text(shown, n, style, wall, &text);
	if (r < 0)
		return r;
	fputs(text, out);
	if (roll->n > n)
		fprintf(out, "and %zu more\n", roll->n - n);
	fputc('\n', out);
	return 0;
}

static void print_events(const struct live *live, size_t room, FILE *out)
{
	uint64_t n = live->n_events < LIVE_EVENTS_MAX ? live->n_events : LIVE_EVENTS_MAX;

	if (n > room)
		n = room;
	for (uint64_t i = live->n_events - n; i < live->n_events; i++)
		fprintf(out, "%s\n", live->events[i % LIVE_EVENTS_MAX]);
}

/* The lines of the picture are shared out: the roll gets what it needs, but leaves some to the events. */
static int print_picture(
	const struct live *live, unsigned columns, unsigned lines, uint64_t now, uint64_t wall, FILE *out)
{
	const struct table_style style = { .legend = true, .color = live->color, .width = columns - 1 };
	size_t left = lines > FRAME_LINES ? lines - FRAME_LINES : 0;
	size_t for_events = left / 3 < EVENT_LINES_MIN ? left / 3 : EVENT_LINES_MIN;
	size_t room = left - for_events > 2 ? left - for_events : 2;
	size_t n_shown = live->roll.n < room ? live->roll.n : room;
	int r;

	print_head(live, now, out);
	r = print_roll(live, &style, room, wall, out);
	if (left > n_shown)
		print_events(live, left - n_shown, out);
	return r;
}

/* A very small terminal shows what fits. */
static void cut(char *text, unsigned lines)
{
	while (lines-- > 0 && (text = strchr(text, '\n')))
		text++;
	if (text)
		*text = '\0';
}

int live_picture(
	const struct live *live, unsigned columns, unsigned lines, uint64_t now, uint64_t wall, char **ret)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return -ENOMEM;
	r = print_picture(live, columns, lines, now, wall, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(text);
		return r;
	}
	cut(text, lines);
	*ret = text;
	return 0;
}

/* watch.c: "sockctl watch": what happens, as it happens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/duration.h"
#include "sockctl/event-text.h"
#include "sockctl/exits.h"
#include "sockctl/interrupt.h"
#include "sockctl/live.h"
#include "sockctl/output.h"
#include "sockctl/pager.h"
#include "sockctl/screen.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

#define TICK_USEC USEC_PER_SEC
#define FRAME_USEC (USEC_PER_SEC / 10)

/* The roll is asked for again after this many times what asking took, and at most once a tick. */
#define ROLL_PAUSE 20

#define GONE "greeterd has gone; waiting for it to come back"
#define BACK "greeterd is back"

const struct option_spec watch_options[] = {
	VERB_ROW_ID("only these clients, as in 2, 1-3 or 1,4,9"),
	{ VERB_PLAIN, "plain", NULL, "a line for each event, on a terminal too" },
	{ VERB_JSON, "json", NULL, "print JSON: an object for each event" },
	VERB_ROW_COLOR,
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"Show greetings, arrivals, departures, and who goes missing and returns, until interrupted.",
	watch_options,
	OPERANDS_NONE,
};

/* Events as lines. */
struct lines {
	bool json;
	struct event_style style;
	int error; /* of writing, 0 or -errno */
};

static void lines_event(void *userdata, const struct event *event)
{
	struct lines *lines = userdata;

	if (lines->json)
		event_json(event, stdout);
	else
		event_text(event, &lines->style, stdout);
}

static void lines_missed(void *userdata, uint64_t count)
{
	struct lines *lines = userdata;

	if (lines->json)
		event_json_missed(count, stdout);
	else
		event_text_missed(count, clock_usec(CLOCK_REALTIME), &lines->style, stdout);
}

static void lines_batch(void *userdata)
{
	struct lines *lines = userdata;

	if (fflush(stdout) != 0 && lines->error == 0)
		lines->error = -errno;
}

static void lines_note(struct lines *lines, const char *kind, const char *note)
{
	if (lines->json)
		event_json_note(kind, clock_usec(CLOCK_REALTIME), stdout);
	else
		event_text_note(note, clock_usec(CLOCK_REALTIME), &lines->style, stdout);
	lines_batch(lines);
}

static void lines_gone(void *userdata)
{
	lines_note(userdata, "gap", GONE);
}

static void lines_back(void *userdata)
{
	lines_note(userdata, "back", BACK);
}

/* Returns an exit status. */
static int print_lines(struct control *control, const struct verb_options *options)
{
	struct lines lines = { options->json, { style_wanted(options->color, STDOUT_FILENO), false }, 0 };
	const struct control_listener listener = { lines_missed, lines_event, lines_batch, lines_gone,
		lines_back, &lines };
	enum interrupt interrupt = INTERRUPT_NONE;
	struct interrupts interrupts;
	int signal = 0, r = control_watch(control, options->id_list, &listener);

	if (r != EXIT_DONE)
		return r;
	r = interrupts_init(&interrupts, false);
	while (r >= 0 && lines.error == 0 && interrupt == INTERRUPT_NONE) {
		r = control_wait(control, interrupts.fd, UINT64_MAX);
		if (r > 0)
			interrupt = interrupts_next(&interrupts, &signal);
	}
	if (r >= 0)
		interrupts_deinit(&interrupts);
	if (interrupt == INTERRUPT_DEAF)
		lines.error = -EPIPE;
	return output_end(signal > 0 ? EXIT_BY_SIGNAL + signal : EXIT_DONE, lines.error ? lines.error
									    : r < 0     ? r
											: 0);
}

/* The picture. */
struct view {
	struct control *control;
	const struct verb_options *options;
	struct live live;
	struct screen screen;
	uint64_t drawn_at, tick_at, asked_at, ask_at;
	bool dirty;
};

static void view_event(void *userdata, const struct event *event)
{
	struct view *view = userdata;

	live_event(&view->live, event);
}

static void view_missed(void *userdata, uint64_t count)
{
	struct view *view = userdata;

	live_missed(&view->live, count, clock_usec(CLOCK_REALTIME));
}

static void view_batch(void *userdata)
{
	struct view *view = userdata;

	view->dirty = true;
}

static void view_gone(void *userdata)
{
	struct view *view = userdata;

	view->live.trouble = GONE;
	live_note(&view->live, GONE, clock_usec(CLOCK_REALTIME));
	view->dirty = true;
}

static void view_back(void *userdata)
{
	struct view *view = userdata;

	view->live.trouble = NULL;
	live_note(&view->live, BACK, clock_usec(CLOCK_REALTIME));
	view->ask_at = 0;
	view->dirty = true;
}

static void view_clients(void *userdata, struct client_list *list)
{
	struct view *view = userdata;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (list)
		live_roll(&view->live, list);
	view->ask_at = view->asked_at + TICK_USEC;
	if (view->ask_at < now + ROLL_PAUSE * (now - view->asked_at))
		view->ask_at = now + ROLL_PAUSE * (now - view->asked_at);
	view->dirty = true;
}

static void draw(struct view *view, uint64_t now)
{
	struct terminal_size size = terminal_size();
	_cleanup_(freep) char *text = NULL;

	if (size.columns > 0 && live_picture(&view->live, size.columns, size.lines, now,
					clock_usec(CLOCK_REALTIME), &text) == 0)
		screen_draw(text);
	view->drawn_at = now;
	view->dirty = false;
}

/* Does what is due; returns when there is more to do. */
static uint64_t step(struct view *view)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC), next;

	if (now >= view->ask_at) {
		view->asked_at = now;
		view->ask_at = now + TICK_USEC;
		(void)control_ask_clients(view->control, view->options->id_list, view_clients, view);
	}
	if (now >= view->tick_at) {
		live_tick(&view->live, now);
		view->tick_at = now + TICK_USEC;
		view->dirty = true;
	}
	if (view->dirty && now >= view->drawn_at + FRAME_USEC)
		draw(view, now);
	next = view->ask_at < view->tick_at ? view->ask_at : view->tick_at;
	return view->dirty && view->drawn_at + FRAME_USEC < next ? view->drawn_at + FRAME_USEC : next;
}

/* Stops as the shell's job control has it, the terminal as it was. */
static void suspend(struct view *view)
{
	screen_leave(&view->screen);
	raise(SIGSTOP);
	screen_enter(&view->screen);
	view->dirty = true;
}

/* Returns whether that was the end. */
static bool handle(struct view *view, enum interrupt interrupt)
{
	switch (interrupt) {
	case INTERRUPT_NONE:
		return false;
	case INTERRUPT_RESIZE:
		view->dirty = true;
		return false;
	case INTERRUPT_SUSPEND:
		suspend(view);
		return false;
	default:
		return true;
	}
}

/* Returns an exit status. */
static int show_view(struct control *control, const struct verb_options *options)
{
	struct view view = { .control = control, .options = options };
	const struct control_listener listener = { view_missed, view_event, view_batch, view_gone, view_back,
		&view };
	struct interrupts interrupts;
	int signal = 0, r = control_watch(control, options->id_list, &listener);
	bool end = false;

	if (r != EXIT_DONE)
		return r;
	r = interrupts_init(&interrupts, true);
	if (r < 0)
		return output_end(EXIT_NO, r);
	live_init(&view.live, style_wanted(options->color, STDOUT_FILENO), clock_usec(CLOCK_MONOTONIC));
	screen_enter(&view.screen);
	while (r >= 0 && !end) {
		r = control_wait(control, interrupts.fd, step(&view));
		if (r > 0)
			end = handle(&view, interrupts_next(&interrupts, &signal));
	}
	screen_leave(&view.screen);
	live_deinit(&view.live);
	interrupts_deinit(&interrupts);
	return output_end(signal > 0 ? EXIT_BY_SIGNAL + signal : EXIT_DONE, r < 0 ? r : 0);
}

int watch_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	int r = verb_begin(&usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	return options.plain || options.json || !screen_there() ? print_lines(control, &options)
								: show_view(control, &options);
}

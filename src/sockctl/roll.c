/* roll.c: "sockctl roll": who has greeted, and who should have. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "sockctl/exits.h"
#include "sockctl/output.h"
#include "sockctl/pager.h"
#include "sockctl/roll-text.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

const struct option_spec roll_options[] = {
	{ VERB_MISSING, "missing", NULL, "only those that are awaited and missing" },
	VERB_ROW_JSON,
	{ VERB_NO_LEGEND, "no-legend", NULL, "print the table alone, without its head" },
	VERB_ROW_COLOR,
	{ VERB_NO_PAGER, "no-pager", NULL, "never page, not even what is longer than the terminal" },
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"List who has greeted: when last, how often, from where; exit 1 if anyone awaited is missing.",
	roll_options,
	OPERANDS_IDS,
};

static int print_table(const struct client_list *list, const struct verb_options *options)
{
	_cleanup_(freep) char *text = NULL;
	struct table_style style = {
		.legend = !options->no_legend,
		.color = style_wanted(options->color, STDOUT_FILENO),
		.width = terminal_size().columns,
	};
	int r = roll_text(list->clients, list->n, &style, clock_usec(CLOCK_REALTIME), &text);

	if (r < 0)
		return r;
	pager_print(text, !options->no_pager);
	return 0;
}

/* What an empty table would leave open. */
static void say_nobody(const struct verb_options *options)
{
	const char *who = options->ids ? "none of these clients" : "nobody";

	fprintf(stderr, options->missing ? "sockctl: %s is missing\n" : "sockctl: %s has greeted yet\n", who);
}

/* What is known when all was printed. */
struct outcome {
	bool missing; /* anyone is */
	int error;    /* of writing, 0 or -errno */
};

/* These return an exit status. */

static int print_json(struct control *control, const struct verb_options *options, struct outcome *ret)
{
	struct roll_json json;
	uint32_t first = 0;

	roll_json_begin(&json, stdout);
	do { /* as the pages come, none is kept */
		_cleanup_(client_list_deinit) struct client_list page = { 0 };
		int r = control_page(control, options->id_list, options->missing, UINT32_MAX, &first, &page);

		if (r != EXIT_DONE)
			return r;
		roll_json_page(&json, &page);
		ret->missing |= roll_anyone_missing(&page);
		ret->error = fflush(stdout) != 0 ? -errno : 0;
	} while (first != 0 && ret->error == 0);
	roll_json_end(&json);
	return EXIT_DONE;
}

static int print_text(struct control *control, const struct verb_options *options, struct outcome *ret)
{
	_cleanup_(client_list_deinit) struct client_list list = { 0 };
	int r = control_clients(control, options->id_list, options->missing, &list);

	if (r != EXIT_DONE)
		return r;
	ret->missing = roll_anyone_missing(&list);
	if (list.n > 0)
		ret->error = print_table(&list, options);
	else if (!options->no_legend)
		say_nobody(options);
	return EXIT_DONE;
}

int roll_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	struct outcome outcome = { 0 };
	int r = verb_begin(&usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	r = (options.json ? print_json : print_text)(control, &options, &outcome);
	if (r != EXIT_DONE)
		return r;
	return output_end(outcome.missing ? EXIT_NO : EXIT_DONE, outcome.error);
}

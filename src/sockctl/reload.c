/* reload.c: "sockctl reload": the settings anew, and the verdict on them. */
#include <stdio.h>

#include "sockctl/exits.h"
#include "sockctl/json.h"
#include "sockctl/output.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

const struct option_spec reload_options[] = {
	VERB_ROW_JSON,
	VERB_ROWS_BUS,
};

static const struct verb_usage usage = {
	"Have the daemon read its settings again: all of them, or none, and then say what is wrong where.",
	reload_options,
	OPERANDS_NONE,
};

static void print_json(char **pending)
{
	_cleanup_(json_putp) struct json_object *object = json_new();

	if (!object)
		return;
	json_add_text(object, "event", "reloaded");
	json_add_texts(object, "pending", pending);
	json_print(object, stdout);
}

static void print_text(char **pending)
{
	puts("reloaded");
	for (size_t i = 0; pending && pending[i]; i++)
		printf("%s%s", i > 0 ? ", " : "what waits for a restart: ", pending[i]);
	if (pending && pending[0])
		putchar('\n');
}

int reload_run(int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	_cleanup_(control_free_texts) char **pending = NULL;
	int r = verb_begin(&usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	r = control_reload(control, &pending);
	if (r != EXIT_DONE)
		return r;
	if (options.json)
		print_json(pending);
	else
		print_text(pending);
	return output_end(EXIT_DONE, 0);
}

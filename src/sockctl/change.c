/* change.c: "sockctl pause", "resume" and "forget": what the daemon is to make of some clients. */
#include <inttypes.h>
#include <stdio.h>

#include "sockctl/exits.h"
#include "sockctl/json.h"
#include "sockctl/output.h"
#include "sockctl/verb-options.h"
#include "sockctl/verbs.h"

const struct option_spec change_options[] = {
	VERB_ROW_JSON,
	VERB_ROWS_BUS,
};

struct change {
	struct verb_usage usage;
	const char *method, *done;
};

static const struct change pause_change = {
	{ "Await these clients no longer, until they are resumed.", change_options, OPERANDS_IDS_NEEDED },
	"Pause",
	"paused",
};

static const struct change resume_change = {
	{ "Await these clients again.", change_options, OPERANDS_IDS_NEEDED },
	"Resume",
	"resumed",
};

static const struct change forget_change = {
	{ "Take these clients off the roll, as if they had never greeted.", change_options,
		OPERANDS_IDS_NEEDED },
	"Forget",
	"forgotten",
};

static void print(const struct change *change, uint32_t changed, bool as_json)
{
	_cleanup_(json_putp) struct json_object *object = json_new();

	if (!as_json) {
		printf("%" PRIu32 " %s\n", changed, change->done);
	} else if (object) {
		json_add_text(object, "event", change->done);
		json_add_number(object, "changed", changed);
		json_print(object, stdout);
	}
}

static int run(const struct change *change, int argc, char **argv)
{
	_cleanup_(verb_options_deinit) struct verb_options options = { 0 };
	_cleanup_(control_freep) struct control *control = NULL;
	uint32_t changed = 0;
	int r = verb_begin(&change->usage, argc, argv, &options, &control);

	if (r != VERB_GO)
		return r;
	r = control_change(control, change->method, options.id_list, &changed);
	if (r != EXIT_DONE)
		return r;
	print(change, changed, options.json);
	return output_end(EXIT_DONE, 0);
}

int pause_run(int argc, char **argv)
{
	return run(&pause_change, argc, argv);
}

int resume_run(int argc, char **argv)
{
	return run(&resume_change, argc, argv);
}

int forget_run(int argc, char **argv)
{
	return run(&forget_change, argc, argv);
}

#include "sockctl/verb-options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "sockctl/exits.h"
#include "sockctl/output.h"

static int print_help(const struct verb_usage *usage, const char *name)
{
	static const char *const operands[] = {
		[OPERANDS_NONE] = "",
		[OPERANDS_IDS] = " [ID...]",
		[OPERANDS_IDS_NEEDED] = " ID...",
		[OPERANDS_COMMAND] = " [COMMAND]",
	};

	printf("Usage: %s [OPTION...]%s\n\n%s\n\n", name, operands[usage->operands], usage->about);
	options_help(usage->options, stdout);
	printf("\nsockctl(1) explains the output and the exit status.\n");
	return output_end(EXIT_DONE, 0);
}

__attribute__((format(printf, 2, 3))) static int wrong(const char *name, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

/* Adds one more list of ids to those given before. */
static int take_ids(struct verb_options *options, const char *name, const char *arg)
{
	struct idset *ids;
	char *list;
	int r;

	r = asprintf(
		&list, "%s%s%s", options->id_list ? options->id_list : "", options->id_list ? "," : "", arg);
	if (r < 0)
		return wrong(name, "%s", strerror(ENOMEM));
	free(options->id_list);
	options->id_list = list;
	r = arg[0] ? idset_parse(list, UINT32_MAX, &ids) : -EINVAL;
	if (r == -ENOMEM)
		return wrong(name, "%s", strerror(-r));
	if (r < 0)
		return wrong(name, "'%s': client numbers run from 1 up, as in 2, 1-3 or 1,4,9", arg);
	idset_free(options->ids);
	options->ids = ids;
	return VERB_GO;
}

static int take_switch(struct verb_options *options, int key)
{
	bool *const switches[] = {
		[VERB_USER - VERB_USER] = &options->target.user,
		[VERB_JSON - VERB_USER] = &options->json,
		[VERB_MISSING - VERB_USER] = &options->missing,
		[VERB_PLAIN - VERB_USER] = &options->plain,
		[VERB_NO_LEGEND - VERB_USER] = &options->no_legend,
		[VERB_NO_PAGER - VERB_USER] = &options->no_pager,
		[VERB_CLIENTS - VERB_USER] = &options->clients,
	};

	if (key < VERB_USER || !switches[key - VERB_USER])
		return EXIT_USAGE;
	*switches[key - VERB_USER] = true;
	return VERB_GO;
}

static int take(struct verb_options *options, const char *name, int key, const char *arg)
{
	switch (key) {
	case VERB_ID:
		return take_ids(options, name, arg);
	case VERB_COLOR:
		if (style_parse(arg, &options->color) < 0)
			return wrong(name, "--color '%s': it is auto, always or never", arg);
		break;
	case VERB_TIMEOUT:
		if (duration_parse(arg, &options->timeout_usec) < 0)
			return wrong(
				name, "--timeout '%s': a time span was expected, as in 250ms or 5s", arg);
		break;
	case 'H':
		options->target.host = arg;
		break;
	case 'M':
		options->target.machine = arg;
		break;
	default:
		return take_switch(options, key);
	}
	return VERB_GO;
}

static int take_operands(struct verb_options *options, const struct verb_usage *usage, char **argv)
{
	int r = VERB_GO;

	if (usage->operands == OPERANDS_NONE && argv[optind])
		return wrong(argv[0], "what is '%s'? There are no operands", argv[optind]);
	for (char **arg = argv + optind; *arg && r == VERB_GO; arg++)
		r = take_ids(options, argv[0], *arg);
	if (r == VERB_GO && usage->operands == OPERANDS_IDS_NEEDED && !options->ids)
		return wrong(argv[0], "which clients? Their numbers are missing, as in 2, 1-3 or 1,4,9");
	return r;
}

static int check(const struct verb_options *options, const char *name)
{
	const struct control_target *target = &options->target;

	if (target->host && (target->machine || target->user))
		return wrong(name, "--host contradicts --machine and --user");
	if (options->json && options->plain)
		return wrong(name, "--json contradicts --plain");
	return VERB_GO;
}

int verb_parse(const struct verb_usage *usage, int argc, char **argv, struct verb_options *ret)
{
	_cleanup_(options_freep) struct options *walk = options_new(usage->options, argc, argv, false);
	_cleanup_(verb_options_deinit) struct verb_options options = { .timeout_usec = UINT64_MAX };
	const char *arg;
	int key, r;

	if (!walk)
		return wrong(argv[0], "%s", strerror(ENOMEM));
	while ((key = options_next(walk, &arg)) != OPTIONS_DONE) {
		if (key == 'h')
			return print_help(usage, argv[0]);
		r = take(&options, argv[0], key, arg);
		if (r != VERB_GO)
			return r;
	}
	r = take_operands(&options, usage, argv);
	if (r == VERB_GO)
		r = check(&options, argv[0]);
	if (r == VERB_GO && !options.id_list) {
		options.id_list = strdup("");
		if (!options.id_list)
			return wrong(argv[0], "%s", strerror(ENOMEM));
	}
	if (r != VERB_GO)
		return r;
	*ret = options;
	options = (struct verb_options){ 0 };
	return VERB_GO;
}

int verb_begin(const struct verb_usage *usage, int argc, char **argv, struct verb_options *ret,
	struct control **ret_control)
{
	int r = verb_parse(usage, argc, argv, ret);

	if (r != VERB_GO)
		return r;
	r = control_open(&ret->target, ret_control);
	return r == EXIT_DONE ? VERB_GO : r;
}

void verb_options_deinit(struct verb_options *options)
{
	idset_free(options->ids);
	free(options->id_list);
	*options = (struct verb_options){ 0 };
}

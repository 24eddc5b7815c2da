#include "common/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define IS_LETTER(key) ((key) > 0 && (key) < 256)

struct options {
	int argc;
	char **argv;
	char *letters;
	struct option *names;
};

static size_t table_size(const struct option_spec *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}

struct options *options_new(const struct option_spec *table, int argc, char **argv, int stop_at_operand)
{
	size_t n = table_size(table);
	struct options *options = calloc(1, sizeof(*options));

	if (!options)
		return NULL;
	options->argc = argc;
	options->argv = argv;
	options->letters = calloc(n + 1, 2); /* "+", then a letter and perhaps a colon each */
	options->names = calloc(n + 1, sizeof(*options->names));
	if (!options->letters || !options->names) {
		options_free(options);
		return NULL;
	}
	char *letter = options->letters;
	if (stop_at_operand)
		*letter++ = '+';
	for (size_t i = 0; i < n; i++) {
		options->names[i] = (struct option){
			.name = table[i].name,
			.has_arg = table[i].arg ? required_argument : no_argument,
			.val = table[i].key,
		};
		if (!IS_LETTER(table[i].key))
			continue;
		*letter++ = (char)table[i].key;
		if (table[i].arg)
			*letter++ = ':';
	}
	optind = 0; /* getopt(3): begin anew */
	return options;
}

void options_free(struct options *options)
{
	if (!options)
		return;
	free(options->letters);
	free(options->names);
	free(options);
}

int options_next(struct options *options, const char **ret_arg)
{
	int key = getopt_long(options->argc, options->argv, options->letters, options->names, NULL);

	*ret_arg = optarg;
	if (key == '?')
		return OPTIONS_USAGE;
	return key == -1 ? OPTIONS_DONE : key;
}

/* "-v, --verbose" or "    --id=LIST": how --help names an option. Returns its width. */
static int print_names(const struct option_spec *option, char *text, size_t size)
{
	char letter[] = "    ";

	if (IS_LETTER(option->key))
		memcpy(letter, (char[]){ '-', (char)option->key, ',', ' ' }, 4);
	return snprintf(text, size, "%s--%s%s%s", letter, option->name, option->arg ? "=" : "",
		option->arg ? option->arg : "");
}

void options_help(const struct option_spec *table, FILE *out)
{
	char names[80];
	int width = 0;

	for (const struct option_spec *option = table; option->name; option++) {
		int w = print_names(option, names, sizeof(names));

		width = w > width ? w : width;
	}
	for (const struct option_spec *option = table; option->name; option++) {
		print_names(option, names, sizeof(names));
		fprintf(out, "  %-*s  %s\n", width, names, option->help);
	}
}

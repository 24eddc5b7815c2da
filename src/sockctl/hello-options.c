#include "sockctl/hello-options.h"

#include <errno.h>
#include <getopt.h>

#include "common/duration.h"

enum { KEY_COUNT = CLIENT_KEYS, KEY_INTERVAL };

const struct option_spec hello_options_table[] = {
	CLIENT_ROW_ID("greet as these clients at once, as in 2, 1-3 or 1,4,9"),
	{ KEY_COUNT, "count", "N", "greet N times (0: until interrupted), then sum up" },
	{ KEY_INTERVAL, "interval", "T", "with --count, from one greeting to the next (default: 1s)" },
	CLIENT_ROW_TIMEOUT("how long connection and reply may take (default: 5s)"),
	CLIENT_ROWS_TARGET,
	CLIENT_ROW_JSON("print JSON: an object for each greeting"),
	{ 'v', "verbose", NULL, "say more, on standard error" },
	{ 'q', "quiet", NULL, "print no replies, only errors" },
	{ 'h', "help", NULL, "print this text and exit" },
	OPTIONS_END,
};

void hello_options_help(FILE *out)
{
	options_help(hello_options_table, out);
}

void hello_options_deinit(struct hello_options *options)
{
	client_options_deinit(&options->client);
}

static int take(struct hello_options *options, int key, const char *arg)
{
	switch (key) {
	case KEY_COUNT:
		options->counting = true;
		return client_options_number(&options->client, "count", arg, 0, UINT64_MAX, &options->count);
	case KEY_INTERVAL:
		return client_options_duration(&options->client, "interval", arg, &options->interval_usec);
	case 'v':
		options->verbose = true;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	default:
		return client_options_take(&options->client, key, arg);
	}
}

/* What each option alone cannot tell. */
static int check(const struct hello_options *options, bool interval_given, const char *operand)
{
	int r = client_options_check(&options->client, operand);

	if (r < 0)
		return r;
	if (options->quiet && (options->verbose || options->client.json))
		return client_options_usage(&options->client, "--quiet contradicts --verbose and --json");
	if (interval_given && !options->counting)
		return client_options_usage(&options->client, "--interval goes with --count");
	return 0;
}

int hello_options_parse(int argc, char **argv, struct hello_options *ret)
{
	_cleanup_(options_freep) struct options *walk = options_new(hello_options_table, argc, argv, false);
	_cleanup_(hello_options_deinit) struct hello_options options = {
		.client = client_options_new("sockctl hello"),
		.count = 1,
		.interval_usec = 1 * USEC_PER_SEC,
	};
	bool interval_given = false;
	const char *arg;
	int key, r;

	if (!walk)
		return -ENOMEM;
	while ((key = options_next(walk, &arg)) != OPTIONS_DONE) {
		if (key == 'h')
			return 1;
		r = take(&options, key, arg);
		if (r < 0)
			return r;
		interval_given |= key == KEY_INTERVAL;
	}
	r = check(&options, interval_given, argv[optind]);
	if (r < 0)
		return r;
	*ret = options;
	options.client.ids = NULL;
	return 0;
}

#include "sockctl/bench-options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>

#include "common/duration.h"
#include "sockctl/load.h"

#define DURATION_DEFAULT (10 * USEC_PER_SEC)
#define TIMEOUT_MAX (15 * 60 * USEC_PER_SEC)
#define RATE_MAX UINT64_C(100000000)

enum { KEY_CONNECT_EACH = CLIENT_KEYS, KEY_RATE, KEY_WARMUP, KEY_COLOR };

const struct option_spec bench_options_table[] = {
	{ 'c', "connections", "N", "greet over so many connections at once (default: 50)" },
	{ 'P', "pipeline", "N", "greetings under way on each of them (default: 1)" },
	{ 'd', "duration", "T", "for how long (default: 10s, without --count)" },
	{ 'n', "count", "N", "how many greetings" },
	{ KEY_RATE, "rate", "N",
		"so many greetings a second in all (default: as fast as they are answered)" },
	{ KEY_CONNECT_EACH, "connect-each", NULL, "a new connection for each greeting" },
	{ KEY_WARMUP, "warm-up", "T", "greet so long before measuring (default: 0)" },
	CLIENT_ROW_ID("greet as these clients, connection by connection, as in 2, 1-3 or 1,4,9"),
	CLIENT_ROW_TIMEOUT("how long a reply may take (default: 5s)"),
	CLIENT_ROWS_TARGET,
	CLIENT_ROW_JSON("print JSON: one object"),
	{ KEY_COLOR, "color", "WHEN", "colour: auto (the default: on a terminal), always or never" },
	{ 'h', "help", NULL, "print this text and exit" },
	OPTIONS_END,
};

void bench_options_help(FILE *out)
{
	options_help(bench_options_table, out);
}

void bench_options_deinit(struct bench_options *options)
{
	client_options_deinit(&options->client);
}

static int take_duration(struct bench_options *options, const char *arg)
{
	int r = client_options_duration(&options->client, "duration", arg, &options->duration_usec);

	if (r == 0 && options->duration_usec == 0)
		return client_options_usage(
			&options->client, "--duration 0: nothing can be measured within that");
	return r;
}

static int take_color(struct bench_options *options, const char *arg)
{
	if (style_parse(arg, &options->color) < 0)
		return client_options_usage(
			&options->client, "--color '%s': auto, always or never was expected", arg);
	return 0;
}

static int take(struct bench_options *options, int key, const char *arg)
{
	const struct client_options *client = &options->client;

	switch (key) {
	case 'c':
		return client_options_number(
			client, "connections", arg, 1, CLIENT_IDS_MAX, &options->connections);
	case 'P':
		return client_options_number(client, "pipeline", arg, 1, LOAD_DEPTH_MAX, &options->pipeline);
	case 'd':
		return take_duration(options, arg);
	case 'n':
		return client_options_number(client, "count", arg, 1, UINT64_MAX, &options->count);
	case KEY_RATE:
		return client_options_number(client, "rate", arg, 1, RATE_MAX, &options->rate);
	case KEY_WARMUP:
		return client_options_duration(client, "warm-up", arg, &options->warmup_usec);
	case KEY_CONNECT_EACH:
		options->connect_each = true;
		return 0;
	case KEY_COLOR:
		return take_color(options, arg);
	default:
		return client_options_take(&options->client, key, arg);
	}
}

/* What each option alone cannot tell. */
static int check(struct bench_options *options, const char *operand)
{
	const struct client_options *client = &options->client;
	uint64_t n_ids = client->ids ? idset_count(client->ids) : 0;
	int r = client_options_check(client, operand);

	if (r < 0)
		return r;
	if (options->connect_each && options->pipeline > 1)
		return client_options_usage(client, "--connect-each contradicts --pipeline");
	if (client->timeout_usec > TIMEOUT_MAX)
		return client_options_usage(client, "--timeout: at most 15min");
	if (options->connections == 0)
		options->connections = n_ids > BENCH_CONNECTIONS ? n_ids : BENCH_CONNECTIONS;
	if (n_ids > options->connections)
		return client_options_usage(client,
			"--id: %" PRIu64 " clients need as many --connections, not %" PRIu64, n_ids,
			options->connections);
	if (options->duration_usec == 0 && options->count == 0)
		options->duration_usec = DURATION_DEFAULT;
	return 0;
}

int bench_options_parse(int argc, char **argv, struct bench_options *ret)
{
	_cleanup_(options_freep) struct options *walk = options_new(bench_options_table, argc, argv, false);
	_cleanup_(bench_options_deinit) struct bench_options options = {
		.client = client_options_new("sockctl bench"),
		.pipeline = 1,
	};
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
	}
	r = check(&options, argv[optind]);
	if (r < 0)
		return r;
	*ret = options;
	options.client.ids = NULL;
	return 0;
}

#include "sockctl/hello.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/duration.h"
#include "common/settings.h"
#include "sockctl/exits.h"
#include "sockctl/hello-options.h"
#include "sockctl/output.h"
#include "sockctl/report.h"
#include "sockctl/swarm.h"

#define PROGRESS_USEC USEC_PER_SEC

static int print_help(void)
{
	printf("Usage: sockctl hello [OPTION...]\n\n"
	       "Greet the server as a numbered client, and print its reply.\n\n");
	hello_options_help(stdout);
	printf("\nsockctl(1) explains the output and the exit status.\n");
	return output_end(EXIT_DONE, 0);
}

static int64_t wall_offset(void)
{
	return (int64_t)clock_usec(CLOCK_REALTIME) - (int64_t)clock_usec(CLOCK_MONOTONIC);
}

static void on_greeting(void *userdata, const struct greeting *greeting)
{
	report_greeting(userdata, greeting);
}

static int on_batch(void *userdata)
{
	return report_flush(userdata);
}

static void on_tick(void *userdata)
{
	report_progress(userdata, clock_usec(CLOCK_MONOTONIC));
}

/* The run itself. Returns an exit status. */
static int greet(const struct hello_options *options, const struct greeter_plan *greeter, const char *name)
{
	uint64_t n_clients = options->client.ids ? idset_count(options->client.ids) : 1;
	struct report_style style = {
		.counting = options->counting,
		.many = n_clients > 1,
		.json = options->client.json,
		.verbose = options->verbose,
		.quiet = options->quiet,
		.progress = !options->quiet && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
		.reply = greeter->reply,
		.expected = n_clients * options->count,
		.wall_offset = wall_offset(),
		.out = stdout,
		.err = stderr,
	};
	struct swarm_plan plan = {
		.greeter = greeter,
		.ids = options->client.ids,
		.count = options->count,
		.interval_usec = options->interval_usec,
		.in_order = !options->counting,
		.max_connections = swarm_raise_limit(),
		.tick_usec = style.progress ? PROGRESS_USEC : 0,
	};
	_cleanup_(report_deinit) struct report report = { 0 };
	struct swarm_listener listener = { on_greeting, on_batch, on_tick, &report };
	int r = report_init(&report, &style, clock_usec(CLOCK_MONOTONIC));

	if (r == 0)
		r = swarm_run(&plan, &listener);
	if (r >= 0)
		report_summary(&report, name, clock_usec(CLOCK_MONOTONIC));
	(void)report_flush(&report);
	if (report.error < 0)
		return output_end((int)tally_exit(&report.tally), report.error);
	if (r < 0) {
		fprintf(stderr, "sockctl: cannot greet: %s\n", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	return r > 0 ? EXIT_BY_SIGNAL + r : (int)tally_exit(&report.tally);
}

/* Finds out where to, and what to expect there. */
static int greet_target(struct hello_options *options)
{
	_cleanup_(settings_freep) struct settings *settings =
		client_options_settings(&options->client, options->verbose);
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL;
	char address[NETIO_TEXT_MAX];

	options->client.target.default_port = settings ? settings->port : PROTOCOL_DEFAULT_PORT;
	int r = target_resolve(&options->client.target, &target, &error);
	if (r < 0) {
		fprintf(stderr, "sockctl: %s\n", error ? error : strerror(-r));
		return r == -EINVAL ? EXIT_USAGE : EXIT_UNREACHABLE;
	}

	const struct greeter_plan greeter = {
		.addresses = target->addresses,
		.n_addresses = target->n_addresses,
		.target = target->name,
		.reply = options->client.reply ? options->client.reply
			 : settings            ? settings->reply
					       : PROTOCOL_DEFAULT_REPLY,
		.timeout_usec = options->client.timeout_usec,
	};
	return greet(
		options, &greeter, target->name ? target->name : netio_format(target->addresses, address));
}

int hello_run(int argc, char **argv)
{
	_cleanup_(hello_options_deinit) struct hello_options options = { 0 };
	int r = hello_options_parse(argc, argv, &options);

	if (r == 1)
		return print_help();
	if (r == -ENOMEM)
		fprintf(stderr, "sockctl hello: %s\n", strerror(ENOMEM));
	return r < 0 ? EXIT_USAGE : greet_target(&options);
}

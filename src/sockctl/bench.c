#include "sockctl/bench.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/clock.h"
#include "common/duration.h"
#include "common/protocol.h"
#include "sockctl/bench-options.h"
#include "sockctl/bench-report.h"
#include "sockctl/interrupt.h"
#include "sockctl/output.h"
#include "sockctl/report.h"
#include "sockctl/swarm.h"

#define TICK_USEC (250 * USEC_PER_MSEC)

/* Lines of the summary that are not the chart, and room for a note and the next prompt. */
#define OTHER_LINES 9

/* Lines of the chart. */
#define ROWS_MIN 5
#define ROWS_MAX 24

#define COLUMNS_MAX 100

/* What a run of bench has from its options and its environment. */
struct bench {
	const struct bench_options *options;
	const struct target *target;
	const char *reply;
	char end[GREETER_END_MAX + 1]; /* what the server ends its replies with */
	struct load_plan plan;
	struct interrupts interrupts;
	int signal; /* that ended the run; 0: none did */
	struct bench_progress progress;
};

static int print_help(void)
{
	printf("Usage: sockctl bench [OPTION...]\n\n"
	       "Put the server under load, and print its throughput, latencies and errors.\n\n");
	bench_options_help(stdout);
	printf("\nsockctl(1) explains the output and the exit status.\n");
	return output_end(EXIT_DONE, 0);
}

/* The columns of a terminal, at most COLUMNS_MAX, and how many lines it has; else of a usual one. */
static struct chart_style style_for(int fd, enum style_color color)
{
	struct winsize size = { 0 };
	struct chart_style style = { .columns = 80, .rows = 16 };
	unsigned taken = OTHER_LINES;

	style.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	style.color = style_wanted(color, fd);
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return style;
	style.columns = size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
	if (size.ws_row == 0)
		return style;
	if (style.columns < BENCH_TABLE_COLUMNS)
		taken += BENCH_LIST_LINES;
	style.rows = size.ws_row < taken + ROWS_MIN ? ROWS_MIN : size.ws_row - taken;
	if (style.rows > ROWS_MAX)
		style.rows = ROWS_MAX;
	return style;
}

/* The first greeting, which tells whether there is anybody, and how replies end. */
struct probe {
	struct report report;
	struct bench *bench;
};

static void on_probed(void *userdata, const struct greeting *greeting)
{
	struct probe *probe = userdata;

	report_greeting(&probe->report, greeting);
	memcpy(probe->bench->end, greeting->end, sizeof(greeting->end));
}

static int on_batch(void *userdata)
{
	(void)userdata;
	return 0;
}

/* Greets once, as the first of the clients. Returns an exit status, or -ENOMEM and the like. */
static int probe_server(struct bench *b)
{
	const struct client_options *client = &b->options->client;
	_cleanup_(idset_freep) struct idset *first = NULL;
	const struct greeter_plan greeter = {
		.addresses = b->target->addresses,
		.n_addresses = b->target->n_addresses,
		.target = b->target->name,
		.reply = b->reply,
		.timeout_usec = client->timeout_usec,
	};
	const struct report_style style = { .quiet = true, .reply = b->reply, .out = stdout, .err = stderr };
	struct probe probe = { .bench = b };
	const struct swarm_listener listener = {
		.greeted = on_probed, .batch_done = on_batch, .userdata = &probe
	};
	struct swarm_plan plan = { .greeter = &greeter, .count = 1, .max_connections = 1 };
	char id[16];
	int r = 0;

	if (client->ids) {
		snprintf(id, sizeof(id), "%" PRIu32, idset_next(client->ids, 0));
		r = idset_parse(id, UINT32_MAX, &first);
		plan.ids = first;
	}
	if (r < 0)
		return r;
	r = report_init(&probe.report, &style, clock_usec(CLOCK_MONOTONIC));
	if (r == 0)
		r = swarm_run(&plan, &listener);
	if (r == 0)
		r = (int)tally_exit(&probe.report.tally);
	else if (r > 0)
		r += EXIT_BY_SIGNAL;
	report_deinit(&probe.report);
	return r;
}

static int on_tick(void *userdata, const struct load_result *so_far)
{
	struct bench *b = userdata;
	struct chart_style style = style_for(STDERR_FILENO, STYLE_NEVER);

	bench_progress_show(&b->progress, &b->plan, so_far, &style, stderr);
	return 0;
}

static int on_wakeup(void *userdata)
{
	struct bench *b = userdata;

	switch (interrupts_next(&b->interrupts, &b->signal)) {
	case INTERRUPT_END:
		return 1;
	case INTERRUPT_DEAF:
		b->signal = SIGPIPE;
		return 1;
	default:
		return 0;
	}
}

/* What the clients say, one after the other, in a text each. */
struct speech {
	size_t n;
	struct load_exchange *exchanges;
	char (*greetings)[PROTOCOL_LINE_MAX];
	char reply[PROTOCOL_REPLY_MAX + 1];
};

static void speech_deinit(struct speech *speech)
{
	free(speech->exchanges);
	free(speech->greetings);
}

static int speech_init(struct speech *speech, const struct bench *b)
{
	const struct idset *ids = b->options->client.ids;
	uint32_t id = 0;
	int len = snprintf(speech->reply, sizeof(speech->reply), "%s%s", b->reply, b->end);

	speech->n = ids ? (size_t)idset_count(ids) : 1;
	speech->exchanges = calloc(speech->n, sizeof(*speech->exchanges));
	speech->greetings = calloc(speech->n, sizeof(*speech->greetings));
	if (!speech->exchanges || !speech->greetings)
		return -ENOMEM;
	for (size_t i = 0; i < speech->n; i++) {
		id = ids ? idset_next(ids, id) : 0;
		speech->exchanges[i] = (struct load_exchange){
			.request = speech->greetings[i],
			.request_len = protocol_write_greeting(id, speech->greetings[i]),
			.reply = speech->reply,
			.reply_len = (size_t)len,
		};
	}
	return 0;
}

/* The end of a run: returns an exit status. */
static int conclude(struct bench *b, const struct load_result *result, uint64_t began)
{
	char address[NETIO_TEXT_MAX];
	const struct bench_run run = {
		.target = b->target->name ? b->target->name : netio_format(b->target->addresses, address),
		.plan = &b->plan,
		.result = result,
		.began = began,
		.interrupted = b->signal != 0,
	};
	const struct chart_style style = style_for(STDOUT_FILENO, b->options->color);
	int status = b->signal ? EXIT_BY_SIGNAL + b->signal : (int)bench_exit(result);

	if (b->signal == SIGPIPE)
		return status;
	if (b->options->client.json)
		bench_print_json(&run, stdout);
	else
		bench_print(&run, &style, stdout);
	return output_end(status, ferror(stdout) ? -EIO : 0);
}

static int run_load(struct bench *b)
{
	_cleanup_(load_result_deinit) struct load_result result = { 0 };
	struct load_listener listener = {
		.tick = isatty(STDERR_FILENO) ? on_tick : NULL,
		.woken = on_wakeup,
		.fd = b->interrupts.fd,
		.userdata = b,
	};
	uint64_t began = clock_usec(CLOCK_REALTIME);
	int r = load_run(&b->plan, &listener, &result);

	bench_progress_hide(&b->progress, stderr);
	if (r < 0) {
		fprintf(stderr, "sockctl: cannot greet: %s\n", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	return conclude(b, &result, began);
}

static int run(struct bench *b)
{
	_cleanup_(speech_deinit) struct speech speech = { 0 };
	const struct bench_options *options = b->options;
	int r = speech_init(&speech, b);

	if (r == 0)
		r = interrupts_init(&b->interrupts, false);
	if (r < 0) {
		fprintf(stderr, "sockctl: cannot greet: %s\n", strerror(-r));
		return EXIT_UNREACHABLE;
	}

	b->plan = (struct load_plan){
		.addresses = b->target->addresses,
		.n_addresses = b->target->n_addresses,
		.exchanges = speech.exchanges,
		.n_exchanges = speech.n,
		.connections = (size_t)options->connections,
		.depth = (size_t)options->pipeline,
		.connect_each = options->connect_each,
		.refusal = "ERR ",
		.rate = options->rate,
		.warmup_usec = options->warmup_usec,
		.duration_usec = options->duration_usec,
		.count = options->count,
		.timeout_usec = options->client.timeout_usec,
		.tick_usec = TICK_USEC,
	};
	r = run_load(b);
	interrupts_deinit(&b->interrupts);
	return r;
}

/* Finds out where to, what to expect there, and whether there is anybody. */
static int bench_target(const struct bench_options *options, struct target_request request)
{
	_cleanup_(settings_freep) struct settings *settings =
		client_options_settings(&options->client, false);
	_cleanup_(target_freep) struct target *target = NULL;
	_cleanup_(freep) char *error = NULL;
	size_t limit = swarm_raise_limit();
	int r;

	if (options->connections > limit) {
		client_options_usage(&options->client,
			"--connections %" PRIu64 ": this process may have %zu open (see ulimit -n)",
			options->connections, limit);
		return EXIT_USAGE;
	}
	request.default_port = settings ? settings->port : PROTOCOL_DEFAULT_PORT;
	r = target_resolve(&request, &target, &error);
	if (r < 0) {
		fprintf(stderr, "sockctl: %s\n", error ? error : strerror(-r));
		return r == -EINVAL ? EXIT_USAGE : EXIT_UNREACHABLE;
	}

	struct bench bench = {
		.options = options,
		.target = target,
		.reply = options->client.reply ? options->client.reply
			 : settings            ? settings->reply
					       : PROTOCOL_DEFAULT_REPLY,
	};
	r = probe_server(&bench);
	if (r < 0) {
		fprintf(stderr, "sockctl: cannot greet: %s\n", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	return r == EXIT_DONE ? run(&bench) : r;
}

int bench_run(int argc, char **argv)
{
	_cleanup_(bench_options_deinit) struct bench_options options = { 0 };
	int r = bench_options_parse(argc, argv, &options);

	if (r == 1)
		return print_help();
	if (r == -ENOMEM)
		fprintf(stderr, "sockctl bench: %s\n", strerror(ENOMEM));
	return r < 0 ? EXIT_USAGE : bench_target(&options, options.client.target);
}

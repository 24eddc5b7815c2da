/*
 * drive: one load on one server, and what came of it as JSON on a line: a shell around sockctl/load.h for
 * servers of any line of business. Each reply is checked byte for byte.
 *
 * With --pids it counts the CPU time of these processes as well, from about the first reply that is counted
 * to about the last, as the scheduler knows it: nanoseconds of /proc/PID/task/TID/schedstat.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/options.h"
#include "sockctl/json.h"
#include "sockctl/load.h"

#define PIDS_MAX 16
#define NUMBERS_MAX 1000
#define REQUEST_MAX 256
#define TICK_USEC (20 * USEC_PER_MSEC)

enum { OPTION_NUMBERS = 256, OPTION_MIXED, OPTION_WARMUP };

static const struct option_spec table[] = {
	{ 'p', "port", "PORT", "of 127.0.0.1" },
	{ 'r', "request", "BYTES", "what is sent" },
	{ 'a', "answer", "BYTES", "what must come back" },
	{ 'v', "varies", "FIRST:BYTES", "part of the answer that may be anything" },
	{ OPTION_NUMBERS, "numbers", "N",
		"connections have numbers 1 to N, which stand for # in the request" },
	{ OPTION_MIXED, "mixed", NULL, "each connection has N numbers of as many digits, in turn" },
	{ 'c', "connections", "N", "at once; default 1" },
	{ 'd', "depth", "N", "requests under way on each; default 1" },
	{ 'e', "connect-each", NULL, "a connection for each request" },
	{ 's', "seconds", "T", "how long is counted; default 1s" },
	{ OPTION_WARMUP, "warmup", "T", "before that; default 200ms" },
	{ 'P', "pids", "PID,...", "whose CPU time to count" },
	{ 'h', "help", NULL, "print this text and exit" },
	OPTIONS_END,
};

/* How far server and load are. */
struct moment {
	uint64_t ran, waited; /* nanoseconds that the server's threads had a CPU, or waited for one */
	uint64_t answered;
};

struct drive {
	struct netio_address address;
	const char *request, *answer;
	char *varying;
	size_t numbers;
	bool mixed;
	struct load_plan plan;
	int pids[PIDS_MAX];
	size_t n_pids;
	struct moment first, last;
};

static void add_thread(int pid, const char *tid, struct moment *to)
{
	_cleanup_(fclosep) FILE *file = NULL;
	uint64_t ran = 0, waited = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", pid, tid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%" SCNu64 " %" SCNu64, &ran, &waited) == 2) {
		to->ran += ran;
		to->waited += waited;
	}
}

static void add_process(int pid, struct moment *to)
{
	char path[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			add_thread(pid, entry->d_name, to);
	if (tasks)
		closedir(tasks);
}

static int watch_cpu(void *userdata, const struct load_result *so_far)
{
	struct drive *d = userdata;
	struct moment moment = { .answered = so_far->answered };

	if (so_far->answered == 0)
		return 0;
	for (size_t i = 0; i < d->n_pids; i++)
		add_process(d->pids[i], &moment);
	if (d->first.answered == 0 || moment.answered < d->last.answered) /* it warmed up until now */
		d->first = moment;
	d->last = moment;
	return 0;
}

static bool read_number(const char *text, size_t max, size_t *ret)
{
	char end;
	size_t n;

	if (sscanf(text, "%zu%c", &n, &end) != 1 || n < 1 || n > max)
		return false;
	*ret = n;
	return true;
}

static bool read_pids(struct drive *d, const char *text)
{
	int used = 0;

	d->n_pids = 0;
	while (d->n_pids < PIDS_MAX && sscanf(text, "%d%n", &d->pids[d->n_pids], &used) == 1) {
		d->n_pids++;
		text += used;
		if (*text == '\0')
			return true;
		text++;
	}
	return false;
}

/* Needs the answer: -a stands before -v. */
static bool read_varying(struct drive *d, const char *text)
{
	size_t first, n, len = d->answer ? strlen(d->answer) : 0;

	if (sscanf(text, "%zu:%zu", &first, &n) != 2 || first > len || n > len - first)
		return false;
	free(d->varying);
	d->varying = calloc(1, len);
	if (d->varying)
		memset(d->varying + first, 1, n);
	return d->varying;
}

static bool read_port(struct drive *d, const char *text)
{
	struct netio_address found[NETIO_PARSE_MAX];
	size_t port;

	if (!read_number(text, UINT16_MAX, &port) || netio_parse("127.0.0.1", (uint16_t)port, found) != 1)
		return false;
	d->address = found[0];
	return true;
}

static bool read_option(struct drive *d, int key, const char *arg)
{
	switch (key) {
	case 'p':
		return read_port(d, arg);
	case 'r':
		d->request = arg;
		return strlen(arg) < REQUEST_MAX - 20;
	case 'a':
		d->answer = arg;
		return arg[0];
	case 'v':
		return read_varying(d, arg);
	case OPTION_NUMBERS:
		return read_number(arg, NUMBERS_MAX, &d->numbers);
	case OPTION_MIXED:
		d->mixed = true;
		return true;
	case 'c':
		return read_number(arg, 1000000, &d->plan.connections);
	case 'd':
		return read_number(arg, LOAD_DEPTH_MAX, &d->plan.depth);
	case 'e':
		d->plan.connect_each = true;
		return true;
	case 's':
		return duration_parse(arg, &d->plan.duration_usec) == 0;
	case OPTION_WARMUP:
		return duration_parse(arg, &d->plan.warmup_usec) == 0;
	case 'P':
		return read_pids(d, arg);
	default:
		return false;
	}
}

static void print_latency(struct json_object *object, const struct histogram *latency)
{
	struct json_object *part = json_object_new_object();

	json_add_number(part, "p50", histogram_percentile(latency, 50));
	json_add_number(part, "p99", histogram_percentile(latency, 99));
	json_add_number(part, "p99.9", histogram_percentile(latency, 99.9));
	json_add_number(part, "max", histogram_max(latency));
	json_object_object_add(object, "latency_ns", part);
}

static void print_result(const struct drive *d, const struct load_result *result)
{
	static const char *const errors[] = {
		[LOAD_CONNECT] = "connect",
		[LOAD_CLOSED] = "closed",
		[LOAD_TIMEOUT] = "timeout",
		[LOAD_REFUSED] = "refused",
		[LOAD_WRONG] = "wrong",
	};
	_cleanup_(json_putp) struct json_object *object = json_new(), *failed = json_object_new_object();
	double counted = (double)(d->last.answered - d->first.answered);

	json_add_number(object, "sent", result->sent);
	json_add_number(object, "answered", result->answered);
	for (size_t i = 0; i < ELEMENTS(errors); i++)
		json_add_number(failed, errors[i], result->errors[i]);
	json_object_object_add(object, "errors", TAKE_PTR(failed));
	json_add_number(object, "elapsed_ns", result->elapsed);
	json_object_object_add(object, "per_second", json_object_new_double(load_throughput(result)));
	json_add_number(object, "load_cpu_ns", result->cpu_user + result->cpu_kernel);
	json_add_number(object, "short_of_ns", result->short_of);
	if (d->n_pids > 0 && counted > 0) {
		json_object_object_add(object, "server_cpu_ns_per_reply",
			json_object_new_double((double)(d->last.ran - d->first.ran) / counted));
		json_object_object_add(object, "server_waited_ns_per_reply",
			json_object_new_double((double)(d->last.waited - d->first.waited) / counted));
	}
	print_latency(object, result->latency);
	json_print(object, stdout);
}

/* The first of n numbers that have the same number of digits. */
static size_t first_of(size_t n)
{
	size_t first = 1;

	while (n > 9 * first)
		first *= 10;
	return first;
}

/* The request once for each number, one behind the other in text. Returns how many. */
static size_t write_requests(const struct drive *d, char *text, struct load_exchange *exchanges)
{
	const char *sign = d->numbers > 0 ? strchr(d->request, '#') : NULL;
	size_t n = sign ? d->numbers : 1, first = d->mixed ? first_of(n) : 1;

	for (size_t i = 0; i < n; i++) {
		int len = sign ? snprintf(text, REQUEST_MAX, "%.*s%zu%s", (int)(sign - d->request),
					 d->request, first + i, sign + 1)
			       : snprintf(text, REQUEST_MAX, "%s", d->request);

		exchanges[i] = (struct load_exchange){
			.request = text,
			.request_len = (size_t)len,
			.reply = d->answer,
			.reply_len = strlen(d->answer),
			.varying = d->varying,
		};
		text += len;
	}
	return n;
}

static int drive(struct drive *d)
{
	static char requests[NUMBERS_MAX * REQUEST_MAX];
	static struct load_exchange exchanges[NUMBERS_MAX];
	const struct load_listener listener = { .tick = watch_cpu, .fd = -1, .userdata = d };
	struct load_result result;

	d->plan.exchanges = exchanges;
	d->plan.n_exchanges = write_requests(d, requests, exchanges);
	if (d->mixed) { /* one exchange, for they stand one behind the other */
		exchanges[0].n_requests = d->plan.n_exchanges;
		d->plan.n_exchanges = 1;
	}
	d->plan.addresses = &d->address;
	d->plan.n_addresses = 1;
	int r = load_run(&d->plan, &listener, &result);
	if (r < 0) {
		fprintf(stderr, "drive: %s\n", strerror(-r));
		return 1;
	}
	print_result(d, &result);
	load_result_deinit(&result);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(options_freep) struct options *options = options_new(table, argc, argv, 0);
	struct drive d = { .plan = { .connections = 1,
				   .depth = 1,
				   .duration_usec = USEC_PER_SEC,
				   .warmup_usec = 200 * USEC_PER_MSEC,
				   .timeout_usec = 5 * USEC_PER_SEC,
				   .tick_usec = TICK_USEC } };
	const char *arg;
	int key;

	if (!options)
		return 1;
	while ((key = options_next(options, &arg)) != OPTIONS_DONE) {
		if (key == 'h') {
			puts("Usage: drive -p PORT -r BYTES -a BYTES [OPTION]...\n");
			options_help(table, stdout);
			return 0;
		}
		if (key == OPTIONS_USAGE || !read_option(&d, key, arg)) {
			if (key != OPTIONS_USAGE)
				fprintf(stderr, "drive: '%s' makes no sense there\n", arg);
			return 2;
		}
	}
	if (!d.request || !d.answer || d.address.len == 0) {
		fprintf(stderr, "drive: --port, --request and --answer must be given\n");
		return 2;
	}
	if (d.mixed && (d.numbers == 0 || !strchr(d.request, '#'))) {
		fprintf(stderr, "drive: --mixed needs --numbers, and a # in the request\n");
		return 2;
	}
	int r = drive(&d);
	free(d.varying);
	return r;
}

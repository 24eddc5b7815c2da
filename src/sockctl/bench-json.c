#include "sockctl/bench-report.h"

#include <string.h>

#include "common/escape.h"
#include "sockctl/json.h"

/* Rows of the histogram: a fine scale even over many powers of ten. */
#define ROWS_MAX 100

static const char *const error_names[] = {
	[LOAD_CONNECT] = "connect",
	[LOAD_CLOSED] = "closed",
	[LOAD_TIMEOUT] = "timeout",
	[LOAD_REFUSED] = "refused",
	[LOAD_WRONG] = "wrong",
};

static void add_errors(struct json_object *object, const struct load_result *result)
{
	struct json_object *errors = json_object_new_object();

	for (size_t i = 0; errors && i < LOAD_ERRORS; i++)
		json_add_number(errors, error_names[i], result->errors[i]);
	json_object_object_add(object, "errors", errors);
}

/* Null where nothing was measured. */
static void add_times(struct json_object *object, const char *key, const struct histogram *h)
{
	struct json_object *times = histogram_count(h) > 0 ? json_object_new_object() : NULL;

	if (times) {
		json_add_number(times, "min", histogram_min(h));
		json_add_number(times, "mean", (uint64_t)(histogram_mean(h) + 0.5));
		json_add_number(times, "p50", histogram_percentile(h, 50));
		json_add_number(times, "p90", histogram_percentile(h, 90));
		json_add_number(times, "p99", histogram_percentile(h, 99));
		json_add_number(times, "p99_9", histogram_percentile(h, 99.9));
		json_add_number(times, "max", histogram_max(h));
	}
	json_object_object_add(object, key, times);
}

static void add_histogram(struct json_object *object, const struct histogram *h)
{
	struct json_object *array = json_object_new_array();
	struct chart_row rows[CHART_ROWS_MAX];
	size_t n = chart_rows(h, ROWS_MAX, rows);

	for (size_t i = 0; array && i < n; i++) {
		struct json_object *row = json_object_new_object();

		if (!row)
			break;
		json_add_number(row, "from_nsec", rows[i].from);
		json_add_number(row, "count", rows[i].count);
		json_object_array_add(array, row);
	}
	json_object_object_add(object, "histogram", array);
}

static void add_plan(struct json_object *object, const struct load_plan *plan)
{
	json_add_number(object, "connections", plan->connections);
	json_add_number(object, "pipeline", plan->depth);
	json_object_object_add(object, "connect_each", json_object_new_boolean(plan->connect_each));
	json_add_number_or_null(object, "rate", plan->rate);
	json_add_number_or_null(object, "duration_usec", plan->duration_usec);
	json_add_number_or_null(object, "count", plan->count);
	json_add_number(object, "warm_up_usec", plan->warmup_usec);
}

void bench_print_json(const struct bench_run *run, FILE *out)
{
	_cleanup_(json_putp) struct json_object *object = json_new();
	const struct load_result *result = run->result;
	char address[NETIO_TEXT_MAX], sample[ESCAPE_SIZE(LOAD_SAMPLE_MAX)];

	if (!object)
		return;
	escape_text(result->sample, result->sample_len, sample, sizeof(sample));
	json_add_text(object, "event", "bench");
	json_add_time(object, "time", run->began);
	json_add_text_or_null(
		object, "address", result->address ? netio_format(result->address, address) : NULL);
	add_plan(object, run->plan);
	json_object_object_add(object, "interrupted", json_object_new_boolean(run->interrupted));
	json_add_number(object, "elapsed_usec", result->elapsed / 1000);
	json_object_object_add(object, "greetings_per_second",
		json_object_new_int64((int64_t)(load_throughput(result) + 0.5)));
	json_add_number(object, "sent", result->sent);
	json_add_number(object, "answered", result->answered);
	add_errors(object, result);
	json_add_text_or_null(object, "wrong_answer", sample);
	json_add_number(object, "under_way", result->under_way);
	json_add_number(object, "unsent", result->unsent);
	json_add_number(object, "connections_made", result->connections);
	json_add_number(object, "connections_most", result->most_open);
	json_add_number(object, "short_of_connections_usec", result->short_of / 1000);
	json_add_number(object, "cpu_usec", (result->cpu_user + result->cpu_kernel) / 1000);
	add_times(object, "latency_nsec", result->latency);
	add_times(object, "connecting_nsec", result->connecting);
	add_histogram(object, result->latency);
	json_print(object, out);
}

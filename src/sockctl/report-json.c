#include "sockctl/report-json.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/escape.h"

static const char *const result_names[] = {
	[GREETING_ANSWERED] = "answered",
	[GREETING_REFUSED] = "refused",
	[GREETING_FOREIGN] = "foreign",
	[GREETING_LOST] = "lost",
};

static void json_putp(struct json_object **object)
{
	json_object_put(*object);
}

const char *report_time(int64_t usec, char text[static REPORT_TIME_MAX])
{
	const int64_t second = (int64_t)USEC_PER_SEC;
	time_t seconds = (time_t)(usec / second);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, REPORT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, REPORT_TIME_MAX - n, ".%06dZ", (int)(usec % second));
	return text;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *new_event(const char *event, int64_t time)
{
	struct json_object *object = json_object_new_object();
	char text[REPORT_TIME_MAX];

	if (!object)
		return NULL;
	json_object_object_add(object, "schema_version", json_object_new_int(REPORT_JSON_SCHEMA));
	add_text(object, "event", event);
	add_text(object, "time", report_time(time, text));
	return object;
}

static void print(FILE *out, struct json_object *object)
{
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void report_json_greeting(FILE *out, const struct greeting *greeting, const char *reply, int64_t wall_offset)
{
	_cleanup_(json_putp) struct json_object *object =
		new_event("greeting", (int64_t)greeting->began + wall_offset);
	char address[NETIO_TEXT_MAX], right[ESCAPE_SIZE(PROTOCOL_REPLY_TEXT_MAX)];

	if (!object)
		return;
	if (greeting->id)
		add_number(object, "id", greeting->id);
	else
		json_object_object_add(object, "id", NULL);
	add_number(object, "seq", greeting->seq);
	add_text(object, "result", result_names[greeting->result]);
	if (greeting->address)
		add_text(object, "address", netio_format(greeting->address, address));
	if (greeting->connect_usec)
		add_number(object, "connect_usec", greeting->connect_usec);
	if (greeting->result == GREETING_LOST) {
		add_text(object, "error", greeting->text);
	} else {
		escape_text(reply, strlen(reply), right, sizeof(right));
		add_text(object, "reply", greeting->result == GREETING_ANSWERED ? right : greeting->text);
		add_number(object, "rtt_usec", greeting->rtt_usec);
	}
	print(out, object);
}

static struct json_object *new_round_trip(const struct histogram *rtt)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	add_number(object, "min", histogram_min(rtt));
	add_number(object, "avg", (uint64_t)(histogram_mean(rtt) + 0.5));
	add_number(object, "p50", histogram_percentile(rtt, 50));
	add_number(object, "p99", histogram_percentile(rtt, 99));
	add_number(object, "max", histogram_max(rtt));
	return object;
}

void report_json_summary(FILE *out, const struct tally *tally, int64_t began, uint64_t duration_usec)
{
	_cleanup_(json_putp) struct json_object *object = new_event("summary", began);

	if (!object)
		return;
	add_number(object, "duration_usec", duration_usec);
	add_number(object, "sent", tally_sent(tally));
	for (size_t i = 0; i < ELEMENTS(result_names); i++)
		add_number(object, result_names[i], tally->results[i]);
	if (histogram_count(tally->rtt) > 0)
		json_object_object_add(object, "rtt_usec", new_round_trip(tally->rtt));
	add_number(object, "longest_outage_usec", tally->longest_outage_usec);
	print(out, object);
}

#include "sockctl/report-json.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/escape.h"
#include "sockctl/json.h"

static const char *const result_names[] = {
	[GREETING_ANSWERED] = "answered",
	[GREETING_REFUSED] = "refused",
	[GREETING_FOREIGN] = "foreign",
	[GREETING_LOST] = "lost",
};

static struct json_object *new_event(const char *event, int64_t time)
{
	struct json_object *object = json_new();

	if (!object)
		return NULL;
	json_add_text(object, "event", event);
	json_add_time(object, "time", (uint64_t)time);
	return object;
}

void report_json_greeting(FILE *out, const struct greeting *greeting, const char *reply, int64_t wall_offset)
{
	_cleanup_(json_putp) struct json_object *object =
		new_event("greeting", (int64_t)greeting->began + wall_offset);
	char address[NETIO_TEXT_MAX], right[ESCAPE_SIZE(PROTOCOL_REPLY_TEXT_MAX)];

	if (!object)
		return;
	json_add_number_or_null(object, "id", greeting->id);
	json_add_number(object, "seq", greeting->seq);
	json_add_text(object, "result", result_names[greeting->result]);
	if (greeting->address)
		json_add_text(object, "address", netio_format(greeting->address, address));
	if (greeting->connect_usec)
		json_add_number(object, "connect_usec", greeting->connect_usec);
	if (greeting->result == GREETING_LOST) {
		json_add_text(object, "error", greeting->text);
	} else {
		escape_text(reply, strlen(reply), right, sizeof(right));
		json_add_text(
			object, "reply", greeting->result == GREETING_ANSWERED ? right : greeting->text);
		json_add_number(object, "rtt_usec", greeting->rtt_usec);
	}
	json_print(object, out);
}

static struct json_object *new_round_trip(const struct histogram *rtt)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_add_number(object, "min", histogram_min(rtt));
	json_add_number(object, "avg", (uint64_t)(histogram_mean(rtt) + 0.5));
	json_add_number(object, "p50", histogram_percentile(rtt, 50));
	json_add_number(object, "p99", histogram_percentile(rtt, 99));
	json_add_number(object, "max", histogram_max(rtt));
	return object;
}

void report_json_summary(FILE *out, const struct tally *tally, int64_t began, uint64_t duration_usec)
{
	_cleanup_(json_putp) struct json_object *object = new_event("summary", began);

	if (!object)
		return;
	json_add_number(object, "duration_usec", duration_usec);
	json_add_number(object, "sent", tally_sent(tally));
	for (size_t i = 0; i < ELEMENTS(result_names); i++)
		json_add_number(object, result_names[i], tally->results[i]);
	if (histogram_count(tally->rtt) > 0)
		json_object_object_add(object, "rtt_usec", new_round_trip(tally->rtt));
	json_add_number(object, "longest_outage_usec", tally->longest_outage_usec);
	json_print(object, out);
}

#include "sockctl/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/duration.h"
#include "sockctl/report-json.h"

/* Room for "client 4294967295, seq 18446744073709551615". */
#define WHO_MAX 64

#define MSEC(usec) ((double)(usec) / (double)USEC_PER_MSEC)
#define SEC(usec) ((double)(usec) / (double)USEC_PER_SEC)

int report_init(struct report *r, const struct report_style *style, uint64_t now)
{
	*r = (struct report){ .style = *style, .began = now };
	return tally_init(&r->tally);
}

void report_deinit(struct report *r)
{
	tally_deinit(&r->tally);
}

static void hide_progress(struct report *r)
{
	if (r->progress_shown)
		fputs("\r\033[K", r->style.err);
	r->progress_shown = false;
}

/* One line on standard error. */
__attribute__((format(printf, 2, 3))) static void say(struct report *r, const char *format, ...)
{
	va_list args;

	hide_progress(r);
	va_start(args, format);
	vfprintf(r->style.err, format, args);
	va_end(args);
	fputc('\n', r->style.err);
	fflush(r->style.err);
}

/* "client 2, seq 5", "client 2", "seq 5" or nothing: what tells this greeting from the others of the run. */
static const char *who(const struct report *r, const struct greeting *greeting, char text[static WHO_MAX])
{
	bool client = greeting->id && (r->style.many || r->style.counting);
	int n = 0;

	text[0] = '\0';
	if (client)
		n = snprintf(text, WHO_MAX, "client %" PRIu32, greeting->id);
	if (r->style.counting)
		snprintf(text + n, WHO_MAX - (size_t)n, "%sseq %" PRIu64, client ? ", " : "", greeting->seq);
	return text;
}

static void print_answer(struct report *r, const struct greeting *greeting)
{
	char name[WHO_MAX], address[NETIO_TEXT_MAX];
	FILE *out = r->style.out;

	who(r, greeting, name);
	if (r->style.counting)
		fprintf(out, "%s: %s, %s, %.3f ms\n", r->style.reply, name,
			netio_format(greeting->address, address), MSEC(greeting->rtt_usec));
	else if (name[0])
		fprintf(out, "%s: %s\n", name, r->style.reply);
	else
		fprintf(out, "%s\n", r->style.reply);
}

static void say_failure(struct report *r, const struct greeting *greeting)
{
	char name[WHO_MAX], address[NETIO_TEXT_MAX];
	const char *text = greeting->text ? greeting->text : strerror(ENOMEM);
	const char *colon = who(r, greeting, name)[0] ? ": " : "";

	if (greeting->result == GREETING_LOST)
		say(r, "sockctl: %s%s%s", name, colon, text);
	else if (greeting->result == GREETING_REFUSED)
		say(r, "sockctl: %s%s%s refused: %s", name, colon, netio_format(greeting->address, address),
			text);
	else
		say(r, "sockctl: %s%s%s answered \"%s\", which is not \"%s\"", name, colon,
			netio_format(greeting->address, address), text, r->style.reply);
}

static void say_more(struct report *r, const struct greeting *greeting)
{
	char address[NETIO_TEXT_MAX], line[PROTOCOL_LINE_MAX], connecting[64] = "";
	size_t len = protocol_write_greeting(greeting->id, line);

	if (!greeting->address)
		return;
	if (greeting->connect_usec)
		snprintf(connecting, sizeof(connecting), " (connected in %.3f ms)",
			MSEC(greeting->connect_usec));
	netio_format(greeting->address, address);
	if (greeting->result == GREETING_LOST)
		say(r, "sockctl: sent \"%.*s\" to %s%s", (int)len - 1, line, address, connecting);
	else
		say(r, "sockctl: sent \"%.*s\" to %s%s, answered in %.3f ms", (int)len - 1, line, address,
			connecting, MSEC(greeting->rtt_usec));
}

static void remember_error(struct report *r)
{
	if (r->error == 0 && ferror(r->style.out))
		r->error = errno ? -errno : -EIO;
}

void report_greeting(struct report *r, const struct greeting *greeting)
{
	const struct report_style *style = &r->style;

	tally_add(&r->tally, greeting);
	if (style->verbose)
		say_more(r, greeting);
	if (style->json) {
		hide_progress(r);
		report_json_greeting(style->out, greeting, style->reply, style->wall_offset);
	} else if (greeting->result != GREETING_ANSWERED) {
		say_failure(r, greeting);
	} else if (!style->quiet) {
		print_answer(r, greeting);
	}
	remember_error(r);
}

void report_progress(struct report *r, uint64_t now)
{
	char of[32] = "";

	if (!r->style.progress)
		return;
	if (r->style.expected)
		snprintf(of, sizeof(of), " of %" PRIu64, r->style.expected);
	fprintf(r->style.err, "\r\033[K%" PRIu64 "%s greeted, %" PRIu64 " without the reply, %.0f s",
		tally_sent(&r->tally), of, tally_sent(&r->tally) - r->tally.results[GREETING_ANSWERED],
		SEC(now - r->began));
	fflush(r->style.err);
	r->progress_shown = true;
}

static void print_summary(struct report *r, const char *target, uint64_t duration)
{
	const struct tally *tally = &r->tally;
	const uint64_t *results = tally->results, sent = tally_sent(tally);
	FILE *out = r->style.out;

	fprintf(out, "\n--- %s, %.3f s ---\n", target, SEC(duration));
	fprintf(out, "sent %" PRIu64 ", answered %" PRIu64 ", lost %" PRIu64, sent,
		results[GREETING_ANSWERED], results[GREETING_LOST]);
	if (results[GREETING_LOST] > 0)
		fprintf(out, " (%.4g %%)", 100 * (double)results[GREETING_LOST] / (double)sent);
	fprintf(out, ", refused %" PRIu64, results[GREETING_REFUSED]);
	if (results[GREETING_FOREIGN] > 0)
		fprintf(out, ", not the protocol %" PRIu64, results[GREETING_FOREIGN]);
	fputc('\n', out);
	if (histogram_count(tally->rtt) > 0)
		fprintf(out, "round trip: min %.3f, avg %.3f, p50 %.3f, p99 %.3f, max %.3f ms\n",
			MSEC(histogram_min(tally->rtt)), histogram_mean(tally->rtt) / (double)USEC_PER_MSEC,
			MSEC(histogram_percentile(tally->rtt, 50)),
			MSEC(histogram_percentile(tally->rtt, 99)), MSEC(histogram_max(tally->rtt)));
	if (tally->longest_outage_usec > 0)
		fprintf(out, "longest outage: %.3f s\n", SEC(tally->longest_outage_usec));
	else
		fputs("longest outage: none\n", out);
}

void report_summary(struct report *r, const char *target, uint64_t now)
{
	uint64_t duration = now - r->began;

	hide_progress(r);
	if (!r->style.counting || r->style.quiet)
		return;
	if (r->style.json)
		report_json_summary(
			r->style.out, &r->tally, (int64_t)r->began + r->style.wall_offset, duration);
	else
		print_summary(r, target, duration);
	remember_error(r);
}

int report_flush(struct report *r)
{
	if (r->error == 0 && fflush(r->style.out) != 0)
		r->error = -errno;
	return r->error;
}

#include "sockctl/bench-report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/duration.h"
#include "common/escape.h"
#include "sockctl/figures.h"
#include "sockctl/style.h"

#define STYLE_ALARM "\033[1;31m"

/* Of a CPU, from which on this command itself may be what cannot go faster. */
#define BUSY 0.9

#define COUNT(n) figures_count(n, (char[FIGURES_TEXT_MAX]){ 0 })
#define TIME(nsec) figures_time(nsec, (char[FIGURES_TEXT_MAX]){ 0 })
#define SPAN(usec) duration_format(usec, (char[DURATION_TEXT_MAX]){ 0 })

static const struct {
	const char *name;
	double percent; /* 0: the least value */
} percentiles[] = { { "min", 0 }, { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 },
	{ "max", 100 } };

static uint64_t percentile(const struct histogram *h, double percent)
{
	return percent > 0 ? histogram_percentile(h, percent) : histogram_min(h);
}

static uint64_t count_errors(const struct load_result *result)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LOAD_ERRORS; i++)
		n += result->errors[i];
	return n;
}

enum exit_status bench_exit(const struct load_result *result)
{
	if (result->errors[LOAD_WRONG] > 0)
		return EXIT_FOREIGN;
	if (result->errors[LOAD_REFUSED] > 0)
		return EXIT_REFUSED;
	if (count_errors(result) == 0 && result->unsent == 0)
		return EXIT_DONE;
	return result->answered > 0 ? EXIT_NO : EXIT_UNREACHABLE;
}

static uint64_t throughput(const struct load_result *result)
{
	return (uint64_t)(load_throughput(result) + 0.5);
}

static void print_head(const struct bench_run *run, FILE *out)
{
	const struct load_plan *plan = run->plan;

	fprintf(out, "--- %s, %s %s", run->target, COUNT(plan->connections),
		plan->connections == 1 ? "connection" : "connections");
	if (plan->depth > 1)
		fprintf(out, ", %zu pipelined", plan->depth);
	if (plan->connect_each)
		fputs(", a new one each time", out);
	if (plan->rate > 0)
		fprintf(out, ", %s a second", COUNT(plan->rate));
	fprintf(out, ", %.3f s ---\n", (double)run->result->elapsed / (double)NSEC_PER_SEC);
}

static void print_throughput(const struct bench_run *run, const struct chart_style *style, FILE *out)
{
	const struct load_result *result = run->result;
	bool fine = count_errors(result) == 0 && result->unsent == 0;

	fprintf(out, "%s%s greetings/s%s%s%s answered%s\n", style->color ? STYLE_BOLD : "",
		COUNT(throughput(result)), style->color ? STYLE_RESET : "",
		style->columns < BENCH_TABLE_COLUMNS ? "\n" : ", ", COUNT(result->answered),
		fine ? ", none lost" : "");
}

/* One line of what went wrong, where it did. */
__attribute__((format(printf, 4, 5))) static void print_trouble(
	uint64_t n, const struct chart_style *style, FILE *out, const char *format, ...)
{
	va_list args;

	if (n == 0)
		return;
	fprintf(out, "%s%s%s ", style->color ? STYLE_ALARM : "", COUNT(n), style->color ? STYLE_RESET : "");
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
}

static void print_errors(const struct bench_run *run, const struct chart_style *style, FILE *out)
{
	const struct load_result *result = run->result;
	char sample[ESCAPE_SIZE(LOAD_SAMPLE_MAX)];

	escape_text(result->sample, result->sample_len, sample, sizeof(sample));
	print_trouble(result->errors[LOAD_WRONG], style, out, "answered wrongly; the first answer was \"%s\"",
		sample);
	print_trouble(result->errors[LOAD_REFUSED], style, out, "refused%s%s%s",
		result->errors[LOAD_WRONG] ? "" : ": \"", result->errors[LOAD_WRONG] ? "" : sample,
		result->errors[LOAD_WRONG] ? "" : "\"");
	print_trouble(result->errors[LOAD_TIMEOUT], style, out, "lost: no reply within %s",
		SPAN(run->plan->timeout_usec));
	print_trouble(result->errors[LOAD_CLOSED], style, out, "lost: the connection was closed");
	print_trouble(result->errors[LOAD_CONNECT], style, out, "%s: %s",
		run->plan->connect_each ? "lost: no connection" : "times no connection",
		strerror(result->connect_errno));
	print_trouble(result->unsent, style, out, "due and never sent: the server did not keep up");
	if (result->under_way > 0)
		fprintf(out, "%s under way at the end\n", COUNT(result->under_way));
}

__attribute__((format(printf, 3, 4))) static void print_note(
	const struct chart_style *style, FILE *out, const char *format, ...)
{
	va_list args;

	fputs(style->color ? STYLE_WARNING : "", out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fprintf(out, "%s\n", style->color ? STYLE_RESET : "");
}

/* What one must know to read the figures. */
static void print_notes(const struct bench_run *run, const struct chart_style *style, FILE *out)
{
	const struct load_plan *plan = run->plan;
	const struct load_result *result = run->result;
	double busy = (double)(result->cpu_user + result->cpu_kernel) / (double)(result->elapsed + 1);

	if (busy >= BUSY && result->answered > 0)
		print_note(
			style, out, "sockctl was busy %.0f %% of the time: it may be the limit.", 100 * busy);
	if (result->short_errno)
		print_note(style, out, "For %s this end could open no more connections: %s.",
			TIME(result->short_of), strerror(result->short_errno));
	if (result->most_open < plan->connections && result->short_errno && !plan->connect_each)
		print_note(style, out, "No more than %s connections were open.", COUNT(result->most_open));
	if (!plan->connect_each && result->errors[LOAD_CLOSED] > 0 &&
		result->answered <= result->connections * plan->depth)
		print_note(style, out, "The server closes after a reply: see --connect-each.");
	if (plan->duration_usec == 0 && !run->interrupted && result->sent < plan->count)
		print_note(style, out, "Given up: no connection for %s, %s greetings were not sent.",
			SPAN(plan->timeout_usec), COUNT(plan->count - result->sent));
}

static void print_percentiles(const struct histogram *h, const struct chart_style *style, FILE *out)
{
	if (style->columns < BENCH_TABLE_COLUMNS) {
		fputc('\n', out);
		for (size_t i = 0; i < ELEMENTS(percentiles); i++)
			fprintf(out, "%9s %10s\n", percentiles[i].name,
				TIME(percentile(h, percentiles[i].percent)));
		fprintf(out, "%9s %10s\n", "mean", TIME((uint64_t)(histogram_mean(h) + 0.5)));
		return;
	}
	fprintf(out, "\n%s  latency", style->color ? STYLE_DIM : "");
	for (size_t i = 0; i < ELEMENTS(percentiles); i++)
		fprintf(out, "%10s", percentiles[i].name);
	fprintf(out, "%10s%s\n         ", "mean", style->color ? STYLE_RESET : "");
	for (size_t i = 0; i < ELEMENTS(percentiles); i++)
		fprintf(out, "%10s", TIME(percentile(h, percentiles[i].percent)));
	fprintf(out, "%10s\n", TIME((uint64_t)(histogram_mean(h) + 0.5)));
}

void bench_print(const struct bench_run *run, const struct chart_style *style, FILE *out)
{
	const struct load_result *result = run->result;

	print_head(run, out);
	print_throughput(run, style, out);
	print_errors(run, style, out);
	print_notes(run, style, out);
	if (result->answered == 0)
		return;
	print_percentiles(result->latency, style, out);
	if (run->plan->connect_each)
		fprintf(out, "  connecting: p50 %s, p99 %s\n",
			TIME(histogram_percentile(result->connecting, 50)),
			TIME(histogram_percentile(result->connecting, 99)));
	fputc('\n', out);
	chart_print(result->latency, style, out);
}

/* A bar of ten columns. */
static void print_gauge(double part, bool utf8, FILE *out)
{
	int full = (int)(part * 10 + 0.5);

	for (int i = 0; i < 10; i++)
		fputs(utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "-"), out);
	fputc(' ', out);
}

void bench_progress_hide(struct bench_progress *progress, FILE *out)
{
	if (progress->shown)
		fputs("\r\033[K", out);
	progress->shown = false;
	fflush(out);
}

/* As much of the line as there is room for. */
static void print_parts(char *const parts[], size_t n, unsigned room, FILE *out)
{
	for (size_t i = 0; i < n && strlen(parts[i]) <= room; i++) {
		fputs(parts[i], out);
		room -= (unsigned)strlen(parts[i]);
	}
}

void bench_progress_show(struct bench_progress *progress, const struct load_plan *plan,
	const struct load_result *so_far, const struct chart_style *style, FILE *out)
{
	uint64_t elapsed = so_far->elapsed - progress->elapsed, errors = count_errors(so_far);
	char when[64], rate[64], latency[64], lost[64];
	double part = plan->duration_usec ? (double)so_far->elapsed / 1000 / (double)plan->duration_usec : 0;

	if (plan->count > 0 && (double)so_far->answered / (double)plan->count > part)
		part = (double)so_far->answered / (double)plan->count;
	bench_progress_hide(progress, out);
	progress->shown = true;
	if (so_far->elapsed == 0) {
		fprintf(out, "%s of %s connections", COUNT(so_far->open), COUNT(plan->connections));
		fflush(out);
		return;
	}
	print_gauge(part < 1 ? part : 1, style->utf8, out);
	snprintf(when, sizeof(when), "%.0f s", (double)so_far->elapsed / (double)NSEC_PER_SEC);
	snprintf(rate, sizeof(rate), ", %s greetings/s",
		COUNT(elapsed ? (uint64_t)((double)(so_far->answered - progress->answered) *
					   (double)NSEC_PER_SEC / (double)elapsed)
			      : throughput(so_far)));
	snprintf(latency, sizeof(latency), ", p99 %s", TIME(histogram_percentile(so_far->latency, 99)));
	snprintf(lost, sizeof(lost), ", %s lost", COUNT(errors));
	print_parts((char *[]){ when, rate, errors ? lost : latency, errors ? latency : lost }, 4,
		style->columns > 12 ? style->columns - 12 : 0, out);
	fflush(out);
	progress->answered = so_far->answered;
	progress->elapsed = so_far->elapsed;
}

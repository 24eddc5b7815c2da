#include "sockctl/chart.h"

#include <string.h>

#include "sockctl/figures.h"
#include "sockctl/style.h"

#define LABEL_COLUMNS 9
#define SHARE_COLUMNS 7
#define BAR_COLUMNS_MIN 8

#define STYLE_BAR "\033[36m"

/* Where the rows of a power of ten begin, in hundredths of it, from the finest scale on. */
static const struct {
	unsigned n;
	uint16_t steps[20];
} scales[] = {
	{ 20, { 100, 110, 120, 140, 160, 180, 200, 220, 250, 280, 320, 360, 400, 450, 500, 560, 630, 700, 800,
		      900 } },
	{ 10, { 100, 120, 150, 200, 250, 300, 400, 500, 600, 800 } },
	{ 6, { 100, 150, 200, 300, 500, 700 } },
	{ 3, { 100, 200, 500 } },
	{ 1, { 100 } },
};

/* The end of the whole range: no scale goes on beyond 10^16 ns, half a year. */
#define DECADES 14

/* Step i of a scale: below 100 ns all scales have steps of 10 and less, which nobody needs. */
static uint64_t step_at(size_t scale, size_t i)
{
	uint64_t value = scales[scale].steps[i % scales[scale].n];

	for (size_t decade = i / scales[scale].n; decade > 0; decade--)
		value *= 10;
	return value;
}

/* The last step that is not above value. */
static size_t step_below(size_t scale, uint64_t value)
{
	size_t i = 0, end = scales[scale].n * DECADES;

	while (i + 1 < end && step_at(scale, i + 1) <= value)
		i++;
	return i;
}

size_t chart_rows(const struct histogram *h, size_t max, struct chart_row ret[static CHART_ROWS_MAX])
{
	uint64_t least = histogram_min(h), most = histogram_percentile(h, 99.9), below;
	size_t scale = 0, first, n;

	if (histogram_count(h) == 0)
		return 0;
	for (;; scale++) {
		first = step_below(scale, least);
		n = step_below(scale, most) - first + 1;
		if (n <= max || scale + 1 == sizeof(scales) / sizeof(scales[0]))
			break;
	}
	if (n > CHART_ROWS_MAX)
		n = CHART_ROWS_MAX;
	below = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t to = i + 1 < n ? step_at(scale, first + i + 1) : UINT64_MAX;
		uint64_t upto = i + 1 < n ? histogram_below(h, to) : histogram_count(h);

		ret[i] = (struct chart_row){
			i == 0 && least < step_at(scale, first) ? 0 : step_at(scale, first + i), to,
			upto - below
		};
		below = upto;
	}
	return n;
}

/* " p50 p90": the percentiles that lie in the row. */
static void write_marks(const struct histogram *h, const struct chart_row *row, char text[static 64])
{
	static const struct {
		const char *name;
		double percent;
	} marks[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 }, { "max", 100 } };
	char *to = text;

	*to = '\0';
	for (size_t i = 0; i < ELEMENTS(marks); i++) {
		uint64_t value = histogram_percentile(h, marks[i].percent);

		if (value >= row->from && value < row->to)
			to += snprintf(to, 16, " %s", marks[i].name);
	}
}

/* A bar of eighths of a column; what is there at all is seen. */
static void print_bar(
	const struct chart_style *style, uint64_t count, uint64_t most, unsigned columns, FILE *out)
{
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned eighths = most ? (unsigned)((double)count / (double)most * columns * 8 + 0.5) : 0;
	unsigned used;

	if (count > 0 && eighths == 0)
		eighths = 1;
	used = (eighths + 7) / 8;
	if (style->color)
		fputs(STYLE_BAR, out);
	for (unsigned i = 0; i < (style->utf8 ? eighths / 8 : used); i++)
		fputs(style->utf8 ? "█" : eighths < 4 ? ":" : "#", out);
	if (style->utf8)
		fputs(parts[eighths % 8], out);
	if (style->color)
		fputs(STYLE_RESET, out);
	fprintf(out, "%*s", (int)(columns - used), "");
}

void chart_print(const struct histogram *h, const struct chart_style *style, FILE *out)
{
	struct chart_row rows[CHART_ROWS_MAX];
	size_t n = chart_rows(h, style->rows, rows);
	char label[FIGURES_TEXT_MAX], share[FIGURES_TEXT_MAX], marks[CHART_ROWS_MAX][64];
	unsigned columns = style->columns > CHART_COLUMNS_MIN ? style->columns : CHART_COLUMNS_MIN;
	unsigned room = columns - LABEL_COLUMNS - 1 - SHARE_COLUMNS - 1;
	unsigned longest = 0;
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++) {
		write_marks(h, &rows[i], marks[i]);
		if (strlen(marks[i]) > longest)
			longest = (unsigned)strlen(marks[i]);
		if (rows[i].count > most)
			most = rows[i].count;
	}
	bool marked = room >= longest + 2 * BAR_COLUMNS_MIN;
	if (marked)
		room -= longest;
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%*s ", LABEL_COLUMNS, figures_round_time(rows[i].from, label));
		print_bar(style, rows[i].count, most, room, out);
		fprintf(out, " %*s", SHARE_COLUMNS, figures_share(rows[i].count, histogram_count(h), share));
		if (marked && marks[i][0])
			fprintf(out, "%s%s%s", style->color ? STYLE_DIM : "", marks[i],
				style->color ? STYLE_RESET : "");
		fputc('\n', out);
	}
}

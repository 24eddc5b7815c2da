#include "sockctl/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

const char *figures_count(uint64_t count, char text[static FIGURES_TEXT_MAX])
{
	char digits[FIGURES_TEXT_MAX], *to = text;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *figures_time(uint64_t nsec, char text[static FIGURES_TEXT_MAX])
{
	static const struct {
		const char *name;
		double nsec;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t unit = 0;

	if (nsec == 0)
		return strcpy(text, "0");
	/* 999.5 of a unit would be shown as 1000. */
	while (unit + 1 < ELEMENTS(units) && (double)nsec / units[unit].nsec >= 999.5)
		unit++;

	double value = (double)nsec / units[unit].nsec;
	if (value >= 999.5) {
		char count[FIGURES_TEXT_MAX];

		snprintf(text, FIGURES_TEXT_MAX, "%.24s s", figures_count((uint64_t)(value + 0.5), count));
	} else {
		snprintf(text, FIGURES_TEXT_MAX, "%.*f %s",
			unit == 0 || value >= 99.95 ? 0 : (value >= 9.995 ? 1 : 2), value, units[unit].name);
	}
	return text;
}

const char *figures_round_time(uint64_t nsec, char text[static FIGURES_TEXT_MAX])
{
	char *unit, *end;

	figures_time(nsec, text);
	unit = strchr(text, ' ');
	if (!unit || !strchr(text, '.'))
		return text;
	for (end = unit; end[-1] == '0'; end--)
		continue;
	if (end[-1] == '.')
		end--;
	memmove(end, unit, strlen(unit) + 1);
	return text;
}

const char *figures_share(uint64_t part, uint64_t whole, char text[static FIGURES_TEXT_MAX])
{
	double percent = whole ? 100 * (double)part / (double)whole : 0;

	if (part == 0 || whole == 0)
		return strcpy(text, "0 %");
	if (percent < 0.1)
		return strcpy(text, "<0.1 %");
	/* Less than all is never shown as all. */
	if (part < whole && percent > 99.9)
		percent = 99.9;
	snprintf(text, FIGURES_TEXT_MAX, "%.*f %%", part == whole ? 0 : 1, percent);
	return text;
}

#include "common/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)

/* The largest first; the first name of each span is the one that duration_format() writes. */
static const struct {
	const char *name;
	uint64_t usec;
} units[] = {
	{ "w", WEEK }, { "week", WEEK }, { "weeks", WEEK }, { "d", DAY }, { "day", DAY }, { "days", DAY },
	{ "h", HOUR }, { "hr", HOUR }, { "hour", HOUR }, { "hours", HOUR }, { "min", MINUTE },
	{ "m", MINUTE }, { "minute", MINUTE }, { "minutes", MINUTE }, { "s", USEC_PER_SEC },
	{ "sec", USEC_PER_SEC }, { "second", USEC_PER_SEC }, { "seconds", USEC_PER_SEC },
	{ "ms", USEC_PER_MSEC }, { "msec", USEC_PER_MSEC }, { "us", 1 }, { "usec", 1 },
	{ "\u00b5s", 1 }, /* micro sign */
	{ "\u03bcs", 1 }, /* Greek letter mu */
};

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t\n\r");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit that text begins with, seconds when none is named. Moves *text behind it. */
static int read_unit(const char **text, uint64_t *ret_usec)
{
	size_t len = strcspn(*text, "0123456789. \t\n\r");

	if (len == 0) {
		*ret_usec = USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < ELEMENTS(units); i++)
		if (strlen(units[i].name) == len && memcmp(units[i].name, *text, len) == 0) {
			*text += len;
			*ret_usec = units[i].usec;
			return 0;
		}
	return -EINVAL;
}

/* One number with its unit, such as "1.5h". Moves *text behind it. */
static int read_part(const char **text, uint64_t *ret_usec)
{
	const char *p = *text, *fraction = NULL;
	uint64_t number = 0, unit, usec;
	bool overflow = false;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++)
		overflow |= __builtin_mul_overflow(number, UINT64_C(10), &number) ||
			    __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number);
	if (*p == '.') {
		fraction = ++p;
		if (!is_digit(*p))
			return -EINVAL;
		p += strspn(p, "0123456789");
	}
	p = skip_space(p);
	if (read_unit(&p, &unit) < 0)
		return -EINVAL;
	if (overflow || __builtin_mul_overflow(number, unit, &usec))
		return -ERANGE;
	for (uint64_t weight = unit / 10; fraction && is_digit(*fraction) && weight > 0; weight /= 10)
		if (__builtin_add_overflow(usec, weight * (uint64_t)(*fraction++ - '0'), &usec))
			return -ERANGE;
	*text = skip_space(p);
	*ret_usec = usec;
	return 0;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
	uint64_t sum = 0, usec;
	int error = 0;

	text = skip_space(text);
	do {
		int r = read_part(&text, &usec);

		if (r < 0)
			return r;
		if (__builtin_add_overflow(sum, usec, &sum))
			error = -ERANGE;
	} while (*text);
	if (error < 0)
		return error;
	*ret_usec = sum;
	return 0;
}

const char *duration_format(uint64_t usec, char text[static DURATION_TEXT_MAX])
{
	size_t len = 0;

	strcpy(text, "0");
	for (size_t i = 0; i < ELEMENTS(units) && usec > 0; i++) {
		if (usec < units[i].usec)
			continue;
		len += (size_t)snprintf(text + len, DURATION_TEXT_MAX - len, "%s%" PRIu64 "%s",
			len > 0 ? " " : "", usec / units[i].usec, units[i].name);
		usec %= units[i].usec;
	}
	return text;
}

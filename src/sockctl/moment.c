#include "sockctl/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"

const char *moment_utc(uint64_t usec, char text[static MOMENT_TEXT_MAX])
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, MOMENT_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, MOMENT_TEXT_MAX - n, ".%06uZ", (unsigned int)(usec % USEC_PER_SEC));
	return text;
}

const char *moment_local(uint64_t usec, char text[static MOMENT_TEXT_MAX])
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	strftime(text, MOMENT_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	return text;
}

const char *moment_local_time(uint64_t usec, char text[static MOMENT_TEXT_MAX])
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	strftime(text, MOMENT_TEXT_MAX, "%H:%M:%S", &tm);
	return text;
}

const char *moment_ago(uint64_t usec, uint64_t now, char text[static MOMENT_TEXT_MAX])
{
	static const struct {
		const char *unit;
		uint64_t seconds, until; /* of the unit; it is used below until seconds */
	} units[] = {
		{ "s", 1, 120 },
		{ "min", 60, 7200 },
		{ "h", 3600, 172800 },
		{ "d", 86400, UINT64_MAX },
	};
	uint64_t seconds = usec < now ? (now - usec) / USEC_PER_SEC : 0;
	size_t i = 0;

	if (usec == 0 || seconds == 0) {
		snprintf(text, MOMENT_TEXT_MAX, "%s", usec == 0 ? "never" : "now");
		return text;
	}
	while (i + 1 < ELEMENTS(units) && seconds >= units[i].until)
		i++;
	snprintf(text, MOMENT_TEXT_MAX, "%" PRIu64 " %s ago", seconds / units[i].seconds, units[i].unit);
	return text;
}

/*
 * Settings from any bytes: never a crash or a hang, a verdict with its reasons; and what is taken is read
 * back the same from its dump.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* The dump of settings, for the caller to free. */
static char *dump(const struct settings *settings, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	require(out != NULL);
	settings_dump(settings, out);
	require(fclose(out) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	_cleanup_(settings_freep) struct settings *settings = NULL, *again = NULL;
	_cleanup_(freep) char *text = NULL, *text_again = NULL;
	size_t len, len_again;

	if (size > SETTINGS_FILE_MAX)
		return 0;
	if (settings_parse((const char *)data, size, "fuzz", &settings, &report) < 0) {
		require(!settings && report.n_lines > 0);
		return 0;
	}
	require(settings && report.n_lines == 0);
	require(settings->port > 0 && settings->n_listen > 0 && settings->reply[0]);
	text = dump(settings, &len);
	require(settings_parse(text, len, "dump", &again, &report) == 0);
	text_again = dump(again, &len_again);
	require(len == len_again && memcmp(text, text_again, len) == 0);
	return 0;
}

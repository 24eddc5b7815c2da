#include "common/settings-findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "FILE:LINE: key: what", or NULL. */
static char *compose(const struct settings_source *source, unsigned line, const char *key, const char *what)
{
	const char *colon = key[0] ? ": " : "";
	char *text;
	int r = line > 0 ? asprintf(&text, "%s:%u: %s%s%s", source->name, line, key, colon, what)
			 : asprintf(&text, "%s: %s%s%s", source->name, key, colon, what);

	return r < 0 ? NULL : text;
}

static int add(struct settings_findings *findings, const struct settings_finding *finding)
{
	struct settings_finding *items =
		reallocarray(findings->items, findings->n + 1, sizeof(*findings->items));

	if (!items)
		return -ENOMEM;
	findings->items = items;
	items[findings->n++] = *finding;
	return 0;
}

void settings_found(struct settings_findings *findings, const struct settings_source *source, unsigned line,
	const char *key, const char *format, ...)
{
	struct settings_finding finding = { .order = source->order, .line = line, .sequence = findings->n };
	_cleanup_(freep) char *what = NULL;
	va_list args;
	int r;

	snprintf(finding.key, sizeof(finding.key), "%s", key ? key : "");
	va_start(args, format);
	r = vasprintf(&what, format, args);
	va_end(args);
	if (r < 0)
		what = NULL;
	else
		finding.text = compose(source, line, finding.key, what);
	if (!finding.text || add(findings, &finding) < 0) {
		free(finding.text);
		findings->no_memory = true;
	}
}

bool settings_findings_spare(const struct settings_findings *findings, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < findings->n; i++) {
		const char *found = findings->items[i].key;

		if (!found[0] || (strncmp(found, key, len) == 0 && strchr(".", found[len])))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct settings_finding *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

int settings_findings_report(struct settings_findings *findings, struct settings_report *report)
{
	char **lines;

	if (findings->no_memory)
		return -ENOMEM;
	if (findings->n == 0)
		return 0;
	lines = reallocarray(report->lines, report->n_lines + findings->n, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	qsort(findings->items, findings->n, sizeof(*findings->items), compare);
	for (size_t i = 0; i < findings->n; i++)
		lines[report->n_lines + i] = findings->items[i].text;
	report->lines = lines;
	report->n_lines += findings->n;
	findings->n = 0;
	return 0;
}

void settings_findings_free(struct settings_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->items[i].text);
	free(findings->items);
	*findings = (struct settings_findings){ 0 };
}

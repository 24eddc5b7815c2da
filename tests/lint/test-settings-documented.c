/*
 * The table of settings = etc/greeterd.conf = greeterd.conf(5). The manual's source and the sample file lie
 * in $top_srcdir.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/settings.h"

#define TEXT_MAX 65536

struct texts {
	char sample_path[4096];
	char sample[TEXT_MAX];
	char manual[TEXT_MAX]; /* every run of white space as one space, but each macro on a line of its own
				*/
};

static void read_text(const char *path, char text[static TEXT_MAX])
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file)
		fail_msg("%s is missing", path);
	size_t len = fread(text, 1, TEXT_MAX, file);
	assert_in_range(len, 1, TEXT_MAX - 1);
	text[len] = '\0';
}

/* Lines of text that follow one another become one. */
static void join_lines(char *text)
{
	for (char *p = text; *p; p++)
		if (*p == '\n' && p[1] != '.' && p[1] != '\0')
			*p = ' ';
}

static int setup(void **state)
{
	const char *top = getenv("top_srcdir");
	struct texts *texts = calloc(1, sizeof(*texts));
	char path[4096];

	if (!texts)
		return -1;
	snprintf(texts->sample_path, sizeof(texts->sample_path), "%s/etc/greeterd.conf", top ? top : ".");
	read_text(texts->sample_path, texts->sample);
	snprintf(path, sizeof(path), "%s/man/greeterd.conf.5.in", top ? top : ".");
	read_text(path, texts->manual);
	join_lines(texts->manual);
	*state = texts;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void assert_holds(const char *where, const char *text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void assert_holds(const char *where, const char *text, const char *format, ...)
{
	char expected[512];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	if (!strstr(text, expected))
		fail_msg("%s lacks: %s", where, expected);
}

static const char *yes_or_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void test_sample_file_is_the_defaults(void **state)
{
	struct texts *texts = *state;
	_cleanup_(settings_freep) struct settings *sample = NULL, *defaults = NULL;
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	_cleanup_(freep) char *sample_dump = NULL, *defaults_dump = NULL;
	size_t len;
	FILE *out;

	assert_int_equal(settings_load(NULL, &defaults, &report), 0);
	if (settings_load(texts->sample_path, &sample, &report) < 0)
		fail_msg("%s", report.n_lines > 0 ? report.lines[0] : "no memory");
	out = open_memstream(&sample_dump, &len);
	assert_non_null(out);
	settings_dump(sample, out);
	fclose(out);
	out = open_memstream(&defaults_dump, &len);
	assert_non_null(out);
	settings_dump(defaults, out);
	fclose(out);
	assert_string_equal(sample_dump, defaults_dump);
}

static void test_sample_file_writes_out_every_key(void **state)
{
	struct texts *texts = *state;
	size_t n;
	const struct settings_key *keys = settings_keys(&n);

	for (size_t i = 0; i < n; i++)
		assert_holds("etc/greeterd.conf", texts->sample, "\n# %s, %s; reload: %s.\n%s = %s;\n",
			keys[i].unit, keys[i].range, yes_or_no(keys[i].reloadable), keys[i].name,
			keys[i].default_value);
}

static void test_sample_file_explains_every_key_of_a_group(void **state)
{
	struct texts *texts = *state;
	size_t n;
	const struct settings_key *keys = settings_expect_keys(&n);

	for (size_t i = 0; i < n; i++)
		assert_holds("etc/greeterd.conf", texts->sample, "\n#\t%s: %s, %s; %s%s.\n", keys[i].name,
			keys[i].unit, keys[i].range, keys[i].default_value ? "default " : "must be given",
			keys[i].default_value ? keys[i].default_value : "");
}

/* The part of the manual between two headings. */
static char *section(const struct texts *texts, const char *from, const char *to)
{
	const char *begin = strstr(texts->manual, from), *end = begin ? strstr(begin, to) : NULL;
	char *copy;

	assert_non_null(end);
	copy = strndup(begin, (size_t)(end - begin));
	assert_non_null(copy);
	return copy;
}

static void assert_documented(const char *text, const struct settings_key *keys, size_t n)
{
	static const char item[] = "\n.It Ic ";
	size_t items = 0;

	for (size_t i = 0; i < n; i++) {
		char begin[64];
		const char *entry, *end;

		snprintf(begin, sizeof(begin), "%s%s ", item, keys[i].name);
		entry = strstr(text, begin);
		if (!entry) {
			fail_msg("greeterd.conf(5) lacks %s", keys[i].name);
			return;
		}
		end = strstr(entry + strlen(item), item);

		_cleanup_(freep) char *own = end ? strndup(entry, (size_t)(end - entry)) : strdup(entry);
		assert_non_null(own);
		assert_holds(keys[i].name, own, "%c%s, %s (%s); %s%s; reload: %s.",
			keys[i].type[0] - 'a' + 'A', keys[i].type + 1, keys[i].range, keys[i].unit,
			keys[i].default_value ? "default " : "must be given",
			keys[i].default_value ? keys[i].default_value : "", yes_or_no(keys[i].reloadable));
	}
	for (const char *p = strstr(text, item); p; p = strstr(p + strlen(item), item))
		items++;
	if (items != n)
		fail_msg("greeterd.conf(5) names %zu keys of a table of %zu", items, n);
}

static void test_manual_has_exactly_the_keys_of_the_table(void **state)
{
	_cleanup_(freep) char *text = section(*state, ".Sh SETTINGS", ".Ss Keys of a group");
	size_t n;
	const struct settings_key *keys = settings_keys(&n);

	assert_documented(text, keys, n);
}

static void test_manual_has_exactly_the_keys_of_a_group(void **state)
{
	_cleanup_(freep) char *text = section(*state, ".Ss Keys of a group", ".Ss Drop-ins");
	size_t n;
	const struct settings_key *keys = settings_expect_keys(&n);

	assert_documented(text, keys, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_file_is_the_defaults),
		cmocka_unit_test(test_sample_file_writes_out_every_key),
		cmocka_unit_test(test_sample_file_explains_every_key_of_a_group),
		cmocka_unit_test(test_manual_has_exactly_the_keys_of_the_table),
		cmocka_unit_test(test_manual_has_exactly_the_keys_of_a_group),
	};

	return cmocka_run_group_tests_name("settings-documented", tests, setup, teardown);
}

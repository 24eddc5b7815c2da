#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/metrics.h"

static const struct daemon_status status = {
	.version = "0.1.0",
	.port_trouble = "",
	.settings_trouble = "a.conf:1: port: too large",
	.connections = 3,
	.max_connections = 16384,
	.greetings = UINT64_C(18446744073709551615),
	.started_at = UINT64_C(1714564800000250),
	.refusals = { { "syntax", 2 }, { "id", 1 } },
	.n_refusals = 2,
};

static struct client clients[] = {
	{ 0, "", "present", "", 4, 0, 1, 2000001 },
	{ 2, "a \"b\"\\\n", "missing", "127.0.0.1:1", 7, 1, 1, 0 },
	{ 3, "", "of the future", "", 0, 0, 0, 0 },
};
static const struct client_list list = { .clients = clients, .n = ELEMENTS(clients) };
static const struct client_list nobody = { 0 };

static char *print(const struct client_list *of, bool json, bool per_client)
{
	struct metrics_states states = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	metrics_count(&states, of);
	metrics_print(&status, &states, per_client ? of : NULL, json, out);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no %s in %s", line, text);
}

static void test_tells_the_daemon_in_numbers(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, false);

	(void)state;
	assert_has(text, "\n# HELP greeterd_greetings_total Greetings that were answered.\n"
			 "greeterd_greetings_total 18446744073709551615\n");
	assert_has(text, "\ngreeterd_start_timestamp_seconds 1714564800.000250\n");
	assert_has(text, "\ngreeterd_refusals_total{code=\"syntax\"} 2\n");
	assert_has(text, "\ngreeterd_settings_trouble 1\n");
	assert_has(text, "\ngreeterd_port_trouble 0\n");
}

/* A counter has no type: OpenMetrics wants another name on that line than Prometheus does. */
static void test_has_help_and_type_before_every_sample(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, true);
	char help[100] = "", type[100] = "";

	(void)state;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "# HELP %99s", help) == 1 || sscanf(line, "# TYPE %99s", type) == 1 ||
			strcmp(line, "# EOF") == 0)
			continue;
		assert_int_equal(strncmp(line, help, strlen(help)), 0);
		assert_non_null(strchr("{ ", line[strlen(help)]));
		assert_int_equal(strcmp(help, type) == 0, !strstr(help, "_total"));
	}
}

static void test_says_where_it_ends(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, false);

	(void)state;
	assert_string_equal(text + strlen(text) - strlen("\n# EOF\n"), "\n# EOF\n");
}

static void test_counts_states(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, false);

	(void)state;
	assert_has(text, "\ngreeterd_clients{state=\"present\"} 1\n");
	assert_has(text, "\ngreeterd_clients{state=\"missing\"} 1\n");
	assert_has(text, "\ngreeterd_clients{state=\"late\"} 0\n");
	assert_null(strstr(text, "greeterd_client_"));
}

static void test_has_samples_of_clients_when_asked(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, true);

	(void)state;
	assert_has(text, "\ngreeterd_client_greetings_total{id=\"-\",name=\"\"} 4\n");
	assert_has(text, "\ngreeterd_client_last_seen_timestamp_seconds{id=\"-\",name=\"\"} 2.000001\n");
}

static void test_escapes_labels(void **state)
{
	_cleanup_(freep) char *text = print(&list, false, true);

	(void)state;
	assert_has(text, "\ngreeterd_client_missing{id=\"2\",name=\"a \\\"b\\\"\\\\\\n\"} 1\n");
}

static void test_has_no_family_without_samples(void **state)
{
	_cleanup_(freep) char *text = print(&nobody, false, true);

	(void)state;
	assert_null(strstr(text, "greeterd_client_"));
	assert_has(text, "\ngreeterd_clients{state=\"new\"} 0\n");
}

static void test_prints_the_same_as_json(void **state)
{
	_cleanup_(freep) char *text = print(&list, true, true);

	(void)state;
	assert_ptr_equal(strstr(text, "{\"schema_version\":1,\"metrics\":[{\"name\":"), text);
	assert_has(text, "{\"name\":\"greeterd_clients\",\"type\":\"gauge\",\"help\":\"Clients on the roll, "
			 "by state.\","
			 "\"labels\":{\"state\":\"missing\"},\"value\":1}");
	assert_has(text, "\"value\":18446744073709551615}");
	assert_has(text, "}]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells_the_daemon_in_numbers),
		cmocka_unit_test(test_has_help_and_type_before_every_sample),
		cmocka_unit_test(test_says_where_it_ends),
		cmocka_unit_test(test_counts_states),
		cmocka_unit_test(test_has_samples_of_clients_when_asked),
		cmocka_unit_test(test_escapes_labels),
		cmocka_unit_test(test_has_no_family_without_samples),
		cmocka_unit_test(test_prints_the_same_as_json),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "greeterd/conf.h"
#include "greeterd/lastgood.h"

/* A folder with a settings file that is also the state folder, and what was loaded. */
struct fixture {
	char folder[32];
	char file[64];
	char last_good[64];
	struct settings *settings;
	struct settings_report report;
	bool is_last_good;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-conf.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof(f->file), "%s/greeterd.conf", f->folder);
	snprintf(f->last_good, sizeof(f->last_good), "%s/" LASTGOOD_NAME, f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	settings_free(f->settings);
	settings_report_free(&f->report);
	unlink(f->file);
	unlink(f->last_good);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int start(struct fixture *f, const char *state_dir)
{
	return conf_load_for_start(f->file, state_dir, &f->settings, &f->is_last_good, &f->report);
}

static void test_loads_the_file(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 9000;");
	assert_int_equal(conf_load(f->file, &f->settings, &f->report), 0);
	assert_int_equal(f->settings->port, 9000);
}

static void test_a_file_that_is_named_must_exist(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(conf_load(f->file, &f->settings, &f->report), -ENOENT);
	assert_int_equal(f->report.n_lines, 1);
}

static void test_a_good_file_is_preferred(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 9000;");
	write_file(f->last_good, "port = 9001;");
	assert_int_equal(start(f, f->folder), 0);
	assert_false(f->is_last_good);
	assert_int_equal(f->settings->port, 9000);
	assert_int_equal(f->report.n_lines, 0);
}

static void test_a_broken_file_leaves_the_last_good_settings_and_the_report(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 0;\nprot = 1;\n");
	write_file(f->last_good, "port = 9001;");
	assert_int_equal(start(f, f->folder), 0);
	assert_true(f->is_last_good);
	assert_int_equal(f->settings->port, 9001);
	assert_int_equal(f->report.n_lines, 2);
}

static void test_a_missing_file_leaves_the_last_good_settings(void **state)
{
	struct fixture *f = *state;

	write_file(f->last_good, "port = 9001;");
	assert_int_equal(start(f, f->folder), 0);
	assert_true(f->is_last_good);
}

static void test_without_last_good_settings_the_error_stays(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 0;");
	assert_int_equal(start(f, f->folder), -EINVAL);
	assert_false(f->is_last_good);
	assert_null(f->settings);
	assert_int_equal(f->report.n_lines, 1);
}

static void test_broken_last_good_settings_are_none(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 0;");
	write_file(f->last_good, "port = 0;");
	assert_int_equal(start(f, f->folder), -EINVAL);
	assert_null(f->settings);
	assert_int_equal(f->report.n_lines, 1); /* of the file alone */
}

static void test_without_a_state_folder_none_are_looked_for(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "port = 0;");
	write_file(f->last_good, "port = 9001;");
	assert_int_equal(start(f, NULL), -EINVAL);
	assert_false(f->is_last_good);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_loads_the_file),
		CASE(test_a_file_that_is_named_must_exist),
		CASE(test_a_good_file_is_preferred),
		CASE(test_a_broken_file_leaves_the_last_good_settings_and_the_report),
		CASE(test_a_missing_file_leaves_the_last_good_settings),
		CASE(test_without_last_good_settings_the_error_stays),
		CASE(test_broken_last_good_settings_are_none),
		CASE(test_without_a_state_folder_none_are_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "greeterd/lastgood.h"

/* A state folder of the test's own. */
struct fixture {
	char folder[32];
	char path[64];
	char temporary[64];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->folder, "/tmp/test-lastgood.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/" LASTGOOD_NAME, f->folder);
	snprintf(f->temporary, sizeof(f->temporary), "%s/" LASTGOOD_NAME ".new", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)remove(f->path);
	(void)remove(f->temporary);
	assert_int_equal(rmdir(f->folder), 0); /* nothing else is left in it */
	free(f);
	return 0;
}

static struct settings *parse(const char *text)
{
	struct settings_report report = { 0 };
	struct settings *settings = NULL;

	assert_int_equal(settings_parse(text, strlen(text), "test", &settings, &report), 0);
	return settings;
}

static void saves(const struct fixture *f, const char *text, int result)
{
	_cleanup_(settings_freep) struct settings *settings = parse(text);

	assert_int_equal(lastgood_save(f->folder, settings), result);
}

/* The reply of the settings that are loaded: each test has one of its own. */
static void loads(const struct fixture *f, const char *reply)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;

	assert_int_equal(lastgood_load(f->folder, &settings), 0);
	assert_string_equal(settings->reply, reply);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void test_loads_what_was_saved(void **state)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	const struct fixture *f = *state;

	saves(f,
		"port = 9000; listen = [ \"127.0.0.1\", \"/run/x\" ]; reply = \"yes \\\"you\\\"\"; settle = "
		"\"1ms\";"
		"expect = ( { id = \"1-20\"; every = \"60s\"; name = \"rack A\"; } );",
		0);
	assert_int_equal(lastgood_load(f->folder, &settings), 0);
	assert_int_equal(settings->port, 9000);
	assert_int_equal(settings->n_listen, 2);
	assert_string_equal(settings->listen[1], "/run/x");
	assert_string_equal(settings->reply, "yes \"you\"");
	assert_int_equal(settings->settle_usec, 1000);
	assert_int_equal(settings->n_expect, 1);
	assert_string_equal(settings->expect[0].name, "rack A");
}

static void test_other_settings_take_the_place_of_the_last(void **state)
{
	const struct fixture *f = *state;

	saves(f, "reply = \"one\";", 0);
	saves(f, "reply = \"two\";", 0);
	loads(f, "two");
}

static void test_the_same_settings_are_not_written_again(void **state)
{
	const struct fixture *f = *state;
	ino_t before;

	saves(f, "reply = \"one\";", 0);
	before = inode_of(f->path);
	saves(f, "reply = \"one\";", 0);
	assert_int_equal(inode_of(f->path), before);
	saves(f, "reply = \"two\";", 0);
	assert_int_not_equal(inode_of(f->path), before);
}

static void test_one_byte_more_in_the_file_is_written_over(void **state)
{
	const struct fixture *f = *state;
	FILE *file;

	saves(f, "reply = \"one\";", 0);
	file = fopen(f->path, "ae");
	assert_non_null(file);
	fputs("}", file);
	fclose(file);
	saves(f, "reply = \"one\";", 0);
	loads(f, "one");
}

static void test_what_was_left_half_written_is_no_hindrance(void **state)
{
	const struct fixture *f = *state;
	FILE *file = fopen(f->temporary, "we");

	assert_non_null(file);
	fputs("reply = \"something long enough to be left over\"; repl", file);
	fclose(file);
	saves(f, "reply = \"one\";", 0);
	loads(f, "one");
}

static void test_follows_no_link(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(symlink("/dev/null", f->temporary), 0);
	saves(f, "reply = \"one\";", -ELOOP);
}

static void test_there_are_none_at_first(void **state)
{
	const struct fixture *f = *state;
	struct settings *settings = NULL;

	assert_int_equal(lastgood_load(f->folder, &settings), -ENOENT);
	assert_null(settings);
}

static void test_broken_ones_are_none(void **state)
{
	const struct fixture *f = *state;
	struct settings *settings = NULL;
	FILE *file = fopen(f->path, "we");

	assert_non_null(file);
	fputs("port = ;", file);
	fclose(file);
	assert_int_equal(lastgood_load(f->folder, &settings), -EINVAL);
	assert_null(settings);
}

static void test_says_that_there_is_no_folder(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(settings_freep) struct settings *settings = parse("");
	struct settings *loaded = NULL;

	assert_int_equal(lastgood_save("/nonexistent/folder", settings), -ENOENT);
	assert_int_equal(lastgood_load("/nonexistent/folder", &loaded), -ENOENT);
	saves(f, "", 0);
	assert_int_equal(lastgood_save(f->path, settings), -ENOTDIR);
}

static void test_a_folder_in_its_place_is_left(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	saves(f, "", -EISDIR);
}

static void test_a_full_disk_leaves_the_last_ones(void **state)
{
	const struct fixture *f = *state;
	struct rlimit before, limit;
	int result;

	saves(f, "reply = \"one\";", 0);
	{
		_cleanup_(settings_freep) struct settings *settings = parse("reply = \"two\";");

		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		limit = (struct rlimit){ .rlim_cur = 100, .rlim_max = before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0); /* the write comes out short */
		result = lastgood_save(f->folder, settings);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	}
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(access(f->temporary, F_OK), -1);
	loads(f, "one");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_loads_what_was_saved),
		CASE(test_other_settings_take_the_place_of_the_last),
		CASE(test_the_same_settings_are_not_written_again),
		CASE(test_one_byte_more_in_the_file_is_written_over),
		CASE(test_what_was_left_half_written_is_no_hindrance),
		CASE(test_follows_no_link),
		CASE(test_there_are_none_at_first),
		CASE(test_broken_ones_are_none),
		CASE(test_says_that_there_is_no_folder),
		CASE(test_a_folder_in_its_place_is_left),
		CASE(test_a_full_disk_leaves_the_last_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

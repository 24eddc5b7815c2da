#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "generator/place.h"

#define UNIT_FOLDER "greeterd.socket.d"
#define DROPIN UNIT_FOLDER "/10-greeterd-conf.conf"

/* Each test stands in a folder of its own. */
static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/greeterd-test.XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)unlink(DROPIN);
	(void)rmdir(DROPIN);
	(void)rmdir(UNIT_FOLDER);
	(void)unlink(UNIT_FOLDER);
	if (chdir("/") < 0 || rmdir(*state) < 0)
		return -1; /* something was left behind */
	free(*state);
	return 0;
}

static void assert_holds(const char *expected)
{
	_cleanup_(fclosep) FILE *file = fopen(DROPIN, "r");
	char text[256] = "";

	assert_non_null(file);
	(void)!fread(text, 1, sizeof(text) - 1, file);
	assert_string_equal(text, expected);
}

static int count_files(void)
{
	struct dirent **entries;
	int n = scandir(UNIT_FOLDER, &entries, NULL, NULL);

	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return n - 2;
}

static void test_makes_the_folder_and_a_file_for_all_to_read(void **state)
{
	struct stat st;

	assert_int_equal(place_dropin(*state, "one\n"), 0);
	assert_holds("one\n");
	assert_int_equal(stat(DROPIN, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_replaces_what_is_there(void **state)
{
	assert_int_equal(place_dropin(*state, "one\n"), 0);
	assert_int_equal(place_dropin(*state, "two\n"), 0);
	assert_holds("two\n");
	assert_int_equal(count_files(), 1);
}

static void test_needs_a_folder(void **state)
{
	(void)state;
	assert_int_equal(place_dropin("nowhere", "one\n"), -ENOENT);
}

static void test_refuses_a_folder_that_is_a_file(void **state)
{
	_cleanup_(fclosep) FILE *file = fopen(UNIT_FOLDER, "w");

	assert_non_null(file);
	assert_int_equal(place_dropin(*state, "one\n"), -ENOTDIR);
}

static void test_refuses_a_path_that_is_too_long(void **state)
{
	char folder[PATH_MAX];

	(void)state;
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	assert_int_equal(place_dropin(folder, "one\n"), -ENAMETOOLONG);
}

static void test_leaves_nothing_half_done(void **state)
{
	assert_int_equal(mkdir(UNIT_FOLDER, 0755), 0);
	assert_int_equal(mkdir(DROPIN, 0755), 0);
	assert_int_equal(place_dropin(*state, "one\n"), -EISDIR);
	assert_int_equal(count_files(), 1);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_makes_the_folder_and_a_file_for_all_to_read),
		IN_A_FOLDER(test_replaces_what_is_there),
		IN_A_FOLDER(test_needs_a_folder),
		IN_A_FOLDER(test_refuses_a_folder_that_is_a_file),
		IN_A_FOLDER(test_refuses_a_path_that_is_too_long),
		IN_A_FOLDER(test_leaves_nothing_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

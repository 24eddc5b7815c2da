/* The file of a roll: foreign, damaged, of another size, locked, not to be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "roll-fixture.h"

static void assert_set_aside(struct fixture *f, const char *sentence)
{
	open_roll(f);
	assert_said(f, sentence);
	assert_true(roll_is_kept(f->roll));
	assert_true(exists(f, ASIDE));
	assert_int_equal(greets(f, 2), 1);
	reopen(f);
	assert_int_equal(greets(f, 2), 2);
	assert_said(f, "");
}

static void make_file(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->file, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void test_a_foreign_file_is_set_aside(void **state)
{
	struct fixture *f = *state;

	make_file(f, "This is somebody else's file.\n");
	assert_set_aside(f, "%1$s/roll is not a roll: it is set aside as " ASIDE ", and a new one begun\n");
}

static void test_an_empty_file_is_a_new_roll(void **state)
{
	struct fixture *f = *state;

	make_file(f, "");
	open_roll(f);
	assert_said(f, "");
	assert_true(roll_is_kept(f->roll));
}

static void test_what_is_set_aside_overwrites_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		make_file(f, "This is somebody else's file.\n");
		open_roll(f);
		assert_true(roll_is_kept(f->roll));
		close_roll(f);
	}
	assert_true(exists(f, ASIDE));
	assert_true(exists(f, ASIDE "-2"));
	assert_true(exists(f, ASIDE "-3"));
}

static void test_gives_up_when_nothing_can_be_set_aside(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 101; i++) {
		make_file(f, "This is somebody else's file.\n");
		open_roll(f);
		assert_int_equal(roll_is_kept(f->roll), i <= 100);
		close_roll(f);
	}
	assert_said(f,
		"%s/roll is not a roll, and cannot be set aside: File exists; greetings are counted in "
		"memory, until greeterd ends\n");
}

static void test_a_truncated_file_is_set_aside(void **state)
{
	struct fixture *f = *state;

	open_roll(f);
	greets(f, 2);
	close_roll(f);
	assert_int_equal(truncate(f->file, 70000), 0);
	assert_set_aside(f, "%1$s/roll is truncated: it is set aside as " ASIDE ", and a new one begun\n");
}

static void test_a_file_with_a_damaged_header_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const uint32_t wrong = 7;

	open_roll(f);
	close_roll(f);
	poke(f, offsetof(struct roll_header, max_id), &wrong, sizeof(wrong));
	assert_set_aside(
		f, "%1$s/roll is damaged in its header: it is set aside as " ASIDE ", and a new one begun\n");
}

static void test_a_newer_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const uint32_t newer = ROLL_VERSION + 1;

	open_roll(f);
	close_roll(f);
	poke(f, offsetof(struct roll_header, version), &newer, sizeof(newer));
	assert_set_aside(f, "%1$s/roll is of a newer version of greeterd: it is set aside as " ASIDE
			    ", and a new one begun\n");
}

static void test_an_older_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const uint32_t older = ROLL_VERSION - 1;

	open_roll(f);
	close_roll(f);
	poke(f, offsetof(struct roll_header, version), &older, sizeof(older));
	assert_set_aside(f,
		"%1$s/roll is of a version that greeterd does not know any more: it is set aside as " ASIDE
		", and a new one begun\n");
}

static void test_a_pipe_in_the_place_of_the_file_blocks_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	assert_set_aside(f, "%1$s/roll is not a file: it is set aside as " ASIDE ", and a new one begun\n");
}

static void test_a_folder_in_the_place_of_the_file_is_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->file, 0700), 0);
	open_roll(f);
	assert_said(f, "cannot open %s/roll: Is a directory; greetings are counted in memory, until greeterd "
		       "ends\n");
	assert_int_equal(greets(f, 2), 1);
}

static void test_a_missing_folder_leaves_the_roll_in_memory(void **state)
{
	struct fixture *f = *state;

	f->setup.folder = "/nonexistent/greeterd";
	open_roll(f);
	assert_string_equal(f->said, "cannot open the state folder /nonexistent/greeterd: No such file or "
				     "directory; greetings are counted in memory, until greeterd ends\n");
	assert_int_equal(greets(f, 2), 1);
}

static void test_a_larger_max_id_keeps_all(void **state)
{
	struct fixture *f = *state;

	f->setup.max_id = 10;
	open_roll(f);
	greets(f, 10);
	close_roll(f);
	f->setup.max_id = 1000000;
	open_roll(f);
	assert_int_equal(count_of(f, 10), 1);
	assert_int_equal(greets(f, 1000000), 1);
	assert_said(f, "");
	reopen(f);
	assert_int_equal(count_of(f, 1000000), 1);
}

static void test_a_smaller_max_id_keeps_those_above_in_the_file(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;

	f->setup.max_id = 100000;
	open_roll(f);
	greets(f, 7);
	greets(f, 100000);
	close_roll(f);
	f->setup.max_id = 10;
	open_roll(f);
	assert_int_equal(greets(f, 7), 2);
	assert_int_equal(roll_next(f->roll, 8, UINT32_MAX, &entry), -ENOENT);
	close_roll(f);
	f->setup.max_id = 100000;
	open_roll(f);
	assert_int_equal(count_of(f, 7), 2);
	assert_int_equal(count_of(f, 100000), 1);
	assert_said(f, "");
}

static void test_a_second_daemon_counts_in_memory(void **state)
{
	struct fixture *f = *state;
	struct roll *second;

	open_roll(f);
	greets(f, 2);
	assert_int_equal(roll_new(&f->setup, &second), 0);
	assert_said(f, "%s/roll is in use by another greeterd; greetings are counted in memory, until "
		       "greeterd ends\n");
	assert_false(roll_is_kept(second));
	assert_int_equal(roll_record(second, 2, &peer, 1, NOW), 1);
	roll_free(second);
	reopen(f);
	assert_true(roll_is_kept(f->roll));
	assert_int_equal(greets(f, 2), 2);
}

static void test_a_read_only_file_is_counted_on_from_in_memory(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=1m");
	open_roll(f);
	greets(f, 2);
	greets(f, MAX_ID);
	close_roll(f);
	assert_int_equal(mount("none", f->folder, "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
	open_roll(f);
	assert_said(f,
		"cannot write %s/roll: Read-only file system; greetings are counted on from it in memory, "
		"until greeterd ends\n");
	assert_false(roll_is_kept(f->roll));
	assert_int_equal(greets(f, 2), 2);
	assert_int_equal(greets(f, MAX_ID), 2);
	assert_int_equal(greets(f, 3), 1);
	reopen(f);
	assert_int_equal(count_of(f, 2), 1);
}

static void test_a_read_only_folder_without_a_file_is_counted_in_memory(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=1m,ro");
	open_roll(f);
	assert_said(f,
		"cannot open %s/roll: Read-only file system; greetings are counted in memory, until greeterd "
		"ends\n");
	assert_int_equal(greets(f, 2), 1);
}

static void test_a_file_that_cannot_grow_is_counted_on_from_in_memory(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;

	f->setup.max_id = 10;
	open_roll(f);
	greets(f, 2);
	close_roll(f);
	f->setup.max_id = MAX_ID;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = (struct rlimit){ (rlim_t)1 << 20, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	open_roll(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_said(f, "cannot make room in %s/roll: File too large; greetings are counted on from it in "
		       "memory, until "
		       "greeterd ends\n");
	assert_int_equal(greets(f, 2), 2);
	assert_int_equal(greets(f, MAX_ID), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_foreign_file_is_set_aside),
		CASE(test_an_empty_file_is_a_new_roll),
		CASE(test_what_is_set_aside_overwrites_nothing),
		CASE(test_gives_up_when_nothing_can_be_set_aside),
		CASE(test_a_truncated_file_is_set_aside),
		CASE(test_a_file_with_a_damaged_header_is_set_aside),
		CASE(test_a_newer_file_is_set_aside),
		CASE(test_an_older_file_is_set_aside),
		CASE(test_a_pipe_in_the_place_of_the_file_blocks_nothing),
		CASE(test_a_folder_in_the_place_of_the_file_is_left),
		CASE(test_a_missing_folder_leaves_the_roll_in_memory),
		CASE(test_a_larger_max_id_keeps_all),
		CASE(test_a_smaller_max_id_keeps_those_above_in_the_file),
		CASE(test_a_second_daemon_counts_in_memory),
		CASE(test_a_read_only_file_is_counted_on_from_in_memory),
		CASE(test_a_read_only_folder_without_a_file_is_counted_in_memory),
		CASE(test_a_file_that_cannot_grow_is_counted_on_from_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

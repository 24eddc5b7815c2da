/* The memory of a roll when there is little room on the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "roll-fixture.h"

static void test_a_million_ids_take_room_for_those_in_use(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;
	struct stat st;

	f->setup.max_id = 1000000;
	open_roll(f);
	greets(f, 1);
	greets(f, 500000);
	greets(f, 1000000);
	assert_int_equal(roll_get(f->roll, 700000, &entry), -ENOENT);
	assert_int_equal(roll_next(f->roll, 500001, UINT32_MAX, &entry), 0);
	assert_int_equal(entry.id, 1000000);
	assert_int_equal(stat(f->file, &st), 0);
	assert_true((size_t)st.st_size >= 1000000 * sizeof(struct roll_record));
	assert_true((size_t)st.st_blocks * 512 <=
		    4 * ROLL_CHUNK_SIZE); /* three, and what the file system needs */
	for (uint32_t id = 1; id <= 1000000; id += 997)
		greets(f, id);
	assert_int_equal(count_of(f, 1), 2);
}

static void test_a_disk_full_from_the_start_leaves_the_roll_in_memory(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=64k");
	fill_disk(f);
	open_roll(f);
	assert_said(f, "cannot make room in %s/roll: No space left on device; greetings are counted in "
		       "memory, until "
		       "greeterd ends\n");
	assert_false(exists(f, "roll"));
	for (uint32_t id = 0; id <= MAX_ID; id++)
		assert_int_equal(greets(f, id), 1);
}

static void test_a_disk_that_fills_up_keeps_who_is_on_it(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=256k");
	open_roll(f);
	for (uint32_t id = 0; id < 1500; id++)
		greets(f, id);
	fill_disk(f);
	f->said[0] = '\0';
	for (int round = 0; round < 2; round++)
		for (uint32_t id = 0; id <= MAX_ID; id++)
			greets(f, id);
	assert_said(f, "no room for more clients in %s/roll: No space left on device; those of ids 1984 to "
		       "3007, and "
		       "others for whom there is none, are counted in memory, until greeterd ends\n");
	assert_int_equal(count_of(f, 1400), 3);
	assert_int_equal(count_of(f, 60000), 2);
	f->said[0] = '\0';
	close_roll(f);
	assert_said(f,
		"cannot write the clients that were counted in memory to %s/roll: No space left on device\n");
	open_roll(f);
	assert_int_equal(count_of(f, 1400), 3);
	assert_int_equal(count_of(f, 60000), 0);
}

static void test_what_a_full_disk_had_no_room_for_is_written_when_it_has(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=256k");
	open_roll(f);
	greets(f, 1);
	fill_disk(f);
	assert_int_equal(greets(f, 1500), 1);
	empty_disk(f);
	assert_int_equal(greets(f, 1500), 2);
	reopen(f);
	assert_said(f, "");
	assert_int_equal(count_of(f, 1), 1);
	assert_int_equal(count_of(f, 1500), 2);
}

static void test_a_part_of_the_file_with_holes_is_read_from_a_full_disk(void **state)
{
	struct fixture *f = *state;

	mount_tmpfs(f, "size=256k");
	open_roll(f);
	greets(f, 1);
	close_roll(f);

	/* A copy without its holes filled: the last page of the first 64 KiB has no data. */
	int fd = open(f->file, O_RDWR | O_CLOEXEC);
	assert_int_equal(
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, ROLL_CHUNK_SIZE - 8192), 0);
	close(fd);
	fill_disk(f);
	open_roll(f);
	assert_int_equal(count_of(f, 1), 1);
	assert_int_equal(greets(f, 900), 1);
	assert_non_null(strstr(f->said, "ids 0 to 959"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_million_ids_take_room_for_those_in_use),
		CASE(test_a_disk_full_from_the_start_leaves_the_roll_in_memory),
		CASE(test_a_disk_that_fills_up_keeps_who_is_on_it),
		CASE(test_what_a_full_disk_had_no_room_for_is_written_when_it_has),
		CASE(test_a_part_of_the_file_with_holes_is_read_from_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

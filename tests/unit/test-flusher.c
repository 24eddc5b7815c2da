#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "greeterd/flusher.h"

static atomic_int syncs;
static atomic_bool stuck;

static int count_sync(int fd)
{
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	atomic_fetch_add(&syncs, 1);
	return 0;
}

static int fail_sync(int fd)
{
	(void)fd;
	errno = EIO;
	return -1;
}

static int hang(int fd)
{
	(void)fd;
	while (atomic_load(&stuck))
		sched_yield();
	return 0;
}

static void wait_for(const struct flusher *flusher)
{
	while (flusher_busy(flusher))
		sched_yield();
}

static void test_syncs_each_time_it_is_asked(void **state)
{
	_cleanup_(flusher_freep) struct flusher *flusher = NULL;

	(void)state;
	atomic_store(&syncs, 0);
	assert_int_equal(flusher_new(STDIN_FILENO, count_sync, &flusher), 0);
	for (int i = 1; i <= 3; i++) {
		assert_true(flusher_ask(flusher));
		wait_for(flusher);
		assert_int_equal(atomic_load(&syncs), i);
		assert_int_equal(flusher_result(flusher), 0);
	}
}

static void test_does_nothing_unless_it_is_asked(void **state)
{
	struct flusher *flusher;

	(void)state;
	atomic_store(&syncs, 0);
	assert_int_equal(flusher_new(STDIN_FILENO, count_sync, &flusher), 0);
	flusher_free(flusher);
	assert_int_equal(atomic_load(&syncs), 0);
}

static void test_keeps_the_error_of_the_last_one(void **state)
{
	_cleanup_(flusher_freep) struct flusher *flusher = NULL;

	(void)state;
	assert_int_equal(flusher_new(STDIN_FILENO, fail_sync, &flusher), 0);
	assert_int_equal(flusher_result(flusher), 0);
	flusher_ask(flusher);
	wait_for(flusher);
	assert_int_equal(flusher_result(flusher), -EIO);
}

static void test_refuses_a_second_while_one_is_under_way(void **state)
{
	_cleanup_(flusher_freep) struct flusher *flusher = NULL;

	(void)state;
	atomic_store(&stuck, true);
	assert_int_equal(flusher_new(STDIN_FILENO, hang, &flusher), 0);
	assert_true(flusher_ask(flusher));
	assert_true(flusher_busy(flusher));
	assert_false(flusher_ask(flusher));
	atomic_store(&stuck, false);
	wait_for(flusher);
	assert_true(flusher_ask(flusher));
}

static void test_leaves_a_thread_behind_that_the_disk_holds(void **state)
{
	struct flusher *flusher;
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 3);

	(void)state;
	assert_true(fd >= 0);
	close(fd); /* the number that the duplicate will have */
	atomic_store(&stuck, true);
	assert_int_equal(flusher_new(STDIN_FILENO, hang, &flusher), 0);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	flusher_ask(flusher);
	flusher_free(flusher); /* returns */
	atomic_store(&stuck, false);
	while (fcntl(fd, F_GETFD) >= 0) /* its duplicate: the last thing that it closes */
		sched_yield();
}

static void test_does_what_it_was_asked_before_it_was_freed(void **state)
{
	struct flusher *flusher;
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 3);

	(void)state;
	assert_true(fd >= 0);
	close(fd); /* the number that the duplicate will have */
	for (int i = 0; i < 100; i++) {
		atomic_store(&syncs, 0);
		assert_int_equal(flusher_new(STDIN_FILENO, count_sync, &flusher), 0);
		assert_true(flusher_ask(flusher));
		flusher_free(flusher);
		assert_int_equal(atomic_load(&syncs), 1);
		assert_int_equal(fcntl(fd, F_GETFD), -1); /* nothing is left behind */
	}
}

static void test_says_when_there_is_no_descriptor(void **state)
{
	struct flusher *flusher = NULL;

	(void)state;
	assert_int_equal(flusher_new(-1, count_sync, &flusher), -EBADF);
	assert_null(flusher);
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	flusher_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syncs_each_time_it_is_asked),
		cmocka_unit_test(test_does_nothing_unless_it_is_asked),
		cmocka_unit_test(test_keeps_the_error_of_the_last_one),
		cmocka_unit_test(test_refuses_a_second_while_one_is_under_way),
		cmocka_unit_test(test_leaves_a_thread_behind_that_the_disk_holds),
		cmocka_unit_test(test_does_what_it_was_asked_before_it_was_freed),
		cmocka_unit_test(test_says_when_there_is_no_descriptor),
		cmocka_unit_test(test_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

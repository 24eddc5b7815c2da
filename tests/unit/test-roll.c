/* The roll, in memory and in a file, recorded by threads and by processes that are killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "memory.h"
#include "roll-fixture.h"

/* --- in memory */

static void test_counts_from_one(void **state)
{
	struct fixture *f = *state;

	f->setup.folder = NULL;
	open_roll(f);
	for (uint64_t count = 1; count <= 1000; count++)
		assert_int_equal(greets(f, 7), count);
	assert_false(roll_is_kept(f->roll));
	roll_sync(f->roll);
	assert_said(f, "");
}

static void test_clients_do_not_share_a_count(void **state)
{
	struct fixture *f = *state;

	f->setup.folder = NULL;
	open_roll(f);
	for (uint32_t id = 0; id <= MAX_ID; id++)
		assert_int_equal(greets(f, id), 1);
	for (uint32_t id = MAX_ID; id > 0; id--)
		assert_int_equal(greets(f, id), 2);
	assert_int_equal(greets(f, 0), 2);
}

static void test_holds_the_smallest_roll(void **state)
{
	struct fixture *f = *state;

	f->setup.max_id = 1;
	open_roll(f);
	assert_int_equal(greets(f, 0), 1);
	assert_int_equal(greets(f, 1), 1);
}

static void test_refuses_more_ids_than_a_record_can_name(void **state)
{
	struct fixture *f = *state;

	f->setup.max_id = ROLL_ID_MAX + 1;
	assert_int_equal(roll_new(&f->setup, &f->roll), -EINVAL);
	assert_null(f->roll);
	assert_false(exists(f, "roll"));
}

static void test_says_when_there_is_no_memory(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;

	skip_under_sanitizer();
	f->setup.max_id = ROLL_ID_MAX;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = (struct rlimit){ (rlim_t)512 << 20, before.rlim_max }; /* half of what the roll would be */
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	assert_int_equal(roll_new(&f->setup, &f->roll), -ENOMEM);
	f->setup.folder = NULL;
	assert_int_equal(roll_new(&f->setup, &f->roll), -ENOMEM);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_null(f->roll);
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	roll_free(NULL);
}

/* --- a record */

static void test_a_record_tells_who_when_and_from_where(void **state)
{
	struct fixture *f = *state;
	const struct netio_peer other = {
		.family = AF_INET6, .port = 9, .scope = 3, .ip = { 0xfe, 0x80, [15] = 1 }
	};
	struct roll_entry entry;

	open_roll(f);
	assert_int_equal(roll_record(f->roll, 2, &peer, 1, NOW), 1);
	assert_int_equal(roll_record(f->roll, 2, &other, 1, NOW + 5), 2);
	roll_refuse(f->roll, 2);
	roll_set_state(f->roll, 2, 255);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.id, 2);
	assert_int_equal(entry.count, 2);
	assert_int_equal(entry.first_seen, NOW);
	assert_int_equal(entry.last_seen, NOW + 5);
	assert_int_equal(entry.refusals, 1);
	assert_int_equal(entry.state, 255);
	assert_memory_equal(&entry.peer, &other, sizeof(other));
}

static void test_records_many_greetings_at_once(void **state)
{
	struct fixture *f = *state;

	open_roll(f);
	assert_int_equal(roll_record(f->roll, 2, &peer, 16, NOW), 16);
	assert_int_equal(roll_record(f->roll, 2, &peer, 3, NOW), 19);
}

static void test_a_client_that_never_greeted_is_not_known(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry = { .id = 99 };

	open_roll(f);
	assert_int_equal(roll_get(f->roll, 2, &entry), -ENOENT);
	assert_int_equal(roll_next(f->roll, 0, UINT32_MAX, &entry), -ENOENT);
	assert_int_equal(entry.id, 99);
	greets(f, 3);
	assert_int_equal(roll_get(f->roll, 2, &entry), -ENOENT);
}

static void test_a_forgotten_client_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;

	open_roll(f);
	greets(f, 2);
	roll_set_state(f->roll, 2, 4);
	roll_forget(f->roll, 2);
	assert_int_equal(roll_get(f->roll, 2, &entry), -ENOENT);
	reopen(f);
	assert_int_equal(roll_get(f->roll, 2, &entry), -ENOENT);
	assert_int_equal(greets(f, 2), 1);
	assert_said(f, "");
}

static void test_refusals_stop_at_what_a_record_can_hold(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;

	open_roll(f);
	for (uint32_t i = 0; i < 300; i++)
		roll_refuse(f->roll, 2);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.refusals, 300);
	assert_int_equal(entry.count, 0);
	assert_int_equal(entry.first_seen, 0);
	roll_set_state(f->roll, 2, 7);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.refusals, 300);
}

static void test_next_walks_over_the_known_in_order(void **state)
{
	static const uint32_t ids[] = { 0, 1, 959, 960, 1023, 1024, 40000, MAX_ID };
	struct fixture *f = *state;
	struct roll_entry entry;

	open_roll(f);
	for (size_t i = ELEMENTS(ids); i > 0; i--)
		greets(f, ids[i - 1]);
	for (int round = 0; round < 2; round++) { /* the second over what only the file knows */
		uint32_t first = 0;

		for (size_t i = 0; i < ELEMENTS(ids); i++, first = entry.id + 1) {
			assert_int_equal(roll_next(f->roll, first, UINT32_MAX, &entry), 0);
			assert_int_equal(entry.id, ids[i]);
		}
		assert_int_equal(roll_next(f->roll, first, UINT32_MAX, &entry), -ENOENT);
		reopen(f);
	}
}

static void test_finds_a_client_far_away_in_steps(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry = { 0 };
	unsigned steps = 0;

	open_roll(f);
	greets(f, 1);
	greets(f, 1000); /* in a chunk that is in use */
	while (roll_next(f->roll, entry.id + (steps == 0 ? 2 : 0), 100, &entry) > 0)
		steps++;
	assert_int_equal(entry.id, 1000);
	assert_int_equal(entry.count, 1);
	assert_int_equal(steps, 9);
	assert_int_equal(roll_next(f->roll, 990, 10, &entry), 1);
	assert_int_equal(entry.id, 1000);
	assert_int_equal(entry.count, 0);
	assert_int_equal(roll_next(f->roll, 990, 11, &entry), 0);
}

/* --- several threads */

#define THREADS 4
#define ROUNDS 20000

/* Each value of a record is made of one number, so that a mixture of two is seen. */
static void *greet_and_read(void *data)
{
	struct fixture *f = data;
	struct roll_entry entry;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		struct netio_peer from = { .family = AF_INET6, .scope = (uint32_t)i };

		memcpy(from.ip, &i, sizeof(i));
		memcpy(from.ip + 8, &i, sizeof(i));
		roll_record(f->roll, 7, &from, 1, i);
		if (i % 4 != 0)
			continue;
		assert_int_equal(roll_get(f->roll, 7, &entry), 0);
		assert_int_equal(entry.peer.scope, entry.last_seen);
		assert_memory_equal(entry.peer.ip, entry.peer.ip + 8, 8);
		assert_memory_equal(entry.peer.ip, &entry.last_seen, 8);
	}
	return NULL;
}

static void test_threads_lose_no_greeting_and_see_no_mixture(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];

	open_roll(f);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, greet_and_read, f), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(count_of(f, 7), THREADS * ROUNDS);
	assert_said(f, "");
}

static void *greet_as_everybody(void *data)
{
	struct fixture *f = data;

	for (uint32_t id = 0; id <= MAX_ID; id += 50)
		greets(f, id);
	return NULL;
}

static void test_threads_that_touch_the_same_part_first_lose_nothing(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];

	open_roll(f);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, greet_as_everybody, f), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (uint32_t id = 0; id <= MAX_ID; id += 50)
		assert_int_equal(count_of(f, id), THREADS);
}

/* --- restart and kill */

static void test_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct roll_entry before, after;

	open_roll(f);
	greets(f, 2);
	greets(f, MAX_ID);
	greets(f, 2);
	roll_set_state(f->roll, 2, 6);
	assert_true(roll_is_kept(f->roll));
	assert_int_equal(roll_get(f->roll, 2, &before), 0);
	reopen(f);
	assert_int_equal(roll_get(f->roll, 2, &after), 0);
	assert_int_equal(after.count, 2);
	assert_int_equal(after.state, 6);
	assert_int_equal(after.first_seen, before.first_seen);
	assert_int_equal(after.last_seen, before.last_seen);
	assert_memory_equal(&before.peer, &after.peer, sizeof(before.peer));
	assert_int_equal(greets(f, 2), 3);
	assert_int_equal(greets(f, MAX_ID), 2);
	assert_said(f, "");
}

#define KILLS 200
#define KILLED_IDS 40

struct report {
	uint32_t id;
	uint64_t count;
};

static void greet_until_killed(struct fixture *f, int pipe_fd)
{
	if (roll_new(&f->setup, &f->roll) < 0 || !roll_is_kept(f->roll))
		_exit(1);
	for (uint32_t i = 0;; i++) {
		struct report report = { .id = i * 7 % KILLED_IDS };

		report.count = greets(f, report.id);
		if (write(pipe_fd, &report, sizeof(report)) != sizeof(report))
			_exit(2);
	}
}

/* Has a process greet, kills it somewhere, and takes into counts what it said it had recorded. */
static void greet_and_kill(struct fixture *f, uint64_t counts[static KILLED_IDS], unsigned reports)
{
	struct report report;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		greet_until_killed(f, fds[1]);
	close(fds[1]);
	for (unsigned n = 0; read(fds[0], &report, sizeof(report)) == sizeof(report);) {
		if (++n == reports) {
			for (volatile unsigned spin = (unsigned)rand() % 2000; spin > 0; spin--)
				;
			assert_int_equal(kill(child, SIGKILL), 0);
		}
		assert_int_equal(report.count, counts[report.id] + 1);
		counts[report.id] = report.count;
	}
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_a_kill_at_any_moment_loses_no_recorded_greeting(void **state)
{
	struct fixture *f = *state;
	uint64_t counts[KILLED_IDS] = { 0 };
	unsigned unreported = 0;

	srand(1);
	for (int i = 0; i < KILLS; i++) {
		unsigned ahead = 0;

		greet_and_kill(f, counts, 1 + (unsigned)rand() % 300);
		open_roll(f);
		for (uint32_t id = 0; id < KILLED_IDS; id++) {
			uint64_t count = count_of(f, id);

			/* At most the one that it was about to report when it was killed. */
			assert_true(count == counts[id] || count == counts[id] + 1);
			ahead += count != counts[id];
			counts[id] = count;
		}
		assert_true(ahead <= 1);
		unreported += ahead;
		assert_null(strstr(f->said, "damaged"));
		close_roll(f);
	}
	print_message("# %d kills, %u of them between recording and reporting\n", KILLS, unreported);
}

#define KILLED_THREADS 2

/* What each thread of a process that is killed says it has recorded, in memory that outlives it. */
struct ledger {
	struct roll *roll;
	_Atomic uint64_t counts[KILLED_THREADS][KILLED_IDS];
	atomic_int threads;
};

static void *greet_into_ledger(void *data)
{
	struct ledger *ledger = data;
	int thread = atomic_fetch_add(&ledger->threads, 1);

	for (uint32_t i = 0;; i++) {
		roll_record(ledger->roll, i % KILLED_IDS, &peer, 1, NOW);
		atomic_fetch_add(&ledger->counts[thread][i % KILLED_IDS], 1);
	}
	return NULL;
}

static void greet_with_threads(struct fixture *f, struct ledger *ledger)
{
	pthread_t thread;

	if (roll_new(&f->setup, &ledger->roll) < 0 || !roll_is_kept(ledger->roll))
		_exit(1);
	for (int i = 1; i < KILLED_THREADS; i++)
		if (pthread_create(&thread, NULL, greet_into_ledger, ledger) != 0)
			_exit(2);
	greet_into_ledger(ledger);
}

static void kill_amid_recording(struct fixture *f, struct ledger *ledger)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		greet_with_threads(f, ledger);
	while (atomic_load(&ledger->counts[KILLED_THREADS - 1][KILLED_IDS - 1]) == 0)
		sched_yield();
	usleep((useconds_t)(rand() % 500));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_a_kill_amid_recording_leaves_every_count_exact(void **state)
{
	struct fixture *f = *state;
	const size_t size = sizeof(struct ledger);
	struct ledger *ledger = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t counts[KILLED_IDS] = { 0 };
	unsigned torn = 0;

	assert_true(ledger != MAP_FAILED);
	for (int i = 0; i < KILLS; i++) {
		uint64_t ahead = 0;

		memset((void *)ledger, 0, size);
		kill_amid_recording(f, ledger);
		open_roll(f);
		for (uint32_t id = 0; id < KILLED_IDS; id++) {
			uint64_t count = count_of(f, id);

			for (int thread = 0; thread < KILLED_THREADS; thread++)
				counts[id] += atomic_load(&ledger->counts[thread][id]);
			assert_true(count >= counts[id]);
			ahead += count - counts[id];
			counts[id] = count;
		}
		assert_true(ahead <= KILLED_THREADS);
		assert_null(strstr(f->said, "damaged"));
		torn += strstr(f->said, "was being written") ? 1 : 0;
		close_roll(f);
	}
	munmap(ledger, size);
	print_message("# %d kills, %u of them in the middle of a record\n", KILLS, torn);
}

static void test_a_torn_record_keeps_its_count(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;

	open_roll(f);
	greets(f, 2);
	greets(f, 2);
	greets(f, 3);
	close_roll(f);
	tear(f, 2);
	open_roll(f);
	assert_int_equal(greets(f, 2), 3);
	assert_int_equal(greets(f, 3), 2);
	assert_int_equal(roll_get(f->roll, 2, &entry), 0);
	assert_int_equal(entry.first_seen, NOW);
	assert_said(
		f, "the record of client 2 was being written when greeterd ended; its count of 2 is kept\n");
	reopen(f);
	assert_int_equal(count_of(f, 2), 3);
	assert_said(f, "");
}

static void test_a_torn_record_names_no_peer(void **state)
{
	struct fixture *f = *state;
	struct roll_entry entry;

	open_roll(f);
	greets(f, 0);
	close_roll(f);
	tear(f, 0);
	open_roll(f);
	assert_int_equal(roll_get(f->roll, 0, &entry), 0);
	assert_int_equal(entry.count, 1);
	assert_int_equal(entry.peer.family, AF_UNSPEC);
	assert_said(f,
		"the record of the unnumbered clients was being written when greeterd ended; its count "
		"of 1 is kept\n");
}

/* --- damage */

static void test_a_damaged_record_is_reset_alone(void **state)
{
	struct fixture *f = *state;
	const uint64_t wrong = 1000000;
	struct roll_entry entry;

	open_roll(f);
	for (uint32_t id = 1; id <= 3; id++)
		greets(f, id);
	close_roll(f);
	poke(f, place_of(2, offsetof(struct roll_record, count)), &wrong, sizeof(wrong));
	open_roll(f);
	assert_int_equal(roll_get(f->roll, 2, &entry), -ENOENT);
	assert_int_equal(greets(f, 2), 1);
	assert_int_equal(greets(f, 1), 2);
	assert_int_equal(greets(f, 3), 2);
	assert_said(
		f, "the record of client 2 is damaged; its count of 1000000 is given up, and begins anew\n");
}

static void test_any_changed_byte_of_a_record_is_damage_or_a_torn_write(void **state)
{
	struct fixture *f = *state;

	for (size_t byte = 0; byte < sizeof(struct roll_record); byte++) {
		uint8_t value;

		open_roll(f);
		roll_forget(f->roll, 5);
		greets(f, 5);
		close_roll(f);
		peek(f, place_of(5, byte), &value, 1);
		value ^= 0x41; /* the lowest bit of the head makes it odd */
		poke(f, place_of(5, byte), &value, 1);
		open_roll(f);
		if (byte == 0)
			assert_int_equal(count_of(f, 5), 1);
		else if (byte >= 4 && byte < 8) /* the session: who wrote it, which is nobody's */
			assert_int_equal(count_of(f, 5), 1);
		else
			assert_int_equal(count_of(f, 5), 0);
		close_roll(f);
	}
}

static void test_a_record_in_the_wrong_place_is_damage(void **state)
{
	struct fixture *f = *state;
	struct roll_record record;

	open_roll(f);
	greets(f, 5);
	close_roll(f);
	peek(f, place_of(5, 0), &record, sizeof(record));
	poke(f, place_of(6, 0), &record, sizeof(record));
	open_roll(f);
	assert_int_equal(count_of(f, 6), 0);
	assert_int_equal(count_of(f, 5), 1);
}

static void test_garbage_is_damage_record_by_record(void **state)
{
	struct fixture *f = *state;
	uint64_t words[ROLL_CHUNK_SIZE / sizeof(uint64_t)], random = 1;
	struct roll_entry entry;

	open_roll(f);
	close_roll(f);
	for (size_t i = 0; i < ELEMENTS(words); i++)
		words[i] = random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
	poke(f, ROLL_HEADER_SIZE, words, sizeof(words));
	open_roll(f);
	assert_int_equal(roll_next(f->roll, 0, UINT32_MAX, &entry), -ENOENT);
	for (uint32_t id = 0; id < 2000; id++)
		assert_int_equal(greets(f, id), 1);
	reopen(f);
	assert_said(f, "");
	assert_int_equal(count_of(f, 7), 1);
}

static void test_many_damaged_records_are_counted_not_listed(void **state)
{
	struct fixture *f = *state;
	const uint64_t wrong = 77;

	open_roll(f);
	close_roll(f);
	for (uint32_t id = 1; id <= 100; id++)
		poke(f, place_of(id, offsetof(struct roll_record, tail)), &wrong, sizeof(wrong));
	open_roll(f);
	for (uint32_t id = 1; id <= 100; id++)
		assert_int_equal(count_of(f, id), 0);
	assert_null(strstr(f->said, "client 21 "));
	assert_non_null(strstr(f->said, "client 20 "));
	f->said[0] = '\0';
	roll_sync(f->roll);
	assert_said(f, "100 records of %s/roll were damaged in all, or being written\n");
}

/* --- the way to the disk */

static atomic_bool stuck;
static atomic_int sync_error, syncs;

static int slow_sync(int fd)
{
	(void)fd;
	while (atomic_load(&stuck))
		sched_yield();
	errno = atomic_load(&sync_error);
	atomic_fetch_add(&syncs, 1);
	return errno == 0 ? 0 : -1;
}

/* Calls roll_sync() until a sync has ended that began after now, and the call that tells of it; never so fast
 * that the thread could seem stuck. */
static void sync_twice(struct fixture *f)
{
	for (int i = 0; i < 3; i++) {
		int before = atomic_load(&syncs);

		roll_sync(f->roll);
		for (int tries = 0; tries < 20000 && atomic_load(&syncs) == before; tries++)
			usleep(1000);
		usleep(1000); /* it has ended, and says so */
	}
}

static void test_sync_brings_the_file_to_the_disk(void **state)
{
	struct fixture *f = *state;

	open_roll(f);
	greets(f, 2);
	roll_sync(f->roll);
	assert_said(f, "");
}

static void test_a_stuck_disk_blocks_no_greeting_and_is_told(void **state)
{
	struct fixture *f = *state;

	f->setup.sync = slow_sync;
	atomic_store(&sync_error, 0);
	atomic_store(&stuck, true);
	open_roll(f);
	for (uint64_t i = 1; i <= 10; i++) {
		roll_sync(f->roll);
		assert_int_equal(greets(f, 2), i);
	}
	assert_said(f, "the disk does not take %s/roll: what is recorded from here on would be lost with the "
		       "machine's "
		       "power\n");
	f->said[0] = '\0';
	atomic_store(&stuck, false);
	sync_twice(f);
	assert_said(f, "%s/roll is on the disk again\n");
}

static void test_a_disk_that_fails_is_told_once(void **state)
{
	struct fixture *f = *state;

	f->setup.sync = slow_sync;
	atomic_store(&sync_error, EIO);
	open_roll(f);
	sync_twice(f);
	sync_twice(f);
	assert_said(f, "cannot bring %s/roll to the disk: Input/output error\n");
	f->said[0] = '\0';
	atomic_store(&sync_error, 0);
	sync_twice(f);
	sync_twice(f);
	assert_said(f, "%s/roll is on the disk again\n");
}

static void test_without_a_thread_for_it_the_kernel_syncs(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, none;

	open_roll(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 3, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	roll_sync(f->roll);
	roll_sync(f->roll);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(f->said, "to the disk: "));
	assert_string_equal(strchr(f->said, '\n'), "\n"); /* once */
	assert_int_equal(greets(f, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_counts_from_one),
		CASE(test_clients_do_not_share_a_count),
		CASE(test_holds_the_smallest_roll),
		CASE(test_refuses_more_ids_than_a_record_can_name),
		CASE(test_says_when_there_is_no_memory),
		CASE(test_free_takes_nothing),
		CASE(test_a_record_tells_who_when_and_from_where),
		CASE(test_records_many_greetings_at_once),
		CASE(test_a_client_that_never_greeted_is_not_known),
		CASE(test_a_forgotten_client_begins_anew),
		CASE(test_refusals_stop_at_what_a_record_can_hold),
		CASE(test_next_walks_over_the_known_in_order),
		CASE(test_finds_a_client_far_away_in_steps),
		CASE(test_threads_lose_no_greeting_and_see_no_mixture),
		CASE(test_threads_that_touch_the_same_part_first_lose_nothing),
		CASE(test_survives_a_restart),
		CASE(test_a_kill_at_any_moment_loses_no_recorded_greeting),
		CASE(test_a_kill_amid_recording_leaves_every_count_exact),
		CASE(test_a_torn_record_keeps_its_count),
		CASE(test_a_torn_record_names_no_peer),
		CASE(test_a_damaged_record_is_reset_alone),
		CASE(test_any_changed_byte_of_a_record_is_damage_or_a_torn_write),
		CASE(test_a_record_in_the_wrong_place_is_damage),
		CASE(test_garbage_is_damage_record_by_record),
		CASE(test_many_damaged_records_are_counted_not_listed),
		CASE(test_sync_brings_the_file_to_the_disk),
		CASE(test_a_stuck_disk_blocks_no_greeting_and_is_told),
		CASE(test_a_disk_that_fails_is_told_once),
		CASE(test_without_a_thread_for_it_the_kernel_syncs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* roll-fixture.h: a roll in a folder of its own, and what the tests of its modules do to the file in it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/duration.h"
#include "greeterd/roll-format.h"
#include "greeterd/roll.h"

#define MAX_ID 65535
#define NOW (UINT64_C(1700000000) * USEC_PER_SEC) /* 2023-11-14 22:13:20 UTC */
#define ASIDE "roll.damaged-20231114T221320Z"

struct fixture {
	char folder[64], file[96];
	char said[16384]; /* sentences, each with a newline */
	bool mounted;
	struct roll *roll;
	struct roll_setup setup;
};

static const struct netio_peer peer = { .family = AF_INET, .port = 40312, .ip = { 192, 0, 2, 7 } };

static inline void note(void *data, const char *sentence)
{
	struct fixture *f = data;
	size_t len = strlen(f->said);

	snprintf(f->said + len, sizeof(f->said) - len, "%s\n", sentence);
}

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/test-roll-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof(f->file), "%s/roll", f->folder);
	f->setup = (struct roll_setup){
		.folder = f->folder, .max_id = MAX_ID, .now = NOW, .say = note, .data = f
	};
	*state = f;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	roll_free(f->roll);
	if (f->mounted)
		assert_int_equal(umount2(f->folder, MNT_DETACH), 0);
	nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline void open_roll(struct fixture *f)
{
	f->said[0] = '\0';
	assert_int_equal(roll_new(&f->setup, &f->roll), 0);
}

static inline void close_roll(struct fixture *f)
{
	roll_free(f->roll);
	f->roll = NULL;
}

static inline void reopen(struct fixture *f)
{
	close_roll(f);
	open_roll(f);
}

static inline uint64_t greets(struct fixture *f, uint32_t id)
{
	return roll_record(f->roll, id, &peer, 1, NOW);
}

static inline uint64_t count_of(struct fixture *f, uint32_t id)
{
	struct roll_entry entry;

	return roll_get(f->roll, id, &entry) == 0 ? entry.count : 0;
}

static inline void assert_said(struct fixture *f, const char *format)
{
	char expected[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(expected, sizeof(expected), format, f->folder);
#pragma GCC diagnostic pop
	assert_string_equal(f->said, expected);
}

static inline bool exists(const struct fixture *f, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	return access(path, F_OK) == 0;
}

/* Changes bytes of the file while no roll has it open. */
static inline void poke(const struct fixture *f, size_t offset, const void *bytes, size_t len)
{
	int fd = open(f->file, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

static inline void peek(const struct fixture *f, size_t offset, void *bytes, size_t len)
{
	int fd = open(f->file, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

static inline size_t place_of(uint32_t id, size_t member)
{
	return ROLL_HEADER_SIZE + id * sizeof(struct roll_record) + member;
}

/* Makes the record one whose writer was killed in the middle. */
static inline void tear(const struct fixture *f, uint32_t id)
{
	uint64_t head;

	peek(f, place_of(id, 0), &head, sizeof(head));
	head |= 1;
	poke(f, place_of(id, 0), &head, sizeof(head));
}

/* A file system of the test's own over the folder; skips where that is not permitted. */
static inline void mount_tmpfs(struct fixture *f, const char *options)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", f->folder, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0) {
		print_message("# not permitted to mount a file system of its own: %s\n", strerror(errno));
		skip();
	}
	f->mounted = true;
}

static inline off_t fill_disk(const struct fixture *f)
{
	char path[128], block[4096] = { 1 };
	off_t size = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/filler", f->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) == sizeof(block))
		size += (off_t)sizeof(block);
	close(fd);
	return size;
}

static inline void empty_disk(const struct fixture *f)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/filler", f->folder);
	assert_int_equal(unlink(path), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

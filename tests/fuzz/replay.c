/*
 * Feeds a corpus to a fuzz target that is built without a fuzzer: every file of the folders given, or of the
 * target's own folder in $top_srcdir, whole and cut off after each of its first bytes. A target that finds
 * something dies of it. Speaks TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define INPUT_MAX (1024 * 1024)
#define PREFIXES_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly its size, so that valgrind and the sanitizers see a read beyond it. */
static void feed(const uint8_t *data, size_t size)
{
	_cleanup_(freep) uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
}

static int replay_file(const char *path)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	_cleanup_(freep) uint8_t *data = malloc(INPUT_MAX);
	size_t size;

	if (!file || !data)
		return -errno;
	size = fread(data, 1, INPUT_MAX, file);
	if (ferror(file))
		return -EIO;
	for (size_t n = 0; n < size && n < PREFIXES_MAX; n++)
		feed(data, n);
	feed(data, size);
	return 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Replays a folder; *n counts its files. Returns how many could not be read, or -errno. */
static int replay_folder(const char *folder, unsigned *n)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, alphasort), bad = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
			abort();
		bool read = replay_file(path) == 0;
		printf("%s %u - %s\n", read ? "ok" : "not ok", ++*n, entries[i]->d_name);
		bad += !read;
		free(entries[i]);
	}
	free(entries);
	return bad;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	_cleanup_(freep) char *own = NULL;
	unsigned n = 0;
	int bad = 0;

	if (asprintf(&own, "%s/%s", top ? top : ".", CORPUS) < 0)
		abort();
	for (int i = 1; i < argc || i == 1; i++) {
		const char *folder = i < argc ? argv[i] : own;
		int r = replay_folder(folder, &n);

		if (r < 0)
			printf("Bail out! %s: %s\n", folder, strerror(-r));
		bad += r != 0;
	}
	printf("1..%u\n", n);
	return bad > 0 || n == 0;
}

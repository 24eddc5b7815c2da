#include "greeterd/roll-map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

static off_t offset_of(size_t chunk)
{
	return (off_t)(chunk * ROLL_CHUNK_SIZE);
}

/* The first id with its record in or behind the chunk. */
static size_t first_id(size_t chunk)
{
	return chunk == 0 ? 0 : (chunk * ROLL_CHUNK_SIZE - ROLL_HEADER_SIZE) / sizeof(struct roll_record);
}

/* Reads of the file, from offset on, what there is of len bytes. */
static void load(int fd, char *into, size_t len, off_t offset)
{
	while (len > 0) {
		ssize_t n = pread(fd, into, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		into += n;
		len -= (size_t)n;
		offset += n;
	}
}

/* What the file has of the records, where it is not to be written. */
static void load_all(struct roll_map *map, int fd)
{
	off_t data = 0, hole, end = (off_t)map->size;

	for (; data < end; data = hole) {
		data = lseek(fd, data, SEEK_DATA);
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || data >= end)
			return;
		hole = hole < end ? hole : end;
		load(fd, map->base + data, (size_t)(hole - data), data);
	}
}

static int map_pages(struct roll_map *map)
{
	const int flags = map->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	void *base = mmap(NULL, map->size, PROT_READ | PROT_WRITE, flags, map->fd, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	map->base = base;
	if (map->fd < 0)
		for (size_t chunk = 0; chunk < map->n_chunks; chunk++)
			atomic_init(&map->chunks[chunk], ROLL_CHUNK_IN_MEMORY);
	return 0;
}

int roll_map_init(
	struct roll_map *map, const char *folder, uint32_t max_id, uint64_t now, struct roll_voice *voice)
{
	struct roll_file file = { .fd = -1 };
	int r;

	*map = (struct roll_map){
		.fd = -1, .size = roll_file_size(max_id), .folder = folder, .voice = voice
	};
	pthread_mutex_init(&map->touching, NULL);
	map->n_chunks = map->size / ROLL_CHUNK_SIZE;
	map->chunks = calloc(map->n_chunks, sizeof(*map->chunks));
	if (!map->chunks)
		return -ENOMEM;
	if (folder)
		roll_file_open(folder, max_id, now, voice, &file);
	if (file.writable)
		map->fd = TAKE_FD(file.fd);
	r = map_pages(map);
	if (r >= 0 && file.fd >= 0)
		load_all(map, file.fd);
	closep(&file.fd);
	if (r < 0)
		roll_map_deinit(map);
	return r;
}

static void write_back(struct roll_map *map)
{
	for (size_t chunk = 0; chunk < map->n_chunks; chunk++) {
		ssize_t n;

		if (atomic_load(&map->chunks[chunk]) != ROLL_CHUNK_IN_MEMORY)
			continue;
		n = pwrite(map->fd, map->base + offset_of(chunk), ROLL_CHUNK_SIZE, offset_of(chunk));
		if (n == (ssize_t)ROLL_CHUNK_SIZE)
			continue;
		roll_tell(map->voice,
			"cannot write the clients that were counted in memory to %s/" ROLL_FILE_NAME ": %s",
			map->folder, strerror(n < 0 ? errno : ENOSPC));
		return;
	}
}

void roll_map_deinit(struct roll_map *map)
{
	if (map->fd >= 0 && map->base)
		write_back(map);
	if (map->base)
		munmap(map->base, map->size);
	closep(&map->fd);
	pthread_mutex_destroy(&map->touching);
	free((void *)map->chunks);
}

/* Memory takes the place of a chunk, with what the file has of it. */
static void keep_in_memory(struct roll_map *map, size_t chunk, int error)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
	char *at = map->base + offset_of(chunk);

	if (mmap(at, ROLL_CHUNK_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		abort(); /* neither disk nor memory: nothing can be recorded, so nothing may be answered */
	load(map->fd, at, ROLL_CHUNK_SIZE, offset_of(chunk));
	if (!map->full)
		roll_tell(map->voice,
			"no room for more clients in %s/" ROLL_FILE_NAME
			": %s; those of ids %zu to %zu, and others for "
			"whom there is none, are counted in memory, until greeterd ends",
			map->folder, strerror(error), first_id(chunk), first_id(chunk + 1) - 1);
	map->full = true;
}

void roll_map_touch(struct roll_map *map, size_t chunk)
{
	int error;

	pthread_mutex_lock(&map->touching);
	if (atomic_load(&map->chunks[chunk]) == ROLL_CHUNK_UNTOUCHED) {
		do
			error = posix_fallocate(map->fd, offset_of(chunk), ROLL_CHUNK_SIZE);
		while (error == EINTR);
		if (error != 0)
			keep_in_memory(map, chunk, error);
		atomic_store(&map->chunks[chunk], error != 0 ? ROLL_CHUNK_IN_MEMORY : ROLL_CHUNK_IN_FILE);
	}
	pthread_mutex_unlock(&map->touching);
}

size_t roll_map_skip(const struct roll_map *map, size_t offset)
{
	size_t chunk = offset / ROLL_CHUNK_SIZE;
	off_t data;

	if (atomic_load(&map->chunks[chunk]) != ROLL_CHUNK_UNTOUCHED)
		return offset;
	data = lseek(map->fd, offset_of(chunk), SEEK_DATA);
	if (data < 0 ? errno != ENXIO : (size_t)data < (size_t)offset_of(chunk + 1))
		return offset; /* a file system that does not know about holes has none */
	return (size_t)offset_of(chunk + 1);
}

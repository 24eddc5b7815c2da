#include "greeterd/lastgood.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEMPORARY_NAME LASTGOOD_NAME ".new"

static bool holds_already(int folder_fd, const char *text, size_t len)
{
	_cleanup_(closep) int fd =
		openat(folder_fd, LASTGOOD_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	_cleanup_(freep) char *there = fd < 0 ? NULL : malloc(len + 1);

	return there && read(fd, there, len + 1) == (ssize_t)len && memcmp(there, text, len) == 0;
}

static int write_file(int folder_fd, const char *text, size_t len)
{
	_cleanup_(closep) int fd = openat(
		folder_fd, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -ENOSPC;
	if (fsync(fd) < 0 || renameat(folder_fd, TEMPORARY_NAME, folder_fd, LASTGOOD_NAME) < 0)
		return -errno;
	return 0;
}

int lastgood_save(const char *folder, const struct settings *settings)
{
	_cleanup_(closep) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	FILE *stream;
	int r;

	if (folder_fd < 0)
		return -errno;
	stream = open_memstream(&text, &len);
	if (!stream)
		return -errno;
	settings_dump(settings, stream);
	if (fclose(stream) != 0)
		return -ENOMEM;
	if (holds_already(folder_fd, text, len))
		return 0;
	r = write_file(folder_fd, text, len);
	if (r < 0)
		unlinkat(folder_fd, TEMPORARY_NAME, 0);
	return r;
}

int lastgood_load(const char *folder, struct settings **ret)
{
	_cleanup_(freep) char *path = NULL;
	struct settings_report report = { 0 };
	int r;

	if (asprintf(&path, "%s/" LASTGOOD_NAME, folder) < 0)
		return -ENOMEM;
	r = settings_load(path, ret, &report);
	settings_report_free(&report);
	return r;
}

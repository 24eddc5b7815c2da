#include "generator/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "generator/dropin.h"

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Fills the new file fd at temporary, and gives it its name. */
static int finish(int fd, const char *temporary, const char *path, const char *text)
{
	int r = write_all(fd, text);

	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

int place_dropin(const char *folder, const char *text)
{
	char unit[PATH_MAX], path[PATH_MAX + sizeof(DROPIN_NAME)], temporary[sizeof(path) + 16];
	_cleanup_(closep) int fd = -1;

	if (snprintf(unit, sizeof(unit), "%s/" DROPIN_UNIT ".d", folder) >= (int)sizeof(unit))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/" DROPIN_NAME, unit);
	snprintf(temporary, sizeof(temporary), "%s/.#" DROPIN_NAME "XXXXXX", unit);
	if (mkdir(unit, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = mkostemp(temporary, O_CLOEXEC);
	return fd < 0 ? -errno : finish(fd, temporary, path, text);
}

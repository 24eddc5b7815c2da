#include "common/settings-text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_read(const struct settings_source *source, struct settings_findings *findings, int error)
{
	settings_found(findings, source, 0, NULL, "cannot be read: %s", strerror(error));
	return -error;
}

/* Opens a regular file. O_NONBLOCK, so that a FIFO without a writer does not block. */
static int open_regular(const struct settings_source *source, struct settings_findings *findings)
{
	_cleanup_(closep) int fd = open(source->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_read(source, findings, errno);
	if (S_ISDIR(st.st_mode))
		return cannot_read(source, findings, EISDIR);
	if (!S_ISREG(st.st_mode)) {
		settings_found(findings, source, 0, NULL, "not a regular file; expected one");
		return -EINVAL;
	}
	return TAKE_FD(fd);
}

int settings_text_read(const struct settings_source *source, struct settings_findings *findings,
	char **ret_text, size_t *ret_len)
{
	_cleanup_(closep) int fd = open_regular(source, findings);
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	text = malloc(SETTINGS_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	while (len <= SETTINGS_FILE_MAX && (n = read(fd, text + len, SETTINGS_FILE_MAX + 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot_read(source, findings, errno);
		len += (size_t)n;
	}
	if (len > SETTINGS_FILE_MAX) {
		settings_found(
			findings, source, 0, NULL, "too large; expected at most %d bytes", SETTINGS_FILE_MAX);
		return -EFBIG;
	}
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

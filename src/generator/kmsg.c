#include "generator/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "greeterd-generator: "
#define ERROR_LEVEL "<3>"
#define LINE_MAX_SHOWN 900 /* the kernel takes some 970 bytes in one write */

int kmsg_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

void kmsg_say(int fd, const char *line)
{
	char record[sizeof(ERROR_LEVEL PROGRAM "\n") + LINE_MAX_SHOWN];

	/* A record that no newline ends is held back until the next one comes. */
	snprintf(record, sizeof(record), ERROR_LEVEL PROGRAM "%.*s\n", LINE_MAX_SHOWN, line);
	if (fd < 0 || write(fd, record, strlen(record)) < 0)
		fprintf(stderr, PROGRAM "%s\n", line);
}

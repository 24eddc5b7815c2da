/*
 * kmsg.h: the log of those who run before there is a journal: /dev/kmsg, kmsg(4) of the kernel's
 * documentation.
 *
 * Never blocks. One thread for one descriptor.
 */
#pragma once

/* Opens a device like /dev/kmsg. Returns a descriptor that the caller closes, or -errno. */
int kmsg_open(const char *path);

/* Logs a line as an error of this program's: one record, cut off where it is longer than one may be. Goes to
 * standard error when fd is negative or does not take it. */
void kmsg_say(int fd, const char *line);

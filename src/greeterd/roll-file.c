#include "greeterd/roll-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/roll-format.h"

#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
#define TRIES_MAX 8 /* a file is set aside at most once; somebody else may move one away */
#define NAME_MAX_TRIES 100
#define SENTENCE_MAX 512

#define IN_MEMORY "greetings are counted in memory, until greeterd ends"
#define ON_IN_MEMORY "greetings are counted on from it in memory, until greeterd ends"

struct opening {
	const char *folder;
	int folder_fd;
	uint32_t max_id;
	uint64_t now;
	struct roll_voice *voice;
};

void roll_tell(struct roll_voice *voice, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&voice->one_at_a_time);
	voice->say(voice->data, sentence);
	pthread_mutex_unlock(&voice->one_at_a_time);
}

static uint32_t header_checksum(const struct roll_header *header)
{
	uint64_t words[4];

	_Static_assert(sizeof(words) == sizeof(*header), "the header is whole words");
	memcpy(words, header, sizeof(words));
	memset((char *)words + offsetof(struct roll_header, checksum), 0, sizeof(header->checksum));
	return roll_checksum(words, ELEMENTS(words));
}

/* Returns what a file is that cannot be taken for a roll, or NULL. *ret_max_id: of its last record. */
static const char *find_fault(int fd, uint32_t *ret_max_id)
{
	struct roll_header header;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "not a file";
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
		memcmp(header.magic, ROLL_MAGIC, sizeof(header.magic)) != 0)
		return "not a roll";
	if (header.version > ROLL_VERSION)
		return "of a newer version of greeterd";
	if (header.version < ROLL_VERSION)
		return "of a version that greeterd does not know any more";
	if (header.checksum != header_checksum(&header) || header.record_size != sizeof(struct roll_record) ||
		header.max_id > ROLL_ID_MAX)
		return "damaged in its header";
	if ((size_t)st.st_size < roll_file_size(header.max_id))
		return "truncated";
	*ret_max_id = header.max_id;
	return NULL;
}

static bool is_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* On a file system that writes elsewhere what is overwritten, a store into the mapping could want room that
 * is not there. Does nothing on the others. */
static void write_in_place(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_NOCOW_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

/* Makes room for max_id, in this order: a header that promises more than there is would be a truncated file.
 */
static int grow(int fd, uint32_t max_id)
{
	struct roll_header header = {
		.magic = ROLL_MAGIC,
		.version = ROLL_VERSION,
		.record_size = sizeof(struct roll_record),
		.max_id = max_id,
	};
	ssize_t n;

	header.checksum = header_checksum(&header);
	if (ftruncate(fd, (off_t)roll_file_size(max_id)) < 0 || fdatasync(fd) < 0)
		return -errno;
	n = pwrite(fd, &header, sizeof(header), 0);
	return n == sizeof(header) ? 0 : n < 0 ? -errno : -ENOSPC;
}

/* Renames the file to a name that none has. Returns 0 or -errno. */
static int set_aside(const struct opening *o, const char *fault)
{
	const time_t second = (time_t)(o->now / USEC_PER_SEC);
	char when[32], name[64];
	struct tm tm;
	int n = 1;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&second, &tm));
	snprintf(name, sizeof(name), ROLL_FILE_NAME ".damaged-%s", when);
	while (renameat2(o->folder_fd, ROLL_FILE_NAME, o->folder_fd, name, RENAME_NOREPLACE) < 0) {
		if (errno != EEXIST || ++n > NAME_MAX_TRIES)
			return -errno;
		snprintf(name, sizeof(name), ROLL_FILE_NAME ".damaged-%s-%d", when, n);
	}
	roll_tell(o->voice, "%s/" ROLL_FILE_NAME " is %s: it is set aside as %s, and a new one begun",
		o->folder, fault, name);
	return 0;
}

/* Whether the folder still knows the file by its name: it may have been set aside before it was locked. */
static bool is_in_place(const struct opening *o, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(o->folder_fd, ROLL_FILE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static void open_to_read(const struct opening *o, int error, struct roll_file *ret)
{
	_cleanup_(closep) int fd = openat(o->folder_fd, ROLL_FILE_NAME, O_RDONLY | OPEN_FLAGS);
	uint32_t max_id;

	if (fd >= 0 && !find_fault(fd, &max_id)) {
		roll_tell(o->voice, "cannot write %s/" ROLL_FILE_NAME ": %s; " ON_IN_MEMORY, o->folder,
			strerror(error));
		ret->fd = TAKE_FD(fd);
		return;
	}
	roll_tell(o->voice, "cannot open %s/" ROLL_FILE_NAME ": %s; " IN_MEMORY, o->folder, strerror(error));
}

/* fd is locked and in its place. Returns 0, or -EAGAIN when a bad file has made way for a new one. */
static int prepare(const struct opening *o, int *fd, struct roll_file *ret)
{
	bool fresh = is_empty(*fd);
	uint32_t max_id = 0;
	const char *fault = fresh ? NULL : find_fault(*fd, &max_id);
	int r;

	if (fault) {
		r = set_aside(o, fault);
		if (r == 0)
			return -EAGAIN;
		roll_tell(o->voice, "%s/" ROLL_FILE_NAME " is %s, and cannot be set aside: %s; " IN_MEMORY,
			o->folder, fault, strerror(-r));
		return 0;
	}
	if (fresh)
		write_in_place(*fd);
	r = fresh || max_id < o->max_id ? grow(*fd, o->max_id) : 0;
	if (r < 0) {
		roll_tell(o->voice, "cannot make room in %s/" ROLL_FILE_NAME ": %s; %s", o->folder,
			strerror(-r), fresh ? IN_MEMORY : ON_IN_MEMORY);
		if (fresh) {
			(void)unlinkat(o->folder_fd, ROLL_FILE_NAME, 0);
			return 0;
		}
	}
	*ret = (struct roll_file){ .fd = TAKE_FD(*fd), .writable = r == 0 };
	return 0;
}

/* Returns 0, or -EAGAIN to try anew. */
static int try_open(const struct opening *o, struct roll_file *ret)
{
	_cleanup_(closep) int fd = openat(o->folder_fd, ROLL_FILE_NAME, O_RDWR | O_CREAT | OPEN_FLAGS, 0640);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0) {
		open_to_read(o, errno, ret);
		return 0;
	}
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			roll_tell(o->voice, "%s/" ROLL_FILE_NAME " is in use by another greeterd; " IN_MEMORY,
				o->folder);
		else
			roll_tell(o->voice, "cannot lock %s/" ROLL_FILE_NAME ": %s; " IN_MEMORY, o->folder,
				strerror(errno));
		return 0;
	}
	return is_in_place(o, fd) ? prepare(o, &fd, ret) : -EAGAIN;
}

void roll_file_open(
	const char *folder, uint32_t max_id, uint64_t now, struct roll_voice *voice, struct roll_file *ret)
{
	_cleanup_(closep) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct opening o = { folder, folder_fd, max_id, now, voice };
	int tries = 0;

	*ret = (struct roll_file){ .fd = -1 };
	if (folder_fd < 0) {
		roll_tell(voice, "cannot open the state folder %s: %s; " IN_MEMORY, folder, strerror(errno));
		return;
	}
	while (try_open(&o, ret) == -EAGAIN)
		if (++tries == TRIES_MAX) {
			roll_tell(voice, "%s/" ROLL_FILE_NAME " does not stay in its place; " IN_MEMORY,
				folder);
			return;
		}
}

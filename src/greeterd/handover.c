#include "greeterd/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_MAX 253 /* descriptors in one message: SCM_MAX_FD of unix(7) */
#define MAGIC "greeterd"
#define QUEUE_SIZE (4 * 1024 * 1024) /* asked for; the kernel caps it */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct header {
	char magic[8];
	uint32_t version;
	uint32_t record_size;
	uint64_t n_records;
	uint64_t size;     /* bytes of the file */
	uint64_t checksum; /* of all but itself */
};

struct record {
	uint64_t cookie;
	struct session_record session;
};

struct handover {
	FILE *file; /* a stream on text */
	char *text;
	size_t text_len;
	int *fds;
	size_t n_fds, fds_size;
};

/* FNV-1a, 64 bits: for accidents, not against forgery; who can write to the store is trusted. */
#define CHECKSUM_BASIS UINT64_C(0xcbf29ce484222325)

static uint64_t add_to_sum(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static uint64_t checksum(const struct header *header, const void *records, size_t len)
{
	uint64_t sum = add_to_sum(CHECKSUM_BASIS, header, offsetof(struct header, checksum));

	return add_to_sum(sum, records, len);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	(void)getsockopt(
		fd, SOL_SOCKET, SO_COOKIE, &cookie, &len); /* 0, which is no cookie, for what is no socket */
	return cookie;
}

int handover_new(struct handover **ret)
{
	_cleanup_(handover_freep) struct handover *handover = calloc(1, sizeof(*handover));

	if (!handover)
		return -ENOMEM;
	handover->file = open_memstream(&handover->text, &handover->text_len);
	if (!handover->file)
		return -errno;
	*ret = TAKE_PTR(handover);
	return 0;
}

void handover_free(struct handover *handover)
{
	if (!handover)
		return;
	fclosep(&handover->file);
	free(handover->text);
	free(handover->fds);
	free(handover);
}

size_t handover_count(const struct handover *handover)
{
	return handover->n_fds;
}

static bool put(struct handover *handover, const void *data, size_t len)
{
	return len == 0 || fwrite(data, 1, len, handover->file) == len;
}

static int make_room(struct handover *handover)
{
	size_t size = handover->fds_size ? 2 * handover->fds_size : FDS_MAX;
	int *fds;

	if (handover->n_fds < handover->fds_size)
		return 0;
	fds = reallocarray(handover->fds, size, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	handover->fds = fds;
	handover->fds_size = size;
	return 0;
}

int handover_add(struct handover *handover, const struct session *session)
{
	struct record record;
	const char *bytes;
	int r = make_room(handover);

	if (r < 0)
		return r;
	memset(&record, 0, sizeof(record)); /* its padding too: it is written and summed */
	record.cookie = cookie_of(session->fd);
	session_export(session, &record.session, &bytes);
	if (!put(handover, &record, sizeof(record)) ||
		!put(handover, bytes, (size_t)record.session.in_len + record.session.out_len))
		return -ENOMEM;
	handover->fds[handover->n_fds++] = session->fd;
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The memory file, sealed. */
static int seal_file(struct handover *handover)
{
	_cleanup_(closep) int fd = memfd_create("greeterd-connections", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct header header = {
		.magic = MAGIC,
		.version = HANDOVER_VERSION,
		.record_size = sizeof(struct record),
		.n_records = handover->n_fds,
	};
	int r;

	if (fd < 0)
		return -errno;
	if (fflush(handover->file) != 0 || ferror(handover->file))
		return -ENOMEM;
	header.size = sizeof(header) + handover->text_len;
	header.checksum = checksum(&header, handover->text, handover->text_len);
	r = write_all(fd, &header, sizeof(header));
	if (r == 0)
		r = write_all(fd, handover->text, handover->text_len);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* A message with descriptors and the index of the first: 0 for the file, from 1 on for the connections. */
static int send_fds(int queue, uint64_t index, const int *fds, size_t n)
{
	union {
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr aligned;
	} control = { 0 };
	struct iovec part = { &index, sizeof(index) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(rights), fds, n * sizeof(int));
	return sendmsg(queue, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int handover_seal(struct handover *handover)
{
	_cleanup_(closep) int file = seal_file(handover), writer = -1, reader = -1;
	const int size = QUEUE_SIZE;
	int pair[2], r;

	if (file < 0)
		return file;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	writer = pair[0];
	reader = pair[1];
	(void)setsockopt(writer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	r = send_fds(writer, 0, &file, 1);
	for (size_t i = 0; r == 0 && i < handover->n_fds; i += FDS_MAX) {
		size_t left = handover->n_fds - i;

		r = send_fds(writer, i + 1, handover->fds + i, left < FDS_MAX ? left : FDS_MAX);
	}
	return r < 0 ? r : TAKE_FD(reader);
}

/* What is read: the file in memory, and how far it was handed out. */
struct reading {
	const struct header *header; /* the mapping; NULL: not believed */
	size_t size, at;
	uint64_t next_index;
	handover_take *take;
	void *data;
	size_t taken, lost;
};

static bool is_sound(const struct header *header, size_t size)
{
	return memcmp(header->magic, MAGIC, sizeof(header->magic)) == 0 &&
	       header->version == HANDOVER_VERSION && header->record_size == sizeof(struct record) &&
	       header->size == size &&
	       header->checksum == checksum(header, header + 1, size - sizeof(*header));
}

static int map_file(struct reading *reading, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *mapping;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
		st.st_size < (off_t)sizeof(struct header))
		return -EBADMSG;
	/* Before Linux 6.7 a file sealed against writing could not be mapped shared. */
	mapping = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mapping == MAP_FAILED)
		return -errno;
	reading->size = (size_t)st.st_size;
	reading->at = sizeof(struct header);
	if (!is_sound(mapping, reading->size)) {
		munmap(mapping, reading->size);
		return -EBADMSG;
	}
	reading->header = mapping;
	return 0;
}

/* The next record, and its bytes in *ret_bytes; false when the file has no more. */
static bool next_record(struct reading *reading, struct record *ret, const char **ret_bytes)
{
	const char *file = (const char *)reading->header;
	size_t len;

	if (!file || reading->size - reading->at < sizeof(*ret))
		return false;
	memcpy(ret, file + reading->at, sizeof(*ret));
	len = (size_t)ret->session.in_len + ret->session.out_len;
	if (reading->size - reading->at - sizeof(*ret) < len)
		return false;
	*ret_bytes = file + reading->at + sizeof(*ret);
	reading->at += sizeof(*ret) + len;
	return true;
}

static void take_connection(struct reading *reading, int fd)
{
	struct record record;
	const char *bytes;

	if (next_record(reading, &record, &bytes) && record.cookie != 0 && record.cookie == cookie_of(fd) &&
		reading->take(reading->data, fd, &record.session, bytes) == 0) {
		reading->taken++;
		return;
	}
	close(fd);
	reading->lost++;
}

static void take_message(struct reading *reading, uint64_t index, const int *fds, size_t n)
{
	bool expected = index == reading->next_index;

	reading->next_index = index + n;
	if (index == 0 && expected && n == 1 && !reading->header) {
		(void)map_file(reading, fds[0]); /* without it, all that follows is lost, and counted */
		close(fds[0]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (expected)
			take_connection(reading, fds[i]);
		else
			close(fds[i]);
	}
	if (!expected)
		reading->lost += n;
}

/* Reads one message. Returns false when there is none. */
static bool read_message(struct reading *reading, int carrier)
{
	union {
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr aligned;
	} control;
	uint64_t index = UINT64_MAX;
	struct iovec part = { &index, sizeof(index) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights;
	int fds[FDS_MAX];
	size_t n = 0;
	ssize_t len;

	len = recvmsg(carrier, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return false;
	rights = CMSG_FIRSTHDR(&message);
	if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
		n = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(rights), n * sizeof(int));
	}
	if (len == 0 && n == 0)
		return false; /* the end of what was sent */
	take_message(reading, len == sizeof(index) ? index : UINT64_MAX, fds, n);
	return true;
}

int handover_open(int carrier, handover_take *take, void *data, size_t *ret_lost)
{
	struct reading reading = { .take = take, .data = data };
	uint64_t known;

	while (read_message(&reading, carrier))
		;
	*ret_lost = reading.lost;
	if (!reading.header)
		return -EBADMSG;
	known = reading.header->n_records;
	if (known > reading.taken + reading.lost) /* for some no descriptor came: there were too many */
		*ret_lost = (size_t)(known - reading.taken);
	munmap((void *)(uintptr_t)reading.header, reading.size);
	return (int)reading.taken;
}

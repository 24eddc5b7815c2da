/* Connections through the carrier, whole and damaged in every way that one byte, one descriptor or one
 * message can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "greeterd/handover.h"

#define MANY 600        /* three messages of descriptors */
#define FEW 3           /* for each damage */
#define HEADER_SIZE 40  /* of the file, as handover.h tells it */
#define CHECKSUM_AT 32  /* in the header */
#define COOKIE_SIZE 8   /* before each session's record */
#define MESSAGE_FDS 253 /* SCM_MAX_FD */
#define MESSAGES_MAX 8
#define NOW (1000 * USEC_PER_SEC)

struct fixture {
	struct settings settings;
	struct session_shared *shared;
	size_t n_open; /* descriptors before */
	struct session sessions[MANY];
	int peers[MANY];
	size_t n;
	struct handover *handover;
	size_t taken;
	struct session received[MANY]; /* what take() took, in that order */
	size_t refuse_from;            /* take() refuses from this one on */
};

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

static void on_greeting(void *data, const struct session *session, const struct protocol_line *line, size_t n)
{
	(void)data, (void)session, (void)line, (void)n;
}

static void on_refusal(void *data, const struct session *session, enum protocol_refusal refusal,
	const char *text, size_t text_len)
{
	(void)data, (void)session, (void)refusal, (void)text, (void)text_len;
}

static int set_up(void **state)
{
	static const struct session_observer observer = { on_greeting, on_refusal };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->settings = (struct settings){
		.reply = (char *)(uintptr_t)PROTOCOL_DEFAULT_REPLY,
		.max_id = 1000,
		.settle_usec = USEC_PER_SEC / 4,
		.greeting_timeout_usec = 10 * USEC_PER_SEC,
		.idle_timeout_usec = 300 * USEC_PER_SEC,
	};
	f->shared = malloc(sizeof(*f->shared));
	assert_non_null(f->shared);
	session_shared_init(f->shared, &f->settings, &observer, f);
	f->refuse_from = SIZE_MAX;
	f->n_open = count_descriptors();
	assert_int_equal(handover_new(&f->handover), 0);
	*state = f;
	return 0;
}

/* What the process before does at its end: its own descriptors are closed. */
static void close_senders(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++)
		session_deinit(&f->sessions[i]);
	handover_free(f->handover);
	f->handover = NULL;
	f->n = 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	size_t n_peers = 0;

	close_senders(f);
	for (size_t i = 0; i < f->taken; i++)
		session_deinit(&f->received[i]);
	for (size_t i = 0; i < MANY; i++)
		if (f->peers[i]) {
			close(f->peers[i]);
			n_peers++;
		}
	assert_int_equal(count_descriptors(), f->n_open); /* no test leaves one behind */
	free(f->shared);
	free(f);
	return 0;
}

/* Adds a connection with a half line and some output that waits. */
static void add(struct fixture *f, const char *in, const char *out)
{
	size_t i = f->n++;
	struct session_record record = {
		.id = (uint32_t)i,
		.in_len = (uint32_t)strlen(in),
		.out_len = (uint32_t)strlen(out),
		.peer = { .family = AF_INET, .port = (uint16_t)i },
	};
	char bytes[256];
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	snprintf(bytes, sizeof(bytes), "%s%s", in, out);
	assert_int_equal(session_import(&f->sessions[i], f->shared, pair[0], &record, bytes, NOW), 0);
	f->peers[i] = pair[1];
	assert_int_equal(handover_add(f->handover, &f->sessions[i]), 0);
}

static int take(void *data, int fd, const struct session_record *record, const char *bytes)
{
	struct fixture *f = data;
	int r;

	if (f->taken >= f->refuse_from)
		return -EBUSY;
	r = session_import(&f->received[f->taken], f->shared, fd, record, bytes, NOW);
	if (r == 0)
		f->taken++;
	return r;
}

static int seal(struct fixture *f)
{
	int carrier = handover_seal(f->handover);

	assert_true(carrier >= 0);
	close_senders(f);
	return carrier;
}

/* Opens the carrier and closes it. */
static void opens(struct fixture *f, int carrier, int result, size_t lost)
{
	size_t found = SIZE_MAX;

	assert_int_equal(handover_open(carrier, take, f, &found), result);
	assert_int_equal(found, lost);
	close(carrier);
}

/* --- carriers taken apart and put together again */

struct message {
	uint64_t index;
	size_t len; /* of index, that are sent */
	int fds[MESSAGE_FDS];
	size_t n;
};

/* What a carrier holds: the text of its file, and the messages behind it. */
struct parcel {
	char *text;
	size_t len;
	bool unsealed;
	struct message messages[MESSAGES_MAX];
	size_t n;
};

union control {
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	struct cmsghdr aligned;
};

static bool receive(int carrier, struct message *ret)
{
	union control control;
	struct iovec part = { &ret->index, sizeof(ret->index) };
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	const struct cmsghdr *rights;

	if (recvmsg(carrier, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return false;
	rights = CMSG_FIRSTHDR(&header);
	assert_non_null(rights);
	ret->len = sizeof(ret->index);
	ret->n = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(ret->fds, CMSG_DATA(rights), ret->n * sizeof(int));
	return true;
}

static void send_message(int queue, struct message *message)
{
	union control control = { 0 };
	struct iovec part = { &message->index, message->len };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (message->n > 0) {
		struct cmsghdr *rights;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(message->n * sizeof(int));
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(message->n * sizeof(int));
		memcpy(CMSG_DATA(rights), message->fds, message->n * sizeof(int));
	}
	assert_int_equal(sendmsg(queue, &header, MSG_NOSIGNAL), (ssize_t)message->len);
	for (size_t i = 0; i < message->n; i++)
		close(message->fds[i]);
}

/* Takes the carrier of FEW connections apart, and closes it. */
static struct parcel *unpack(int carrier)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	struct message file;

	assert_non_null(parcel);
	assert_true(receive(carrier, &file));
	assert_int_equal(file.index, 0);
	assert_int_equal(file.n, 1);
	parcel->len = (size_t)lseek(file.fds[0], 0, SEEK_END);
	parcel->text = malloc(parcel->len + 1); /* one test makes it longer by one */
	assert_non_null(parcel->text);
	assert_int_equal(pread(file.fds[0], parcel->text, parcel->len, 0), (ssize_t)parcel->len);
	close(file.fds[0]);
	while (receive(carrier, &parcel->messages[parcel->n]))
		parcel->n++;
	close(carrier);
	return parcel;
}

static int new_file(const struct parcel *parcel)
{
	int fd = memfd_create("test-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, parcel->text, parcel->len), (ssize_t)parcel->len);
	if (!parcel->unsealed)
		assert_int_equal(
			fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	return fd;
}

/* Messages of descriptors in a new carrier; they are closed here. */
static int pack_messages(struct message *messages, size_t n)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < n; i++)
		send_message(pair[1], &messages[i]);
	close(pair[1]);
	return pair[0];
}

/* A carrier with all of it. The parcel is freed. */
static int pack(struct parcel *parcel)
{
	struct message messages[1 + MESSAGES_MAX];
	size_t n = 1 + parcel->n;

	messages[0] = (struct message){ .len = sizeof(uint64_t), .fds = { new_file(parcel) }, .n = 1 };
	memcpy(messages + 1, parcel->messages, parcel->n * sizeof(*messages));
	free(parcel->text);
	free(parcel);
	return pack_messages(messages, n);
}

static uint64_t fnv(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* Gives the text the checksum that belongs to it: who forges one can do so, too. */
static void sum_up(struct parcel *parcel)
{
	uint64_t sum = fnv(UINT64_C(0xcbf29ce484222325), parcel->text, CHECKSUM_AT);

	sum = fnv(sum, parcel->text + HEADER_SIZE, parcel->len - HEADER_SIZE);
	memcpy(parcel->text + CHECKSUM_AT, &sum, sizeof(sum));
}

static struct parcel *parcel_of_few(struct fixture *f)
{
	for (int i = 0; i < FEW; i++)
		add(f, "I am cl", i == 1 ? "I am SERVER\n" : "");
	return unpack(seal(f));
}

/* Whether all peers are told that their connection has ended. */
static void have_ended(const struct fixture *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char byte;

		assert_int_equal(recv(f->peers[i], &byte, 1, 0), 0);
	}
}

/* --- whole */

static void test_hundreds_arrive_as_they_were(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		add(f, i % 2 ? "I am cli" : "", i % 3 ? "" : "I am SERVER\n");
	assert_int_equal(handover_count(f->handover), MANY);
	opens(f, seal(f), MANY, 0);
	for (size_t i = 0; i < MANY; i++) {
		const struct session *session = &f->received[i];
		struct session_record record;
		const char *bytes;
		char byte = 0;

		session_export(session, &record, &bytes);
		assert_int_equal(record.id, i);
		assert_int_equal(record.peer.port, i);
		assert_int_equal(record.in_len, i % 2 ? 8 : 0);
		assert_int_equal(record.out_len, i % 3 ? 0 : 12);
		if (record.in_len > 0)
			assert_memory_equal(bytes, "I am cli", 8);
		if (record.out_len > 0)
			assert_memory_equal(bytes + record.in_len, "I am SERVER\n", 12);
		assert_true(fcntl(session->fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(write(session->fd, "x", 1), 1); /* it is the connection to that very peer */
		assert_int_equal(read(f->peers[i], &byte, 1), 1);
	}
}

static void test_of_no_connection_nothing_is_lost(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(handover_count(f->handover), 0);
	opens(f, seal(f), 0, 0);
}

static void test_a_carrier_taken_apart_is_as_good(void **state)
{
	struct fixture *f = *state;

	opens(f, pack(parcel_of_few(f)), FEW, 0);
}

static void test_closes_what_is_not_taken(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < FEW; i++)
		add(f, "", "");
	f->refuse_from = 1;
	opens(f, seal(f), 1, FEW - 1);
}

static void test_a_carrier_is_emptied_once(void **state)
{
	struct fixture *f = *state;
	size_t lost;
	int carrier;

	add(f, "", "");
	carrier = seal(f);
	assert_int_equal(handover_open(carrier, take, f, &lost), 1);
	opens(f, carrier, -EBADMSG, 0);
}

/* --- a damaged file */

static void test_any_flipped_byte_loses_all_and_no_more(void **state)
{
	struct fixture *f = *state;
	size_t len = 1;

	for (size_t at = 0; at < len; at++) {
		struct parcel *parcel = parcel_of_few(f);

		len = parcel->len;
		parcel->text[at] = (char)(parcel->text[at] ^ 0x41);
		opens(f, pack(parcel), -EBADMSG, FEW);
		have_ended(f, FEW);
		for (int i = 0; i < FEW; i++)
			close(f->peers[i]);
		memset(f->peers, 0, sizeof(f->peers));
		assert_int_equal(handover_new(&f->handover), 0);
	}
	assert_true(len > HEADER_SIZE);
}

static void test_any_length_but_its_own_loses_all(void **state)
{
	struct fixture *f = *state;
	size_t whole = SIZE_MAX;

	for (size_t len = 0; len <= whole + 1 || whole == SIZE_MAX; len += 7) {
		struct parcel *parcel = parcel_of_few(f);

		whole = parcel->len;
		if (len == whole)
			len++;
		parcel->text[whole] = 0;
		parcel->len = len > whole ? whole + 1 : len;
		opens(f, pack(parcel), -EBADMSG, FEW);
		for (int i = 0; i < FEW; i++)
			close(f->peers[i]);
		memset(f->peers, 0, sizeof(f->peers));
		assert_int_equal(handover_new(&f->handover), 0);
	}
}

static void test_believes_no_file_that_can_still_change(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);

	parcel->unsealed = true;
	opens(f, pack(parcel), -EBADMSG, FEW);
	have_ended(f, FEW);
}

/* Puts a number in place of that in the text, with a checksum that is right. */
static int pack_forged(struct parcel *parcel, size_t at, const void *number, size_t size)
{
	memcpy(parcel->text + at, number, size);
	sum_up(parcel);
	return pack(parcel);
}

static void test_takes_up_no_other_version(void **state)
{
	const uint32_t version = HANDOVER_VERSION + 1;

	opens(*state, pack_forged(parcel_of_few(*state), 8, &version, sizeof(version)), -EBADMSG, FEW);
}

static void test_takes_up_no_records_of_another_size(void **state)
{
	const uint32_t size = 8;

	opens(*state, pack_forged(parcel_of_few(*state), 12, &size, sizeof(size)), -EBADMSG, FEW);
}

#define RECORD_AT (HEADER_SIZE + COOKIE_SIZE)

static void test_refuses_lengths_that_no_session_has(void **state)
{
	static const uint32_t lengths[] = { SESSION_IN_SIZE + 1, 1024 * 1024, INT32_MAX, UINT32_MAX };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ELEMENTS(lengths); i++) {
		size_t member = i % 2 ? offsetof(struct session_record, in_len)
				      : offsetof(struct session_record, out_len);

		opens(f, pack_forged(parcel_of_few(f), RECORD_AT + member, &lengths[i / 2], 4), 0, FEW);
		have_ended(f, FEW);
		for (int k = 0; k < FEW; k++)
			close(f->peers[k]);
		memset(f->peers, 0, sizeof(f->peers));
		assert_int_equal(handover_new(&f->handover), 0);
	}
}

static void test_refuses_a_state_that_there_is_not(void **state)
{
	const uint8_t lingering = SESSION_LINGERING;

	opens(*state,
		pack_forged(parcel_of_few(*state), RECORD_AT + offsetof(struct session_record, state),
			&lingering, 1),
		FEW - 1, 1);
}

static void test_a_cookie_of_another_socket_loses_that_connection(void **state)
{
	const uint64_t cookie = 1;

	opens(*state, pack_forged(parcel_of_few(*state), HEADER_SIZE, &cookie, sizeof(cookie)), FEW - 1, 1);
}

static void test_counts_what_no_descriptor_came_for(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);

	close(parcel->messages[0].fds[--parcel->messages[0].n]);
	opens(f, pack(parcel), FEW - 1, 1);
}

/* --- damaged messages */

static void test_swapped_descriptors_go_to_nobody(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);
	int *fds = parcel->messages[0].fds, first = fds[0];

	fds[0] = fds[1];
	fds[1] = first;
	opens(f, pack(parcel), FEW - 2, 2);
	have_ended(f, 2);
}

static void test_what_is_no_socket_goes_to_nobody(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);

	close(parcel->messages[0].fds[0]);
	parcel->messages[0].fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	opens(f, pack(parcel), FEW - 1, 1);
}

static void test_without_the_file_all_is_lost(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel;
	int carrier;

	for (int i = 0; i < MESSAGE_FDS + 2; i++)
		add(f, "", "");
	parcel = unpack(seal(f));
	assert_int_equal(parcel->n, 2);
	carrier = pack_messages(parcel->messages, parcel->n);
	free(parcel->text);
	free(parcel);
	opens(f, carrier, -EBADMSG, MESSAGE_FDS + 2);
	have_ended(f, MESSAGE_FDS + 2);
}

static void test_reordered_messages_mix_nothing_up(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel;
	struct message first;

	for (int i = 0; i < MESSAGE_FDS + 2; i++)
		add(f, "", "");
	parcel = unpack(seal(f));
	first = parcel->messages[0];
	parcel->messages[0] = parcel->messages[1];
	parcel->messages[1] = first;
	opens(f, pack(parcel), 0, MESSAGE_FDS + 2);
}

static void test_closes_more_descriptors_than_records(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);
	struct message *message = &parcel->messages[0];

	message->fds[message->n++] = open("/dev/null", O_RDWR | O_CLOEXEC);
	message->fds[message->n++] = open("/dev/null", O_RDWR | O_CLOEXEC);
	opens(f, pack(parcel), FEW, 2);
}

static void test_takes_the_first_file_alone(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);

	/* Numbered so that the one after it would be the first again. */
	parcel->messages[1] = (struct message){
		.index = UINT64_MAX, .len = sizeof(uint64_t), .fds = { new_file(parcel) }, .n = 1
	};
	parcel->messages[2] =
		(struct message){ .index = 0, .len = sizeof(uint64_t), .fds = { new_file(parcel) }, .n = 1 };
	parcel->n = 3;
	opens(f, pack(parcel), FEW, 2);
}

static void test_closes_what_comes_in_messages_without_a_number(void **state)
{
	struct fixture *f = *state;
	struct parcel *parcel = parcel_of_few(f);

	for (size_t len = 0; len < 2; len++)
		parcel->messages[1 + len] =
			(struct message){ .len = len, .fds = { open("/dev/null", O_RDWR) }, .n = 1 };
	parcel->n = 3;
	opens(f, pack(parcel), FEW, 2);
}

static void test_an_empty_carrier_holds_nothing(void **state)
{
	opens(*state, pack_messages(NULL, 0), -EBADMSG, 0);
}

static void test_messages_without_descriptors_are_nothing(void **state)
{
	struct message messages[2] = { { .len = sizeof(uint64_t) }, { .index = 1, .len = sizeof(uint64_t) } };

	opens(*state, pack_messages(messages, 2), -EBADMSG, 0);
}

static void test_what_is_no_socket_carries_nothing(void **state)
{
	opens(*state, open("/dev/null", O_RDWR | O_CLOEXEC), -EBADMSG, 0);
}

/* --- limits */

/* The lowest number that is free: how many descriptors are allowed then leaves so many. */
static void allow_more_descriptors(int more)
{
	struct rlimit limit;
	int next_free = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)(next_free + more);
	close(next_free);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void allow_all_descriptors(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_limit_of_descriptors_loses_those_beyond(void **state)
{
	struct fixture *f = *state;
	size_t lost;
	int carrier, r;

	for (int i = 0; i < MESSAGE_FDS + 5; i++)
		add(f, "", "");
	carrier = handover_seal(f->handover);
	assert_true(carrier >= 0);
	for (size_t i = 0; i < f->n; i++) { /* above all that is open, for the limit to be where we want it */
		int moved = fcntl(f->peers[i], F_DUPFD_CLOEXEC, 2 * MANY);

		close(f->peers[i]);
		f->peers[i] = moved;
	}
	close_senders(f);
	allow_more_descriptors(2);
	r = handover_open(carrier, take, f, &lost);
	allow_all_descriptors();
	close(carrier);
	assert_true(r >= 2);
	assert_int_equal(f->taken, r);
	assert_int_equal(lost + (size_t)r, MESSAGE_FDS + 5);
}

static void test_limit_of_descriptors_stops_sealing(void **state)
{
	struct fixture *f = *state;
	int results[3];

	add(f, "", "");
	for (int more = 0; more < 3; more++) { /* the file and the two ends of the queue */
		allow_more_descriptors(more);
		results[more] = handover_seal(f->handover);
		allow_all_descriptors();
	}
	for (int more = 0; more < 3; more++)
		assert_int_equal(results[more], -EMFILE);
}

static void test_seals_no_connection_that_was_closed(void **state)
{
	struct fixture *f = *state;
	int fd, high;

	add(f, "", "");
	fd = f->sessions[0].fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 2 * MANY); /* no number that sealing takes for itself */
	f->sessions[0].fd = high;
	assert_int_equal(handover_add(f->handover, &f->sessions[0]), 0);
	f->sessions[0].fd = fd;
	close(high);
	assert_int_equal(handover_seal(f->handover), -EBADF);
}

/* valgrind has a limit of descriptors of its own, which it does not show. */
static bool runs_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_hundreds_arrive_as_they_were),
		CASE(test_of_no_connection_nothing_is_lost),
		CASE(test_a_carrier_taken_apart_is_as_good),
		CASE(test_closes_what_is_not_taken),
		CASE(test_a_carrier_is_emptied_once),
		CASE(test_any_flipped_byte_loses_all_and_no_more),
		CASE(test_any_length_but_its_own_loses_all),
		CASE(test_believes_no_file_that_can_still_change),
		CASE(test_takes_up_no_other_version),
		CASE(test_takes_up_no_records_of_another_size),
		CASE(test_refuses_lengths_that_no_session_has),
		CASE(test_refuses_a_state_that_there_is_not),
		CASE(test_a_cookie_of_another_socket_loses_that_connection),
		CASE(test_counts_what_no_descriptor_came_for),
		CASE(test_swapped_descriptors_go_to_nobody),
		CASE(test_what_is_no_socket_goes_to_nobody),
		CASE(test_without_the_file_all_is_lost),
		CASE(test_reordered_messages_mix_nothing_up),
		CASE(test_closes_more_descriptors_than_records),
		CASE(test_takes_the_first_file_alone),
		CASE(test_closes_what_comes_in_messages_without_a_number),
		CASE(test_an_empty_carrier_holds_nothing),
		CASE(test_messages_without_descriptors_are_nothing),
		CASE(test_what_is_no_socket_carries_nothing),
		CASE(test_limit_of_descriptors_loses_those_beyond),
		CASE(test_limit_of_descriptors_stops_sealing),
		CASE(test_seals_no_connection_that_was_closed),
	};

	allow_all_descriptors();
	if (runs_under_valgrind()) {
		puts("# the limit of descriptors is not tested: valgrind has its own");
		cmocka_set_skip_filter("test_limit_of_descriptors_*");
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "greeterd/roll-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "greeterd/roll-format.h"

/* Looks at a record that is being written, before a reader takes its turn among the writers. */
#define GLANCES_MAX 100
#define SPINS_MAX 64 /* before a thread that waits for a record yields */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the words of a record are whole at any moment");

/* What a record says, in words: what its checksum covers. */
struct values {
	uint64_t count, first_seen, last_seen, peer[3];
	uint32_t refusals;
	uint8_t state;
};

_Static_assert(sizeof(struct netio_peer) == sizeof(((struct values *)NULL)->peer), "a peer is three words");

/* --- one record */

static size_t offset_of(uint32_t id)
{
	return ROLL_HEADER_SIZE + (size_t)id * sizeof(struct roll_record);
}

static uint32_t id_at(size_t offset)
{
	return (uint32_t)((offset - ROLL_HEADER_SIZE) / sizeof(struct roll_record));
}

static struct roll_record *record_of(struct roll *roll, uint32_t id)
{
	return roll_map_at(&roll->map, offset_of(id));
}

#define HEAD(session, id, sequence) ((uint64_t)(session) << 32 | (uint64_t)(id) << 8 | (sequence))

static bool is_odd(uint64_t head)
{
	return head & 1;
}

static uint32_t session_of(uint64_t head)
{
	return (uint32_t)(head >> 32);
}

static uint32_t id_of(uint64_t head)
{
	return (uint32_t)head >> 8;
}

static uint64_t tail_of(uint32_t id, const struct values *values)
{
	const uint32_t low = values->refusals << 8 | values->state;
	const uint64_t words[ROLL_SUMMED_WORDS] = { values->count, values->first_seen, values->last_seen,
		values->peer[0], values->peer[1], values->peer[2], (uint64_t)id << 32 | low };

	return (uint64_t)roll_checksum(words, ROLL_SUMMED_WORDS) << 32 | low;
}

/* Loads acquire and stores release, so that who sees a new word of a record also sees its head odd, or
 * changed. */
static uint64_t get(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static void set(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* Returns the tail. */
static uint64_t read_values(const struct roll_record *record, struct values *ret)
{
	uint64_t tail;

	ret->count = get(&record->count);
	ret->first_seen = get(&record->first_seen);
	ret->last_seen = get(&record->last_seen);
	for (size_t i = 0; i < ELEMENTS(ret->peer); i++)
		ret->peer[i] = get(&record->peer[i]);
	tail = get(&record->tail);
	ret->refusals = (uint32_t)tail >> 8;
	ret->state = (uint8_t)tail;
	return tail;
}

static void write_values(struct roll_record *record, uint32_t id, const struct values *values)
{
	set(&record->first_seen, values->first_seen);
	set(&record->last_seen, values->last_seen);
	for (size_t i = 0; i < ELEMENTS(values->peer); i++)
		set(&record->peer[i], values->peer[i]);
	set(&record->count, values->count);
	set(&record->tail, tail_of(id, values));
}

static bool is_blank(uint64_t head, uint64_t tail, const struct values *values)
{
	static const struct values none;

	return head == 0 && tail == 0 && memcmp(values, &none, offsetof(struct values, refusals)) == 0;
}

/* Whether the values are those that were written, given an even head. */
static bool is_sound(uint64_t head, uint32_t id, uint64_t tail, const struct values *values)
{
	return is_blank(head, tail, values) || (id_of(head) == id && tail == tail_of(id, values));
}

static void tell_mended(struct roll *roll, uint32_t id, uint64_t count, const char *what, const char *outcome)
{
	char client[32] = "the unnumbered clients";

	if (atomic_fetch_add(&roll->mended, 1) >= MENDED_SAID_MAX)
		return;
	if (id > 0)
		snprintf(client, sizeof(client), "client %" PRIu32, id);
	roll_tell(&roll->voice, "the record of %s %s; its count of %" PRIu64 " %s", client, what, count,
		outcome);
}

/* Looks at a record that another process has written last, and makes it one of ours. */
static void mend(struct roll *roll, struct roll_record *record, uint32_t id, uint64_t head)
{
	struct values values;
	uint64_t tail = read_values(record, &values);

	if (is_odd(head) && id_of(head) == id) {
		memset(values.peer, 0, sizeof(values.peer)); /* may be a part of one and a part of another */
		write_values(record, id, &values);
		tell_mended(roll, id, values.count, "was being written when greeterd ended", "is kept");
	} else if (!is_sound(head, id, tail, &values)) {
		write_values(record, id, &(struct values){ 0 });
		tell_mended(roll, id, values.count, "is damaged", "is given up, and begins anew");
	}
}

/* Makes the record ours to write. Nobody holds it longer than a few stores take. */
static void take(struct roll *roll, struct roll_record *record, uint32_t id)
{
	for (unsigned spins = 1;; spins++) {
		uint64_t head = get(&record->head);
		bool ours = session_of(head) == roll->session;
		uint64_t taken = HEAD(roll->session, id, (ours ? (uint8_t)head : 0) | 1);

		if (ours && is_odd(head)) {
			if (spins % SPINS_MAX == 0)
				sched_yield();
			continue;
		}
		if (!atomic_compare_exchange_strong_explicit(
			    &record->head, &head, taken, memory_order_acq_rel, memory_order_relaxed))
			continue;
		if (!ours)
			mend(roll, record, id, head);
		return;
	}
}

/* Ends what take() began: only its owner changes an odd head. */
static void release(struct roll *roll, struct roll_record *record, uint32_t id)
{
	uint64_t head = atomic_load_explicit(&record->head, memory_order_relaxed);

	set(&record->head, HEAD(roll->session, id, (uint8_t)(head + 1)));
}

/* Reads without writing. Returns false when the record is being written, or needs to be mended. */
static bool glance(const struct roll_record *record, uint32_t id, struct values *ret)
{
	uint64_t head = get(&record->head), tail;

	if (is_odd(head))
		return false;
	tail = read_values(record, ret);
	return get(&record->head) == head && is_sound(head, id, tail, ret);
}

static void read_record(struct roll *roll, uint32_t id, struct values *ret)
{
	struct roll_record *record = record_of(roll, id);

	for (int i = 0; i < GLANCES_MAX; i++)
		if (glance(record, id, ret))
			return;
	take(roll, record, id);
	read_values(record, ret);
	release(roll, record, id);
}

/* --- recording */

uint64_t roll_record(struct roll *roll, uint32_t id, const struct netio_peer *peer, uint64_t n, uint64_t now)
{
	struct roll_record *record = record_of(roll, id);
	struct values values;

	take(roll, record, id);
	read_values(record, &values);
	values.count += n;
	values.last_seen = now;
	if (values.first_seen == 0)
		values.first_seen = now;
	memcpy(values.peer, peer, sizeof(values.peer));
	write_values(record, id, &values);
	release(roll, record, id);
	return values.count;
}

void roll_refuse(struct roll *roll, uint32_t id)
{
	struct roll_record *record = record_of(roll, id);
	struct values values;

	take(roll, record, id);
	read_values(record, &values);
	if (values.refusals < ROLL_REFUSALS_MAX)
		values.refusals++;
	write_values(record, id, &values);
	release(roll, record, id);
}

void roll_set_state(struct roll *roll, uint32_t id, uint8_t state)
{
	struct roll_record *record = record_of(roll, id);
	struct values values;

	take(roll, record, id);
	read_values(record, &values);
	values.state = state;
	write_values(record, id, &values);
	release(roll, record, id);
}

void roll_forget(struct roll *roll, uint32_t id)
{
	struct roll_record *record = record_of(roll, id);

	take(roll, record, id);
	write_values(record, id, &(struct values){ 0 });
	release(roll, record, id);
}

/* --- reading */

static int get_entry(struct roll *roll, uint32_t id, struct roll_entry *ret)
{
	struct values values;

	read_record(roll, id, &values);
	if (values.count == 0 && values.refusals == 0 && values.state == 0)
		return -ENOENT;
	*ret = (struct roll_entry){
		.id = id,
		.state = values.state,
		.refusals = values.refusals,
		.count = values.count,
		.first_seen = values.first_seen,
		.last_seen = values.last_seen,
	};
	memcpy(&ret->peer, values.peer, sizeof(ret->peer));
	return 0;
}

int roll_get(struct roll *roll, uint32_t id, struct roll_entry *ret)
{
	size_t offset = offset_of(id);

	return roll_map_skip(&roll->map, offset) == offset ? get_entry(roll, id, ret) : -ENOENT;
}

int roll_next(struct roll *roll, uint32_t first, uint32_t looks, struct roll_entry *ret)
{
	size_t offset = offset_of(first), end = offset_of(roll->max_id);

	for (; offset <= end; looks--) {
		size_t data;

		if (looks == 0) {
			*ret = (struct roll_entry){ .id = id_at(offset) };
			return 1;
		}
		data = roll_map_skip(&roll->map, offset);
		if (data == offset && get_entry(roll, id_at(offset), ret) == 0)
			return 0;
		offset = data == offset ? offset + sizeof(struct roll_record) : data;
	}
	return -ENOENT;
}

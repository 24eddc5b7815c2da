#include "common/histogram.h"

#include <stddef.h>

/*
 * Values below 2 * SLOTS have a bucket each. Above, every power of two is cut into SLOTS buckets of equal
 * width: the value's leading bits, from the highest one set on, are its slot.
 */
#define SLOT_BITS 6
#define SLOTS (UINT64_C(1) << SLOT_BITS)
#define VALUE_BITS 40
#define VALUE_MAX ((UINT64_C(1) << VALUE_BITS) - 1)
#define BUCKETS ((VALUE_BITS - SLOT_BITS + 1) * SLOTS)

struct histogram {
	uint64_t count, min, max;
	double sum;
	uint64_t buckets[BUCKETS];
};

struct histogram *histogram_new(void)
{
	return calloc(1, sizeof(struct histogram));
}

void histogram_free(struct histogram *h)
{
	free(h);
}

void histogram_clear(struct histogram *h)
{
	*h = (struct histogram){ 0 };
}

/* How many low bits of a value its bucket does not tell apart. */
static unsigned int blurred_bits(uint64_t value)
{
	unsigned int width = 64 - (unsigned int)__builtin_clzll(value | 1);

	return width > SLOT_BITS + 1 ? width - (SLOT_BITS + 1) : 0;
}

static size_t bucket_of(uint64_t value)
{
	unsigned int bits = blurred_bits(value);

	return (size_t)(bits * SLOTS + (value >> bits));
}

static uint64_t lowest_of(size_t bucket)
{
	size_t bits = bucket < 2 * SLOTS ? 0 : bucket / SLOTS - 1;

	return (bucket - bits * SLOTS) << bits;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	if (value > VALUE_MAX)
		value = VALUE_MAX;
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += (double)value;
	h->buckets[bucket_of(value)]++;
}

uint64_t histogram_count(const struct histogram *h)
{
	return h->count;
}

uint64_t histogram_min(const struct histogram *h)
{
	return h->min;
}

uint64_t histogram_max(const struct histogram *h)
{
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->count > 0 ? h->sum / (double)h->count : 0;
}

uint64_t histogram_below(const struct histogram *h, uint64_t value)
{
	uint64_t n = 0;

	for (size_t bucket = 0; bucket < BUCKETS && lowest_of(bucket) < value; bucket++)
		n += h->buckets[bucket];
	return n;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	double exact = percent * (double)h->count / 100;
	uint64_t rank = (uint64_t)exact, seen = 0;
	size_t bucket = 0;

	if (h->count == 0)
		return 0;
	if ((double)rank < exact || rank == 0)
		rank++;
	if (rank >= h->count)
		return h->max;
	while ((seen += h->buckets[bucket]) < rank)
		bucket++;

	/* The middle of the bucket is nearest to all of its values. */
	uint64_t value = (lowest_of(bucket) + lowest_of(bucket + 1) - 1) / 2;
	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}

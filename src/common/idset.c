#include "common/idset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number from 1 to max_id, without sign or leading zero. Moves *text behind it. */
static int read_id(const char **text, uint32_t max_id, uint32_t *ret)
{
	const char *p = *text;
	uint64_t id = 0;

	if (*p < '1' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (id <= max_id)
			id = id * 10 + (uint64_t)(*p - '0');
	if (id > max_id)
		return -ERANGE;
	*text = p;
	*ret = (uint32_t)id;
	return 0;
}

/* "7" or "1-3". Moves *text behind it. */
static int read_range(const char **text, uint32_t max_id, struct idset_range *ret)
{
	struct idset_range range;
	int r = read_id(text, max_id, &range.first);

	if (r < 0)
		return r;
	range.last = range.first;
	if (**text == '-') {
		(*text)++;
		r = read_id(text, max_id, &range.last);
		if (r < 0)
			return r;
	}
	if (range.last < range.first)
		return -EINVAL;
	*ret = range;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct idset_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sorts the ranges and joins those that overlap or touch. */
static void normalize(struct idset *set)
{
	size_t n = 1;

	qsort(set->ranges, set->n_ranges, sizeof(set->ranges[0]), compare_ranges);
	for (size_t i = 1; i < set->n_ranges; i++) {
		struct idset_range *last = &set->ranges[n - 1];

		if (set->ranges[i].first - 1 > last->last)
			set->ranges[n++] = set->ranges[i];
		else if (set->ranges[i].last > last->last)
			last->last = set->ranges[i].last;
	}
	set->n_ranges = n;
}

int idset_parse(const char *text, uint32_t max_id, struct idset **ret)
{
	size_t room = 1;

	for (const char *p = text; *p; p++)
		room += *p == ',';

	_cleanup_(idset_freep) struct idset *set = malloc(sizeof(*set) + room * sizeof(set->ranges[0]));
	if (!set)
		return -ENOMEM;
	for (set->n_ranges = 0;; text++) {
		if (set->n_ranges > 0)
			text += strspn(text, " ");

		int r = read_range(&text, max_id, &set->ranges[set->n_ranges]);
		if (r < 0)
			return r;
		set->n_ranges++;
		if (*text == '\0')
			break;
		if (*text != ',')
			return -EINVAL;
	}
	normalize(set);
	*ret = TAKE_PTR(set);
	return 0;
}

void idset_free(struct idset *set)
{
	free(set);
}

uint64_t idset_count(const struct idset *set)
{
	uint64_t count = 0;

	for (size_t i = 0; i < set->n_ranges; i++)
		count += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return count;
}

/* The first range that ends at id or above, or NULL. */
static const struct idset_range *find(const struct idset *set, uint32_t id)
{
	size_t low = 0, high = set->n_ranges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->n_ranges ? &set->ranges[low] : NULL;
}

bool idset_contains(const struct idset *set, uint32_t id)
{
	const struct idset_range *range = find(set, id);

	return range && range->first <= id;
}

uint32_t idset_next(const struct idset *set, uint32_t id)
{
	const struct idset_range *range = id < UINT32_MAX ? find(set, id + 1) : NULL;

	if (!range)
		return 0;
	return range->first > id ? range->first : id + 1;
}

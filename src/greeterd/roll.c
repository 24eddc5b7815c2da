#include "greeterd/roll.h"

#include <errno.h>
#include <sys/mman.h>

struct roll {
	size_t size; /* bytes of the mapping that counts lies in */
	uint64_t *counts;
};

int roll_new(uint32_t max_id, struct roll **ret)
{
	_cleanup_(freep) struct roll *roll = calloc(1, sizeof(*roll));

	if (!roll)
		return -ENOMEM;
	roll->size = ((size_t)max_id + 1) * sizeof(*roll->counts);
	roll->counts = mmap(
		NULL, roll->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (roll->counts == MAP_FAILED)
		return -ENOMEM;
	*ret = TAKE_PTR(roll);
	return 0;
}

void roll_free(struct roll *roll)
{
	if (!roll)
		return;
	munmap(roll->counts, roll->size);
	free(roll);
}

uint64_t roll_record(struct roll *roll, uint32_t id)
{
	return ++roll->counts[id];
}

#include "sockctl/timers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int timers_init(struct timers *timers, size_t capacity)
{
	*timers = (struct timers){ .heap = calloc(
					   capacity + 1, sizeof(*timers->heap)) }; /* place 0 stays empty */
	return timers->heap ? 0 : -ENOMEM;
}

void timers_deinit(struct timers *timers)
{
	free(timers->heap);
	*timers = (struct timers){ 0 };
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->due < b->due || (a->due == b->due && (uintptr_t)a < (uintptr_t)b);
}

static void put(struct timers *timers, struct timer *timer, size_t place)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void rise(struct timers *timers, struct timer *timer, size_t place)
{
	for (; place > 1 && before(timer, timers->heap[place / 2]); place /= 2)
		put(timers, timers->heap[place / 2], place);
	put(timers, timer, place);
}

static void sink(struct timers *timers, struct timer *timer, size_t place)
{
	for (size_t child; (child = 2 * place) <= timers->n; place = child) {
		if (child < timers->n && before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (before(timer, timers->heap[child]))
			break;
		put(timers, timers->heap[child], place);
	}
	put(timers, timer, place);
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	if (place == 0)
		return;
	timer->place = 0;

	struct timer *last = timers->heap[timers->n--];
	if (last == timer)
		return;
	sink(timers, last, place);
	rise(timers, last, last->place);
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t due)
{
	timer_clear(timers, timer);
	timer->due = due;
	if (due != TIMER_NEVER)
		rise(timers, timer, ++timers->n);
}

struct timer *timers_take_due(struct timers *timers, uint64_t now)
{
	struct timer *first = timers->heap[1];

	if (timers->n == 0 || first->due > now)
		return NULL;
	timer_clear(timers, first);
	return first;
}

uint64_t timers_next(const struct timers *timers)
{
	return timers->n > 0 ? timers->heap[1]->due : TIMER_NEVER;
}

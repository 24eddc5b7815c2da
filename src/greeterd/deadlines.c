#include "greeterd/deadlines.h"

#include <stddef.h>

void deadlines_init(struct deadlines *queue, uint64_t span)
{
	queue->head.next = queue->head.previous = &queue->head;
	queue->span = span;
}

void deadline_start(struct deadlines *queue, struct deadline *wait, uint64_t now)
{
	struct deadline *head = &queue->head;

	deadline_stop(wait);
	wait->since = now;
	wait->next = head;
	wait->previous = head->previous;
	head->previous->next = wait;
	head->previous = wait;
}

void deadline_stop(struct deadline *wait)
{
	if (!deadline_waits(wait))
		return;
	wait->next->previous = wait->previous;
	wait->previous->next = wait->next;
	wait->next = wait->previous = NULL;
}

struct deadline *deadlines_first(const struct deadlines *queue)
{
	return queue->head.next == &queue->head ? NULL : queue->head.next;
}

uint64_t deadlines_next(const struct deadlines *queue)
{
	const struct deadline *first = deadlines_first(queue);

	if (!first || first->since > DEADLINE_NEVER - queue->span)
		return DEADLINE_NEVER;
	return first->since + queue->span;
}

struct deadline *deadlines_due(const struct deadlines *queue, uint64_t now)
{
	uint64_t next = deadlines_next(queue);

	return next != DEADLINE_NEVER && next <= now ? queue->head.next : NULL;
}

void deadlines_move_all(struct deadlines *into, struct deadlines *from)
{
	struct deadline *first = deadlines_first(from), *last = from->head.previous;

	if (!first)
		return;
	from->head.next = from->head.previous = &from->head;
	first->previous = into->head.previous;
	into->head.previous->next = first;
	last->next = &into->head;
	into->head.previous = last;
}

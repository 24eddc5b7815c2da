#include "greeterd/bus-work.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/duration.h"

/* Between two parts, which take a tenth of it, while there is anybody else to serve. */
#define PAUSE_USEC (USEC_PER_SEC / 500)

static void job_deinit(struct bus_job *job)
{
	sd_bus_message_unref(job->call);
	sd_bus_message_unref(job->reply);
	idset_free(job->ids);
}

static void remove_first(struct bus_queue *queue)
{
	job_deinit(&queue->jobs[0]);
	queue->n--;
	memmove(&queue->jobs[0], &queue->jobs[1], queue->n * sizeof(queue->jobs[0]));
}

static size_t count_jobs(const struct bus *bus)
{
	size_t n = 0;

	for (size_t i = 0; i < BUS_QUEUES; i++)
		n += bus->queues[i].n;
	return n;
}

void bus_work_none(struct bus *bus)
{
	for (size_t i = 0; i < BUS_QUEUES; i++)
		while (bus->queues[i].n > 0)
			remove_first(&bus->queues[i]);
	(void)sd_event_source_set_enabled(bus->work_timer, SD_EVENT_OFF);
}

static int go_on_at(const struct bus *bus, uint64_t when)
{
	int r = sd_event_source_set_time(bus->work_timer, when);

	return r < 0 ? r : sd_event_source_set_enabled(bus->work_timer, SD_EVENT_ONESHOT);
}

static bool has_room(const struct bus_queue *queue, sd_bus_message *call)
{
	const char *caller = sd_bus_message_get_sender(call);
	size_t n = 0;

	for (size_t i = 0; i < queue->n; i++)
		n += strcmp(sd_bus_message_get_sender(queue->jobs[i].call), caller) == 0;
	return queue->n < BUS_JOBS_MAX && n < BUS_JOBS_OF_ONE_MAX;
}

int bus_work_add(struct bus *bus, enum bus_queue_kind kind, const struct bus_job *job)
{
	struct bus_queue *queue = &bus->queues[kind];
	int r = has_room(queue, job->call) ? 0 : -EBUSY;

	if (r == 0 && count_jobs(bus) == 0)
		r = go_on_at(bus, 0);
	if (r < 0)
		return r;
	queue->jobs[queue->n] = *job;
	sd_bus_message_ref(job->call);
	queue->n++;
	return 0;
}

static void fail(const struct bus_job *job, int error)
{
	if (error == -EMSGSIZE)
		(void)sd_bus_reply_method_errorf(job->call, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"these clients do not fit into one message; ListClientsFrom gives them in parts");
	else
		(void)sd_bus_reply_method_errno(job->call, error, NULL);
}

/* The queue that has its turn, one with jobs. */
static struct bus_queue *take_turn(struct bus *bus)
{
	do
		bus->turn = (bus->turn + 1) % BUS_QUEUES;
	while (bus->queues[bus->turn].n == 0);
	return &bus->queues[bus->turn];
}

static void make_part(struct bus *bus)
{
	struct bus_queue *queue = take_turn(bus);
	struct bus_job *job = &queue->jobs[0];
	int r = job->step(bus, job);

	if (r == 0)
		return;
	if (r > 0)
		r = sd_bus_send(NULL, job->reply, NULL);
	if (r < 0)
		fail(job, r);
	remove_first(queue);
}

/* Whether the bus has taken what was sent before. A reply that waits for it keeps its memory. */
static bool bus_takes(const struct bus *bus)
{
	uint64_t waiting;

	return sd_bus_get_n_queued_write(bus->connection, &waiting) >= 0 && waiting == 0;
}

int bus_work_go_on(sd_event_source *source, uint64_t due, void *data)
{
	struct bus *bus = data;
	bool takes = bus_takes(bus);
	uint64_t now = 0;

	(void)source, (void)due;
	if (takes)
		make_part(bus);
	if (count_jobs(bus) > 0) {
		(void)sd_event_now(bus->event, CLOCK_MONOTONIC, &now);
		(void)go_on_at(bus, bus->served || !takes ? now + PAUSE_USEC : 0);
	}
	bus->served = false;
	return 0;
}

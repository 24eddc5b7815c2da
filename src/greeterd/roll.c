#include "greeterd/roll.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "greeterd/roll-format.h"
#include "greeterd/roll-internal.h"

#define OVERDUE_CALLS_MAX 3

int roll_new(const struct roll_setup *setup, struct roll **ret)
{
	_cleanup_(freep) struct roll *roll = NULL;
	int r;

	if (setup->max_id > ROLL_ID_MAX)
		return -EINVAL;
	roll = calloc(1, sizeof(*roll));
	if (!roll)
		return -ENOMEM;
	roll->max_id = setup->max_id;
	roll->folder = setup->folder;
	roll->sync = setup->sync ? setup->sync : fdatasync;
	roll->voice = (struct roll_voice){ .say = setup->say, .data = setup->data };
	/* No two processes that wrote the file should have the same, and a counter in the file could be set
	 * back by a power failure. */
	if (getrandom(&roll->session, sizeof(roll->session), 0) != sizeof(roll->session))
		return -EIO;
	roll->session |= 1; /* not that of a blank record */
	pthread_mutex_init(&roll->voice.one_at_a_time, NULL);
	r = roll_map_init(&roll->map, setup->folder, setup->max_id, setup->now, &roll->voice);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(roll);
	return 0;
}

void roll_free(struct roll *roll)
{
	if (!roll)
		return;
	flusher_free(roll->flusher);
	roll_map_deinit(&roll->map);
	pthread_mutex_destroy(&roll->voice.one_at_a_time);
	free(roll);
}

bool roll_is_kept(const struct roll *roll)
{
	return roll->map.fd >= 0;
}

static void tell_of_sync(struct roll *roll)
{
	int error = flusher_result(roll->flusher);
	uint64_t mended = atomic_load(&roll->mended);

	if (error != roll->sync_error && error < 0)
		roll_tell(&roll->voice, "cannot bring %s/" ROLL_FILE_NAME " to the disk: %s", roll->folder,
			strerror(-error));
	else if (error != roll->sync_error || roll->overdue >= OVERDUE_CALLS_MAX)
		roll_tell(&roll->voice, "%s/" ROLL_FILE_NAME " is on the disk again", roll->folder);
	roll->sync_error = error;
	roll->overdue = 0;
	if (mended > MENDED_SAID_MAX && mended != roll->mended_told)
		roll_tell(&roll->voice,
			"%" PRIu64 " records of %s/" ROLL_FILE_NAME " were damaged in all, or being written",
			mended, roll->folder);
	roll->mended_told = mended;
}

void roll_sync(struct roll *roll)
{
	int r;

	if (roll->map.fd < 0)
		return;
	if (!roll->flusher) {
		r = flusher_new(roll->map.fd, roll->sync, &roll->flusher);
		if (r < 0 && r != roll->sync_error)
			roll_tell(&roll->voice, "cannot bring %s/" ROLL_FILE_NAME " to the disk: %s",
				roll->folder, strerror(-r));
		roll->sync_error = r;
		if (r < 0)
			return;
	}
	if (!flusher_busy(roll->flusher)) {
		tell_of_sync(roll);
		flusher_ask(roll->flusher);
	} else if (++roll->overdue == OVERDUE_CALLS_MAX) {
		roll_tell(&roll->voice,
			"the disk does not take %s/" ROLL_FILE_NAME
			": what is recorded from here on would be lost with the machine's power",
			roll->folder);
	}
}

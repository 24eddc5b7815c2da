#include "greeterd/admission.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <string.h>

struct source {
	struct netio_peer peer;
	uint32_t count;
};

struct admission {
	pthread_mutex_t lock;
	uint32_t max, max_per_source;
	uint32_t count;
	void *sources; /* a tsearch(3) tree of struct source, only those with connections */
};

static int compare(const void *a, const void *b)
{
	return netio_peer_compare_source(
		&((const struct source *)a)->peer, &((const struct source *)b)->peer);
}

int admission_new(uint32_t max, uint32_t max_per_source, struct admission **ret)
{
	struct admission *admission = calloc(1, sizeof(*admission));

	if (!admission)
		return -ENOMEM;
	pthread_mutex_init(&admission->lock, NULL);
	admission_set(admission, max, max_per_source);
	*ret = admission;
	return 0;
}

void admission_set(struct admission *admission, uint32_t max, uint32_t max_per_source)
{
	pthread_mutex_lock(&admission->lock);
	admission->max = max;
	admission->max_per_source = max_per_source;
	pthread_mutex_unlock(&admission->lock);
}

void admission_free(struct admission *admission)
{
	if (!admission)
		return;
	tdestroy(admission->sources, free);
	pthread_mutex_destroy(&admission->lock);
	free(admission);
}

static struct source *find(const struct admission *admission, const struct netio_peer *peer)
{
	const struct source key = { .peer = *peer };
	struct source **node = tfind(&key, &admission->sources, compare);

	return node ? *node : NULL;
}

static struct source *add(struct admission *admission, const struct netio_peer *peer)
{
	_cleanup_(freep) struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->peer = *peer;
	if (!tsearch(source, &admission->sources, compare))
		return NULL;
	return TAKE_PTR(source);
}

static int enter(struct admission *admission, const struct netio_peer *peer)
{
	struct source *source;

	if (admission->count >= admission->max)
		return -EBUSY;
	source = find(admission, peer);
	if (!source)
		source = add(admission, peer);
	if (!source)
		return -ENOMEM;
	if (admission->max_per_source && source->count >= admission->max_per_source)
		return -EDQUOT;
	source->count++;
	admission->count++;
	return 0;
}

int admission_enter(struct admission *admission, const struct netio_peer *peer)
{
	int r;

	pthread_mutex_lock(&admission->lock);
	r = enter(admission, peer);
	pthread_mutex_unlock(&admission->lock);
	return r;
}

void admission_leave(struct admission *admission, const struct netio_peer *peer)
{
	struct source *source;

	pthread_mutex_lock(&admission->lock);
	source = find(admission, peer);
	admission->count--;
	if (--source->count == 0) {
		tdelete(source, &admission->sources, compare);
		free(source);
	}
	pthread_mutex_unlock(&admission->lock);
}

uint32_t admission_count(struct admission *admission)
{
	uint32_t count;

	pthread_mutex_lock(&admission->lock);
	count = admission->count;
	pthread_mutex_unlock(&admission->lock);
	return count;
}

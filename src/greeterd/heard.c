#include "greeterd/heard.h"

#include <stdlib.h>
#include <string.h>

void heard_init(struct heard *heard)
{
	*heard = (struct heard){ 0 };
	pthread_mutex_init(&heard->lock, NULL);
}

void heard_deinit(struct heard *heard)
{
	for (size_t i = 0; i < heard->n; i++)
		free(heard->sentences[i]);
	pthread_mutex_destroy(&heard->lock);
}

void heard_put(struct heard *heard, const char *sentence)
{
	char *copy = strdup(sentence);

	if (!copy)
		return;
	pthread_mutex_lock(&heard->lock);
	if (heard->n < HEARD_MAX) {
		heard->sentences[heard->n++] = copy;
		copy = NULL;
	}
	pthread_mutex_unlock(&heard->lock);
	free(copy);
}

char *heard_take(struct heard *heard)
{
	char *first = NULL;

	pthread_mutex_lock(&heard->lock);
	if (heard->n > 0) {
		first = heard->sentences[0];
		heard->n--;
		memmove((void *)&heard->sentences[0], (void *)&heard->sentences[1],
			heard->n * sizeof(heard->sentences[0]));
	}
	pthread_mutex_unlock(&heard->lock);
	return first;
}

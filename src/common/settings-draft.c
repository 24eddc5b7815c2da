#include "common/settings-draft.h"

#include <stdlib.h>

void settings_listen_free(char **listen, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(listen[i]);
	free(listen);
}

void settings_expect_free(struct settings_expect *expect, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		idset_free(expect[i].ids);
		free(expect[i].name);
	}
	free(expect);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	settings_listen_free(settings->listen, settings->n_listen);
	settings_expect_free(settings->expect, settings->n_expect);
	free(settings->reply);
	free(settings);
}

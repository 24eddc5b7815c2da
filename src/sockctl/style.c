#include "sockctl/style.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

int style_parse(const char *text, enum style_color *ret)
{
	static const char *const names[] = {
		[STYLE_AUTO] = "auto",
		[STYLE_ALWAYS] = "always",
		[STYLE_NEVER] = "never",
	};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum style_color)i;
			return 0;
		}
	return -EINVAL;
}

bool style_wanted(enum style_color color, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color != STYLE_AUTO)
		return color == STYLE_ALWAYS;
	if (no_color && no_color[0])
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

const char *style_of(const char *state)
{
	static const struct {
		const char *state, *sequence;
	} styles[] = {
		{ "missing", "\033[1;31m" },
		{ "late", "\033[33m" },
		{ "returned", "\033[1;32m" },
		{ "present", "\033[32m" },
		{ "new", "\033[36m" },
		{ "paused", STYLE_DIM },
		{ "connected", STYLE_DIM },
		{ "disconnected", STYLE_DIM },
		{ "forgotten", STYLE_DIM },
	};

	for (size_t i = 0; i < ELEMENTS(styles); i++)
		if (strcmp(styles[i].state, state) == 0)
			return styles[i].sequence;
	return NULL;
}

#include "sockctl/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The alternate screen, no cursor, lines that are cut off instead of wrapped; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

bool screen_there(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term && strcmp(term, "dumb") != 0;
}

void screen_enter(struct screen *screen)
{
	struct termios raw;

	screen->keys = tcgetattr(STDIN_FILENO, &screen->before) == 0;
	if (screen->keys) {
		raw = screen->before;
		raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

void screen_leave(struct screen *screen)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
}

void screen_draw(const char *text)
{
	fputs("\033[H", stdout);
	while (*text) {
		size_t len = strcspn(text, "\n");

		fwrite(text, 1, len, stdout);
		fputs("\033[K", stdout);
		text += len;
		if (*text) {
			text++;
			if (*text)
				fputs("\r\n", stdout);
		}
	}
	fputs("\033[J", stdout);
	fflush(stdout);
}

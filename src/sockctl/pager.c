#include "sockctl/pager.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_size terminal_size(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return (struct terminal_size){ 0 };
	return (struct terminal_size){
		.columns = size.ws_col ? size.ws_col : 80,
		.lines = size.ws_row ? size.ws_row : 24,
	};
}

static bool too_long(const char *text, unsigned short lines)
{
	while (lines > 0 && (text = strchr(text, '\n'))) {
		text++;
		lines--;
	}
	return lines == 0;
}

/* Ctrl-C is the pager's while it runs. Returns whether it ran. */
static bool page(const char *text)
{
	const char *command = getenv("PAGER");
	FILE *pager;

	if (command && !command[0])
		return false;
	fflush(stdout);
	setenv("LESS", "FRSX", false);
	pager = popen(command ? command : "less", "we");
	if (!pager)
		return false;
	signal(SIGINT, SIG_IGN);
	fputs(text, pager);

	int status = pclose(pager);
	signal(SIGINT, SIG_DFL);
	return status >> 8 != 127; /* sh(1): there is no such command */
}

void pager_print(const char *text, bool allowed)
{
	unsigned short lines = terminal_size().lines;

	if (!allowed || lines == 0 || !too_long(text, lines) || !page(text))
		fputs(text, stdout);
}

#include "sockctl/output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sockctl/exits.h"

int output_end(int status, int error)
{
	if (fflush(stdout) != 0 && error == 0)
		error = -errno;
	if (error == 0)
		return status;
	if (error == -EPIPE)
		return EXIT_BY_SIGNAL + SIGPIPE;
	fprintf(stderr, "sockctl: cannot write to standard output: %s\n", strerror(-error));
	return status == EXIT_DONE ? EXIT_NO : status;
}

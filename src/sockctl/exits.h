/* exits.h: the exit statuses of sockctl(1), the same for every verb. */
#pragma once

enum exit_status {
	EXIT_DONE = 0,
	EXIT_NO = 1,          /* the answer is no: a loss */
	EXIT_USAGE = 2,       /* the command line makes no sense */
	EXIT_UNREACHABLE = 3, /* unreachable or timed out: nothing answered */
	EXIT_FOREIGN = 4,     /* a reply that is not the protocol */
	EXIT_REFUSED = 5,     /* refused by the server */
	EXIT_BY_SIGNAL = 128  /* and the signal's number */
};

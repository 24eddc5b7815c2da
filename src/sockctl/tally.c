#include "sockctl/tally.h"

#include <errno.h>
#include <stddef.h>

int tally_init(struct tally *tally)
{
	*tally = (struct tally){ .rtt = histogram_new() };
	return tally->rtt ? 0 : -ENOMEM;
}

void tally_deinit(struct tally *tally)
{
	histogram_free(tally->rtt);
	tally->rtt = NULL;
}

void tally_add(struct tally *tally, const struct greeting *greeting)
{
	tally->results[greeting->result]++;
	if (greeting->result == GREETING_ANSWERED)
		histogram_add(tally->rtt, greeting->rtt_usec);
	if (greeting->outage_usec > tally->longest_outage_usec)
		tally->longest_outage_usec = greeting->outage_usec;
}

uint64_t tally_sent(const struct tally *tally)
{
	uint64_t sent = 0;

	for (size_t i = 0; i < ELEMENTS(tally->results); i++)
		sent += tally->results[i];
	return sent;
}

enum exit_status tally_exit(const struct tally *tally)
{
	if (tally->results[GREETING_FOREIGN] > 0)
		return EXIT_FOREIGN;
	if (tally->results[GREETING_REFUSED] > 0)
		return EXIT_REFUSED;
	if (tally->results[GREETING_LOST] == 0)
		return EXIT_DONE;
	return tally->results[GREETING_ANSWERED] > 0 ? EXIT_NO : EXIT_UNREACHABLE;
}

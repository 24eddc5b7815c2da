/* turnaway.h: refusing connections for which there is no session. No state; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/protocol.h"

/* Says the refusal as far as the socket takes it at once, and closes fd. */
void turn_away(int fd, enum protocol_refusal refusal, uint32_t max_id);

/* Does so to all that wait at a listener now, a bounded number of them. Returns how many. */
size_t turn_away_waiting(int listener, enum protocol_refusal refusal, uint32_t max_id);

/*
 * admission.h: how many connections there are, in all and from each source, and whether there is room for one
 * more.
 *
 * A source is an IP address, or a user of AF_UNIX. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/netio.h"

struct admission;

/* Returns 0 or -ENOMEM. max: connections in all; max_per_source: 0 for no limit. */
int admission_new(uint32_t max, uint32_t max_per_source, struct admission **ret);
void admission_free(struct admission *admission);
DEFINE_CLEANUP(struct admission *, admission_free)

/* Other limits from here on; who is in stays in. */
void admission_set(struct admission *admission, uint32_t max, uint32_t max_per_source);

/* Counts a connection in. Returns 0; -EBUSY when there is no room, -EDQUOT when its source has its share,
 * -ENOMEM. */
int admission_enter(struct admission *admission, const struct netio_peer *peer);

/* Counts out a connection that was counted in. */
void admission_leave(struct admission *admission, const struct netio_peer *peer);

/* For unit tests only. */
uint32_t admission_count(struct admission *admission);

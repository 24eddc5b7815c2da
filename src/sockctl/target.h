/*
 * target.h: where to: a host or a path on the command line or in the environment, as addresses.
 *
 * target_resolve() may wait for name servers. Main thread only, for the environment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/netio.h"

#define TARGET_DEFAULT_HOST "127.0.0.1"

/* What was asked for. The texts are the caller's. */
struct target_request {
	const char *host;      /* NULL: SOCKCTL_HOST, then 127.0.0.1, or ::1 with a family of AF_INET6 */
	const char *port;      /* NULL: SOCKCTL_PORT, then default_port */
	const char *unix_path; /* instead of both; "@name" is in the abstract namespace */
	int family;            /* AF_INET, AF_INET6, or AF_UNSPEC for both */
	uint16_t default_port;
};

struct target {
	char *name; /* for errors, "localhost port 8080"; NULL: the address says it all */
	struct netio_address *addresses;
	size_t n_addresses;
};

/* Whether nothing but default_port can say what the port is. */
bool target_needs_port(const struct target_request *request);

/*
 * Returns 0, and the target for target_free(); -EINVAL for a request that makes no sense; -EHOSTUNREACH when
 * the name does not resolve; -ENOMEM. What is wrong stands in *ret_error then, a phrase that the caller
 * frees.
 */
int target_resolve(const struct target_request *request, struct target **ret, char **ret_error);

void target_free(struct target *target);
DEFINE_CLEANUP(struct target *, target_free)

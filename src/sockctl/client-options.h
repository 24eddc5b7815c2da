/*
 * client-options.h: the options that the verbs which greet have in common: where to, as whom, for which
 * reply.
 *
 * A verb's table holds the rows from here that it wants; its parser hands what it does not know itself to
 * client_options_take(). The texts are argv's. Main thread only, as options.h is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/idset.h"
#include "common/options.h"
#include "common/settings.h"
#include "sockctl/target.h"

/* The most clients of one run. */
#define CLIENT_IDS_MAX (UINT32_C(1) << 20)

enum client_key {
	CLIENT_ID = 256,
	CLIENT_TIMEOUT,
	CLIENT_UNIX,
	CLIENT_REPLY,
	CLIENT_CONFIG,
	CLIENT_JSON,
	CLIENT_KEYS /* a verb's own begin here */
};

#define CLIENT_ROW_ID(help) \
	{ \
		CLIENT_ID, "id", "LIST", help \
	}
#define CLIENT_ROW_JSON(help) \
	{ \
		CLIENT_JSON, "json", NULL, help \
	}
#define CLIENT_ROW_TIMEOUT(help) \
	{ \
		CLIENT_TIMEOUT, "timeout", "T", help \
	}
#define CLIENT_ROWS_TARGET \
	{ 'H', "host", "HOST", "where the server is (default: $SOCKCTL_HOST, 127.0.0.1)" }, \
		{ 'p', "port", "PORT", "its port (default: $SOCKCTL_PORT, the settings' port, 8080)" }, \
		{ CLIENT_UNIX, "unix", "PATH", "greet a Unix socket instead; @NAME is an abstract one" }, \
		{ '4', "ipv4", NULL, "IPv4 only" }, { '6', "ipv6", NULL, "IPv6 only" }, \
		{ CLIENT_REPLY, "reply", "TEXT", "the right reply (default: the settings', I am SERVER)" }, \
	{ \
		CLIENT_CONFIG, "config", "FILE", "settings (default: " GREETERD_CONFIG_FILE ")" \
	}

struct client_options {
	const char *verb; /* as messages begin: "sockctl hello" */
	struct target_request target;
	const char *config; /* NULL: the default file, which may be missing */
	const char *reply;  /* NULL: the settings' */
	struct idset *ids;  /* owned; NULL: unnumbered */
	uint64_t timeout_usec;
	bool json;
};

/* The defaults. */
struct client_options client_options_new(const char *verb);
void client_options_deinit(struct client_options *options);

/* Says on standard error what is wrong; returns -EINVAL. */
int client_options_usage(const struct client_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* These return 0; -EINVAL for what makes no sense, which has been said; -ENOMEM. */
int client_options_take(struct client_options *options, int key, const char *arg);
/* What each option alone cannot tell; operand: the first one, or NULL. */
int client_options_check(const struct client_options *options, const char *operand);

/* For a verb's own options; name is the option's. */
int client_options_duration(
	const struct client_options *options, const char *name, const char *arg, uint64_t *ret_usec);
int client_options_number(const struct client_options *options, const char *name, const char *arg,
	uint64_t min, uint64_t max, uint64_t *ret);

/*
 * What the settings know better than the defaults, port and reply: NULL where they are not needed, or of no
 * use, which is said when verbose. For settings_free().
 */
struct settings *client_options_settings(const struct client_options *options, bool verbose);

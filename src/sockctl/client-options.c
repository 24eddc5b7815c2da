#include "sockctl/client-options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/duration.h"
#include "common/protocol.h"

struct client_options client_options_new(const char *verb)
{
	return (struct client_options){
		.verb = verb,
		.target.family = AF_UNSPEC,
		.timeout_usec = 5 * USEC_PER_SEC,
	};
}

void client_options_deinit(struct client_options *options)
{
	idset_free(options->ids);
	options->ids = NULL;
}

int client_options_usage(const struct client_options *options, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", options->verb);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	return -EINVAL;
}

static int take_ids(struct client_options *options, const char *arg)
{
	struct idset *ids;
	int r = idset_parse(arg, UINT32_MAX, &ids);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return client_options_usage(
			options, "--id '%s': client numbers run from 1 up, as in 2, 1-3 or 1,4,9", arg);
	idset_free(options->ids);
	options->ids = ids;
	if (idset_count(ids) > CLIENT_IDS_MAX)
		return client_options_usage(options,
			"--id '%s': %" PRIu64 " clients, at most %" PRIu32 " can greet at once", arg,
			idset_count(ids), CLIENT_IDS_MAX);
	return 0;
}

static int take_reply(struct client_options *options, const char *arg)
{
	size_t len = strlen(arg);

	if (len == 0 || len > PROTOCOL_REPLY_TEXT_MAX || strpbrk(arg, "\r\n") || strcasestr(arg, "<br>"))
		return client_options_usage(
			options, "--reply: a reply is one line of 1 to %d bytes", PROTOCOL_REPLY_TEXT_MAX);
	options->reply = arg;
	return 0;
}

static int take_family(struct client_options *options, int family)
{
	if (options->target.family != AF_UNSPEC && options->target.family != family)
		return client_options_usage(options, "-4 and -6 contradict each other");
	options->target.family = family;
	return 0;
}

int client_options_take(struct client_options *options, int key, const char *arg)
{
	switch (key) {
	case CLIENT_ID:
		return take_ids(options, arg);
	case CLIENT_TIMEOUT:
		return client_options_duration(options, "timeout", arg, &options->timeout_usec);
	case CLIENT_REPLY:
		return take_reply(options, arg);
	case '4':
		return take_family(options, AF_INET);
	case '6':
		return take_family(options, AF_INET6);
	case CLIENT_UNIX:
		options->target.unix_path = arg;
		break;
	case CLIENT_CONFIG:
		options->config = arg;
		break;
	case CLIENT_JSON:
		options->json = true;
		break;
	case 'H':
		options->target.host = arg;
		break;
	case 'p':
		options->target.port = arg;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

int client_options_check(const struct client_options *options, const char *operand)
{
	const struct target_request *target = &options->target;

	if (operand)
		return client_options_usage(options, "what is '%s'? Client numbers go with --id", operand);
	if (target->unix_path && (target->host || target->port || target->family != AF_UNSPEC))
		return client_options_usage(options, "--unix contradicts --host, --port, -4 and -6");
	if (options->timeout_usec == 0)
		return client_options_usage(options, "--timeout 0: nothing can answer within that");
	return 0;
}

int client_options_duration(
	const struct client_options *options, const char *name, const char *arg, uint64_t *ret_usec)
{
	if (duration_parse(arg, ret_usec) < 0)
		return client_options_usage(
			options, "--%s '%s': a time span was expected, as in 250ms or 5s", name, arg);
	return 0;
}

int client_options_number(const struct client_options *options, const char *name, const char *arg,
	uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end || errno || number < min || number > max) {
		if (max == UINT64_MAX)
			return client_options_usage(options, "--%s '%s': a number was expected%s", name, arg,
				min == 0 ? ", 0 for no end" : " from 1 up");
		return client_options_usage(options,
			"--%s '%s': a number from %" PRIu64 " to %" PRIu64 " was expected", name, arg, min,
			max);
	}
	*ret = number;
	return 0;
}

struct settings *client_options_settings(const struct client_options *options, bool verbose)
{
	struct settings_report report = { 0 };
	struct settings *settings = NULL;
	int r;

	if (options->reply && !target_needs_port(&options->target))
		return NULL;
	r = options->config ? settings_load(options->config, &settings, &report)
			    : settings_load_default(GREETERD_CONFIG_FILE, &settings, &report);
	if (r < 0 && verbose) {
		for (size_t i = 0; i < report.n_lines; i++)
			fprintf(stderr, "sockctl: %s\n", report.lines[i]);
		fprintf(stderr, "sockctl: the settings are passed over\n");
	}
	settings_report_free(&report);
	return settings;
}

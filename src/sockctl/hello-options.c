#include "sockctl/hello-options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/duration.h"
#include "common/options.h"
#include "common/protocol.h"

enum {
	KEY_ID = 256,
	KEY_COUNT,
	KEY_INTERVAL,
	KEY_TIMEOUT,
	KEY_UNIX,
	KEY_REPLY,
	KEY_CONFIG,
	KEY_JSON,
};

const struct option_spec hello_options_table[] = {
	{ KEY_ID, "id", "LIST", "greet as these clients at once, as in 2, 1-3 or 1,4,9" },
	{ KEY_COUNT, "count", "N", "greet N times (0: until interrupted), then sum up" },
	{ KEY_INTERVAL, "interval", "T", "with --count, from one greeting to the next (default: 1s)" },
	{ KEY_TIMEOUT, "timeout", "T", "how long connection and reply may take (default: 5s)" },
	{ 'H', "host", "HOST", "where the server is (default: $SOCKCTL_HOST, 127.0.0.1)" },
	{ 'p', "port", "PORT", "its port (default: $SOCKCTL_PORT, the settings' port, 8080)" },
	{ KEY_UNIX, "unix", "PATH", "greet a Unix socket instead; @NAME is an abstract one" },
	{ '4', "ipv4", NULL, "IPv4 only" },
	{ '6', "ipv6", NULL, "IPv6 only" },
	{ KEY_REPLY, "reply", "TEXT", "the right reply (default: the settings', I am SERVER)" },
	{ KEY_CONFIG, "config", "FILE", "settings (default: " GREETERD_CONFIG_FILE ")" },
	{ KEY_JSON, "json", NULL, "print JSON: an object for each greeting" },
	{ 'v', "verbose", NULL, "say more, on standard error" },
	{ 'q', "quiet", NULL, "print no replies, only errors" },
	{ 'h', "help", NULL, "print this text and exit" },
	OPTIONS_END,
};

void hello_options_help(FILE *out)
{
	options_help(hello_options_table, out);
}

void hello_options_deinit(struct hello_options *options)
{
	idset_free(options->ids);
	options->ids = NULL;
}

/* Says what is wrong; returns -EINVAL. */
__attribute__((format(printf, 1, 2))) static int usage(const char *format, ...)
{
	va_list args;

	fputs("sockctl hello: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	return -EINVAL;
}

static int take_ids(struct hello_options *options, const char *arg)
{
	struct idset *ids;
	int r = idset_parse(arg, UINT32_MAX, &ids);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return usage("--id '%s': client numbers run from 1 up, as in 2, 1-3 or 1,4,9", arg);
	idset_free(options->ids);
	options->ids = ids;
	if (idset_count(ids) > HELLO_CLIENTS_MAX)
		return usage("--id '%s': %" PRIu64 " clients, at most %" PRIu32 " can greet at once", arg,
			idset_count(ids), HELLO_CLIENTS_MAX);
	return 0;
}

static int take_count(struct hello_options *options, const char *arg)
{
	char *end;

	errno = 0;
	options->count = strtoull(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end || errno)
		return usage("--count '%s': a number was expected, 0 for no end", arg);
	options->counting = true;
	return 0;
}

static int take_duration(const char *name, const char *arg, uint64_t *ret)
{
	if (duration_parse(arg, ret) < 0)
		return usage("--%s '%s': a time span was expected, as in 250ms or 5s", name, arg);
	return 0;
}

static int take_reply(struct hello_options *options, const char *arg)
{
	size_t len = strlen(arg);

	if (len == 0 || len > PROTOCOL_REPLY_TEXT_MAX || strpbrk(arg, "\r\n") || strcasestr(arg, "<br>"))
		return usage("--reply: a reply is one line of 1 to %d bytes", PROTOCOL_REPLY_TEXT_MAX);
	options->reply = arg;
	return 0;
}

static int take_family(struct hello_options *options, int family)
{
	if (options->target.family != AF_UNSPEC && options->target.family != family)
		return usage("-4 and -6 contradict each other");
	options->target.family = family;
	return 0;
}

static int take(struct hello_options *options, int key, const char *arg)
{
	switch (key) {
	case KEY_ID:
		return take_ids(options, arg);
	case KEY_COUNT:
		return take_count(options, arg);
	case KEY_INTERVAL:
		return take_duration("interval", arg, &options->interval_usec);
	case KEY_TIMEOUT:
		return take_duration("timeout", arg, &options->timeout_usec);
	case KEY_REPLY:
		return take_reply(options, arg);
	case '4':
		return take_family(options, AF_INET);
	case '6':
		return take_family(options, AF_INET6);
	case KEY_UNIX:
		options->target.unix_path = arg;
		break;
	case KEY_CONFIG:
		options->config = arg;
		break;
	case KEY_JSON:
		options->json = true;
		break;
	case 'H':
		options->target.host = arg;
		break;
	case 'p':
		options->target.port = arg;
		break;
	case 'v':
		options->verbose = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/* What each option alone cannot tell. */
static int check(const struct hello_options *options, bool interval_given, const char *operand)
{
	const struct target_request *target = &options->target;

	if (operand)
		return usage("what is '%s'? Client numbers go with --id", operand);
	if (target->unix_path && (target->host || target->port || target->family != AF_UNSPEC))
		return usage("--unix contradicts --host, --port, -4 and -6");
	if (options->quiet && (options->verbose || options->json))
		return usage("--quiet contradicts --verbose and --json");
	if (interval_given && !options->counting)
		return usage("--interval goes with --count");
	if (options->timeout_usec == 0)
		return usage("--timeout 0: nothing can answer within that");
	return 0;
}

int hello_options_parse(int argc, char **argv, struct hello_options *ret)
{
	_cleanup_(options_freep) struct options *walk = options_new(hello_options_table, argc, argv, false);
	_cleanup_(hello_options_deinit) struct hello_options options = {
		.target.family = AF_UNSPEC,
		.count = 1,
		.interval_usec = 1 * USEC_PER_SEC,
		.timeout_usec = 5 * USEC_PER_SEC,
	};
	bool interval_given = false;
	const char *arg;
	int key, r;

	if (!walk)
		return -ENOMEM;
	while ((key = options_next(walk, &arg)) != OPTIONS_DONE) {
		if (key == 'h')
			return 1;
		r = take(&options, key, arg);
		if (r < 0)
			return r;
		interval_given |= key == KEY_INTERVAL;
	}
	r = check(&options, interval_given, argv[optind]);
	if (r < 0)
		return r;
	*ret = options;
	options.ids = NULL;
	return 0;
}

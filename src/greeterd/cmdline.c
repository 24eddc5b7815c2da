#include "greeterd/cmdline.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/options.h"

enum { OPTION_CHECK = 256, OPTION_DUMP_CONFIG, OPTION_STATE_DIR, OPTION_USER, OPTION_VERSION };

static const struct option_spec table[] = {
	{ 'c', "config", "FILE", "read the settings from FILE, not from " GREETERD_CONFIG_FILE },
	{ OPTION_CHECK, "check", NULL, "check the settings and exit: 0, or 78 when something is wrong" },
	{ OPTION_DUMP_CONFIG, "dump-config", NULL, "print all settings as they are in force and exit" },
	{ OPTION_STATE_DIR, "state-dir", "DIR", "keep what must outlast a restart in DIR" },
	{ OPTION_USER, "user", NULL, "be controlled over the bus of the user, not of the system" },
	{ 'v', "verbose", NULL, "log details too" },
	{ 'h', "help", NULL, "print this text and exit" },
	{ OPTION_VERSION, "version", NULL, "print the version and exit" },
	OPTIONS_END,
};

int cmdline_parse(int argc, char **argv, struct cmdline *ret)
{
	_cleanup_(options_freep) struct options *options = options_new(table, argc, argv, 0);
	struct cmdline cmdline = { .action = CMDLINE_SERVE };
	const char *arg;
	int key;

	if (!options) {
		fprintf(stderr, "greeterd: %s\n", strerror(ENOMEM));
		return -ENOMEM;
	}
	while ((key = options_next(options, &arg)) != OPTIONS_DONE) {
		switch (key) {
		case 'c':
			cmdline.config = arg;
			break;
		case OPTION_CHECK:
			cmdline.action = CMDLINE_CHECK;
			break;
		case OPTION_DUMP_CONFIG:
			cmdline.action = CMDLINE_DUMP_CONFIG;
			break;
		case OPTION_STATE_DIR:
			cmdline.state_dir = arg;
			break;
		case OPTION_USER:
			cmdline.user = true;
			break;
		case 'v':
			cmdline.verbose = true;
			break;
		case 'h':
			*ret = (struct cmdline){ .action = CMDLINE_HELP };
			return 0;
		case OPTION_VERSION:
			*ret = (struct cmdline){ .action = CMDLINE_VERSION };
			return 0;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "greeterd: '%s' is no option; see greeterd --help\n", argv[optind]);
		return -EINVAL;
	}
	*ret = cmdline;
	return 0;
}

void cmdline_help(void)
{
	puts("Usage: greeterd [OPTION]...\n"
	     "\n"
	     "Answers \"I am client 2\" with \"I am SERVER\", on the sockets that systemd hands over,\n"
	     "or, run by hand without any, on those that its settings name.\n");
	options_help(table, stdout);
	puts("\nSee greeterd(8), greeterd.conf(5) and greeterd-protocol(7).");
}

#include "sockctl/commands.h"

#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "common/spelling.h"
#include "config.h"
#include "sockctl/bench-options.h"
#include "sockctl/bench.h"
#include "sockctl/exits.h"
#include "sockctl/hello-options.h"
#include "sockctl/hello.h"
#include "sockctl/output.h"
#include "sockctl/verbs.h"

enum { KEY_VERSION = 256 };

static int help_run(int argc, char **argv);

static const struct option_spec help_options[] = {
	{ 'h', "help", NULL, "print this text and exit" },
	OPTIONS_END,
};

const struct command commands[] = {
	{ "hello", "greet the server, as one client or as many", hello_run, hello_options_table,
		OPERANDS_NONE },
	{ "roll", "list who has greeted, and who is missing", roll_run, roll_options, OPERANDS_IDS },
	{ "watch", "show greetings, arrivals and departures as they come", watch_run, watch_options,
		OPERANDS_NONE },
	{ "wait", "wait until clients greet", wait_run, wait_options, OPERANDS_NONE },
	{ "status", "show the daemon at a glance", status_run, status_options, OPERANDS_NONE },
	{ "reload", "have the settings read again", reload_run, reload_options, OPERANDS_NONE },
	{ "pause", "await clients no longer", pause_run, change_options, OPERANDS_IDS_NEEDED },
	{ "resume", "await paused clients again", resume_run, change_options, OPERANDS_IDS_NEEDED },
	{ "forget", "take clients off the roll", forget_run, change_options, OPERANDS_IDS_NEEDED },
	{ "bench", "put the server under load, and measure", bench_run, bench_options_table, OPERANDS_NONE },
	{ "metrics", "print metrics for Prometheus", metrics_run, metrics_options, OPERANDS_NONE },
	{ "help", "explain sockctl, or one of its commands", help_run, help_options, OPERANDS_COMMAND },
	{ NULL, NULL, NULL, NULL, OPERANDS_NONE },
};

const struct option_spec commands_options[] = {
	{ 'h', "help", NULL, "print this text and exit" },
	{ KEY_VERSION, "version", NULL, "print the version and exit" },
	OPTIONS_END,
};

static int print_help(void)
{
	printf("Usage: sockctl [OPTION] COMMAND [ARGUMENT...]\n\n"
	       "Talk to greeterd, or to any server that answers \"I am client 2\" with \"I am SERVER\".\n\n"
	       "Commands:\n");
	for (size_t i = 0; commands[i].name; i++)
		printf("  %-8s  %s\n", commands[i].name, commands[i].help);
	printf("\nOptions:\n");
	options_help(commands_options, stdout);
	printf("\n'sockctl COMMAND --help' explains a command, sockctl(1) everything.\n");
	return output_end(EXIT_DONE, 0);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i].name; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Says that there is no such command, and which one may have been meant. */
static int unknown_command(const char *name)
{
	const struct command *nearest = NULL;
	size_t least = strlen(name) / 2 + 1; /* half of the letters must be right */

	for (size_t i = 0; commands[i].name; i++) {
		size_t d = spelling_distance(name, commands[i].name);

		if (d < least) {
			least = d;
			nearest = &commands[i];
		}
	}
	fprintf(stderr, "sockctl: there is no command '%s'", name);
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?\n", nearest->name);
	else
		fprintf(stderr, ", see 'sockctl --help'\n");
	return EXIT_USAGE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	_cleanup_(freep) char *name = NULL;
	char *given = argv[0];

	if (asprintf(&name, "sockctl %s", command->name) < 0)
		name = NULL;
	if (name)
		argv[0] = name;

	int status = command->run(argc, argv);
	argv[0] = given;
	return status;
}

static int help_run(int argc, char **argv)
{
	char help[] = "--help";

	if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], help) == 0)
		return print_help();

	const struct command *command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	if (argc > 2) {
		fprintf(stderr, "sockctl help: one command at a time\n");
		return EXIT_USAGE;
	}
	return run_command(command, 2, (char *[]){ argv[1], help, NULL });
}

/* A standard descriptor that was closed must not become a socket's: output would go to the server. */
static void occupy_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

int commands_run(int argc, char **argv)
{
	const char *arg;

	occupy_standard_descriptors();
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* writing says it, with EPIPE */

	_cleanup_(options_freep) struct options *options = options_new(commands_options, argc, argv, true);
	if (!options)
		return EXIT_NO;
	switch (options_next(options, &arg)) {
	case 'h':
		return print_help();
	case KEY_VERSION:
		printf("sockctl %s\n", PACKAGE_VERSION);
		return output_end(EXIT_DONE, 0);
	case OPTIONS_USAGE:
		return EXIT_USAGE;
	default:
		break;
	}
	if (optind >= argc) {
		fprintf(stderr, "sockctl: no command given, see 'sockctl --help'\n");
		return EXIT_USAGE;
	}

	const struct command *command = find_command(argv[optind]);
	if (!command)
		return unknown_command(argv[optind]);
	return run_command(command, argc - optind, argv + optind);
}

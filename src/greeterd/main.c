/* greeterd: parse, load, run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/settings.h"
#include "config.h"
#include "greeterd/cmdline.h"
#include "greeterd/conf.h"
#include "greeterd/daemon.h"
#include "greeterd/exits.h"

/* Descriptors 0 to 2 must not become sockets: what is said on standard error would be sent to a peer. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

/* What was printed must have arrived. Returns an exit status. */
static int end_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "greeterd: cannot write to standard output: %s\n", strerror(errno));
	return DAEMON_FAILURE;
}

/* --check and --dump-config. Returns an exit status. */
static int show_settings(const struct cmdline *cmdline)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	struct settings_report report = { 0 };
	int r = conf_load(cmdline->config, &settings, &report);

	for (size_t i = 0; i < report.n_lines; i++)
		fprintf(stderr, "%s\n", report.lines[i]);
	settings_report_free(&report);
	if (r == -ENOMEM) {
		fprintf(stderr, "greeterd: cannot read the settings: %s\n", strerror(-r));
		return DAEMON_FAILURE;
	}
	if (r < 0)
		return DAEMON_CONFIG;
	if (cmdline->action == CMDLINE_DUMP_CONFIG)
		settings_dump(settings, stdout);
	return end_output();
}

/* --state-dir, or the folder that systemd made: StateDirectory= of systemd.exec(5). */
static const char *state_dir(const struct cmdline *cmdline)
{
	char *folder = getenv("STATE_DIRECTORY");

	if (cmdline->state_dir || !folder)
		return cmdline->state_dir;
	folder[strcspn(folder, ":")] = '\0'; /* the first of several */
	return folder;
}

int main(int argc, char **argv)
{
	struct daemon_options options;
	struct cmdline cmdline;

	open_standard_descriptors();
	if (cmdline_parse(argc, argv, &cmdline) < 0)
		return DAEMON_USAGE;
	switch (cmdline.action) {
	case CMDLINE_HELP:
		cmdline_help();
		return end_output();
	case CMDLINE_VERSION:
		puts(PACKAGE_STRING);
		return end_output();
	case CMDLINE_CHECK:
	case CMDLINE_DUMP_CONFIG:
		return show_settings(&cmdline);
	case CMDLINE_SERVE:
		break;
	}
	options = (struct daemon_options){
		.config = cmdline.config,
		.state_dir = state_dir(&cmdline),
		.verbose = cmdline.verbose,
		.user = cmdline.user,
	};
	signal(SIGPIPE, SIG_IGN); /* a reader of the log may go */
	return daemon_run(&options);
}

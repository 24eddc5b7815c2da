/* greeterd: parse, load, run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/settings.h"
#include "config.h"
#include "greeterd/cmdline.h"
#include "greeterd/daemon.h"

/* Descriptors 0 to 2 must not become sockets: what is said on standard error would be sent to a peer. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

/* A missing default file is as good as an empty one; a file that was asked for must be there. Returns 0 or an
 * exit status. */
static int load_settings(const struct cmdline *cmdline, struct settings **ret)
{
	struct settings_report report = { 0 };
	int r = cmdline->config ? settings_load(cmdline->config, ret, &report)
				: settings_load_default(GREETERD_CONFIG_FILE, ret, &report);

	for (size_t i = 0; i < report.n_lines; i++)
		fprintf(stderr, "%s\n", report.lines[i]);
	settings_report_free(&report);
	if (r == -ENOMEM) {
		fprintf(stderr, "greeterd: cannot read the settings: %s\n", strerror(-r));
		return DAEMON_FAILURE;
	}
	return r < 0 ? DAEMON_CONFIG : 0;
}

/* What was printed must have arrived. Returns an exit status. */
static int end_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "greeterd: cannot write to standard output: %s\n", strerror(errno));
	return DAEMON_FAILURE;
}

int main(int argc, char **argv)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	struct cmdline cmdline;
	int r;

	open_standard_descriptors();
	if (cmdline_parse(argc, argv, &cmdline) < 0)
		return DAEMON_USAGE;
	if (cmdline.action == CMDLINE_HELP) {
		cmdline_help();
		return end_output();
	}
	if (cmdline.action == CMDLINE_VERSION) {
		puts(PACKAGE_STRING);
		return end_output();
	}
	r = load_settings(&cmdline, &settings);
	if (r != 0 || cmdline.action == CMDLINE_CHECK)
		return r;
	if (cmdline.action == CMDLINE_DUMP_CONFIG) {
		settings_dump(settings, stdout);
		return end_output();
	}
	signal(SIGPIPE, SIG_IGN); /* a reader of the log may go */
	return daemon_run(settings, cmdline.verbose);
}

/* greeterd-generator: makes systemd listen where greeterd.conf(5) says; see systemd.generator(7). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "common/settings.h"
#include "config.h"
#include "generator/dropin.h"
#include "generator/kmsg.h"
#include "generator/place.h"

#define LINES_MAX 8 /* of a report; the kernel drops what comes too fast */

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, OPTION_VERSION = 256 };

static const struct option_spec table[] = {
	{ 'c', "config", "FILE", "read the settings from FILE, not from " GREETERD_CONFIG_FILE },
	{ 'h', "help", NULL, "print this text and exit" },
	{ OPTION_VERSION, "version", NULL, "print the version and exit" },
	OPTIONS_END,
};

static int help(void)
{
	puts("greeterd-generator [--config FILE] [NORMAL-DIR [EARLY-DIR LATE-DIR]]\n"
	     "Writes the drop-in that makes greeterd.socket listen where the settings say.\n"
	     "Without a folder, prints it.\n");
	options_help(table, stdout);
	return 0;
}

static void say_report(int kmsg, const struct settings_report *report)
{
	size_t shown = report->n_lines < LINES_MAX ? report->n_lines : LINES_MAX;
	char rest[64];

	for (size_t i = 0; i < shown; i++)
		kmsg_say(kmsg, report->lines[i]);
	snprintf(rest, sizeof(rest), "%zu more; see greeterd --check", report->n_lines - shown);
	if (shown < report->n_lines)
		kmsg_say(kmsg, rest);
}

/* folder NULL: to standard output. Returns 0 or -errno, having said why. */
static int generate(const char *config, const char *folder, int kmsg)
{
	_cleanup_(settings_freep) struct settings *settings = NULL;
	_cleanup_(settings_report_free) struct settings_report report = { 0 };
	_cleanup_(freep) char *text = NULL;
	int r = settings_load(config, &settings, &report);

	say_report(kmsg, &report);
	if (r == 0)
		r = dropin_text(settings, config[0] == '/' ? config : NULL, &text);
	if (r == 0 && folder)
		r = place_dropin(folder, text);
	else if (r == 0 && (fputs(text, stdout) == EOF || fflush(stdout) == EOF))
		r = -errno;
	if (r < 0 && report.n_lines == 0)
		kmsg_say(kmsg, strerror(-r));
	if (r < 0)
		kmsg_say(kmsg, DROPIN_UNIT " listens where its unit file says, not where the settings do");
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(options_freep) struct options *options = options_new(table, argc, argv, 0);
	_cleanup_(closep) int kmsg = -1;
	const char *config = GREETERD_CONFIG_FILE, *arg;
	int key, r;

	while (options && (key = options_next(options, &arg)) != OPTIONS_DONE) {
		if (key == 'h')
			return help();
		if (key == OPTION_VERSION) {
			puts(PACKAGE_STRING);
			return 0;
		}
		if (key != 'c')
			return EXIT_USAGE;
		config = arg;
	}
	if (argc - optind != 0 && argc - optind != 1 && argc - optind != 3) {
		fputs("greeterd-generator: expected no folder, one, or three\n", stderr);
		return EXIT_USAGE;
	}
	/* Set by systemd; a person is told on the terminal. */
	if (getenv("SYSTEMD_SCOPE"))
		kmsg = kmsg_open("/dev/kmsg");
	r = generate(config, argv[optind], kmsg);
	return r < 0 && !argv[optind] ? EXIT_CONFIG : 0;
}

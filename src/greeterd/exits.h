/* exits.h: the exit statuses of greeterd(8), besides 0: systemd.exec(5), "Process Exit Codes". */
#pragma once

enum exit_status {
	DAEMON_FAILURE = 1,
	DAEMON_USAGE = 2,
	DAEMON_CONFIG = 78 /* EX_CONFIG of sysexits(3): starting again will not help */
};

/* messages.h: everything that greeterd says, one table: the MESSAGE_ID (sd-id128(3)) and the syslog level of
 * each. */
#pragma once

enum message {
	MESSAGE_GREETING,   /* a client greeted */
	MESSAGE_SUMMARY,    /* greetings beyond journal_burst, counted */
	MESSAGE_DISCONNECT, /* a connection ended */
	MESSAGE_REFUSAL,    /* a line or a connection was refused */
	MESSAGE_BUSY,       /* connections were turned away for want of room */
	MESSAGE_LISTENING,  /* the sockets served, at start */
	MESSAGE_STOPPING,
	MESSAGE_SETTINGS, /* something is wrong with the settings */
	MESSAGE_RELOAD,   /* the settings were read anew */
	MESSAGE_RESTART,  /* connections of the process before were taken up */
	MESSAGE_IDLE,     /* nobody is connected any more: exits until somebody is */
	MESSAGE_MISMATCH, /* the sockets handed over are not those that the settings name */
	MESSAGE_MISSING,  /* a client that was expected has not greeted */
	MESSAGE_RETURNED, /* a missing client greeted again */
	MESSAGE_STATE,    /* a client that is expected has any other state */
	MESSAGE_CONTROL,  /* there is no bus to control the daemon over, or there is one again */
	MESSAGE_PROBLEM,  /* something that an administrator should know */
	MESSAGE_DETAIL,   /* what only -v shows */
	MESSAGES
};

struct message_info {
	const char *id; /* 32 hexadecimal digits */
	int level;      /* LOG_INFO, … of syslog(3) */
};

const struct message_info *message_info(enum message message);

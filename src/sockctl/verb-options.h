/*
 * verb-options.h: the command lines of the verbs that speak to the daemon.
 *
 * Each verb has a table of its own, out of the rows here; one parser reads them all. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/idset.h"
#include "common/options.h"
#include "sockctl/control.h"
#include "sockctl/style.h"

enum verb_key {
	VERB_USER = 256,
	VERB_JSON,
	VERB_ID,
	VERB_MISSING,
	VERB_PLAIN,
	VERB_NO_LEGEND,
	VERB_NO_PAGER,
	VERB_COLOR,
	VERB_TIMEOUT,
	VERB_CLIENTS,
};

#define VERB_ROW_ID(help) \
	{ \
		VERB_ID, "id", "LIST", help \
	}
#define VERB_ROW_JSON \
	{ \
		VERB_JSON, "json", NULL, "print JSON" \
	}
#define VERB_ROW_COLOR \
	{ \
		VERB_COLOR, "color", "WHEN", "colour: auto (the default: on a terminal), always or never" \
	}
/* What every verb has, and the end of its table. */
#define VERB_ROWS_BUS \
	{ VERB_USER, "user", NULL, "the greeterd of the user bus" }, \
		{ 'H', "host", "HOST", "the greeterd of that host, through ssh" }, \
		{ 'M', "machine", "NAME", "the greeterd of that container" }, \
		{ 'h', "help", NULL, "print this text and exit" }, OPTIONS_END

enum operands { OPERANDS_NONE, OPERANDS_IDS, OPERANDS_IDS_NEEDED, OPERANDS_COMMAND };

struct verb_usage {
	const char *about; /* sentences for --help */
	const struct option_spec *options;
	enum operands operands;
};

struct verb_options {
	struct control_target target;
	struct idset *ids; /* NULL: all */
	char *id_list;     /* the same as the daemon reads it, "" for all */
	bool json, missing, plain, no_legend, no_pager, clients;
	enum style_color color;
	uint64_t timeout_usec; /* UINT64_MAX: none */
};

/* Not an exit status: there is something to do. */
#define VERB_GO (-1)

/*
 * Returns VERB_GO and options for verb_options_deinit(), or the exit status of a command that is done: help
 * was printed, or what is wrong has been said.
 */
int verb_parse(const struct verb_usage *usage, int argc, char **argv, struct verb_options *ret);
/* The same, and opens the bus: what all verbs begin with. Returns VERB_GO, or an exit status. */
int verb_begin(const struct verb_usage *usage, int argc, char **argv, struct verb_options *ret,
	struct control **ret_control);
void verb_options_deinit(struct verb_options *options);

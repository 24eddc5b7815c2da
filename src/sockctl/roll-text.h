/* roll-text.h: the roll as people and programs read it. Pure: the time is handed in. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sockctl/control.h"
#include "sockctl/table.h"

/* "2", or "-" for the unnumbered. */
#define ROLL_ID_MAX 12
const char *roll_id(uint32_t id, char text[static ROLL_ID_MAX]);

/* Whether an awaited client among them is missing. */
bool roll_anyone_missing(const struct client_list *list);

/* A table of n clients, for the caller to free. Returns 0 or -ENOMEM. */
int roll_text(
	const struct client *clients, size_t n, const struct table_style *style, uint64_t now, char **ret);

/* {"schema_version":1,"clients":[…]}; object by object, for a roll may be long. */
void roll_json(const struct client_list *list, FILE *out);

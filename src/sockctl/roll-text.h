/* roll-text.h: the roll as people and programs read it. Pure: the time is handed in. */
#pragma once

#include <stdbool.h>
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

/* {"schema_version":1,"clients":[…]}, object by object, for a roll may be long: its beginning, as many pages
 * as there are, its end. */
struct roll_json {
	FILE *out;
	bool any; /* client was printed */
};

void roll_json_begin(struct roll_json *json, FILE *out);
void roll_json_page(struct roll_json *json, const struct client_list *page);
void roll_json_end(struct roll_json *json);

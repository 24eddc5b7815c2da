#include "sockctl/roll-text.h"

#include <inttypes.h>
#include <string.h>

#include "sockctl/json.h"
#include "sockctl/moment.h"
#include "sockctl/style.h"

const char *roll_id(uint32_t id, char text[static ROLL_ID_MAX])
{
	snprintf(text, ROLL_ID_MAX, "%" PRIu32, id);
	return id ? text : "-";
}

bool roll_anyone_missing(const struct client_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->clients[i].state, "missing") == 0)
			return true;
	return false;
}

/* No cell is empty, so that awk(1) can count them. */
static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

enum column { ID, NAME, STATE, LAST_SEEN, COUNT, FROM, COLUMNS };

static const struct table_column columns[COLUMNS] = {
	[ID] = { "ID", true, false, 0 },
	[NAME] = { "NAME", false, true, 0.1 },
	[STATE] = { "STATE", false, false, 0 },
	[LAST_SEEN] = { "LAST SEEN", true, false, 0 },
	[COUNT] = { "COUNT", true, false, 0 },
	[FROM] = { "FROM", false, true, 0.3 },
};

static int add_client(struct table *table, const struct client *client, uint64_t now)
{
	char id[ROLL_ID_MAX], ago[MOMENT_TEXT_MAX], count[24];
	const char *const cells[COLUMNS] = {
		[ID] = roll_id(client->id, id),
		[NAME] = or_dash(client->name),
		[STATE] = client->state,
		[LAST_SEEN] = moment_ago(client->last_seen, now, ago),
		[COUNT] = count,
		[FROM] = or_dash(client->peer),
	};

	snprintf(count, sizeof(count), "%" PRIu64, client->count);
	return table_add(table, cells, style_of(client->state), STATE);
}

int roll_text(
	const struct client *clients, size_t n, const struct table_style *style, uint64_t now, char **ret)
{
	_cleanup_(table_freep) struct table *table = NULL;
	int r = table_new(columns, COLUMNS, style, &table);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_client(table, &clients[i], now);
	return r < 0 ? r : table_text(table, ret);
}

static void print_client(const struct client *client, FILE *out)
{
	_cleanup_(json_putp) struct json_object *object = json_object_new_object();

	if (!object)
		return;
	json_add_number_or_null(object, "id", client->id);
	json_add_text_or_null(object, "name", client->name);
	json_add_text(object, "state", client->state);
	json_add_number(object, "count", client->count);
	json_add_number(object, "refusals", client->refusals);
	json_add_time(object, "first_seen", client->first_seen);
	json_add_time(object, "last_seen", client->last_seen);
	json_add_text_or_null(object, "peer", client->peer);
	json_print_part(object, out);
}

void roll_json_begin(struct roll_json *json, FILE *out)
{
	*json = (struct roll_json){ .out = out };
	fprintf(out, "{\"schema_version\":%d,\"clients\":[", JSON_SCHEMA);
}

void roll_json_page(struct roll_json *json, const struct client_list *page)
{
	for (size_t i = 0; i < page->n; i++) {
		if (json->any)
			fputc(',', json->out);
		print_client(&page->clients[i], json->out);
		json->any = true;
	}
}

void roll_json_end(struct roll_json *json)
{
	fputs("]}\n", json->out);
}

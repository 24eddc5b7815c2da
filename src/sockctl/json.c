#include "sockctl/json.h"

#include "sockctl/moment.h"

struct json_object *json_new(void)
{
	struct json_object *object = json_object_new_object();

	if (object)
		json_add_number(object, "schema_version", JSON_SCHEMA);
	return object;
}

void json_add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

void json_add_text_or_null(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text && text[0] ? json_object_new_string(text) : NULL);
}

void json_add_number_or_null(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, number ? json_object_new_uint64(number) : NULL);
}

void json_add_time(struct json_object *object, const char *key, uint64_t usec)
{
	char text[MOMENT_TEXT_MAX];

	json_add_text_or_null(object, key, usec ? moment_utc(usec, text) : NULL);
}

void json_add_texts(struct json_object *object, const char *key, char **texts)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && texts && texts[i]; i++)
		json_object_array_add(array, json_object_new_string(texts[i]));
	json_object_object_add(object, key, array);
}

void json_print_part(struct json_object *object, FILE *out)
{
	if (object)
		fputs(json_object_to_json_string_ext(
			      object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			out);
}

void json_print(struct json_object *object, FILE *out)
{
	json_print_part(object, out);
	if (object)
		fputc('\n', out);
}

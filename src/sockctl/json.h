/*
 * json.h: the JSON of all commands: one object a line, "schema_version" first. Pure.
 *
 * What has no memory left adds nothing; printing NULL prints nothing.
 */
#pragma once

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_SCHEMA 1

/* A new object that begins with the schema's version; free with json_putp(). */
struct json_object *json_new(void);

void json_add_number(struct json_object *object, const char *key, uint64_t number);
/* Nothing for NULL. */
void json_add_text(struct json_object *object, const char *key, const char *text);
/* These say null for "" and for 0. */
void json_add_text_or_null(struct json_object *object, const char *key, const char *text);
void json_add_number_or_null(struct json_object *object, const char *key, uint64_t number);
void json_add_time(struct json_object *object, const char *key, uint64_t usec);
void json_add_texts(struct json_object *object, const char *key, char **texts);

void json_print(struct json_object *object, FILE *out);
/* Without the line's end. */
void json_print_part(struct json_object *object, FILE *out);

static inline void json_putp(struct json_object **object)
{
	json_object_put(*object);
}

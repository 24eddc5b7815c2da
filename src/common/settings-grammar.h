/*
 * settings-grammar.h: whether words follow one another as libconfig's grammar has it.
 *
 * libconfig 1.5 leaks a string that stands where none may (later ones do not) and stops at the first error;
 * so it is only given what is known to be well-formed. A grammar that is all zeros stands before a setting.
 * Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_DEPTH_MAX 16 /* brackets inside one another */

/* Words are named by a character: a mark by itself, the others by these. */
enum {
	SETTINGS_WORD_END = '\0',
	SETTINGS_WORD_NAME = 'a',
	SETTINGS_WORD_BOOLEAN = 't',
	SETTINGS_WORD_STRING = '"',
	SETTINGS_WORD_INTEGER = '0',
	SETTINGS_WORD_LONG = 'L', /* an integer that says so by this letter */
	SETTINGS_WORD_FRACTION = '.',
	SETTINGS_WORD_NONSENSE = '?'
};

struct settings_grammar {
	enum {
		SETTINGS_BEFORE_KEY,
		SETTINGS_AFTER_KEY,
		SETTINGS_BEFORE_VALUE,
		SETTINGS_BEFORE_FIRST, /* element of a list or array, or its end */
		SETTINGS_AFTER_STRING,
		SETTINGS_AFTER_VALUE
	} state;
	size_t depth;
	char brackets[SETTINGS_DEPTH_MAX + 1]; /* the open ones, from index 1 */
	char elements[SETTINGS_DEPTH_MAX + 1]; /* the first word in each, for arrays are of one type */
};

/* Takes the next word. Returns NULL, or what had to stand there, when the grammar is of no use any more. */
const char *settings_grammar_take(struct settings_grammar *grammar, char word);

/* What kind of word begins with a character. */
bool settings_grammar_begins_number(char c);
bool settings_grammar_begins_name(char c);

/* How many of the len bytes at text belong to the word that begins there. */
size_t settings_grammar_number_len(const char *text, size_t len);
size_t settings_grammar_name_len(const char *text, size_t len);

/* SETTINGS_WORD_NAME or SETTINGS_WORD_BOOLEAN. */
char settings_grammar_name(const char *text, size_t len);

/* What a word that begins like a number is. The value of an integer is without its sign, and exact up to
 * UINT32_MAX. */
char settings_grammar_number(const char *text, size_t len, uint64_t *ret_value);

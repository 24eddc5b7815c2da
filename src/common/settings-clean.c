/*
 * The half of settings-text.h that looks at every byte: a scanner for the words of libconfig's grammar. Its
 * view is the one that counts, for the text that it hands on holds no comment, no @include and no string of
 * several lines, which are all that scanners could differ about.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings-keys.h"
#include "common/settings-text.h"

#define NO_SETTING SIZE_MAX
#define SHOWN_MAX 30 /* bytes of a word from the text that a message shows */

struct name {
	const char *text;
	size_t len;
	unsigned line;
};

struct scan {
	const struct settings_source *source;
	struct settings_findings *findings;
	const char *text;
	char *clean; /* the copy, of the same length */
	size_t len, at;
	unsigned line;
	char last; /* the word just before, as the grammar names it */
	unsigned last_line;
	struct name last_name; /* and its text, when it was a name */
	bool hopeless;

	size_t begin; /* of the top-level setting around, or NO_SETTING */
	bool bad;     /* something was found in it */
	bool lost;    /* its grammar was */
	struct settings_grammar grammar;
	struct name key; /* what it sets, when that is known */

	struct name names[SETTINGS_KEYS_MAX]; /* of the open groups, the outermost first */
	size_t n_names, n_keys;
	size_t scopes[SETTINGS_DEPTH_MAX + 1]; /* where the names of each open bracket begin */
	size_t depth;
};

/* Beyond the text lies the newline that ends the copy. */
static char peek(const struct scan *s, size_t at)
{
	return at < s->len ? s->text[at] : '\n';
}

static void blank(struct scan *s, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < s->len; i++)
		if (s->clean[i] != '\n')
			s->clean[i] = ' ';
}

/* Something is wrong with what this name sets; one without text stands for no key. */
#define FOUND(s, line, name, ...) \
	do { \
		char path_[SETTINGS_KEY_SHOWN]; \
		settings_found((s)->findings, (s)->source, line, copy_path(s, name, path_), __VA_ARGS__); \
		(s)->bad = true; \
	} while (0)

static int shown(size_t len)
{
	return len < SHOWN_MAX ? (int)len : SHOWN_MAX;
}

/* "expect.id" for the name of a key in a group. */
static const char *copy_path(
	const struct scan *s, const struct name *name, char path[static SETTINGS_KEY_SHOWN])
{
	const struct name *key = &s->key;

	if (!name->text)
		return NULL;
	if (s->depth == 0 || !key->text || name->text == key->text)
		snprintf(path, SETTINGS_KEY_SHOWN, "%.*s", shown(name->len), name->text);
	else
		snprintf(path, SETTINGS_KEY_SHOWN, "%.*s.%.*s", shown(key->len), key->text, shown(name->len),
			name->text);
	return path;
}

static const struct name no_name;

/* What the word at hand, or the one just before, says that it is about. */
static const struct name *subject(const struct scan *s)
{
	if (s->key.text)
		return &s->key;
	return s->last == SETTINGS_WORD_NAME ? &s->last_name : &no_name;
}

/* The line that an error of grammar is on: where a word is missing, that of the word before. */
static void take_word(struct scan *s, char word)
{
	unsigned line = s->grammar.state == SETTINGS_BEFORE_KEY ? s->line : s->last_line;
	const char *expected = s->lost ? NULL : settings_grammar_take(&s->grammar, word);

	if (!expected)
		return;
	FOUND(s, line, subject(s), "syntax error; expected %s", expected);
	s->lost = true;
}

static void end_setting(struct scan *s)
{
	if (s->begin != NO_SETTING && s->bad)
		blank(s, s->begin, s->at);
	s->begin = NO_SETTING;
}

static void begin_setting(struct scan *s)
{
	s->begin = s->at;
	s->bad = s->lost = false;
	s->key = no_name;
	s->grammar = (struct settings_grammar){ 0 };
}

/* Every word belongs to a setting; one that stands for none is its own. */
static void note_word(struct scan *s, char word)
{
	if (word == SETTINGS_WORD_NAME && s->depth == 0 && s->last != '=' && s->begin != NO_SETTING) {
		take_word(s, SETTINGS_WORD_END);
		end_setting(s);
	}
	if (s->begin == NO_SETTING)
		begin_setting(s);
	take_word(s, word);
	s->last = word;
	s->last_line = s->line;
}

static void scan_line_comment(struct scan *s)
{
	size_t begin = s->at;

	while (s->at < s->len && s->text[s->at] != '\n')
		s->at++;
	blank(s, begin, s->at);
}

static void scan_block_comment(struct scan *s)
{
	size_t begin = s->at;
	unsigned line = s->line;

	for (s->at += 2; s->at < s->len; s->at++) {
		if (s->text[s->at] == '\n')
			s->line++;
		if (s->text[s->at] == '*' && peek(s, s->at + 1) == '/') {
			s->at += 2;
			blank(s, begin, s->at);
			return;
		}
	}
	blank(s, begin, s->at);
	settings_found(s->findings, s->source, line, NULL, "a comment that never ends; expected */");
}

static void scan_slash(struct scan *s)
{
	char next = peek(s, s->at + 1);

	if (next == '/') {
		scan_line_comment(s);
	} else if (next == '*') {
		scan_block_comment(s);
	} else {
		note_word(s, SETTINGS_WORD_NONSENSE);
		s->at++;
	}
}

static void scan_at_sign(struct scan *s)
{
	static const char include[] = "@include";

	if (s->len - s->at >= strlen(include) && memcmp(s->text + s->at, include, strlen(include)) == 0) {
		FOUND(s, s->line, &no_name,
			"@include is not taken; expected settings, or a drop-in in conf.d");
		scan_line_comment(s);
		return;
	}
	note_word(s, SETTINGS_WORD_NONSENSE);
	s->at++;
}

/* A string ends on the line it begins on, so that a forgotten quote is found where it was forgotten. */
static void scan_string(struct scan *s)
{
	bool nul = false;

	note_word(s, SETTINGS_WORD_STRING);
	for (s->at++; peek(s, s->at) != '"'; s->at++) {
		if (peek(s, s->at) == '\n') {
			FOUND(s, s->line, &s->key, "a string that does not end on its line; expected \"");
			return;
		}
		if (peek(s, s->at) != '\\')
			continue;

		char next = peek(s, s->at + 1);
		if (next == '"' || next == '\\')
			s->at++;
		else if ((next == 'x' || next == 'X') && peek(s, s->at + 2) == '0' &&
			 peek(s, s->at + 3) == '0')
			nul = true;
	}
	s->at++;
	if (nul)
		FOUND(s, s->line, &s->key, "a NUL in a string; expected other bytes");
}

/* Reports a number under the key that it is the value of, with what that key takes. */
static void found_number(struct scan *s, const char *number, size_t len, const char *what)
{
	const struct name *inner = s->n_names > 0 && s->depth > 0 ? &s->names[s->n_names - 1] : &s->key;
	settings_table *table = inner->text == s->key.text ? settings_keys : settings_expect_keys;
	const struct settings_key *key =
		inner->text ? settings_key_find(table, inner->text, inner->len) : NULL;

	FOUND(s, s->line, inner, "%.*s %s; expected %s", shown(len), number, what,
		key ? key->range : "at most 2147483647");
}

/* Integers of over 32 bits wrap silently in libconfig 1.5, and a leading zero means base 8 to later ones. */
static void scan_number(struct scan *s)
{
	const char *text = s->text + s->at;
	size_t len = settings_grammar_number_len(text, s->len - s->at),
	       sign = text[0] == '-' || text[0] == '+';
	uint64_t value;
	char kind = settings_grammar_number(text, len, &value);

	note_word(s, kind);
	s->at += len;
	if (kind != SETTINGS_WORD_INTEGER && kind != SETTINGS_WORD_LONG)
		return;
	if (value > INT_MAX)
		found_number(s, text, len, "does not fit");
	else if (text[sign] == '0' && len > sign + 1 && text[sign + 1] >= '0' && text[sign + 1] <= '9')
		found_number(s, text, len, "has a leading zero");
}

static void scan_name(struct scan *s)
{
	struct name name = { .text = s->text + s->at, .line = s->line };

	name.len = settings_grammar_name_len(name.text, s->len - s->at);
	note_word(s, settings_grammar_name(name.text, name.len));
	s->last_name = name;
	s->at += name.len;
}

/* The name before an equals sign becomes a key of the innermost group. */
static void define_key(struct scan *s)
{
	const struct name *name = &s->last_name;

	if (s->n_keys++ == SETTINGS_KEYS_MAX) {
		FOUND(s, s->line, &no_name, "too many settings; expected at most %d", SETTINGS_KEYS_MAX);
		s->hopeless = true;
		return;
	}
	if (s->depth == 0)
		s->key = *name;
	for (size_t i = s->scopes[s->depth]; i < s->n_names; i++)
		if (s->names[i].len == name->len && memcmp(s->names[i].text, name->text, name->len) == 0) {
			FOUND(s, name->line, name, "set twice; expected once, and line %u has it already",
				s->names[i].line);
			break;
		}
	s->names[s->n_names++] = *name;
}

static void scan_mark(struct scan *s, char c)
{
	bool opens = strchr("{[(", c), closes = strchr("}])", c), names = s->last == SETTINGS_WORD_NAME;

	if (opens && s->depth == SETTINGS_DEPTH_MAX) {
		FOUND(s, s->line, &no_name, "brackets too deep; expected at most %d inside one another",
			SETTINGS_DEPTH_MAX);
		s->hopeless = true;
		return;
	}
	note_word(s, c == ':' ? '=' : opens || closes || strchr("=;,", c) ? c : SETTINGS_WORD_NONSENSE);
	if (s->last == '=' && names)
		define_key(s);
	s->at++;
	if (opens)
		s->scopes[++s->depth] = s->n_names;
	if (closes && s->depth > 0)
		s->n_names = s->scopes[s->depth--];
	if ((c == ';' || c == ',') && s->depth == 0)
		end_setting(s);
}

static void scan_word(struct scan *s)
{
	char c = s->text[s->at];

	if (c == '\n')
		s->line++;
	if (strchr(" \t\r\n\f", c))
		s->at++;
	else if (c == '#')
		scan_line_comment(s);
	else if (c == '/')
		scan_slash(s);
	else if (c == '@')
		scan_at_sign(s);
	else if (c == '"')
		scan_string(s);
	else if (settings_grammar_begins_number(c))
		scan_number(s);
	else if (settings_grammar_begins_name(c))
		scan_name(s);
	else
		scan_mark(s, c);
}

/* Text that is not worth scanning, and the byte-order mark, which some editors put before good text. */
static void scan_encoding(struct scan *s)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *nul = memchr(s->text, '\0', s->len);

	if (nul) {
		unsigned line = 1;

		for (const char *p = s->text; p < nul; p++)
			line += *p == '\n';
		FOUND(s, line, &no_name, "a NUL byte; expected plain text");
		s->hopeless = true;
	} else if (s->len >= strlen(mark) && memcmp(s->text, mark, strlen(mark)) == 0) {
		FOUND(s, 1, &no_name, "a byte-order mark; expected plain text without one");
		blank(s, 0, strlen(mark));
		s->at = strlen(mark);
	}
}

int settings_text_clean(const struct settings_source *source, const char *text, size_t len,
	struct settings_findings *findings, char **ret_clean)
{
	_cleanup_(freep) char *clean = malloc(len + 2);
	struct scan s = {
		.source = source,
		.findings = findings,
		.text = len > 0 ? text : "",
		.clean = clean,
		.len = len,
		.line = 1,
		.begin = NO_SETTING,
	};

	if (!clean)
		return -ENOMEM;
	memcpy(clean, s.text, len);
	memcpy(clean + len, "\n", 2);
	scan_encoding(&s);
	while (!s.hopeless && s.at < s.len)
		scan_word(&s);
	if (!s.hopeless && s.begin != NO_SETTING)
		take_word(&s, SETTINGS_WORD_END);
	end_setting(&s);
	*ret_clean = s.hopeless ? NULL : TAKE_PTR(clean);
	return 0;
}

/*
 * The half of settings-text.h that looks at every byte: a scanner for the words of libconfig's grammar. Its
 * view is the one that counts, for the text that it hands on holds no comment, no @include and no string of
 * several lines, which are all that scanners could differ about.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings-keys.h"
#include "common/settings-text.h"

#define NO_SETTING SIZE_MAX
#define SHOWN_MAX 60 /* bytes of a word from the text that a message shows */

enum word { OTHER, NAME, EQUALS };

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
	enum word last;        /* the word just before */
	struct name last_name; /* and its text, when it was a name */
	bool hopeless;

	size_t begin;    /* of the top-level setting around, or NO_SETTING */
	bool bad;        /* something was found in it */
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
		char key_[SETTINGS_KEY_SHOWN]; \
		settings_found((s)->findings, (s)->source, line, copy_name(name, key_), __VA_ARGS__); \
		(s)->bad = true; \
	} while (0)

static const char *copy_name(const struct name *name, char copy[static SETTINGS_KEY_SHOWN])
{
	size_t len = name->len < SETTINGS_KEY_SHOWN ? name->len : SETTINGS_KEY_SHOWN - 1;

	if (!name->text)
		return NULL;
	memcpy(copy, name->text, len);
	copy[len] = '\0';
	return copy;
}

static const struct name no_name;

static void end_setting(struct scan *s)
{
	if (s->begin != NO_SETTING && s->bad)
		blank(s, s->begin, s->at);
	s->begin = NO_SETTING;
}

/* Every word belongs to a setting; one that stands for none is its own. */
static void note_word(struct scan *s, enum word word)
{
	if (word == NAME && s->depth == 0 && s->last != EQUALS)
		end_setting(s);
	if (s->begin == NO_SETTING) {
		s->begin = s->at;
		s->bad = false;
		s->key = (struct name){ 0 };
	}
	s->last = word;
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
		note_word(s, OTHER);
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
	note_word(s, OTHER);
	s->at++;
}

/* A string ends on the line it begins on, so that a forgotten quote is found where it was forgotten. */
static void scan_string(struct scan *s)
{
	bool nul = false;

	note_word(s, OTHER);
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

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || strchr("-_*", c);
}

/* Reports a number under the key that it is the value of, with what that key takes. */
static void found_number(struct scan *s, const char *number, size_t len, const char *what)
{
	const struct name *inner = s->n_names > 0 ? &s->names[s->n_names - 1] : &s->key;
	const struct settings_key *key =
		inner->text ? settings_key_find(s->depth > 0 ? settings_expect_keys : settings_keys,
				      inner->text, inner->len)
			    : NULL;

	FOUND(s, s->line, &s->key, "%.*s %s; expected %s", len < SHOWN_MAX ? (int)len : SHOWN_MAX, number,
		what, key ? key->range : "at most 2147483647");
}

/* Integers of over 32 bits wrap silently in libconfig 1.5, and a leading zero means base 8 to later ones. */
static void scan_number(struct scan *s)
{
	size_t begin = s->at, i = s->at;
	bool hex;
	uint64_t value = 0;

	note_word(s, OTHER);
	if (s->text[i] == '-' || s->text[i] == '+')
		i++;
	hex = peek(s, i) == '0' && (peek(s, i + 1) == 'x' || peek(s, i + 1) == 'X');
	if (hex)
		i += 2;
	size_t digits = i;
	for (; hex ? is_hex_digit(peek(s, i)) : is_digit(peek(s, i)); i++) {
		char c = peek(s, i);

		if (value <= UINT32_MAX)
			value = value * (hex ? 16 : 10) +
				(uint64_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if (!hex && strchr(".eE", peek(s, i))) { /* a fraction, which no setting takes */
		while (is_digit(peek(s, i)) || strchr(".eE+-", peek(s, i)))
			i++;
		s->at = i;
		return;
	}
	s->at = i > begin ? i : begin + 1;
	if (value > INT_MAX)
		found_number(s, s->text + begin, i - begin, "does not fit");
	else if (!hex && i - digits > 1 && s->text[digits] == '0')
		found_number(s, s->text + begin, i - begin, "has a leading zero");
	while (peek(s, s->at) == 'L')
		s->at++;
}

static void scan_name(struct scan *s)
{
	note_word(s, NAME);
	s->last_name = (struct name){ .text = s->text + s->at, .line = s->line };
	while (in_name(peek(s, s->at)))
		s->at++;
	s->last_name.len = (size_t)(s->text + s->at - s->last_name.text);
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
	bool named = s->last == NAME;

	note_word(s, c == '=' || c == ':' ? EQUALS : OTHER);
	if (s->last == EQUALS && named)
		define_key(s);
	s->at++;
	if (strchr("{[(", c)) {
		if (s->depth == SETTINGS_DEPTH_MAX) {
			FOUND(s, s->line, &no_name,
				"brackets too deep; expected at most %d inside one another",
				SETTINGS_DEPTH_MAX);
			s->hopeless = true;
			return;
		}
		s->scopes[++s->depth] = s->n_names;
	}
	if (strchr("}])", c) && s->depth > 0)
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
	else if (is_digit(c) || strchr("+-.", c))
		scan_number(s);
	else if (in_name(c) && c != '_')
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
		.text = text,
		.clean = clean,
		.len = len,
		.line = 1,
		.begin = NO_SETTING,
	};

	if (!clean)
		return -ENOMEM;
	if (len > 0)
		memcpy(clean, text, len);
	memcpy(clean + len, "\n", 2);
	scan_encoding(&s);
	while (!s.hopeless && s.at < s.len)
		scan_word(&s);
	end_setting(&s);
	*ret_clean = s.hopeless ? NULL : TAKE_PTR(clean);
	return 0;
}

#include "common/settings-grammar.h"

#include <string.h>
#include <strings.h>

/* What holds the next word: '{' for a group or the file itself, '(' for a list, '[' for an array. */
static char container(const struct settings_grammar *g)
{
	return g->depth > 0 ? g->brackets[g->depth] : '{';
}

static bool wants_value(const struct settings_grammar *g)
{
	return g->state == SETTINGS_BEFORE_VALUE || g->state == SETTINGS_BEFORE_FIRST;
}

static bool has_value(const struct settings_grammar *g)
{
	return g->state == SETTINGS_AFTER_VALUE || g->state == SETTINGS_AFTER_STRING;
}

/* The elements of an array are scalars of one type. */
static bool fits_array(struct settings_grammar *g, char word)
{
	char *first = &g->elements[g->depth];

	if (container(g) != '[')
		return true;
	if (strchr("{[(", word) || (*first && *first != word))
		return false;
	*first = word;
	return true;
}

static bool take_scalar(struct settings_grammar *g, char word)
{
	bool joins = word == SETTINGS_WORD_STRING && g->state == SETTINGS_AFTER_STRING;

	if (!joins && (!wants_value(g) || !fits_array(g, word)))
		return false;
	g->state = word == SETTINGS_WORD_STRING ? SETTINGS_AFTER_STRING : SETTINGS_AFTER_VALUE;
	return true;
}

static bool take_open(struct settings_grammar *g, char word)
{
	if (!wants_value(g) || !fits_array(g, word) || g->depth == SETTINGS_DEPTH_MAX)
		return false;
	g->brackets[++g->depth] = word;
	g->elements[g->depth] = '\0';
	g->state = word == '{' ? SETTINGS_BEFORE_KEY : SETTINGS_BEFORE_FIRST;
	return true;
}

static bool take_close(struct settings_grammar *g, char open)
{
	bool empty = g->state == (open == '{' ? SETTINGS_BEFORE_KEY : SETTINGS_BEFORE_FIRST);

	if (g->depth == 0 || container(g) != open || !(empty || has_value(g)))
		return false;
	g->depth--;
	g->state = SETTINGS_AFTER_VALUE;
	return true;
}

static bool take_separator(struct settings_grammar *g, char word)
{
	bool in_group = container(g) == '{';

	if (!has_value(g) || (word == ';' && !in_group))
		return false;
	g->state = in_group ? SETTINGS_BEFORE_KEY : SETTINGS_BEFORE_VALUE;
	return true;
}

static bool take_name(struct settings_grammar *g)
{
	if (container(g) != '{' || !(g->state == SETTINGS_BEFORE_KEY || has_value(g)))
		return false;
	g->state = SETTINGS_AFTER_KEY;
	return true;
}

static bool take_equals(struct settings_grammar *g)
{
	if (g->state != SETTINGS_AFTER_KEY)
		return false;
	g->state = SETTINGS_BEFORE_VALUE;
	return true;
}

static bool take(struct settings_grammar *g, char word)
{
	switch (word) {
	case SETTINGS_WORD_END:
		return g->depth == 0 && (g->state == SETTINGS_BEFORE_KEY || has_value(g));
	case SETTINGS_WORD_NAME:
		return take_name(g);
	case SETTINGS_WORD_BOOLEAN:
	case SETTINGS_WORD_STRING:
	case SETTINGS_WORD_INTEGER:
	case SETTINGS_WORD_LONG:
	case SETTINGS_WORD_FRACTION:
		return take_scalar(g, word);
	case '=':
		return take_equals(g);
	case '{':
	case '[':
	case '(':
		return take_open(g, word);
	case '}':
		return take_close(g, '{');
	case ']':
		return take_close(g, '[');
	case ')':
		return take_close(g, '(');
	case ';':
	case ',':
		return take_separator(g, word);
	default:
		return false;
	}
}

static const char *expected(const struct settings_grammar *g)
{
	char in = container(g);

	switch (g->state) {
	case SETTINGS_BEFORE_KEY:
		return g->depth > 0 ? "a key or }" : "a key";
	case SETTINGS_AFTER_KEY:
		return "=";
	case SETTINGS_BEFORE_VALUE:
	case SETTINGS_BEFORE_FIRST:
		return in == '[' ? "a value of the same type as the others" : "a value";
	default:
		if (in == '{')
			return g->depth > 0 ? "; or }" : ";";
		return in == '[' ? ", or ]" : ", or )";
	}
}

const char *settings_grammar_take(struct settings_grammar *grammar, char word)
{
	return take(grammar, word) ? NULL : expected(grammar);
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
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("-_*", c));
}

bool settings_grammar_begins_number(char c)
{
	return is_digit(c) || (c && strchr("+-.", c));
}

bool settings_grammar_begins_name(char c)
{
	return in_name(c) && c != '_' && !settings_grammar_begins_number(c);
}

size_t settings_grammar_number_len(const char *text, size_t len)
{
	size_t n = 1;

	while (n < len &&
		(in_name(text[n]) || text[n] == '.' || (text[n] == '+' && strchr("eE", text[n - 1]))))
		n++;
	return n;
}

size_t settings_grammar_name_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && in_name(text[n]))
		n++;
	return n;
}

char settings_grammar_name(const char *text, size_t len)
{
	bool boolean = (len == 4 && strncasecmp(text, "true", 4) == 0) ||
		       (len == 5 && strncasecmp(text, "false", 5) == 0);

	return boolean ? SETTINGS_WORD_BOOLEAN : SETTINGS_WORD_NAME;
}

/* Whether the digits of text up to i go on as a fraction does. */
static bool is_fraction(const char *text, size_t len, size_t i)
{
	bool point = i < len && text[i] == '.';

	for (i += point; i < len && is_digit(text[i]); i++)
		;
	if (i == len || (text[i] | 0x20) != 'e')
		return point && i == len;
	i += i + 1 < len && strchr("+-", text[i + 1]) ? 2 : 1;
	if (i == len)
		return false;
	while (i < len && is_digit(text[i]))
		i++;
	return i == len;
}

char settings_grammar_number(const char *text, size_t len, uint64_t *ret_value)
{
	size_t i = text[0] == '-' || text[0] == '+', digits;
	int base = i == 0 && len > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	uint64_t value = 0;

	if (base == 16)
		i = 2;
	for (digits = i; i < len && (base == 16 ? is_hex_digit(text[i]) : is_digit(text[i])); i++)
		if (value <= UINT32_MAX)
			value = value * (uint64_t)base +
				(uint64_t)(is_digit(text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10);
	*ret_value = value;
	if (i > digits && i == len)
		return SETTINGS_WORD_INTEGER;
	if (i > digits && len - i <= 2 && text[i] == 'L' && text[len - 1] == 'L')
		return SETTINGS_WORD_LONG;
	return base == 10 && is_fraction(text, len, i) ? SETTINGS_WORD_FRACTION : SETTINGS_WORD_NONSENSE;
}

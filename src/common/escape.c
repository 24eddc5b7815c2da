#include "common/escape.h"

#include <stdio.h>
#include <string.h>

/* Writes the escaped form of one byte, at most 4 characters. Returns its length. */
static size_t escape_byte(unsigned char byte, char out[static 5])
{
	static const char named[] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\\'] = '\\' };

	if (byte == '\0' || (byte < sizeof(named) && named[byte])) {
		out[0] = '\\';
		out[1] = byte ? named[byte] : '0';
		return 2;
	}
	if (byte >= ' ' && byte <= '~') {
		out[0] = (char)byte;
		return 1;
	}
	return (size_t)snprintf(out, 5, "\\x%02x", byte);
}

size_t escape_text(const void *data, size_t len, char *text, size_t size)
{
	static const char cut[] = "...";
	const unsigned char *bytes = data;
	size_t used = 0, last_fit = 0; /* last_fit: the longest prefix that leaves room for cut */

	for (size_t i = 0; i < len; i++) {
		char escaped[5];
		size_t n = escape_byte(bytes[i], escaped);

		if (used + n >= size) {
			memcpy(text + last_fit, cut, sizeof(cut));
			return last_fit + strlen(cut);
		}
		memcpy(text + used, escaped, n);
		used += n;
		if (used + sizeof(cut) <= size)
			last_fit = used;
	}
	text[used] = '\0';
	return used;
}

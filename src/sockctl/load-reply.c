#include "sockctl/load-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A refusal is not longer. */
#define LINE_MAX_LEN 512

/* So many pieces of len bytes: the n that are there, over and over. */
static char *repeat(const char *bytes, size_t len, size_t n, size_t pieces)
{
	char *all = len > SIZE_MAX / pieces ? NULL : malloc(len * pieces);

	for (size_t i = 0; all && i < pieces; i++)
		memcpy(all + i * len, bytes + i % n * len, len);
	return all;
}

int load_tiles_init(struct load_tiles *tiles, const struct load_exchange *exchange, size_t depth)
{
	const size_t n = exchange->n_requests ? exchange->n_requests : 1;

	*tiles = (struct load_tiles){
		.request_len = exchange->request_len,
		.reply_len = exchange->reply_len,
		.turn_len = exchange->request_len * n,
	};
	if (exchange->request_len == 0 || exchange->reply_len == 0)
		return -EINVAL;
	/* Sending may begin with any, and go on in the middle of one. */
	tiles->requests = repeat(exchange->request, exchange->request_len, n, n + depth);
	tiles->replies = repeat(exchange->reply, exchange->reply_len, 1, depth);
	if (!tiles->requests || !tiles->replies)
		return -ENOMEM;
	if (exchange->varying) {
		tiles->varying = repeat(exchange->varying, exchange->reply_len, 1, depth);
		if (!tiles->varying)
			return -ENOMEM;
	}
	return 0;
}

void load_tiles_deinit(struct load_tiles *tiles)
{
	free(tiles->requests);
	free(tiles->replies);
	free(tiles->varying);
}

/* Whether these n bytes are what tiles has from place at on. */
static bool same(const struct load_tiles *tiles, size_t at, const char *data, size_t n)
{
	const char *expected = tiles->replies + at, *varying;
	bool differs = false;

	if (!tiles->varying)
		return memcmp(expected, data, n) == 0;
	varying = tiles->varying + at;
	for (size_t i = 0; i < n; i++)
		differs |= expected[i] != data[i] && !varying[i];
	return !differs;
}

/* The oldest request is over. */
static void drop_oldest(struct load *l, struct load_connection *c)
{
	c->head = c->head + 1 == l->plan->depth ? 0 : c->head + 1;
	c->in_flight--;
	c->reply_at = 0;
	c->since = l->now;
	l->in_flight--;
}

/* n more right bytes are there. */
static void advance(struct load *l, struct load_connection *c, size_t n)
{
	size_t at = c->reply_at + n, len = c->tiles->reply_len;

	if (at < len) {
		c->reply_at = at;
		return;
	}
	for (; at >= len; at -= len) {
		uint64_t due = c->due[c->head];

		histogram_add(l->result.latency, l->now > due ? l->now - due : 0);
		l->result.answered++;
		drop_oldest(l, c);
	}
	c->reply_at = at;
	c->fruitful = true;
}

static void keep_sample(struct load *l, const struct load_connection *c, const char *data, size_t n)
{
	struct load_result *result = &l->result;
	size_t before = c->line_len;

	if (result->sample_len > 0)
		return;
	if (before > LOAD_SAMPLE_MAX)
		before = LOAD_SAMPLE_MAX;
	if (n > LOAD_SAMPLE_MAX - before)
		n = LOAD_SAMPLE_MAX - before;
	if (before > 0)
		memcpy(result->sample, c->line, before);
	memcpy(result->sample + before, data, n);
	result->sample_len = before + n;
}

static void refused(struct load *l, struct load_connection *c)
{
	keep_sample(l, c, "", 0);
	l->result.errors[LOAD_REFUSED]++;
	c->line_len = 0;
	if (c->in_flight > 0)
		drop_oldest(l, c);
}

/* What is no right reply goes on in line, behind the bytes that seemed to be one. */
static bool begin_line(struct load_connection *c)
{
	if (c->line_len > 0)
		return true;
	if (!c->line)
		c->line = malloc(LINE_MAX_LEN);
	if (!c->line || c->reply_at >= LINE_MAX_LEN)
		return false;
	memcpy(c->line, c->tiles->replies, c->reply_at);
	c->line_len = c->reply_at;
	return true;
}

static bool may_be_refusal(const struct load *l, const struct load_connection *c)
{
	const char *refusal = l->plan->refusal;
	size_t len = strlen(refusal);

	return strncmp(c->line, refusal, c->line_len < len ? c->line_len : len) == 0;
}

/* Takes bytes that are no right reply, up to the end of a line. Returns how many; 0 when they are no refusal
 * either. */
static size_t take_line(struct load *l, struct load_connection *c, const char *data, size_t n)
{
	const char *end;

	if (!l->plan->refusal || !begin_line(c)) {
		keep_sample(l, c, data, n);
		return 0;
	}
	end = memchr(data, '\n', n);
	size_t rest = n, room = LINE_MAX_LEN - c->line_len;

	if (end)
		n = (size_t)(end - data) + 1;
	if (n > room)
		n = room;
	memcpy(c->line + c->line_len, data, n);
	c->line_len += n;
	if (!may_be_refusal(l, c)) {
		keep_sample(l, c, data + n, rest - n);
		return 0;
	}
	if (c->line[c->line_len - 1] == '\n') {
		refused(l, c);
	} else if (c->line_len == LINE_MAX_LEN) {
		keep_sample(l, c, "", 0);
		return 0;
	}
	return n;
}

/* Passes over the replies that are right, up to the one that is not. */
static size_t take_right_ones(struct load *l, struct load_connection *c, const char *data, size_t n)
{
	size_t taken = 0;

	for (;;) {
		size_t part = c->tiles->reply_len - c->reply_at;

		if (part > n - taken || !same(c->tiles, c->reply_at, data + taken, part))
			return taken;
		advance(l, c, part);
		taken += part;
	}
}

bool load_reply_take(struct load *l, struct load_connection *c, const char *data, size_t n)
{
	while (n > 0) {
		size_t want = c->in_flight * c->tiles->reply_len - c->reply_at;
		size_t taken = n < want ? n : want;

		if (c->line_len == 0 && taken > 0 && same(c->tiles, c->reply_at, data, taken)) {
			advance(l, c, taken);
		} else {
			taken = c->line_len == 0 && taken > 0 ? take_right_ones(l, c, data, taken) : 0;

			bool asked = c->in_flight > 0;
			size_t odd = take_line(l, c, data + taken, n - taken);
			if (odd == 0 && !asked)
				l->result.errors[LOAD_WRONG]++;
			if (odd == 0 || (!asked && c->line_len == 0)) /* a refusal, and not of a request */
				return false;
			taken += odd;
		}
		data += taken;
		n -= taken;
	}
	return true;
}

void load_reply_end(struct load *l, struct load_connection *c)
{
	if (c->line_len > 0 && c->line_len >= strlen(l->plan->refusal))
		refused(l, c);
	c->line_len = 0;
}

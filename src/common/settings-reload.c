#include <string.h>

#include "common/settings-keys.h"
#include "common/settings.h"

#define SWAP(a, b) \
	do { \
		__typeof__(a) swapped_ = (a); \
		(a) = (b); \
		(b) = swapped_; \
	} while (0)

static bool same_listen(const struct settings *a, const struct settings *b)
{
	if (a->n_listen != b->n_listen)
		return false;
	for (size_t i = 0; i < a->n_listen; i++)
		if (strcmp(a->listen[i], b->listen[i]) != 0)
			return false;
	return true;
}

size_t settings_hold_back(struct settings *fresh, struct settings *running,
	const char *ret_pending[static SETTINGS_PENDING_MAX])
{
	size_t n, n_pending = 0;
	const struct settings_key *keys = settings_keys(&n);

	for (size_t i = 0; i < n; i++) {
		const struct settings_key *key = &keys[i];
		uint64_t next, now;

		if (key->reloadable)
			continue;
		if (key->kind == SETTINGS_LISTEN) {
			if (!same_listen(fresh, running))
				ret_pending[n_pending++] = key->name;
			SWAP(fresh->listen, running->listen);
			SWAP(fresh->n_listen, running->n_listen);
			continue;
		}
		next = settings_key_fetch(key, fresh);
		now = settings_key_fetch(key, running);
		if (next != now)
			ret_pending[n_pending++] = key->name;
		settings_key_store(key, fresh, now);
		settings_key_store(key, running, next);
	}
	return n_pending;
}

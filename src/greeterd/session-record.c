#include "greeterd/session-internal.h"

#include <errno.h>
#include <sys/socket.h>

void session_export(const struct session *session, struct session_record *ret_record, const char **ret_bytes)
{
	const struct session_held *held = session->held;

	*ret_record = (struct session_record){
		.id = session->id,
		.in_len = held ? (uint32_t)held->in_len : 0,
		.out_len = held ? (uint32_t)held->out_len : 0,
		.state = session->state,
		.refused_in_row = session->refused_in_row,
		.ended = session->ended,
		.peer = session->peer,
	};
	*ret_bytes = held ? held->bytes : NULL;
}

/* Whether session_export() can have written it. */
static bool is_sound(const struct session_record *record)
{
	const uint8_t family = record->peer.family;
	const bool rests = record->out_len == 0;

	return record->in_len <= (rests ? PROTOCOL_PARTIAL_MAX : SESSION_IN_SIZE) &&
	       record->out_len <= SESSION_OUT_SIZE &&
	       record->state <= (rests ? SESSION_OPEN : SESSION_FLUSHING) &&
	       record->refused_in_row <= SESSION_REFUSALS_MAX && record->ended <= 1 &&
	       (family == AF_INET || family == AF_INET6 || family == AF_UNIX);
}

int session_import(struct session *session, struct session_shared *shared, int fd,
	const struct session_record *record, const char *bytes, uint64_t now)
{
	if (!is_sound(record))
		return -EBADMSG;
	*session = (struct session){
		.fd = fd,
		.id = record->id,
		.peer = record->peer,
		.state = record->state,
		.refused_in_row = record->refused_in_row,
		.ended = record->ended,
	};
	return session_go_on(
		session, shared, bytes, record->in_len, bytes + record->in_len, record->out_len, now);
}

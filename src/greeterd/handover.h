/*
 * handover.h: connections on their way from one process to the next.
 *
 * They travel in one descriptor, for the file descriptor store of systemd (FDSTORE=1 of sd_notify(3)): a
 * socket in whose queue their descriptors wait (SCM_RIGHTS of unix(7)), and with them a sealed memory file of
 * what else a session is. One descriptor, because systemd compares each one that it stores with all others:
 * 10,000 would take it many seconds.
 *
 * The file: a header (magic, version, size of a record, number of records, size of all, checksum), then for
 * each connection its socket's cookie (SO_COOKIE of socket(7)), a struct session_record, and the bytes that
 * go with it. A reader believes none of it unchecked.
 */
#pragma once

#include <stddef.h>

#include "common/cleanup.h"
#include "greeterd/session.h"

#define HANDOVER_VERSION 1

struct handover;

/* Returns 0, or the errors of memfd_create(2), socketpair(2), malloc(3). */
int handover_new(struct handover **ret);
void handover_free(struct handover *handover);
DEFINE_CLEANUP(struct handover *, handover_free)

/* Adds a connection. fd stays the caller's, and must stay open until handover_seal(). Returns 0, or -errno:
 * it is not added. */
int handover_add(struct handover *handover, const struct session *session);

/* How many were added. */
size_t handover_count(const struct handover *handover);

/*
 * Seals the file and fills the queue. Returns the descriptor that carries all, which the caller owns; the
 * connections may be closed here then. Or -errno: -EAGAIN, -ETOOMANYREFS when the queue takes no more.
 */
int handover_seal(struct handover *handover);

/* Takes over a connection, or does not and returns -errno: fd is closed then. bytes is the record's, valid
 * during the call. */
typedef int handover_take(void *data, int fd, const struct session_record *record, const char *bytes);

/*
 * Empties what handover_seal() returned; the descriptor itself stays the caller's. *ret_lost: how many
 * connections were closed because what belongs to them is damaged, unknown or not taken. Returns how many
 * were taken over; -EBADMSG when the file as a whole was not to be believed.
 */
int handover_open(int carrier, handover_take *take, void *data, size_t *ret_lost);

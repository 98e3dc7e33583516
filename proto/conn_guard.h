/*
 * Who may connect to a listener, and who a connection is.
 */
#ifndef PROTO_CONN_GUARD_H
#define PROTO_CONN_GUARD_H

#include "base/io/io_stream.h"
#include "proto/access.h"
#include "proto/conn.h"

struct conn_guard {
	enum access_role role; /* the most that may be had here */
	bool wants_token;      /* one of the config's `tokens`, and then its role if that is less */
	struct io_socket_guard socket;
};

/* An operator's, for the user of the process alone: as of conn_set_listen(). */
void conn_guard_default(struct conn_guard *ret_guard);
KR_MUST_CHECK int conn_set_listen_guarded(struct conn_set *set, const struct io_address *address,
	const struct conn_guard *guard, struct kr_error_text *text);

/* The principal of a connection that was accepted and is open; 0 of one that is gone. */
uint32_t conn_principal(const struct conn_set *set, struct conn_id id);

#endif

/*
 * Inside frame connections: tokens (token.h), before HELLO. Only proto/conn*.c include this.
 *
 * Accepted, where a token is wanted:  OWES -- AUTH without a proof, answered with a nonce -->
 *         ASKED -- AUTH with the nonce's proof --> NONE, and on_open; any other --> rejected
 * Dialled with a token:  ASKED -- a nonce comes --> PROVED -- DONE --> NONE, and on_open;
 *         ASKED -- no nonce: no token is wanted there --> NONE, and on_open
 */
#ifndef PROTO_CONN_AUTH_H
#define PROTO_CONN_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/token.h"

struct conn;

enum conn_auth_state { CONN_AUTH_NONE, CONN_AUTH_OWES, CONN_AUTH_ASKED, CONN_AUTH_PROVED };

struct conn_auth {
	enum conn_auth_state state;
	enum access_role role_max; /* of the listener */
	uint8_t nonce[TOKEN_NONCE_SIZE];
};

/* A dialled connection stands: asks for a nonce if there is a token for it. */
void conn_auth_dial(struct conn *conn);
/* An AUTH frame whose header was found fit. */
void conn_auth_on_frame(struct conn *conn, const struct frame_header *header, const uint8_t *body);
/* 0, or why a frame of that type may not come now. */
unsigned conn_auth_judge(const struct conn *conn, const struct frame_header *header);

#endif

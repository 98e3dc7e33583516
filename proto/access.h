/*
 * Who may ask what: two roles, and which of them each frame type needs. The one table of rights;
 * the router asks it before it forwards, and nobody asks again behind it, because shards take
 * connections from routers alone.
 *
 * A principal is who a connection belongs to, as far as the server knows by itself: a role, how it
 * is known, and a number. It is made where the connection is accepted and logged with every effect.
 * What callers say about themselves is `actor`, another field.
 */
#ifndef PROTO_ACCESS_H
#define PROTO_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/text.h"
#include "proto/frame.h"

/* Each may all that those below it may. */
enum access_role {
	ACCESS_BOOKING = 1, /* sells, and asks */
	ACCESS_OPERATOR = 2 /* sets what is sold, and runs the cluster */
};

enum access_kind {
	ACCESS_ANYBODY = 1, /* let in by where it came from */
	ACCESS_UID = 2,     /* the user of a process, told by the kernel */
	ACCESS_TOKEN = 3    /* the number of a token it has proved to have */
};

#define ACCESS_NUMBER_MAX ((1u << 29) - 1)
/* What the system itself shows for a user that does not fit. */
#define ACCESS_UID_OVERFLOW 65534u

/*
 * 0: nobody, the shard itself. Else number << 3 | kind << 1 | 1 for operators. A uid above
 * ACCESS_NUMBER_MAX becomes ACCESS_UID_OVERFLOW.
 */
uint32_t access_principal(enum access_role role, enum access_kind kind, uint32_t number);
/* 0 counts as booking: it may the least. */
enum access_role access_role_of(uint32_t principal);

/* The role that a frame type needs at least; the type is known (frame.h). */
enum access_role access_needed(unsigned frame_type);

static inline bool access_is_allowed(enum access_role role, unsigned frame_type)
{
	kr_assert(role == ACCESS_BOOKING || role == ACCESS_OPERATOR);
	return KR_LIKELY(role == ACCESS_OPERATOR) || role >= access_needed(frame_type);
}

/* Whether who asks may sell over limits and restrictions. */
bool access_may_force(uint32_t principal);

/* Of a request from a router; its status is the upper half. */
static inline uint32_t access_principal_read(const struct frame_header *request)
{
	return (uint32_t)request->status << 16 | request->principal;
}

static inline void access_principal_stamp(struct frame_header *request, uint32_t principal)
{
	request->status = (uint16_t)(principal >> 16);
	request->principal = (uint16_t)principal;
}

/* "operator", "booking" */
const char *access_role_name(enum access_role role);
/* "operator uid 1000", "booking token 3", "operator" (anybody), "nobody" */
void access_principal_format(uint32_t principal, struct kr_text *text);
#define ACCESS_TEXT_SIZE 32u

#endif

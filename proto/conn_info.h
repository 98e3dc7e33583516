/*
 * What can be known about the connections of a set: for listings, metrics and tests.
 */
#ifndef PROTO_CONN_INFO_H
#define PROTO_CONN_INFO_H

#include "base/io/io_address.h"
#include "proto/conn.h"

struct conn_counters {
	uint64_t accepted, refused, dialled, closed;
	uint64_t frames_in, frames_out, bytes_in, bytes_out, sends;
	uint64_t rejected, cut_slow, cut_idle, cut_stalled;
	uint32_t open_count; /* accepted and not closed */
	uint32_t blocks_used, blocks_used_max, block_count;
};

struct conn_info {
	char peer[IO_ADDRESS_TEXT_SIZE];
	bool dialled;
	uint64_t opened_at_us, received_at_us; /* the loop's clock */
	uint64_t queued_bytes, frames_in, frames_out;
};

/* CONN_GONE. */
KR_MUST_CHECK int conn_info_get(
	const struct conn_set *set, struct conn_id id, struct conn_info *ret_info);
/* The open connection with the lowest index >= `index`, or {0, 0}. */
struct conn_id conn_next(const struct conn_set *set, uint32_t index);
const struct conn_counters *conn_set_counters(struct conn_set *set);

#endif

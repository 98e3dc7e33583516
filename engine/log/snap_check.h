/*
 * The other half of snap.h's encoders: each piece of a snapshot read back and judged. Used by the
 * reader only; every function trusts no byte it is given.
 */
#ifndef ENGINE_LOG_SNAP_CHECK_H
#define ENGINE_LOG_SNAP_CHECK_H

#include "engine/log/snap.h"

/* OK, BAD_HEADER or BAD_VERSION (*ret_header is then as far as it can be trusted). `bytes` is the
 * file's first block. */
KR_MUST_CHECK enum log_snap_status log_snap_header_check(
	const uint8_t *bytes, struct log_snap_header *ret_header, struct log_snap_sums *ret_sums);

/* Is this the header of the next chunk? */
KR_MUST_CHECK bool log_snap_chunk_head_check(
	const uint8_t *bytes, const struct log_snap_sums *sums, struct log_snap_chunk *ret_chunk);

/* Checks body and filling, of log_snap_chunk_size() bytes, and adds the chunk to the sums. */
KR_MUST_CHECK bool log_snap_chunk_body_check(
	const uint8_t *bytes, const struct log_snap_chunk *chunk, struct log_snap_sums *sums);

KR_MUST_CHECK bool log_snap_footer_check(const uint8_t *bytes, const struct log_snap_header *header,
	const struct log_snap_sums *sums, struct log_snap_footer *ret_footer);

#endif

/*
 * Every whole batch of a damaged log, in order, past whatever lies between: for salvage alone. No
 * judgement: what is missing shows as a gap in batch_seq and first_lsn.
 *
 * A batch counts if header, body and padding are whole, it is of this shard, in its place, and its
 * batch_seq is greater than that of the one before.
 */
#ifndef ENGINE_LOG_WALK_H
#define ENGINE_LOG_WALK_H

#include "engine/log/store.h"

/*
 * After a log_store_recover() that found out whose directory it is, whatever its verdict.
 * `on_batch` returns 0 or a negative error, which ends the walk. Blocks that cannot be read are
 * passed over.
 */
KR_MUST_CHECK int log_store_walk(struct log_store *store,
	int (*on_batch)(void *context, const struct log_batch_header *header, const uint8_t *body),
	void *context, struct kr_error_text *text);

#endif

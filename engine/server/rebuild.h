/*
 * From what recovery reads to a state: the applier that a shard's start and keyrack-recover share.
 */
#ifndef ENGINE_SERVER_REBUILD_H
#define ENGINE_SERVER_REBUILD_H

#include "base/io/io_ahead.h"
#include "base/memory.h"
#include "engine/inventory/ahead.h"
#include "engine/log/store.h"
#include "engine/shard/replay.h"

struct rebuild {
	struct shard_config config; /* with is_elastic its sizes grow */
	const struct tz_db *tz;
	unsigned memory_flags;
	struct fault_set *faults; /* NULL, or what reserving memory passes */
	bool is_elastic;          /* sizes follow what the disk needs, as far as a snapshot tells */
	struct shard_watch watch; /* zeroes: all, unwatched */
	struct kr_error_text *text;
	/* NULL, or told after each chunk (from 0) and each batch (its last LSN) that was applied */
	void (*on_applied)(void *context, bool is_snapshot, uint64_t number);
	void *context;
	struct io_loop *loop; /* NULL, or memory is taken ahead of the state beside its building */
	struct io_ahead *ahead;
	struct inv_ahead ahead_marks; /* of `memory` */
	bool is_ahead_off;
	uint64_t applied_bytes; /* into `memory` */
	struct kr_memory memory;
	struct shard *shard;
	bool is_too_small; /* recovery ended with -KR_E_LIMIT for want of room; the text says where
			    */
};

/* An empty state in fresh memory: 0 or -KR_E_NOMEM. Again: everything is forgotten. */
KR_MUST_CHECK int rebuild_reset(struct rebuild *rebuild);
/* `rebuild` stays in place while the applier is used. */
void rebuild_applier(struct rebuild *rebuild, struct log_applier *ret_applier);
/* After is_too_small: twice the sizes, and the window that the log wants. False: it cannot be. */
KR_MUST_CHECK bool rebuild_grow(struct rebuild *rebuild);
/* No memory is taken ahead any more: what is built is used now. */
void rebuild_ahead_end(struct rebuild *rebuild);
void rebuild_fini(struct rebuild *rebuild);

#endif

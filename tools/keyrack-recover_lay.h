/*
 * A new directory that a shard starts from: a snapshot of a state, and the beginning of a log.
 */
#ifndef TOOLS_KEYRACK_RECOVER_LAY_H
#define TOOLS_KEYRACK_RECOVER_LAY_H

#include "engine/log/store.h"
#include "engine/shard/replay.h"

struct lay {
	struct log_meta meta;
	uint64_t last_lsn; /* the greatest LSN ever given out, as far as is known */
	uint64_t last_seq; /* of batches */
	uint64_t epoch;    /* the greatest seen */
	uint64_t term;
	uint64_t segment; /* the greatest number seen */
};

/*
 * `store` is open on a directory that is empty, and locked. The log begins with the digest of the
 * state, at last_lsn + 1, so that every start checks it. SHARD comes last: a directory that was not
 * finished does not start.
 */
KR_MUST_CHECK int lay_out(struct log_store *store, const struct lay *lay, struct shard *shard,
	struct kr_error_text *text);

#endif

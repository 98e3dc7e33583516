/*
 * An operator's cut: the log ends with a batch of his choice, acknowledged or not.
 *
 * What a start never does. Nothing is lost to it: the bytes go to `.torn-<seq>` as with any cut,
 * and so do later segments and snapshots that show what was cut. In this order, each step durable
 * before the next, so that at any point the directory is what it was, or ends somewhat earlier, or
 * is as wanted:
 *   the bytes of the segment behind the cut are kept under another name
 *   MARK, both blocks, says no more than what stays
 *   snapshots that show more are set aside, the newest first
 *   later segments are set aside, the last one first
 *   the segment is replaced by a copy that ends at the cut
 */
#ifndef ENGINE_LOG_TRUNCATE_H
#define ENGINE_LOG_TRUNCATE_H

#include "engine/log/store.h"

/*
 * `kept`: the last batch that stays, as recovery handed it out. The store is locked, has no
 * archive, and was just recovered with reach.to_lsn at that batch's last LSN. The next thing to do
 * with it is to recover again.
 */
KR_MUST_CHECK int log_store_truncate(
	struct log_store *store, const struct log_batch_header *kept, struct kr_error_text *text);

#endif

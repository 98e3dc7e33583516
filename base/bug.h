/*
 * Planted bugs: realistic mistakes at their real places, each switched on by its name, so that the
 * tests can show that they notice (tests/bugs). Only a build with -Dplanted_bugs=true has them:
 * everywhere else bug_is() is the constant 0, and nothing of them is in a program.
 *
 *   KEYRACK_BUG=limit_off_by_one test_inventory_limit
 */
#ifndef BASE_BUG_H
#define BASE_BUG_H

/* Sorted by name: constant, name, what it breaks. */
#define BUG_TABLE(X)                                                                               \
	X(ANSWER_BEFORE_SYNC, "answer_before_sync", "answers leave before their batch is durable") \
	X(ANSWER_OF_SLOT_BEFORE_SYNC, "answer_of_slot_before_sync",                                \
		"that nobody has an id is told before its slot is durable")                        \
	X(BODY_UNCHECKED, "body_unchecked", "the checksum of a batch's body is not compared")      \
	X(CHAIN_UNCHECKED, "chain_unchecked", "a batch need not continue the chain")               \
	X(CHECK_OUT_NIGHT_COUNTED, "check_out_night_counted",                                      \
		"a stay takes the night of its check-out date too")                                \
	X(CHUNK_STAMP_IGNORED, "chunk_stamp_ignored",                                              \
		"replay applies what a chunk of the snapshot shows already")                       \
	X(CONFIRM_AFTER_EXPIRY, "confirm_after_expiry", "a hold past its deadline is confirmed")   \
	X(CREDIT_IGNORED, "credit_ignored", "a changed stay does not count its own rooms as free") \
	X(CTD_ON_LAST_NIGHT, "ctd_on_last_night",                                                  \
		"closed to departure is asked of the last night, not of the check-out date")       \
	X(DENIAL_COUNTED_AS_SALE, "denial_counted_as_sale",                                        \
		"a night that refuses a sale counts a room as sold")                               \
	X(DENIAL_ON_CHECK_IN, "denial_on_check_in",                                                \
		"a denial is counted on the check-in date, not on the night that refused")         \
	X(DIGEST_UNCHECKED, "digest_unchecked", "replay does not compare the recorded digest")     \
	X(DIRECTORY_NOT_SYNCED, "directory_not_synced",                                            \
		"the name of a new segment is not made durable")                                   \
	X(DSYNC_MISSING, "dsync_missing", "batches are written without O_DSYNC")                   \
	X(EPOCH_NOT_MOVED, "epoch_not_moved",                                                      \
		"a start writes under the epoch of the life before it")                            \
	X(EXPIRY_BY_WALL_CLOCK, "expiry_by_wall_clock", "holds expire by the wall clock")          \
	X(EXPIRY_LATE, "expiry_late", "a hold is good for one microsecond after its deadline")     \
	X(FORCE_BY_ANYBODY, "force_by_anybody", "whoever asks may sell over limits")               \
	X(FORCE_OVERFLOWS_COUNTER, "force_overflows_counter",                                      \
		"FORCE sells past what a counter can hold")                                        \
	X(GRACE_TWICE, "grace_twice", "a hold gets a second grace")                                \
	X(GUEST_HOLDS_KEPT, "guest_holds_kept",                                                    \
		"a hold that ended still counts against its guest")                                \
	X(HEADER_UNCHECKED, "header_unchecked",                                                    \
		"the checksum of a batch's header is not compared")                                \
	X(HOLD_CAP_OFF_BY_ONE, "hold_cap_off_by_one",                                              \
		"a hotel may have one hold more than its cap")                                     \
	X(HOLD_EXPIRES_TWICE, "hold_expires_twice", "an expired hold gives its rooms back twice")  \
	X(HOLD_TTL_UNBOUNDED, "hold_ttl_unbounded",                                                \
		"a hold may be kept for longer than its hotel allows")                             \
	X(ID_INDEXED_AFTER_ANSWER, "id_indexed_after_answer",                                      \
		"an id is known only when the answers of its step have left")                      \
	X(IMPORT_OVER_LIMIT, "import_over_limit", "an import takes rooms that are not there")      \
	X(KEPT_NIGHT_AT_TODAYS_PRICE, "kept_night_at_todays_price",                                \
		"a night that a changed stay keeps is priced anew")                                \
	X(KEY_REUSE_UNSEEN, "key_reuse_unseen",                                                    \
		"an id that comes again with another payload answers as a repeat")                 \
	X(LATE_ANSWER_MISDIRECTED, "late_answer_misdirected",                                      \
		"an answer that comes late goes to who has its place now")                         \
	X(LENGTH_TRUSTED, "length_trusted",                                                        \
		"the search behind a hole skips what a bad batch says is its length")              \
	X(LIMIT_OFF_BY_ONE, "limit_off_by_one", "one room more than the limit is sold")            \
	X(MARK_IGNORED, "mark_ignored", "a start does not ask MARK what was durable")              \
	X(OLD_COUNTS_UNCHECKED, "old_counts_unchecked",                                            \
		"replay does not compare the counts that an effect found")                         \
	X(OPERATIONS_REORDERED, "operations_reordered",                                            \
		"operations of a connection that waited for a link leave in another order")        \
	X(PENALTY_LATE, "penalty_late", "a tier of the terms holds one microsecond too late")      \
	X(PENALTY_ROUNDED_DOWN, "penalty_rounded_down",                                            \
		"half a minor unit of a penalty is dropped")                                       \
	X(PRINCIPAL_BELIEVED, "principal_believed", "a client may say who asks")                   \
	X(PURGE_BEFORE_SYNC, "purge_before_sync",                                                  \
		"that an id is too old is told before the retirement is durable")                  \
	X(PURGE_MARK_LOST, "purge_mark_lost", "a snapshot does not keep how far ids are too old")  \
	X(READ_ONLY_SELLS, "read_only_sells", "a disk that is nearly full takes sales")            \
	X(REFUSAL_FORGOTTEN, "refusal_forgotten", "a refused id that comes again is judged anew")  \
	X(REPEAT_BEFORE_SYNC, "repeat_before_sync",                                                \
		"a repeated answer leaves before what it repeats is durable")                      \
	X(RETIREMENT_OF_THE_LIVING, "retirement_of_the_living",                                    \
		"a stay that is still to come is retired")                                         \
	X(RETRY_EXECUTED_AGAIN, "retry_executed_again",                                            \
		"an id that comes again is executed again")                                        \
	X(SECOND_LINE_NOT_UNDONE, "second_line_not_undone",                                        \
		"what is given back is given back of the first line only")                         \
	X(SNAPSHOT_AHEAD_ACCEPTED, "snapshot_ahead_accepted",                                      \
		"a snapshot newer than the end of the log starts")                                 \
	X(SNAPSHOT_UNVERIFIED, "snapshot_unverified",                                              \
		"the log is pruned though the snapshot was not read back")                         \
	X(STALE_BATCH_ACCEPTED, "stale_batch_accepted",                                            \
		"a batch of a recycled segment's earlier life counts")                             \
	X(STAY_THROUGH_IGNORES_LAST_NIGHT, "stay_through_ignores_last_night",                      \
		"length-of-stay limits of the last night are not asked")                           \
	X(TIMER_BEFORE_GRACE, "timer_before_grace",                                                \
		"a start expires holds before it gives graces")                                    \
	X(UNKNOWN_TOLD_AS_UNAVAILABLE, "unknown_told_as_unavailable",                              \
		"what was on a lost link is said not to have happened")                            \
	X(VERSION_MOVED_BY_SALE, "version_moved_by_sale",                                          \
		"a sale moves the version that updates are made for")                              \
	X(WINDOW_DROPS_TODAY, "window_drops_today", "a day roll drops the business date itself")   \
	X(WITNESS_IGNORED, "witness_ignored",                                                      \
		"later batches' word on what was durable is not heard")

#ifdef KEYRACK_PLANTED_BUGS
#define X(constant, name, text) BUG_##constant,
enum bug { BUG_NONE, BUG_TABLE(X) BUG_COUNT };
#undef X

/* Read from the environment before main(); an unknown name ends the process. */
extern enum bug bug_planted;
#define bug_is(bug) (bug_planted == (bug))
#else
#define bug_is(bug) 0
#endif

#endif

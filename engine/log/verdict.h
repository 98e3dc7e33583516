/*
 * Verdicts: what a recovery found, each with an exit code, a sentence and the next command.
 *
 * One table for the server's start, keyrack-recover and the tests. Row numbers are those of the
 * failure matrix in tests/RELIABILITY.md. A recovery has one verdict, the gravest, and any number
 * of warnings; exit codes are distinct and stable.
 *
 *   START   nothing to do, or only to warn about
 *   CUT     an unacknowledged tail is cut by a start (or `repair-tail`); nothing answered is lost
 *   REFUSE  starting could lose or invent answered work: nothing is written
 */
#ifndef ENGINE_LOG_VERDICT_H
#define ENGINE_LOG_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_NEXT_NONE "nothing"
#define LOG_NEXT_REPAIR "start the shard, or: keyrack-recover repair-tail DIR"
#define LOG_NEXT_VERIFY "keyrack-recover verify DIR"
#define LOG_NEXT_RESTORE                                                                           \
	"keyrack-recover dump --log DIR shows what is whole; restore the damaged files from a "    \
	"copy of the directory, then: keyrack-recover verify DIR; without a copy, the same "       \
	"tool's salvage makes a new directory of what is whole, and its truncate says what it "    \
	"costs to end the log before the damage"
#define LOG_NEXT_UPGRADE "run a version of Keyrack that knows this format"

/* X(name, exit code, class, row, sentence, next command); in rising order of gravity. */
#define LOG_VERDICT_TABLE(X)                                                                       \
	X(CLEAN, 0, START, 1, "the log ends cleanly", LOG_NEXT_NONE)                               \
	X(EMPTY, 10, START, 0, "the directory holds no shard yet", LOG_NEXT_NONE)                  \
	X(LEFTOVERS, 11, START, 14, "unfinished or empty files lie about; a start removes them",   \
		LOG_NEXT_NONE)                                                                     \
	X(FILE_SIZE, 12, START, 20,                                                                \
		"a segment has not its full size, and nothing acknowledged lies beyond its end; "  \
		"a start extends a short one",                                                     \
		LOG_NEXT_NONE)                                                                     \
	X(MARK_LOST, 13, START, 0,                                                                 \
		"the MARK file is missing or unreadable; the log itself is whole", LOG_NEXT_NONE)  \
	X(OLDER_SNAPSHOT, 14, START, 10,                                                           \
		"the newest snapshot is bad; an older one and a longer replay give the state",     \
		"remove the bad snapshot after the next good one")                                 \
	X(FULL_REPLAY, 15, START, 11,                                                              \
		"every snapshot is bad; the log from its beginning gives the state",               \
		"remove the bad snapshots after the next good one")                                \
	X(TORN_TAIL, 20, CUT, 2, "the last write was torn and never acknowledged",                 \
		LOG_NEXT_REPAIR)                                                                   \
	X(HOLE, 21, CUT, 3, "unacknowledged batches lie beyond a hole", LOG_NEXT_REPAIR)           \
	X(STALE_TAIL, 22, CUT, 7, "behind the end lie batches of another life or another shard",   \
		LOG_NEXT_REPAIR)                                                                   \
	X(DIGEST, 30, REFUSE, 17, "the state's digest differs from the recorded one",              \
		LOG_NEXT_RESTORE)                                                                  \
	X(CONTRADICTION, 31, REFUSE, 16, "an effect contradicts the state it is applied to",       \
		LOG_NEXT_RESTORE)                                                                  \
	X(SNAPSHOT_TOO_OLD, 32, REFUSE, 13, "the log begins after the newest usable snapshot",     \
		LOG_NEXT_RESTORE)                                                                  \
	X(SNAPSHOT_AHEAD, 33, REFUSE, 12, "a snapshot is newer than the end of the log",           \
		LOG_NEXT_RESTORE)                                                                  \
	X(SNAPSHOTS_BAD, 34, REFUSE, 11,                                                           \
		"no snapshot is usable and the log does not go back to its beginning",             \
		LOG_NEXT_RESTORE)                                                                  \
	X(FILE_SHORT, 35, REFUSE, 20, "a segment ends before acknowledged data does",              \
		LOG_NEXT_RESTORE)                                                                  \
	X(CHAIN, 36, REFUSE, 8, "whole batches do not continue one another", LOG_NEXT_RESTORE)     \
	X(LAST_DAMAGED, 37, REFUSE, 5,                                                             \
		"the MARK file says that damaged or missing batches were acknowledged",            \
		LOG_NEXT_RESTORE)                                                                  \
	X(DAMAGED, 38, REFUSE, 4, "acknowledged batches are damaged", LOG_NEXT_RESTORE)            \
	X(SEGMENT_MISSING, 39, REFUSE, 9, "a segment is missing", LOG_NEXT_RESTORE)                \
	X(VERSION, 40, REFUSE, 15, "a file has a format version this program does not know",       \
		LOG_NEXT_UPGRADE)                                                                  \
	X(LIMIT, 41, REFUSE, 0, "the directory holds more segments than a shard may have",         \
		LOG_NEXT_VERIFY)                                                                   \
	X(NOT_A_SHARD, 42, REFUSE, 0, "the SHARD file is missing or damaged beside other files",   \
		LOG_NEXT_RESTORE)                                                                  \
	X(OTHER_LAYOUT, 43, REFUSE, 0, "the directory was laid out for another cluster or shard",  \
		"start it with the layout it was made for")                                        \
	X(IN_USE, 44, REFUSE, 19, "another process has the directory open",                        \
		"stop that process, or wait for its last writes, and try again")

#define X(name, exit_code, class, row, sentence, next) LOG_VERDICT_##name,
enum log_verdict { LOG_VERDICT_TABLE(X) LOG_VERDICT_COUNT };
#undef X

enum log_verdict_class { LOG_VERDICT_START, LOG_VERDICT_CUT, LOG_VERDICT_REFUSE };

enum log_verdict_class log_verdict_class(enum log_verdict verdict);
unsigned log_verdict_exit_code(enum log_verdict verdict);
unsigned log_verdict_row(enum log_verdict verdict); /* 0: none */
const char *log_verdict_name(enum log_verdict verdict);
const char *log_verdict_sentence(enum log_verdict verdict);
const char *log_verdict_next(enum log_verdict verdict);

#endif

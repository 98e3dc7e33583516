/*
 * The names of every file in a shard's directory, in one place.
 *
 *   SHARD                     what the directory was laid out for (meta.h)
 *   LOCK                      locked while a process has the directory open
 *   MARK                      the newest batch known durable (meta.h)
 *   log-<number>              a segment; number has at least 12 digits and starts at 1
 *   log-<number>.new          a segment being prepared; removed at the next start
 *   log-<number>.torn-<seq>   bytes cut from the log before batch <seq>; kept until an operator
 *   log-<number>.torn-<seq>.<k>  removes them; k = 1.. if others are there; read by the next cut
 *                                of that place alone, which does not keep the same bytes twice
 *   log-<number>.torn-<seq>.new  such bytes being copied; removed at the next start
 *   snap-<lsn>                a snapshot; lsn has 20 digits
 *   snap-<lsn>.new            a snapshot being written; removed at the next start
 *   snap-<lsn>.torn-<seq>     a snapshot of what an operator cut off before batch <seq>
 *   SHARD.new                 the same for the layout file
 * Other names are left alone. Pure: nothing here touches a disk.
 */
#ifndef ENGINE_LOG_DIR_H
#define ENGINE_LOG_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

#define LOG_DIR_SHARD "SHARD"
#define LOG_DIR_LOCK "LOCK"
#define LOG_DIR_MARK "MARK"
#define LOG_DIR_NEW_SUFFIX ".new"

#define LOG_DIR_NAME_SIZE 80u     /* longest name made here, with its zero */
#define LOG_DIR_SEGMENT_MAX 4096u /* segments held at once; then as a full disk */
#define LOG_DIR_SNAP_MAX 16u      /* snapshots looked at, newest first */
#define LOG_DIR_NUMBER_MAX                                                                         \
	UINT64_C(999999999999999) /* a segment number above is no name of ours                     \
				   */

enum log_dir_kind {
	LOG_DIR_OTHER,    /* not ours */
	LOG_DIR_META,     /* SHARD, LOCK, MARK */
	LOG_DIR_SEGMENT,  /* number */
	LOG_DIR_SNAP,     /* number = lsn */
	LOG_DIR_TORN,     /* number = segment, seq */
	LOG_DIR_LEFTOVER, /* anything ending in .new */
};

struct log_dir_name {
	enum log_dir_kind kind;
	uint64_t number;
	uint64_t seq;
};

struct log_dir_text {
	char bytes[LOG_DIR_NAME_SIZE];
};

/* Understands one name; what is not exactly as the makers below write it is LOG_DIR_OTHER. */
void log_dir_parse(const char *name, struct log_dir_name *ret_name);

void log_dir_segment_name(uint64_t number, struct log_dir_text *ret_text);
void log_dir_segment_new_name(uint64_t number, struct log_dir_text *ret_text);
/* try = 0 gives "log-N.torn-S", 1 and more add ".<try>". */
void log_dir_torn_name(
	uint64_t number, uint64_t seq, unsigned try_index, struct log_dir_text *ret_text);
/* What it is called until it is whole. */
void log_dir_torn_new_name(uint64_t number, uint64_t seq, struct log_dir_text *ret_text);
void log_dir_snap_name(uint64_t lsn, struct log_dir_text *ret_text);
/* As torn names of segments; an operator's cut gives them. Not read by the engine. */
void log_dir_snap_torn_name(
	uint64_t lsn, uint64_t seq, unsigned try_index, struct log_dir_text *ret_text);
void log_dir_snap_new_name(uint64_t lsn, struct log_dir_text *ret_text);

#endif

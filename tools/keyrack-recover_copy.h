/*
 * Of several directories at once: backup and restore. What they share with the other commands.
 */
#ifndef TOOLS_KEYRACK_RECOVER_COPY_H
#define TOOLS_KEYRACK_RECOVER_COPY_H

#include "tools/keyrack-recover.h"

/* ---- keyrack-recover.c: parts of every command ---- */

/* Sizes to begin with; `recovery->rebuild` has no memory yet. */
void recover_begin(struct recovery *recovery, const struct tz_db *tz);
/* 0: the directory is ours; or the exit status, and it was said why. */
int recover_lock(struct recovery *recovery);
/* What is derived is derived again: 0, or the exit status, after saying what differs. */
int recover_recount(struct recovery *recovery);

/* ---- commands: the exit status ---- */

/* The directory of a shard that runs, into options->out, judged there. */
int recover_run_backup(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz);
/* Directories of all shards into those of new ones, below options->out. */
int recover_run_restore(
	const struct recover_options *options, struct io_loop *loop, const struct tz_db *tz);

/* ---- keyrack-recover_files.c: files of a directory that somebody writes to ---- */

#define COPY_FILES_MAX (LOG_DIR_SEGMENT_MAX + LOG_DIR_SNAP_MAX + 8u)
#define COPY_PIECE_SIZE (64u << 10) /* what a sum goes on by */

struct copy_file {
	char name[LOG_DIR_NAME_SIZE];
	uint64_t rank; /* in the order of copying */
	uint64_t segment;
	uint64_t size_bytes;
	uint64_t sum; /* hash_chain over its pieces */
};

struct copy {
	const char *from, *to;
	struct copy_file *files; /* COPY_FILES_MAX */
	uint32_t count;
	struct kr_error_text *text;
};

/*
 * Copies MARK, SHARD, snapshots and segments, in an order in which what comes later speaks for what
 * came before: so a copy of a directory that is written to is at worst one that recovery refuses,
 * and then it is made again. 0 or a negative error. Files that went meanwhile are left out.
 */
KR_MUST_CHECK int copy_make(struct copy *copy);
/* Removes what copy_make() and recovery left in `to`. */
KR_MUST_CHECK int copy_clear(struct copy *copy);

#endif

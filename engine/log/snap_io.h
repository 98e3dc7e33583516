/*
 * Writing a snapshot: slices of chunks to a file, on a loop, in bounded memory.
 *
 *   snap-<lsn>.new, written, synced -> renamed to snap-<lsn>, directory synced -> read back from
 *   the disk and judged by the same reader as at a start -> older snapshots removed, two kept
 *
 * So nothing older goes before the new one is known to be whole, and a crash anywhere leaves a
 * file that the next start removes, or one snapshot more. What may be pruned from the log then is
 * log_snap_io_floor(): everything up to where the older of the two kept began.
 *
 * One slice at a time: it is borrowed until on_slice, the last one until on_done. Its chunks have
 * to be durable in the log already: a chunk ahead of the log would be a state that never was. After
 * the last slice, on_done. Both are called from the loop. Writes and the reading back are done in
 * pieces with a pause between, so that appends get through.
 *
 * Results: 0 the snapshot is whole; LOG_SNAP_IO_NO_SPACE the disk is full; LOG_SNAP_IO_FAILED it
 * could not be written or read back; in both cases nothing of it stays and another may begin. A
 * negative one: the directory could not be synced, the process has to end.
 */
#ifndef ENGINE_LOG_SNAP_IO_H
#define ENGINE_LOG_SNAP_IO_H

#include "engine/log/release.h"
#include "engine/log/snap_reader.h"
#include "engine/log/store.h"

#define LOG_SNAP_IO_PIECE_SIZE (256u << 10)
#define LOG_SNAP_IO_PACE_US_DEFAULT UINT64_C(500)
#define LOG_SNAP_IO_HALF_SIZE                                                                      \
	(LOG_SNAP_WINDOW_SIZE / 2) /* one fills while the other is written                         \
				    */

enum {
	LOG_SNAP_IO_NO_SPACE = 1,
	LOG_SNAP_IO_FAILED = 2,
};

struct log_snap_io_config {
	uint64_t pace_us;
	void (*on_slice)(void *context);
	void (*on_done)(void *context, int result, const struct kr_error_text *text);
	void *context;
};

struct log_snap_slice {
	const struct log_snap_chunk *chunks; /* as log_snap_chunk_encode() wants them */
	const uint8_t *const *bodies;
	uint32_t chunk_count;
	bool is_first;
	bool is_last;
	/* with the first */
	uint64_t begin_lsn; /* greater than that of the snapshot before, durable */
	uint64_t timestamp_us;
	uint64_t epoch;
	/* with the last */
	uint64_t counts[LOG_SNAP_COUNT_MAX];
};

enum log_snap_io_step {
	LOG_SNAP_IO_IDLE,
	LOG_SNAP_IO_WRITE,
	LOG_SNAP_IO_SYNC,
	LOG_SNAP_IO_RENAME,
	LOG_SNAP_IO_SYNC_DIRECTORY,
	LOG_SNAP_IO_VERIFY,
	LOG_SNAP_IO_REMOVE_OLD,
	LOG_SNAP_IO_UNLINK, /* it failed: nothing of it stays */
};

struct log_snap_io {
	struct log_store *store;
	struct io_loop *loop;
	struct log_snap_io_config config;
	struct kr_memory memory; /* the two halves, one window for the reading back */
	enum log_snap_io_step step;
	struct log_snap_header header;
	struct log_snap_sums sums;
	struct log_snap_reader reader;
	struct log_dir_text name;
	struct log_dir_text new_name;
	struct log_dir_text old_name;
	struct log_release remove; /* of it */
	bool is_named;             /* it has its final name already */
	bool is_ended;             /* the footer is in */
	bool is_starting;
	bool is_fed; /* the reader has what it asked for */
	bool has_slice;
	struct log_snap_slice slice;
	uint32_t chunk_index; /* next one of the slice */
	unsigned fill;        /* which half */
	uint32_t fill_size_bytes;
	uint64_t file_offset_bytes; /* of what `moving` still has to write or read */
	uint8_t *moving;
	uint32_t moving_size_bytes; /* 0: nothing */
	uint32_t piece_size_bytes;
	int result;
	struct kr_error_text text;
	struct io_file file;
	bool is_open;
	struct io_op op;
	struct io_timer timer;
};

KR_MUST_CHECK int log_snap_io_init(struct log_snap_io *snap, struct log_store *store,
	const struct log_snap_io_config *config, struct kr_error_text *text);
/* No operation is under way. */
void log_snap_io_fini(struct log_snap_io *snap);
bool log_snap_io_is_busy(const struct log_snap_io *snap);

/* Only after on_slice of the one before, or with is_first after on_done. */
void log_snap_io_slice(struct log_snap_io *snap, const struct log_snap_slice *slice);

/* Nobody else wants the disk any more: without pauses from now on. */
void log_snap_io_hurry(struct log_snap_io *snap);

/* Effects up to this LSN are in both kept snapshots; 0 while there is only one. */
uint64_t log_snap_io_floor(const struct log_snap_io *snap);

#endif

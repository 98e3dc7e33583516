/*
 * A shard's life on a simulated disk, by a script: an inventory that sells, its log with segments
 * that change and are recycled, snapshots, an archive, power cuts, a kill, a clean stop, and the
 * recovery and repair after each. The same script does the same at every run, up to the crash
 * point at which it is told to end.
 *
 * It knows what it was promised: what was acknowledged, what was asked for at most, and the
 * digest that the state had at the end of every batch. rig_state_check() holds a recovered state
 * against that.
 */
#ifndef TESTS_FAULT_CRASH_RIG_H
#define TESTS_FAULT_CRASH_RIG_H

#include "base/io/sim/sim_node.h"
#include "base/tz.h"
#include "engine/log/archive.h"
#include "engine/log/snap_io.h"
#include "engine/server/rebuild.h"

#define RIG_PATH "data"
#define RIG_ARCHIVE_PATH "archive"
#define RIG_SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define RIG_LSN_MAX 4096u
#define RIG_CHUNKS_MAX 8u
#define RIG_FILES_MAX 64u

struct rig_file {
	char path[8];
	char name[LOG_DIR_NAME_SIZE];
	uint8_t *bytes;
	uint64_t size_bytes;
};

/* Every file of a disk. */
struct rig_image {
	struct rig_file files[RIG_FILES_MAX];
	uint32_t count;
};

void rig_image_take(struct rig_image *ret_image, struct sim_disk *disk);
void rig_image_put(const struct rig_image *image, struct sim_disk *disk);
void rig_image_free(struct rig_image *image);

enum rig_end { RIG_POWER, RIG_KILL, RIG_STOP };

struct rig_life {
	uint32_t step_count;
	enum rig_end end;
};

/* What was promised so far. */
struct rig_promise {
	uint64_t acked_lsn;
	uint64_t submitted_lsn;
	uint64_t digests[RIG_LSN_MAX]; /* by LSN; 0: no batch ends there */
};

/* Decides what a power cut leaves, when it is not one of the script's own. */
struct rig_cutter {
	uint32_t (*names)(void *context, const char *path, uint32_t change_count);
	bool (*keeps_size)(void *context, const char *name);
	enum sim_fate (*sector)(void *context, const char *name, uint64_t offset);
	void *context;
};

struct rig {
	const struct tz_db *tz;
	const struct rig_life *lives;
	uint32_t life_count;
	uint32_t life;      /* from 1 */
	uint32_t life_base; /* lives before this script */
	uint32_t step;
	uint64_t crash_point; /* 0: none but the script's own */
	enum sim_crash crash_how;
	bool goes_on; /* after it */
	bool is_crashed;
	bool is_done;
	struct rig_cutter cutter;
	struct sim_cut cut;
	struct rig_promise promise;

	struct sim_world *world;
	struct sim_disk *disk;
	struct sim_node *node;
	struct io_loop *loop;
	struct log_store store;
	struct log_io log;
	struct log_snap_io snap;
	struct log_archive archive;
	struct io_timer timer;
	bool is_store_open, is_log_open, is_snap_open, is_archive_open;
	bool is_stopping;
	struct rebuild rebuild;
	struct kr_error_text text;

	struct log_snap_chunk chunks[RIG_CHUNKS_MAX];
	uint8_t *bodies[RIG_CHUNKS_MAX];
	uint32_t chunk_count;
	uint64_t begin_lsn;
	bool wants_slice;

	uint8_t body[16384];
	uint32_t body_size_bytes; /* 0: nothing waits to be appended */
	uint32_t effect_count;
	uint64_t body_first_lsn, body_t_us;

	struct kr_id ids[16];
	uint32_t id_count;

	/* of the whole run */
	uint32_t append_count, seal_count, snap_count, archived_count, start_count;
	uint64_t state_bytes;
};

/* `image`: NULL for an empty disk. Runs nothing. */
void rig_init(struct rig *rig, const struct tz_db *tz, const struct rig_life *lives,
	uint32_t life_count, const struct rig_image *image);
/* To the script's end, or to the crash point. */
void rig_run(struct rig *rig);
void rig_fini(struct rig *rig);
bool rig_is_at_crash_point(const struct rig *rig);

/* The state as it was recovered: right or the program ends, saying `rig_context`. */
void rig_state_check(const struct rig_promise *promise, const struct log_recover_report *report,
	const struct rebuild *rebuild);
/* What the directory has let go of is in the archive. */
void rig_archive_check(struct sim_disk *disk, const struct log_recover *recover);
void rig_rebuild_init(struct rebuild *rebuild, const struct tz_db *tz, struct kr_error_text *text);

/* crash_work.c: fills the next batch, and applies it to the live state. */
void rig_work(struct rig *rig, bool is_first);

extern char rig_context[256];
KR_NORETURN void rig_failed(const char *format, ...) KR_PRINTF(1, 2);

#endif

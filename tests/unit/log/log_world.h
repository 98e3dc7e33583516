/*
 * A shard directory in memory, and a log lived in it: for tests of everything pure in engine/log.
 *
 * The disk is a list of named byte arrays with unreadable blocks. A life is a recovery followed by
 * a writer; its effects are 16 bytes each, the LSN and a value made from it, so that what a
 * recovery hands out can be checked without knowing what was written.
 */
#ifndef TESTS_UNIT_LOG_LOG_WORLD_H
#define TESTS_UNIT_LOG_LOG_WORLD_H

#include "engine/log/recover.h"
#include "engine/log/writer.h"
#include "engine/log/writer_state.h"

#define WORLD_FILE_MAX 128u
#define WORLD_CLUSTER UINT64_C(0xc1)
#define WORLD_SHARD 3u

struct world_file {
	char name[LOG_DIR_NAME_SIZE];
	uint8_t *bytes;
	uint8_t *bad; /* one per block */
	uint64_t size_bytes;
};

struct world {
	struct world_file files[WORLD_FILE_MAX];
	uint32_t file_count;
	bool is_full; /* PREPARE finds no space */
};

void world_init(struct world *world);
void world_fini(struct world *world);
/* A deep copy. */
void world_copy(struct world *to, const struct world *from);
struct world_file *world_find(struct world *world, const char *name);
/* Made or replaced, zeroes. */
struct world_file *world_make(struct world *world, const char *name, uint64_t size_bytes);
void world_remove(struct world *world, const char *name);
void world_rename(struct world *world, const char *from, const char *to);
/* Zeroes behind, or cut. */
void world_resize(struct world_file *file, uint64_t size_bytes);
struct world_file *world_segment(struct world *world, uint64_t number);

/* Lays the directory out: the SHARD file. */
void world_lay_out(struct world *world, uint64_t segment_size_bytes);
struct log_meta world_meta(uint64_t segment_size_bytes);

/* Writes a snapshot that claims everything up to begin_lsn, chunks stamped up to end_lsn. */
void world_snap(struct world *world, uint64_t begin_lsn, uint64_t end_lsn, uint32_t chunk_count);

/* The value of the effect with this LSN. */
uint64_t world_effect(uint64_t lsn);

/* What a recovery handed out. */
struct applied {
	uint64_t first_lsn; /* 0: none */
	uint64_t last_lsn;
	uint64_t chunk_count;
	uint64_t reset_count;
	uint64_t digest_count;
	uint64_t digest; /* as recorded by the last DIGEST step */
	bool is_broken;  /* an LSN missing or out of order, or a value that was never written */
};

/* The applier objects to this LSN, or to a digest other than its own; 0: to none. */
struct objection {
	uint64_t lsn;
	uint64_t digest;
};

/* Runs a recovery to its end. `recover` is allocated by the caller, `objection` may be NULL.
 * Writes nothing. */
void world_recover(struct world *world, struct log_recover *recover,
	const struct objection *objection, struct applied *ret_applied);
/* The same to a point in the past. */
void world_recover_reach(struct world *world, struct log_recover *recover,
	const struct log_reach *reach, struct applied *ret_applied);
/* Does what a start does about the report: cut, leftovers, extension. */
void world_repair(struct world *world, const struct log_recover *recover);

struct life {
	struct world *world;
	struct log_recover *recover;
	struct applied applied;
	struct log_writer writer;
	uint8_t *buffer;
	uint64_t now_us;
	uint64_t write_count;
	uint64_t mark_count;
	uint64_t prepare_count;
	uint64_t recycle_count;
	uint64_t remove_count;
	uint64_t sync_count;
	struct log_action last_write; /* data not valid any more */
};

#define WORLD_SEAL_IDLE_US 1000u

/* For a writer that goes on where life->recover ended. */
struct log_writer_config life_config(struct life *life);
/* Recovers, repairs, opens a writer and writes its first batch. False: refused. */
bool life_begin(struct life *life, struct world *world);
bool life_begin_async(struct life *life, struct world *world, uint64_t sync_interval_us);
/* One batch of `count` effects, written at once; false: it waits for a segment. */
bool life_append(struct life *life, uint32_t count);
/* Carries out all actions. */
void life_run(struct life *life);
/* Lets the seal come. */
void life_idle(struct life *life);
void life_stop(struct life *life, const uint64_t *digest);
/* Nothing more is written: as SIGKILL between two writes. */
void life_end(struct life *life);

/* A valid batch with chosen header fields, put at header->segment and block_index. */
void world_forge(struct world *world, struct log_batch_header *header);
/* The header of the batch that lies there; asserts it is whole. */
struct log_batch_header world_header(struct world *world, uint64_t segment, uint64_t offset_bytes);

#endif

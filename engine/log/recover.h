/*
 * Recovery: from a directory's files to a state and a verdict. Pure: the caller reads the disk.
 *
 * A shard's start, keyrack-recover, the simulator and the tests all drive this one machine, so
 * none of them can judge a directory differently from the others. It writes nothing.
 *
 *   log_recover_init(r, wanted);  log_recover_add_file(r, name, size) for every entry;
 *   for (;;) switch (log_recover_next(r, &event)) {
 *   case LOG_RECOVER_NEED:   read event.need, log_recover_feed(r, data, bad); continue;
 *   case LOG_RECOVER_RESET:  forget all state: what was applied came from a bad snapshot;
 *   case LOG_RECOVER_CHUNK:  apply event.chunk, event.body
 *   case LOG_RECOVER_BATCH:  apply event.header, event.body: skip, hotel by hotel, what is at or
 *                            below its chunk's stamp; a contradiction: log_recover_contradict()
 *   case LOG_RECOVER_DIGEST: compare the state's digest with event.header->state_digest
 *   case LOG_RECOVER_DONE:   r->report
 *   }
 *
 * Order: SHARD, MARK, the newest snapshot that is whole (each bad one costs a RESET), then the
 * log. Batches whose effects all lie at or below the snapshot's begin_lsn are checked, not handed
 * out. Nothing handed out is final before DONE: a REFUSE may still follow.
 *
 * Memory: the struct is large (segments and names: about 250 KiB); allocate it at start. It owns
 * nothing else. A fed window is borrowed until the next NEED, an event's pointers until the next
 * call. One thread.
 */
#ifndef ENGINE_LOG_RECOVER_H
#define ENGINE_LOG_RECOVER_H

#include "base/text.h"
#include "engine/log/dir.h"
#include "engine/log/scan.h"
#include "engine/log/snap_reader.h"

#define LOG_RECOVER_WINDOW_SIZE LOG_SCAN_WINDOW_SIZE /* largest NEED */
#define LOG_RECOVER_LEFTOVER_MAX 64u /* removed per start; more wait for the next one */
#define LOG_RECOVER_REASON_SIZE 256u
#define LOG_RECOVER_TEXT_SIZE 2048u /* any report's description fits */

enum log_recover_step {
	LOG_RECOVER_NEED,
	LOG_RECOVER_RESET,
	LOG_RECOVER_CHUNK,
	LOG_RECOVER_BATCH,
	LOG_RECOVER_DIGEST,
	LOG_RECOVER_DONE,
};

struct log_recover_event {
	/* NEED: whole blocks of the named file; also where CHUNK and BATCH came from */
	struct log_dir_text name;
	uint64_t offset_bytes;
	uint32_t size_bytes;
	const struct log_batch_header *header;
	const struct log_snap_chunk *chunk;
	const uint8_t *body;
};

struct log_recover_snap {
	uint64_t name_lsn;
	uint64_t size_bytes;
	bool is_bad;
	bool is_passed; /* whole, but newer than what was wanted */
	enum log_snap_status status;
};

/* Which state is wanted; zeroes: the newest. Set after init, before the first step. */
struct log_reach {
	uint64_t to_lsn;       /* not 0: nothing later is handed out, no later snapshot serves */
	bool from_oldest;      /* the longest replay there is rather than the shortest */
	uint64_t snap_min_lsn; /* with from_oldest: snapshots that began before it do not serve */
};

struct log_recover_report {
	enum log_verdict verdict;    /* the gravest */
	uint32_t warnings;           /* bits 1 << verdict, of class START */
	uint32_t version;            /* VERSION: which, of the file `subject` */
	struct log_dir_text subject; /* VERSION: that file; otherwise empty or the last one read */
	struct log_meta meta;        /* valid unless EMPTY, NOT_A_SHARD, VERSION of SHARD */
	const char *difference;      /* OTHER_LAYOUT: the name of the field */
	bool has_mark;
	struct log_mark mark;
	bool has_snap;
	uint64_t snap_begin_lsn; /* 0: none, replay is from the beginning */
	uint64_t snap_end_lsn;
	struct log_snap_footer snap;
	uint32_t bad_snap_count;
	struct log_dir_text bad_snap; /* the newest of them */
	uint64_t first_segment;       /* SNAPSHOTS_BAD: where the log begins; 0: there is none */
	uint32_t passed_snap_count;   /* not asked, or too new for what was wanted */
	bool is_out_of_reach;         /* only that is known: the verdict says nothing */
	uint64_t reach_lsn; /* a snapshot that was too new shows this LSN: the oldest such */
	struct log_scan_result scan;
	uint64_t next_epoch;                  /* the one a start uses */
	uint64_t contradiction_lsn;           /* CONTRADICTION, DIGEST */
	char reason[LOG_RECOVER_REASON_SIZE]; /* the applier's words */
};

struct log_recover {
	struct log_recover_report report;
	struct log_meta wanted;
	bool has_wanted;
	bool wants_all; /* hand out every batch, seals too: for dumps */
	struct log_reach reach;
	int phase;
	bool has_shard_file;
	bool is_segment_overflow;
	bool is_fed;      /* the last NEED was answered */
	bool is_soiled;   /* chunks of the present snapshot were handed out */
	bool owes_digest; /* a DIGEST step comes next */
	uint64_t mark_size_bytes;
	uint32_t segment_count;
	uint32_t snap_count;
	uint32_t snap_index;
	uint32_t leftover_count;
	struct log_recover_snap snaps[LOG_DIR_SNAP_MAX]; /* newest first */
	struct log_dir_text leftovers[LOG_RECOVER_LEFTOVER_MAX];
	struct log_snap_reader snap_reader;
	struct log_scan scan;
	struct log_batch_header header;
	const uint8_t *data;
	uint32_t need_blocks;
	struct log_segment segments[LOG_DIR_SEGMENT_MAX]; /* the first segment_count hold values */
};

/* `wanted` (copied) is what the opener was told to be; NULL: whatever SHARD says. */
void log_recover_init(struct log_recover *recover, const struct log_meta *wanted);

/* Every entry of the directory but "." and "..", in any order. */
void log_recover_add_file(struct log_recover *recover, const char *name, uint64_t size_bytes);

enum log_recover_step log_recover_next(
	struct log_recover *recover, struct log_recover_event *ret_event);

/* Answers NEED. `data` has the asked bytes, zeroes for blocks that could not be read or lie behind
 * the file's end; `bad` is NULL, or one byte per block, not 0 for such a block. */
void log_recover_feed(struct log_recover *recover, const uint8_t *data, const uint8_t *bad);

/* What the applier found: CONTRADICTION or DIGEST, at that LSN. The next step is DONE. */
void log_recover_contradict(
	struct log_recover *recover, enum log_verdict verdict, uint64_t lsn, const char *reason);

/* One paragraph for a person: verdict, place, LSNs, what a start does, the next command. */
void log_recover_describe(const struct log_recover_report *report, struct kr_text *text);

#endif

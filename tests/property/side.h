/*
 * The engine's side of the property test: an inventory that logs every effect, as the shard does,
 * and can be rebuilt from its log, or from chunks taken at different moments and the log's rest.
 */
#ifndef TESTS_PROPERTY_SIDE_H
#define TESTS_PROPERTY_SIDE_H

#include "base/tz.h"
#include "engine/inventory/capture.h"
#include "engine/inventory/inventory.h"
#include "engine/log/record.h"

#define SIDE_CHUNKS 16

struct side_chunk {
	uint8_t *bytes;
	size_t size_bytes;
	uint64_t lsn, digest;
};

struct side {
	struct inv_config config;
	const struct tz_db *tz;
	struct inv *inv;
	void *memory;
	uint64_t lsn; /* of the last effect */
	uint64_t t_us;
	uint8_t *log; /* bodies of one effect each: size, t, record */
	size_t log_size, log_capacity;
	struct side_chunk
		chunks[SIDE_CHUNKS]; /* the snapshot being taken, one chunk after another */
	uint32_t chunk_next;
	bool is_capturing; /* chunk_next, in steps of `work` */
	uint64_t work;
	uint64_t saved_before; /* records that an effect was about to change */
	struct inv_capture capture;
	struct kr_writer writer;
	uint64_t chunks_log_size; /* of the log when it began */
	uint64_t chunks_lsn;
	uint64_t effect_count[32];
};

void side_init(struct side *side, const struct inv_config *config, const struct tz_db *tz);
void side_fini(struct side *side);

/* Logs and applies what was judged. Ends the program with the contradiction if there is one. */
void side_commit(struct side *side, struct inv_effect *effect);
/* Everything the clock does up to now. */
void side_clock(struct side *side, struct inv_now now);

/* Takes some more of a snapshot that goes on between operations; what is captured of a hotel has to
 * be what it was when that began. */
void side_snapshot_step(struct side *side);

/* Rebuild from the whole log; from the finished snapshot and the tail. Both must show the live
 * digest, and take the live one's place, so that what follows runs on recovered state. */
void side_replay(struct side *side);
bool side_restore(struct side *side); /* false: no snapshot is finished yet */

#define CHECK(cond, ...)                                                                           \
	do {                                                                                       \
		if (!(cond))                                                                       \
			side_failed(__FILE__, __LINE__, #cond, __VA_ARGS__);                       \
	} while (0)

KR_NORETURN void side_failed(const char *file, int line, const char *what, const char *format, ...)
	KR_PRINTF(4, 5);
/* Said before the message of a failure: how to see it again. */
extern char side_context[256];

#endif

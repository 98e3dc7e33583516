/*
 * Snapshots: the file, and the chunks in it as an inventory's state.
 *
 * Held: the reader ends after a bounded number of steps and asks only for what is there; a chunk
 * that loads into an empty inventory, whose recount finds nothing, is saved as long as it came and
 * loads again with the same digest. Loading turns the order of records round, which is no part of a
 * state; so it is the third saving that has the bytes of the first.
 *
 * Input: u8: bit 0: checksums are made right, so that changes get behind them; the rest is a file
 * (bit 1 not set) or one chunk's body.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tz_load.h"
#include "engine/inventory/chunk.h"
#include "engine/inventory/inventory.h"
#include "engine/log/snap_reader.h"
#include "tests/fuzz/disk_image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/shard_rig.h"

#define NAME_LSN 1000u
#define FILE_BLOCKS_MAX 16u
#define STEPS_MAX 10000u
#define SAVED_SIZE_MAX (1u << 20)

static struct tz_db tz;
static uint8_t *memory;
static uint64_t memory_size;
static struct inv *inv;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct shard_config config;
	kr_assert(argc != NULL && argv != NULL);
	int r = tz_load(TZ_FOLDER, &tz);
	kr_assert(r == 0);
	world_config_default(&config);
	memory_size = inv_memory_size(&config.inventory);
	memory = rig_memory_new(memory_size);
	inv = inv_init(&config.inventory, memory, &tz);
	rig_memory_keep(memory, memory_size);
	return 0;
}

static int load(const uint8_t *bytes, size_t size, uint64_t digest, struct inv_contradiction *ret)
{
	struct kr_reader reader;
	rig_memory_reset(memory, memory_size);
	kr_reader_init(&reader, bytes, size);
	int r = inv_chunk_load(inv, &reader, NAME_LSN, digest, ret);
	kr_assert(r == 0 || r == INV_CONTRADICTION || r == INV_NO_ROOM);
	kr_assert(r != INV_CONTRADICTION || ret->what != NULL);
	return r == 0 && !kr_reader_done(&reader) ? INV_CONTRADICTION : r;
}

static void save(uint8_t *to, size_t size)
{
	uint32_t chunk = inv_chunk_count(inv) - 1;
	struct kr_writer writer;
	kr_assert(inv_chunk_size_max(inv, chunk) <= SAVED_SIZE_MAX);
	kr_writer_init(&writer, to, inv_chunk_size_max(inv, chunk));
	inv_chunk_save(inv, chunk, &writer);
	kr_assert(!writer.failed && kr_writer_size(&writer) == size);
}

static void check_chunk(const uint8_t *bytes, size_t size)
{
	static uint8_t saved[3][SAVED_SIZE_MAX];
	struct inv_contradiction contradiction;
	int r = load(bytes, size, 0, &contradiction);
	/* All was well but the digest, which nobody but the loading knows. */
	uint64_t digest = r == 0 ? 0 : contradiction.found;
	if (r == INV_CONTRADICTION)
		r = load(bytes, size, digest, &contradiction);
	if (r != 0 || inv_verify(inv, &contradiction) != 0)
		return;
	for (unsigned i = 0; i < 3; i++) {
		save(saved[i], size);
		r = load(saved[i], size, digest, &contradiction);
		kr_assert(r == 0 && inv_verify(inv, &contradiction) == 0);
	}
	kr_assert(memcmp(saved[0], saved[2], size) == 0);
}

static void check_file(const uint8_t *file, size_t size)
{
	const struct log_lineage lineage = {.cluster = 0xc1, .shard = 0};
	struct log_snap_reader reader;
	struct log_snap_event event;
	uint32_t chunks = 0;
	log_snap_reader_init(&reader, &lineage, NAME_LSN, size);
	for (uint32_t i = 0; i < STEPS_MAX; i++) {
		enum log_snap_step step = log_snap_reader_next(&reader, &event);
		if (step == LOG_SNAP_DONE) {
			kr_assert(reader.status != LOG_SNAP_OK ||
				  reader.footer.chunk_count == chunks);
			return;
		}
		if (step == LOG_SNAP_NEED) {
			kr_assert(event.offset_bytes + event.size_bytes <= size);
			log_snap_reader_feed(&reader, file + event.offset_bytes);
			continue;
		}
		kr_assert(event.chunk->index == chunks++);
		kr_assert(event.body >= file &&
			  event.body + event.chunk->body_size_bytes <= file + size);
		check_chunk(event.body, event.chunk->body_size_bytes);
	}
	kr_unreachable();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	if (size_bytes < 2 || size_bytes > FILE_BLOCKS_MAX * LOG_BLOCK_SIZE)
		return 0;
	bool is_file = (data[0] & 2) == 0;
	size_t given = size_bytes - 1;
	size_t size = is_file ? log_block_round(given) : given;
	uint8_t *bytes = calloc(1, size);
	kr_assert(bytes != NULL);
	memcpy(bytes, data + 1, given);
	if (is_file && (data[0] & 1) != 0)
		disk_image_snap_sum(bytes, size);
	if (is_file)
		check_file(bytes, size);
	else
		check_chunk(bytes, size);
	free(bytes);
	return 0;
}

#include "tests/unit/log/log_matrix.h"

#include <string.h>

#include "base/hash.h"

/* Rows about versions, and what goes wrong with the small files beside the log. */

/* The version of a head common to all formats, with its checksum made right. */
static void bump_version(uint8_t *bytes, uint32_t size_bytes)
{
	bytes[16]++;
	uint64_t sum = hash_64(bytes + 16, size_bytes - 16);
	memcpy(bytes + 8, &sum, 8);
}

void matrix_unknown_version_of_a_batch(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	while (life.last_write.segment != 6 || life.last_write.offset_bytes != 2 * LOG_BLOCK_SIZE)
		life_append(&life, 1);
	bump_version(world_segment(world, 6)->bytes + 2 * LOG_BLOCK_SIZE, LOG_BATCH_HEADER_SIZE);
	facts->says = "version 2 in log-000000000006 at byte 8192; this program knows 1\n";
	life_end(&life);
}

void matrix_unknown_version_of_the_shard_file(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	bump_version(world_find(world, LOG_DIR_SHARD)->bytes, sizeof(struct log_meta));
	facts->says = "version 2 in SHARD;";
	life_end(&life);
}

void matrix_unknown_version_of_the_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	uint64_t offset = (life.writer.mark_generation & 1) * LOG_BLOCK_SIZE;
	bump_version(world_find(world, LOG_DIR_MARK)->bytes + offset, sizeof(struct log_mark));
	facts->says = "version 2 in MARK;";
	life_end(&life);
}

void matrix_unknown_version_of_a_snapshot(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	world_snap(world, 300, 310, 20);
	world_snap(world, 600, 610, 20);
	log_dir_snap_name(600, &name);
	bump_version(world_find(world, name.bytes)->bytes, LOG_SNAP_HEADER_SIZE);
	facts->says = "version 2 in snap-00000000000000000600;";
	life_end(&life);
}

void matrix_unknown_version_behind_a_bad_snapshot(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	world_snap(world, 300, 310, 20);
	world_snap(world, 600, 610, 20);
	log_dir_snap_name(600, &name);
	world_find(world, name.bytes)->bytes[9000] ^= 1;
	log_dir_snap_name(300, &name);
	bump_version(world_find(world, name.bytes)->bytes, LOG_SNAP_HEADER_SIZE);
	facts->says = "version 2 in snap-00000000000000000300; this program knows 1\n"
		      "  bad snapshots: 1, the newest of them snap-00000000000000000600\n";
	life_end(&life);
}

void matrix_mark_missing(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->last_lsn = log_writer_acked_lsn(&life.writer);
	world_remove(world, LOG_DIR_MARK);
	life_end(&life);
}

void matrix_mark_of_another_shard(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	struct world_file *file = world_find(world, LOG_DIR_MARK);
	struct log_mark mark;
	uint32_t version;
	enum log_meta_status status = log_mark_choose(file->bytes, &mark, &version);
	kr_assert(status == LOG_META_OK);
	mark.shard++;
	log_mark_encode(&mark, file->bytes + (mark.generation & 1) * LOG_BLOCK_SIZE);
	life_end(&life);
}

void matrix_shard_file_missing(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	world_remove(world, LOG_DIR_SHARD);
	life_end(&life);
}

void matrix_shard_file_of_another_layout(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	struct log_meta meta = world_meta(MATRIX_SEGMENT_SIZE);
	meta.shard_count = 8;
	log_meta_encode(&meta, world_find(world, LOG_DIR_SHARD)->bytes);
	life_end(&life);
}

void matrix_nothing_there(struct world *world, struct matrix_facts *facts)
{
	world_make(world, LOG_DIR_LOCK, 0);
}

/* Strikes that are summed right: another build, or somebody's tool, wrote them. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/log/meta.h"
#include "engine/log/snap.h"
#include "tests/sim/media_priv.h"

#define SUM_FROM 16u /* of every header on disk: its magic and its sum lie before */

static void block_read(struct cluster *c, uint32_t shard, const char *name, uint64_t at,
	uint8_t block[MEDIA_BLOCK_SIZE])
{
	memset(block, 0, MEDIA_BLOCK_SIZE);
	const uint64_t size = media_file_size(c, shard, name);
	if (at < size)
		sim_media_read(c->shards[shard].disk, c->plan.server.directory, name, at, block,
			KR_MIN(MEDIA_BLOCK_SIZE, size - at));
}

static void block_write(struct cluster *c, uint32_t shard, const char *name, uint64_t at,
	const uint8_t block[MEDIA_BLOCK_SIZE])
{
	media_save(c, shard, 0);
	sim_media_write(
		c->shards[shard].disk, c->plan.server.directory, name, at, block, MEDIA_BLOCK_SIZE);
	cluster_tell(c, "shard %u: %s is forged", shard, name);
}

/* The batch that was acknowledged last, as far as it is there: where it begins. */
static bool newest_read(struct cluster *c, uint32_t shard, struct log_dir_text *ret_segment,
	uint64_t *ret_at, uint8_t block[MEDIA_BLOCK_SIZE])
{
	const struct log_writer_point *acked = media_acked(c, shard, ret_segment);
	for (uint64_t at = acked == NULL ? 0 : acked->end_bytes; at > 0; at -= MEDIA_BLOCK_SIZE) {
		struct log_batch_header header;
		block_read(c, shard, ret_segment->bytes, at - MEDIA_BLOCK_SIZE, block);
		*ret_at = at - MEDIA_BLOCK_SIZE;
		if (log_batch_header_read(block, &header) == LOG_BATCH_OK)
			return header.batch_seq == acked->seq;
	}
	return false;
}

static void header_sum(struct log_batch_header *header, uint8_t block[MEDIA_BLOCK_SIZE])
{
	header->header_checksum =
		hash_64((const uint8_t *)header + SUM_FROM, LOG_BATCH_HEADER_SIZE - SUM_FROM);
	memcpy(block, header, LOG_BATCH_HEADER_SIZE);
}

/* MARK knows of the batch that is forged. */
static void mark_follow(struct cluster *c, uint32_t shard, const struct log_batch_header *header)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct media_files files;
	struct log_mark mark;
	uint32_t version;
	media_files_list(c, shard, &files);
	for (uint64_t at = 0; at < LOG_MARK_FILE_SIZE; at += MEDIA_BLOCK_SIZE) {
		if (!media_files_have(&files, LOG_DIR_MARK))
			return;
		block_read(c, shard, LOG_DIR_MARK, at, block);
		if (log_mark_decode(block, &mark, &version) != LOG_META_OK ||
			mark.durable_seq != header->batch_seq)
			continue;
		mark.chain = header->header_checksum;
		log_mark_encode(&mark, block);
		block_write(c, shard, LOG_DIR_MARK, at, block);
	}
}

/* It follows another batch than the one before it. */
static void chain_change(struct cluster *c, struct log_batch_header *header)
{
	header->prev_chain ^= UINT64_C(1) << rng_below(&c->rng_media, 64);
}

/* It says that the state behind it is another. */
static void digest_change(struct cluster *c, struct log_batch_header *header)
{
	kr_assert(c != NULL);
	header->flags |= LOG_BATCH_DIGEST;
	header->state_digest = hash_mix(header->state_digest ^ header->header_checksum);
}

static bool newest_forge(struct cluster *c, uint32_t shard, bool is_in_mark,
	void (*change)(struct cluster *c, struct log_batch_header *header))
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct log_batch_header header;
	struct log_dir_text name;
	uint64_t at;
	if (!newest_read(c, shard, &name, &at, block))
		return false;
	memcpy(&header, block, sizeof(header));
	change(c, &header);
	header_sum(&header, block);
	block_write(c, shard, name.bytes, at, block);
	if (is_in_mark)
		mark_follow(c, shard, &header);
	return true;
}

static bool forge_chain(struct cluster *c, uint32_t shard)
{
	return newest_forge(c, shard, false, chain_change);
}

static bool forge_digest(struct cluster *c, uint32_t shard)
{
	return newest_forge(c, shard, true, digest_change);
}

/* A block as a build to come would write it. */
static bool version_raise(uint8_t block[MEDIA_BLOCK_SIZE])
{
	uint16_t version, size;
	memcpy(&version, block + SUM_FROM, sizeof(version));
	memcpy(&size, block + SUM_FROM + sizeof(version), sizeof(size));
	if (version != LOG_FORMAT_VERSION || size < SUM_FROM + 8 || size > MEDIA_BLOCK_SIZE)
		return false;
	version++;
	memcpy(block + SUM_FROM, &version, sizeof(version));
	const uint64_t sum = hash_64(block + SUM_FROM, size - SUM_FROM);
	memcpy(block + 8, &sum, sizeof(sum));
	return true;
}

static const char *newest_snapshot(const struct media_files *files)
{
	for (uint32_t i = files->count; i > 0; i--)
		if (media_is_snapshot(files->names[i - 1]))
			return files->names[i - 1];
	return NULL;
}

static bool forge_version(struct cluster *c, uint32_t shard)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct log_dir_text segment;
	struct media_files files;
	uint64_t at = 0;
	media_files_list(c, shard, &files);
	const uint64_t kind = rng_below(&c->rng_media, 3);
	const char *name = kind == 0 ? LOG_DIR_SHARD : kind == 1 ? newest_snapshot(&files) : NULL;
	if (name != NULL && media_files_have(&files, name))
		block_read(c, shard, name, 0, block);
	else if (newest_read(c, shard, &segment, &at, block))
		name = segment.bytes;
	else
		return false;
	if (!version_raise(block))
		return false;
	/* A snapshot may end within its first block: what is behind is not its own. */
	if (media_file_size(c, shard, name) < at + MEDIA_BLOCK_SIZE)
		return false;
	block_write(c, shard, name, at, block);
	return true;
}

/* What somebody has copied out of another shard's directory. */
static bool forge_layout(struct cluster *c, uint32_t shard)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct media_files files;
	struct log_meta meta;
	struct log_mark mark;
	uint32_t version;
	media_files_list(c, shard, &files);
	const bool is_mark =
		rng_below(&c->rng_media, 2) == 0 && media_files_have(&files, LOG_DIR_MARK);
	if (!is_mark) {
		if (!media_files_have(&files, LOG_DIR_SHARD))
			return false;
		block_read(c, shard, LOG_DIR_SHARD, 0, block);
		if (log_meta_decode(block, &meta, &version) != LOG_META_OK)
			return false;
		meta.cluster++;
		log_meta_encode(&meta, block);
		block_write(c, shard, LOG_DIR_SHARD, 0, block);
		return true;
	}
	bool is_forged = false;
	for (uint64_t at = 0; at < LOG_MARK_FILE_SIZE; at += MEDIA_BLOCK_SIZE) {
		block_read(c, shard, LOG_DIR_MARK, at, block);
		if (log_mark_decode(block, &mark, &version) != LOG_META_OK)
			continue;
		mark.shard++;
		log_mark_encode(&mark, block);
		block_write(c, shard, LOG_DIR_MARK, at, block);
		is_forged = true;
	}
	return is_forged;
}

/* All of a snapshot again, with another digest for one of its chunks: false if it is not whole. */
static bool snapshot_again(
	struct cluster *c, const uint8_t *from, uint64_t size_bytes, uint8_t *ret)
{
	struct log_snap_header header;
	struct log_snap_footer footer;
	struct log_snap_sums sums;
	struct log_snap_chunk chunk;
	memset(&sums, 0, sizeof(sums));
	memcpy(&header, from, sizeof(header));
	if (header.magic != LOG_SNAP_MAGIC || header.format_version != LOG_FORMAT_VERSION)
		return false;
	log_snap_header_encode(&header, &sums, ret);
	uint64_t wanted = rng_below(&c->rng_media, 4);
	for (;;) {
		const uint8_t *here = from + sums.size_bytes;
		if (sums.size_bytes + LOG_SNAP_FOOTER_SIZE > size_bytes)
			return false;
		memcpy(&chunk, here, sizeof(chunk));
		if (chunk.magic != LOG_SNAP_CHUNK_MAGIC)
			break;
		if (chunk.body_size_bytes > LOG_SNAP_BODY_SIZE_MAX ||
			sums.size_bytes + log_snap_chunk_size(chunk.body_size_bytes) > size_bytes)
			return false;
		chunk.digest ^= wanted-- == 0 ? UINT64_C(1) << rng_below(&c->rng_media, 64) : 0;
		log_snap_chunk_encode(
			&chunk, here + LOG_SNAP_CHUNK_HEADER_SIZE, &sums, ret + sums.size_bytes);
	}
	memcpy(&footer, from + sums.size_bytes, sizeof(footer));
	if (footer.magic != LOG_SNAP_END_MAGIC || footer.chunk_count != sums.chunk_count)
		return false;
	log_snap_footer_encode(&footer, &header, &sums, ret + sums.size_bytes);
	return true;
}

static bool forge_snapshot(struct cluster *c, uint32_t shard)
{
	struct sim_disk *disk = c->shards[shard].disk;
	const char *folder = c->plan.server.directory;
	struct media_files files;
	media_files_list(c, shard, &files);
	const char *name = newest_snapshot(&files);
	const uint64_t size = name == NULL ? 0 : media_file_size(c, shard, name);
	if (size < MEDIA_BLOCK_SIZE)
		return false;
	uint8_t *bytes = calloc(2, size);
	kr_assert(bytes != NULL);
	sim_media_read(disk, folder, name, 0, bytes, size);
	const bool is_forged = snapshot_again(c, bytes, size, bytes + size);
	if (is_forged) {
		media_save(c, shard, 0);
		sim_media_write(disk, folder, name, 0, bytes + size, size);
		cluster_tell(c, "shard %u: %s is forged", shard, name);
	}
	free(bytes);
	return is_forged;
}

/* A write that overtook others, none of them acknowledged: a whole batch behind a hole. */
void media_strike_hole(struct cluster *c, uint32_t shard)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct log_batch_header header;
	struct log_dir_text name;
	uint64_t at;
	if (!newest_read(c, shard, &name, &at, block))
		return;
	const struct log_writer_point *acked = media_acked(c, shard, &name);
	memcpy(&header, block, sizeof(header));
	at = acked->end_bytes + (2 + rng_below(&c->rng_media, 4)) * MEDIA_BLOCK_SIZE;
	if (at + MEDIA_BLOCK_SIZE > media_file_size(c, shard, name.bytes))
		return;
	header.flags = LOG_BATCH_SEAL;
	header.count = header.body_size_bytes = 0;
	header.state_digest = 0;
	header.block_index = (uint32_t)(at / MEDIA_BLOCK_SIZE);
	/* One write may be on its way, and is whole. */
	header.batch_seq = acked->seq + 3;
	header.first_lsn = acked->lsn + 3;
	header.durable_seq = acked->seq;
	(void)log_batch_seal(&header, block);
	sim_media_write(c->shards[shard].disk, c->plan.server.directory, name.bytes, at, block,
		sizeof(block));
	c->strikes[MEDIA_HOLE]++;
	cluster_tell(c, "shard %u: a whole batch lies behind a hole of %s", shard, name.bytes);
}

void media_strike_forged(struct cluster *c, uint32_t shard)
{
	static bool (*const forge[])(struct cluster * c, uint32_t shard) = {
		forge_chain, forge_digest, forge_version, forge_layout, forge_snapshot};
	const uint64_t drawn = rng_below(&c->rng_media, KR_ARRAY_COUNT(forge));
	const enum media_strike strike = MEDIA_CHAIN + (enum media_strike)drawn;
	kr_assert(strike < MEDIA_STRIKES);
	if (!forge[drawn](c, shard))
		return;
	c->strikes[strike]++;
	cluster_tell(c, "shard %u: %s", shard, media_strike_name(strike));
	media_save(c, shard, MEDIA_REACH_RECENT);
	cluster_damaged(c, shard, MEDIA_REACH_RECENT);
}

#include <string.h>

#include "tests/sim/media_priv.h"

static void drop(struct cluster *c, uint32_t shard, const char *name)
{
	cluster_tell(c, "shard %u: %s is gone", shard, name);
	sim_media_remove(c->shards[shard].disk, c->plan.server.directory, name);
}

/* What an earlier batch left, a block that is whole and not of this place: behind the end. */
void media_strike_stale(struct cluster *c, uint32_t shard)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct log_batch_header header;
	struct log_dir_text name;
	const struct log_writer_point *acked = media_acked(c, shard, &name);
	if (acked == NULL || acked->end_bytes == 0)
		return;
	const char *folder = c->plan.server.directory;
	const uint64_t at =
		rng_below(&c->rng_media, acked->end_bytes / MEDIA_BLOCK_SIZE) * MEDIA_BLOCK_SIZE;
	if (media_file_size(c, shard, name.bytes) < acked->end_bytes + MEDIA_BLOCK_SIZE)
		return;
	sim_media_read(c->shards[shard].disk, folder, name.bytes, at, block, sizeof(block));
	memcpy(&header, block, sizeof(header));
	if (header.magic != LOG_BATCH_MAGIC)
		return;
	sim_media_write(
		c->shards[shard].disk, folder, name.bytes, acked->end_bytes, block, sizeof(block));
	c->strikes[MEDIA_STALE]++;
	cluster_tell(c, "shard %u: an old batch lies behind the end of %s", shard, name.bytes);
}

/* Segments up to the one that is written to, oldest first: how many. */
static uint32_t segments_used(
	const struct media_files *files, const char *newest, uint32_t places[MEDIA_FILES_MAX])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < files->count; i++)
		if (media_is_segment(files->names[i]) && strcmp(files->names[i], newest) <= 0)
			places[count++] = i;
	kr_assert(count <= files->count);
	return count;
}

static uint64_t snapshot_lsn(const char *name)
{
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	return parsed.kind == LOG_DIR_SNAP ? parsed.number : UINT64_MAX;
}

/* The newest batch of a segment that a snapshot reaches over by its name, or UINT64_MAX. */
static uint64_t cut_find(
	struct cluster *c, uint32_t shard, const char *name, uint64_t end_bytes, uint64_t snap_lsn)
{
	for (uint64_t at = end_bytes; at > 0; at -= MEDIA_BLOCK_SIZE) {
		struct log_batch_header header;
		sim_media_read(c->shards[shard].disk, c->plan.server.directory, name,
			at - MEDIA_BLOCK_SIZE, &header, sizeof(header));
		if (header.magic == LOG_BATCH_MAGIC && header.first_lsn <= snap_lsn)
			return at - MEDIA_BLOCK_SIZE;
	}
	return UINT64_MAX;
}

/* From there on nothing was ever written, and nothing but a snapshot's name knows better. */
static bool cut_back(struct cluster *c, uint32_t shard, const struct media_files *files,
	const char *name, uint64_t end_bytes)
{
	static const uint8_t zeroes[MEDIA_BLOCK_SIZE];
	uint64_t snap_lsn = 0;
	for (uint32_t i = 0; i < files->count; i++)
		if (media_is_snapshot(files->names[i]))
			snap_lsn = KR_MAX(snap_lsn, snapshot_lsn(files->names[i]));
	const uint64_t from = cut_find(c, shard, name, end_bytes, snap_lsn);
	if (from == UINT64_MAX)
		return false;
	media_save(c, shard, MEDIA_REACH_RECENT);
	for (uint64_t at = from; at < end_bytes; at += MEDIA_BLOCK_SIZE)
		sim_media_write(c->shards[shard].disk, c->plan.server.directory, name, at, zeroes,
			sizeof(zeroes));
	if (media_files_have(files, LOG_DIR_MARK))
		drop(c, shard, LOG_DIR_MARK);
	return true;
}

/* The log's beginning, and all snapshots that would do without it: old ones or none are left. */
static bool drop_beginning(struct cluster *c, uint32_t shard, const struct media_files *files,
	const uint32_t *places, uint32_t count)
{
	const uint64_t kept = 1 + rng_below(&c->rng_media, count - 1);
	struct log_batch_header header;
	sim_media_read(c->shards[shard].disk, c->plan.server.directory, files->names[places[kept]],
		0, &header, sizeof(header));
	if (header.magic != LOG_BATCH_MAGIC)
		return false;
	media_save(c, shard, MEDIA_REACH_RECENT);
	for (uint32_t i = 0; i < kept; i++)
		drop(c, shard, files->names[places[i]]);
	for (uint32_t i = 0; i < files->count; i++)
		if (media_is_snapshot(files->names[i]) &&
			snapshot_lsn(files->names[i]) >= header.first_lsn - 1)
			drop(c, shard, files->names[i]);
	return true;
}

static void drop_one(struct cluster *c, uint32_t shard, const char *name)
{
	media_save(c, shard, MEDIA_REACH_RECENT);
	drop(c, shard, name);
}

static enum media_strike strike_draw(struct cluster *c, uint32_t segments)
{
	static const enum media_strike strikes[] = {MEDIA_NO_MARK, MEDIA_CUT_BACK, MEDIA_CUT_BACK,
		MEDIA_GAP, MEDIA_GAP, MEDIA_BEHIND, MEDIA_BEHIND, MEDIA_BEHIND, MEDIA_BEHIND};
	/* Of a log of one segment there is no middle, and without its beginning nothing is left. */
	return strikes[rng_below(&c->rng_media, segments < 2 ? 3 : KR_ARRAY_COUNT(strikes))];
}

/* Something is left to prove what is gone: none of these may be taken for a log that ends. */
void media_strike_aimed(struct cluster *c, uint32_t shard)
{
	uint32_t places[MEDIA_FILES_MAX];
	struct media_files files;
	struct log_dir_text newest;
	const struct log_writer_point *acked = media_acked(c, shard, &newest);
	if (acked == NULL)
		return;
	media_files_list(c, shard, &files);
	const uint32_t count = segments_used(&files, newest.bytes, places);
	if (count == 0)
		return;
	const enum media_strike strike = strike_draw(c, count);
	bool is_struck = true;
	switch (strike) {
	case MEDIA_CUT_BACK:
		is_struck = cut_back(c, shard, &files, newest.bytes, acked->end_bytes);
		break;
	case MEDIA_GAP:
		drop_one(c, shard, files.names[places[1 + rng_below(&c->rng_media, count - 1)]]);
		break;
	case MEDIA_BEHIND:
		is_struck = drop_beginning(c, shard, &files, places, count);
		break;
	default:
		kr_assert(strike == MEDIA_NO_MARK);
		is_struck = media_files_have(&files, LOG_DIR_MARK);
		if (is_struck)
			drop_one(c, shard, LOG_DIR_MARK);
	}
	if (!is_struck)
		return;
	c->strikes[strike]++;
	cluster_tell(c, "shard %u: %s", shard, media_strike_name(strike));
	cluster_damaged(c, shard, MEDIA_REACH_RECENT);
}

#include "tests/sim/media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tests/sim/media_priv.h"

#define TAIL_REACH_BYTES (UINT64_C(64) << 10)

static const char *const names[MEDIA_STRIKES] = {"bits in the tail", "a header's bit",
	"a length's bit", "a body's bit", "a padding's bit", "a bit", "a block of zeroes",
	"a block of another", "a missing file", "a shorter file", "a longer file",
	"no newest snapshot", "an old snapshot", "an old batch in the tail", "no mark",
	"a log cut back", "a gap in the log", "a log that begins late", "a batch behind a hole",
	"another chain", "another digest", "another version", "another layout", "another snapshot"};

const char *media_strike_name(enum media_strike strike)
{
	kr_assert(strike < MEDIA_STRIKES);
	return names[strike];
}

void media_begin(struct cluster *c)
{
	struct sim_faults faults = c->plan.world.faults;
	const struct sim_faults *media = &c->plan.media;
	faults.disk_write_lost = media->disk_write_lost;
	faults.disk_write_astray = media->disk_write_astray;
	faults.disk_rot = media->disk_rot;
	faults.disk_read_flip = media->disk_read_flip;
	faults.disk_read_error = media->disk_read_error;
	/* Not while the hotels are made: an answer that never comes is waited for there. */
	faults.net_astray = media->net_astray;
	cluster_faults_set(c, &faults);
	c->is_media_on = true;
}

/* ---- the directory ---- */

static void on_name(void *context, const char *name)
{
	struct media_files *files = context;
	if (strcmp(name, LOG_DIR_LOCK) == 0 || files->count == MEDIA_FILES_MAX)
		return;
	snprintf(files->names[files->count++], LOG_DIR_NAME_SIZE, "%s", name);
}

void media_files_list(struct cluster *c, uint32_t shard, struct media_files *ret)
{
	ret->count = 0;
	sim_media_list(c->shards[shard].disk, c->plan.server.directory, on_name, ret);
}

uint64_t media_file_size(struct cluster *c, uint32_t shard, const char *name)
{
	const int64_t size = sim_media_size(c->shards[shard].disk, c->plan.server.directory, name);
	kr_assert(size >= 0);
	return (uint64_t)size;
}

uint64_t media_digest(struct cluster *c, uint32_t shard)
{
	uint8_t block[MEDIA_BLOCK_SIZE];
	struct media_files files;
	uint64_t digest = 0;
	media_files_list(c, shard, &files);
	for (uint32_t i = 0; i < files.count; i++) {
		const char *name = files.names[i];
		const uint64_t size = media_file_size(c, shard, name);
		digest = hash_mix(digest ^ hash_64(name, strlen(name)) ^ size);
		for (uint64_t at = 0; at < size; at += sizeof(block)) {
			const size_t part = KR_MIN(sizeof(block), size - at);
			sim_media_read(c->shards[shard].disk, c->plan.server.directory, name, at,
				block, part);
			digest = hash_mix(digest ^ hash_64(block, part));
		}
	}
	return digest;
}

/* ---- files as they were ---- */

struct saved {
	char name[LOG_DIR_NAME_SIZE];
	uint8_t *bytes;
	uint64_t size_bytes;
};
static struct saved saved[CLUSTER_SHARDS_MAX][MEDIA_FILES_MAX];
static uint32_t saved_count[CLUSTER_SHARDS_MAX], saved_reach[CLUSTER_SHARDS_MAX];

static void file_copy(struct cluster *c, uint32_t shard, const char *name, struct saved *ret)
{
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->size_bytes = media_file_size(c, shard, name);
	ret->bytes = malloc(ret->size_bytes + 1);
	kr_assert(ret->bytes != NULL);
	if (ret->size_bytes > 0)
		sim_media_read(c->shards[shard].disk, c->plan.server.directory, name, 0, ret->bytes,
			ret->size_bytes);
}

static void save_file(struct cluster *c, uint32_t shard, const char *name)
{
	file_copy(c, shard, name, &saved[shard][saved_count[shard]++]);
}

/* Before the first strike since a start, all of it: files of different times are no copy. */
void media_save(struct cluster *c, uint32_t shard, uint32_t reach)
{
	struct media_files files;
	saved_reach[shard] += reach;
	if (saved_count[shard] > 0)
		return;
	media_files_list(c, shard, &files);
	for (uint32_t i = 0; i < files.count; i++)
		save_file(c, shard, files.names[i]);
	if (c->on_strike != NULL)
		c->on_strike(c, shard);
}

static bool is_saved(uint32_t shard, const char *name)
{
	for (uint32_t i = 0; i < saved_count[shard]; i++)
		if (strcmp(saved[shard][i].name, name) == 0)
			return true;
	return false;
}

uint32_t media_undo(struct cluster *c, uint32_t shard)
{
	struct sim_disk *disk = c->shards[shard].disk;
	const char *folder = c->plan.server.directory;
	const uint32_t reach = saved_reach[shard];
	struct media_files files;
	sim_disk_capacity_set(disk, 0);
	media_files_list(c, shard, &files);
	for (uint32_t i = 0; saved_count[shard] > 0 && i < files.count; i++)
		if (!is_saved(shard, files.names[i]))
			sim_media_remove(disk, folder, files.names[i]);
	for (uint32_t i = 0; i < saved_count[shard]; i++) {
		const struct saved *s = &saved[shard][i];
		sim_media_truncate(disk, folder, s->name, s->size_bytes);
		if (s->size_bytes > 0)
			sim_media_write(disk, folder, s->name, 0, s->bytes, s->size_bytes);
	}
	if (saved_count[shard] > 0)
		cluster_tell(c, "shard %u: everything is restored", shard);
	media_forget(shard);
	return reach;
}

void media_forget(uint32_t shard)
{
	saved_reach[shard] = 0;
	while (saved_count[shard] > 0)
		free(saved[shard][--saved_count[shard]].bytes);
}

/* A snapshot as it was at a death before: somebody may put it back. */
static struct saved kept[CLUSTER_SHARDS_MAX];

static void keep_snapshot(struct cluster *c, uint32_t shard, const char *name)
{
	struct saved *k = &kept[shard];
	free(k->bytes);
	file_copy(c, shard, name, k);
}

void media_close(void)
{
	for (uint32_t i = 0; i < CLUSTER_SHARDS_MAX; i++) {
		media_forget(i);
		free(kept[i].bytes);
		kept[i] = (struct saved){0};
	}
}

/* ---- strikes ---- */

const struct log_writer_point *media_acked(
	const struct cluster *c, uint32_t shard, struct log_dir_text *ret_segment)
{
	const struct server *server = c->shards[shard].server;
	if (server == NULL || !server->is_log_open || server->log.writer.acked.segment == 0)
		return NULL;
	log_dir_segment_name(server->log.writer.acked.segment, ret_segment);
	return &server->log.writer.acked;
}

static void flip(
	struct cluster *c, uint32_t shard, const char *name, uint64_t from, uint64_t size_bytes)
{
	struct sim_disk *disk = c->shards[shard].disk;
	const uint64_t at = from + rng_below(&c->rng_media, size_bytes);
	uint8_t byte;
	sim_media_read(disk, c->plan.server.directory, name, at, &byte, 1);
	byte ^= (uint8_t)(1u << rng_below(&c->rng_media, 8));
	sim_media_write(disk, c->plan.server.directory, name, at, &byte, 1);
}

/* Into what was being written, and into the zeroes behind it. */
static void strike_tail(struct cluster *c, uint32_t shard)
{
	struct log_dir_text name;
	const struct log_writer_point *acked = media_acked(c, shard, &name);
	if (acked == NULL)
		return;
	const uint64_t size = media_file_size(c, shard, name.bytes);
	if (acked->end_bytes >= size)
		return;
	const uint64_t near =
		rng_below(&c->rng_media, 2) == 0 ? MEDIA_BLOCK_SIZE : TAIL_REACH_BYTES;
	for (uint64_t n = 1 + rng_below(&c->rng_media, 3); n > 0; n--)
		flip(c, shard, name.bytes, acked->end_bytes, KR_MIN(near, size - acked->end_bytes));
	c->strikes[MEDIA_TAIL]++;
	cluster_tell(c, "shard %u: bits flip in the tail of %s", shard, name.bytes);
}

struct part {
	uint64_t from, size_bytes;
};

static struct part part_of(const struct log_batch_header *h, enum media_strike strike)
{
	const uint64_t length_at = offsetof(struct log_batch_header, body_size_bytes);
	const uint64_t end = LOG_BATCH_HEADER_SIZE + h->body_size_bytes;
	switch (strike) {
	case MEDIA_HEADER:
		return (struct part){0, length_at};
	case MEDIA_LENGTH:
		return (struct part){length_at, sizeof(h->body_size_bytes)};
	case MEDIA_BODY:
		return (struct part){LOG_BATCH_HEADER_SIZE, h->body_size_bytes};
	default:
		return (struct part){
			end, (MEDIA_BLOCK_SIZE - end % MEDIA_BLOCK_SIZE) % MEDIA_BLOCK_SIZE};
	}
}

/*
 * The last or the one before of the batches that end where the acknowledged ones do. How many would
 * be cut with it: those from it on, as far as the last one, written beside it, does not prove it.
 * 0: there is none.
 */
static uint32_t batch_find(struct cluster *c, uint32_t shard, const char *name, uint64_t end_bytes,
	uint64_t *ret_at, struct log_batch_header *ret)
{
	uint64_t wanted = 1 + rng_below(&c->rng_media, 2);
	uint64_t proven_seq = 0;
	uint32_t reach = 0;
	for (uint64_t at = end_bytes; at > 0 && wanted > 0; at -= MEDIA_BLOCK_SIZE) {
		struct log_batch_header h;
		sim_media_read(c->shards[shard].disk, c->plan.server.directory, name,
			at - MEDIA_BLOCK_SIZE, &h, sizeof(h));
		if (h.magic != LOG_BATCH_MAGIC)
			continue;
		wanted--;
		proven_seq = KR_MAX(proven_seq, h.durable_seq);
		reach = h.batch_seq <= proven_seq ? 1 : reach + 1;
		*ret_at = at - MEDIA_BLOCK_SIZE;
		*ret = h;
	}
	return reach;
}

/* Into one of the newest batches: refused, unless nothing proves it: see batch_find(). */
static void strike_recent(struct cluster *c, uint32_t shard)
{
	const enum media_strike strike = MEDIA_HEADER + (enum media_strike)rng_below(&c->rng_media,
								MEDIA_BIT - MEDIA_HEADER);
	struct log_batch_header header;
	struct log_dir_text name;
	uint64_t at;
	const struct log_writer_point *acked = media_acked(c, shard, &name);
	if (acked == NULL)
		return;
	const uint32_t reach = batch_find(c, shard, name.bytes, acked->end_bytes, &at, &header);
	if (reach == 0)
		return;
	const struct part part = part_of(&header, strike);
	if (part.size_bytes == 0)
		return;
	media_save(c, shard, reach);
	flip(c, shard, name.bytes, at + part.from, part.size_bytes);
	c->strikes[strike]++;
	cluster_tell(c, "shard %u: %s, of %s", shard, media_strike_name(strike), name.bytes);
	cluster_damaged(c, shard, reach);
}

static void block_write(struct cluster *c, uint32_t shard, const char *name, bool is_zero)
{
	struct sim_disk *disk = c->shards[shard].disk;
	uint8_t block[MEDIA_BLOCK_SIZE] = {0};
	const uint64_t blocks = media_file_size(c, shard, name) / MEDIA_BLOCK_SIZE;
	if (blocks == 0)
		return;
	const uint64_t used = KR_MIN(blocks, 64);
	if (!is_zero)
		sim_media_read(disk, c->plan.server.directory, name,
			rng_below(&c->rng_media, used) * MEDIA_BLOCK_SIZE, block, sizeof(block));
	sim_media_write(disk, c->plan.server.directory, name,
		rng_below(&c->rng_media, used) * MEDIA_BLOCK_SIZE, block, sizeof(block));
}

static void strike_file(
	struct cluster *c, uint32_t shard, const char *name, enum media_strike strike)
{
	struct sim_disk *disk = c->shards[shard].disk;
	const char *folder = c->plan.server.directory;
	const uint64_t size = media_file_size(c, shard, name);
	const uint64_t part = strike == MEDIA_CUT && rng_below(&c->rng_media, 2) == 0 ? 8 : 1;
	switch (strike) {
	case MEDIA_BIT:
		/* Files are mostly zeroes: half of the flips are where something is written. */
		if (size > 0)
			flip(c, shard, name, 0,
				rng_below(&c->rng_media, 2) == 0 ? size : KR_MIN(size, 32768));
		break;
	case MEDIA_ZEROES:
	case MEDIA_ASTRAY:
		block_write(c, shard, name, strike == MEDIA_ZEROES);
		break;
	case MEDIA_CUT:
		/* half of the time where something is written */
		if (size > 0)
			sim_media_truncate(disk, folder, name,
				rng_below(&c->rng_media, KR_MAX(1, size / part)));
		break;
	case MEDIA_LONGER:
		sim_disk_capacity_set(disk, 0);
		sim_media_truncate(disk, folder, name,
			size + 1 + rng_below(&c->rng_media, UINT64_C(4) * MEDIA_BLOCK_SIZE));
		break;
	default:
		sim_media_remove(disk, folder, name);
		break;
	}
}

bool media_is_segment(const char *name)
{
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	return parsed.kind == LOG_DIR_SEGMENT;
}

bool media_is_snapshot(const char *name)
{
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	return parsed.kind == LOG_DIR_SNAP;
}

/* Newest last, as names go. MEDIA_FILES_MAX: there is none. */
static uint32_t newest_snapshot(const struct media_files *files)
{
	for (uint32_t i = files->count; i > 0; i--)
		if (media_is_snapshot(files->names[i - 1]))
			return i - 1;
	return MEDIA_FILES_MAX;
}

bool media_files_have(const struct media_files *files, const char *name)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (strcmp(files->names[i], name) == 0)
			return true;
	return false;
}

/* Somebody restores a snapshot of long ago, and only that. */
static bool strike_old_snapshot(struct cluster *c, uint32_t shard, const struct media_files *files)
{
	const struct saved *k = &kept[shard];
	struct sim_disk *disk = c->shards[shard].disk;
	const char *folder = c->plan.server.directory;
	if (k->size_bytes == 0 || media_files_have(files, k->name))
		return false;
	media_save(c, shard, MEDIA_REACH_FILE);
	sim_disk_capacity_set(disk, 0);
	for (uint32_t i = 0; i < files->count; i++)
		if (media_is_snapshot(files->names[i]))
			sim_media_remove(disk, folder, files->names[i]);
	sim_media_write(disk, folder, k->name, 0, k->bytes, k->size_bytes);
	return true;
}

static bool strike_any(struct cluster *c, uint32_t shard, enum media_strike strike,
	const struct media_files *files)
{
	uint32_t at = (uint32_t)rng_below(&c->rng_media, files->count);
	const bool is_log = (strike == MEDIA_MISSING || strike == MEDIA_CUT) &&
			    rng_below(&c->rng_media, 3) != 0;
	for (uint32_t i = 0; is_log && i < files->count && !media_is_segment(files->names[at]); i++)
		at = (at + 1) % files->count;
	if (strike == MEDIA_NO_SNAP)
		at = newest_snapshot(files);
	if (at == MEDIA_FILES_MAX)
		return false;
	media_save(c, shard, strike >= MEDIA_MISSING ? MEDIA_REACH_FILE : MEDIA_REACH_FAULT);
	strike_file(c, shard, files->names[at], strike);
	cluster_tell(c, "shard %u: %s", shard, files->names[at]);
	return true;
}

/* Few logs are long enough for a snapshot to be an old one: then it is often that. */
static enum media_strike strike_draw(
	struct cluster *c, uint32_t shard, const struct media_files *files)
{
	const enum media_strike drawn =
		MEDIA_BIT + (enum media_strike)rng_below(&c->rng_media, MEDIA_STALE - MEDIA_BIT);
	const bool is_old =
		kept[shard].size_bytes > 0 && !media_files_have(files, kept[shard].name);
	kr_assert(drawn < MEDIA_STRIKES);
	return is_old && rng_below(&c->rng_media, 2) == 0 ? MEDIA_OLD_SNAP : drawn;
}

static void strike_rest(struct cluster *c, uint32_t shard)
{
	struct media_files files;
	media_files_list(c, shard, &files);
	if (files.count == 0)
		return;
	const enum media_strike strike = strike_draw(c, shard, &files);
	const uint32_t newest = newest_snapshot(&files);
	if (newest != MEDIA_FILES_MAX && kept[shard].size_bytes == 0)
		keep_snapshot(c, shard, files.names[newest]);
	const bool is_struck = strike == MEDIA_OLD_SNAP ? strike_old_snapshot(c, shard, &files)
							: strike_any(c, shard, strike, &files);
	if (!is_struck)
		return;
	c->strikes[strike]++;
	cluster_tell(c, "shard %u: %s", shard, media_strike_name(strike));
	cluster_damaged(c, shard, strike >= MEDIA_MISSING ? MEDIA_REACH_FILE : MEDIA_REACH_FAULT);
}

void media_strike(struct cluster *c, uint32_t shard)
{
	if (!c->is_media_on)
		return;
	if (rng_below(&c->rng_media, 100) < c->plan.strike_tail)
		strike_tail(c, shard);
	if (rng_below(&c->rng_media, 400) < c->plan.strike_tail)
		media_strike_stale(c, shard);
	else if (rng_below(&c->rng_media, 400) < c->plan.strike_tail)
		media_strike_hole(c, shard);
	if (rng_below(&c->rng_media, 100) >= c->plan.strike_rest)
		return;
	const uint64_t kind = rng_below(&c->rng_media, 16);
	if (kind < 3)
		strike_recent(c, shard);
	else if (kind < 8)
		media_strike_aimed(c, shard);
	else if (kind < 10)
		media_strike_forged(c, shard);
	else
		strike_rest(c, shard);
}

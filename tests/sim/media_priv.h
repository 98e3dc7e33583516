/* What media*.c share: the directory of a dead shard. */
#ifndef TESTS_SIM_MEDIA_PRIV_H
#define TESTS_SIM_MEDIA_PRIV_H

#include "engine/log/batch.h"
#include "engine/log/dir.h"
#include "tests/sim/media.h"

#define MEDIA_FILES_MAX 64u
#define MEDIA_BLOCK_SIZE LOG_BLOCK_SIZE

/* In the order of their names. */
struct media_files {
	char names[MEDIA_FILES_MAX][LOG_DIR_NAME_SIZE];
	uint32_t count;
};

void media_files_list(struct cluster *cluster, uint32_t shard, struct media_files *ret);
bool media_files_have(const struct media_files *files, const char *name);
uint64_t media_file_size(struct cluster *cluster, uint32_t shard, const char *name);
bool media_is_segment(const char *name);
bool media_is_snapshot(const char *name);
/* Before the first strike since a start all files are kept; each adds what it may take. */
void media_save(struct cluster *cluster, uint32_t shard, uint32_t reach);
/* Where the acknowledged log ends, if its process had come so far: in that segment. */
const struct log_writer_point *media_acked(
	const struct cluster *cluster, uint32_t shard, struct log_dir_text *ret_segment);

/* Aimed at what chance seldom hits. */
void media_strike_stale(struct cluster *cluster, uint32_t shard);
void media_strike_aimed(struct cluster *cluster, uint32_t shard);
/* Summed right. */
void media_strike_hole(struct cluster *cluster, uint32_t shard);
void media_strike_forged(struct cluster *cluster, uint32_t shard);

#endif

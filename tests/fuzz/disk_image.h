/*
 * Segments of a log and snapshots as an input says, with the checksums that such bytes would have:
 * so that what is changed gets behind them.
 */
#ifndef TESTS_FUZZ_DISK_IMAGE_H
#define TESTS_FUZZ_DISK_IMAGE_H

#include "base/bytes.h"
#include "engine/log/batch.h"

#define DISK_SEGMENTS 3u
#define DISK_SEGMENT_BLOCKS 8u
#define DISK_SEGMENT_SIZE (DISK_SEGMENT_BLOCKS * LOG_BLOCK_SIZE)

struct disk_image {
	_Alignas(64) uint8_t bytes[DISK_SEGMENTS][DISK_SEGMENT_SIZE];
	uint8_t bad[DISK_SEGMENTS][DISK_SEGMENT_BLOCKS]; /* cannot be read */
};

/*
 * A u8 for each block: bits 0 and 1: 0 zeroes, 1 the next 160 bytes of the input, 2 and 3 a batch
 * that continues the log, with a u16 size of its body; bit 2: it cannot be read. Of batches: bit 3:
 * with a field changed (u8 which, u8 by how much, less 4); bits 3 and 4: the next one continues the
 * one before; bit 5: the next one says that one more is durable; bit 6: a byte is damaged (u16
 * where, u8 how).
 */
void disk_image_log_make(
	struct disk_image *disk, const struct log_lineage *lineage, struct kr_reader *input);

/* Sums header, chunks while there are any, and footer of a snapshot anew. */
void disk_image_snap_sum(uint8_t *file, size_t size_bytes);

#endif

/*
 * The scan of a log: what its end is, and what a start has to cut.
 *
 * Held: the scan ends after a bounded number of steps, asks only for what is there, and hands out
 * batches without a gap in number, LSN and chain, which end where the result says; where it says
 * CUT, the log after the cut is scanned to the same end, and nothing more is to be cut.
 *
 * Input: blocks of three segments, a u8 each: what lies there; see disk_image.h.
 */
#include <string.h>

#include "engine/log/scan.h"
#include "tests/fuzz/disk_image.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MAX 1000u

static const struct log_lineage lineage = {.cluster = 0xc1, .shard = 3};
static struct disk_image disk;

static struct log_scan_result scan_all(uint32_t count)
{
	static struct log_segment segments[DISK_SEGMENTS];
	static struct log_scan scan;
	struct log_scan_event event;
	uint64_t seq = 1, lsn = 1, chain = LOG_GENESIS_CHAIN;
	for (uint32_t i = 0; i < count; i++)
		segments[i] =
			(struct log_segment){.number = i + 1, .size_bytes = DISK_SEGMENT_SIZE};
	const struct log_scan_config config = {.lineage = lineage,
		.segment_size_bytes = DISK_SEGMENT_SIZE,
		.segments = segments,
		.segment_count = count};
	log_scan_init(&scan, &config);
	for (uint32_t i = 0; i < STEPS_MAX; i++) {
		enum log_scan_step step = log_scan_next(&scan, &event);
		if (step == LOG_SCAN_DONE) {
			kr_assert(scan.result.verdict < LOG_VERDICT_COUNT);
			kr_assert(
				scan.result.end.next_seq == seq && scan.result.end.chain == chain);
			kr_assert(scan.result.end.next_lsn == lsn);
			return scan.result;
		}
		uint64_t at = event.segment - 1;
		kr_assert(at < count && event.offset_bytes < DISK_SEGMENT_SIZE);
		if (step == LOG_SCAN_NEED) {
			kr_assert(event.size_bytes <= DISK_SEGMENT_SIZE - event.offset_bytes);
			log_scan_feed(&scan, disk.bytes[at] + event.offset_bytes,
				disk.bad[at] + event.offset_bytes / LOG_BLOCK_SIZE);
			continue;
		}
		kr_assert(event.header->batch_seq == seq++ && event.header->first_lsn == lsn);
		kr_assert(event.header->prev_chain == chain);
		kr_assert(event.body + event.header->body_size_bytes <=
			  disk.bytes[at] + DISK_SEGMENT_SIZE);
		lsn += event.header->count;
		chain = event.header->header_checksum;
	}
	kr_unreachable();
}

static uint32_t cut(const struct log_cut *cut)
{
	uint32_t count = cut->rename_first != 0 ? (uint32_t)cut->rename_first - 1 : DISK_SEGMENTS;
	kr_assert(cut->is_needed && cut->segment >= 1 && cut->segment <= count);
	kr_assert(cut->rename_first == 0 || cut->rename_last == DISK_SEGMENTS);
	memset(disk.bytes[cut->segment - 1] + cut->offset_bytes, 0,
		DISK_SEGMENT_SIZE - cut->offset_bytes);
	/* Writing makes a block readable. */
	memset(disk.bad[cut->segment - 1] + cut->offset_bytes / LOG_BLOCK_SIZE, 0,
		DISK_SEGMENT_BLOCKS - cut->offset_bytes / LOG_BLOCK_SIZE);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	kr_reader_init(&input, data, size_bytes);
	disk_image_log_make(&disk, &lineage, &input);
	struct log_scan_result result = scan_all(DISK_SEGMENTS);
	if (log_verdict_class(result.verdict) != LOG_VERDICT_CUT)
		return 0;
	struct log_scan_result again = scan_all(cut(&result.cut));
	kr_assert(log_verdict_class(again.verdict) == LOG_VERDICT_START && !again.cut.is_needed);
	kr_assert(again.end.next_seq == result.end.next_seq);
	kr_assert(again.end.next_lsn == result.end.next_lsn);
	return 0;
}

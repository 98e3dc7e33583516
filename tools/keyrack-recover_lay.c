#include "tools/keyrack-recover_lay.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/record.h"

#define ZERO_SIZE (1u << 20)

struct writer {
	struct log_store *store;
	const struct lay *lay;
	struct shard *shard;
	struct kr_memory memory; /* LOG_SNAP_WINDOW_SIZE, aligned */
	struct io_file file;
	uint64_t offset_bytes;
	struct log_snap_sums sums;
	struct log_snap_header snap;
	struct log_batch_header batch;
};

static uint64_t time_of(const struct writer *writer)
{
	struct inv_counts counts;
	inv_counts_get(shard_inventory(writer->shard), &counts);
	kr_assert(writer->lay->last_lsn > 0);
	return counts.last_t_us;
}

static int put(struct writer *writer, const void *bytes, size_t size_bytes)
{
	int r = io_file_write_now(&writer->file, bytes, size_bytes, writer->offset_bytes);
	kr_assert(size_bytes > 0);
	writer->offset_bytes += size_bytes;
	return r;
}

static int make(struct writer *writer, const char *name)
{
	writer->offset_bytes = 0;
	kr_assert(name[0] != '\0');
	return io_file_open(&writer->store->directory, &writer->file, name,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_EXCLUSIVE);
}

static int finish(struct writer *writer, int r)
{
	if (r == 0)
		r = io_file_sync_now(&writer->file);
	io_file_close(&writer->file);
	kr_assert(r <= 0);
	return r;
}

/* ---- the snapshot ---- */

static int on_chunk(void *context, const struct log_snap_chunk *from, const uint8_t *body)
{
	struct writer *writer = context;
	struct log_snap_chunk chunk = *from;
	uint32_t size = log_snap_chunk_size(chunk.body_size_bytes);
	kr_assert(size <= LOG_SNAP_WINDOW_SIZE);
	log_snap_chunk_encode(&chunk, body, &writer->sums, writer->memory.base);
	return put(writer, writer->memory.base, size);
}

static int put_footer(struct writer *writer)
{
	struct inv_counts counts;
	inv_counts_get(shard_inventory(writer->shard), &counts);
	struct log_snap_footer footer = {
		.timestamp_us = time_of(writer),
		.counts = {counts.hotels, counts.rows, counts.reservations, counts.holds},
	};
	uint8_t *at = writer->memory.base;
	log_snap_footer_encode(&footer, &writer->snap, &writer->sums, at);
	uint64_t end = log_block_round(writer->offset_bytes + LOG_SNAP_FOOTER_SIZE);
	uint64_t size = end - writer->offset_bytes;
	kr_assert(size <= LOG_SNAP_FOOTER_SIZE + LOG_BLOCK_SIZE);
	memset(at + LOG_SNAP_FOOTER_SIZE, 0, size - LOG_SNAP_FOOTER_SIZE);
	return put(writer, at, size);
}

static int write_snapshot(struct writer *writer, struct log_dir_text *name)
{
	const struct lay *lay = writer->lay;
	writer->snap = (struct log_snap_header){
		.cluster = lay->meta.cluster,
		.shard = lay->meta.shard,
		.shard_count = lay->meta.shard_count,
		.slot_first = lay->meta.slot_first,
		.slot_count = lay->meta.slot_count,
		.epoch = lay->epoch + 1,
		.begin_lsn = lay->last_lsn,
		.timestamp_us = time_of(writer),
	};
	log_dir_snap_name(lay->last_lsn, name);
	int r = make(writer, name->bytes);
	if (r < 0)
		return r;
	log_snap_header_encode(&writer->snap, &writer->sums, writer->memory.base);
	r = put(writer, writer->memory.base, LOG_SNAP_HEADER_SIZE);
	if (r == 0)
		r = shard_export(writer->shard, lay->last_lsn, on_chunk, writer);
	if (r == 0)
		r = put_footer(writer);
	kr_assert(r <= 0);
	return finish(writer, r);
}

/* ---- the log ---- */

/* One batch of one effect: the digest of the state that the snapshot shows. */
static uint32_t encode_batch(struct writer *writer)
{
	const struct lay *lay = writer->lay;
	struct record_writer records;
	struct inv_effect effect = {
		.kind = INV_EFFECT_DIGEST,
		.lsn = lay->last_lsn + 1,
		.t_us = time_of(writer),
		.u.digest.state_digest = shard_digest(writer->shard),
	};
	uint8_t *batch = writer->memory.base;
	record_writer_init(&records, batch + LOG_BATCH_HEADER_SIZE, LOG_BLOCK_SIZE);
	int r = record_put(&records, &effect);
	kr_assert(r == 0);
	writer->batch = (struct log_batch_header){
		.cluster = lay->meta.cluster,
		.shard = lay->meta.shard,
		/* Not the next number: copies of the old log are no part of this one. */
		.segment = lay->segment + 2,
		.epoch = lay->epoch + 1,
		.term = lay->term,
		.batch_seq = lay->last_seq + 1,
		.first_lsn = lay->last_lsn + 1,
		.timestamp_us = time_of(writer),
		.durable_seq = lay->last_seq,
		.body_size_bytes = (uint32_t)record_writer_finish(&records),
		.count = 1,
	};
	uint64_t chain = log_batch_seal(&writer->batch, batch);
	kr_assert(chain == writer->batch.header_checksum);
	return log_batch_size(writer->batch.body_size_bytes);
}

static int write_segment(struct writer *writer, struct log_dir_text *name)
{
	uint64_t size = (uint64_t)writer->lay->meta.segment_blocks * LOG_BLOCK_SIZE;
	uint32_t batch_size = encode_batch(writer);
	log_dir_segment_name(writer->batch.segment, name);
	int r = make(writer, name->bytes);
	if (r < 0)
		return r;
	kr_assert(batch_size <= size);
	r = put(writer, writer->memory.base, batch_size);
	memset(writer->memory.base, 0, ZERO_SIZE);
	while (r == 0 && writer->offset_bytes < size)
		r = put(writer, writer->memory.base,
			KR_MIN(size - writer->offset_bytes, ZERO_SIZE));
	return finish(writer, r);
}

static int write_mark(struct writer *writer, struct log_dir_text *name)
{
	const struct log_batch_header *batch = &writer->batch;
	struct log_mark mark = {
		.shard = batch->shard,
		.cluster = batch->cluster,
		.epoch = batch->epoch,
		.term = batch->term,
		.durable_seq = batch->batch_seq,
		.durable_lsn = batch->first_lsn,
		.chain = batch->header_checksum,
		.segment = batch->segment,
		.end_block = log_batch_size(batch->body_size_bytes) / LOG_BLOCK_SIZE,
		.timestamp_us = batch->timestamp_us,
	};
	*name = (struct log_dir_text){.bytes = LOG_DIR_MARK};
	int r = make(writer, name->bytes);
	if (r < 0)
		return r;
	/* Block g & 1 of the file: first the one at 0, of generation 2, then 3. */
	for (mark.generation = 2; r == 0 && mark.generation <= 3; mark.generation++) {
		log_mark_encode(&mark, writer->memory.base);
		r = put(writer, writer->memory.base, LOG_BLOCK_SIZE);
	}
	kr_assert(r <= 0);
	return finish(writer, r);
}

static int write_meta(struct writer *writer, struct log_dir_text *name)
{
	struct log_meta meta = writer->lay->meta;
	*name = (struct log_dir_text){.bytes = LOG_DIR_SHARD};
	int r = make(writer, name->bytes);
	if (r < 0)
		return r;
	log_meta_encode(&meta, writer->memory.base);
	r = put(writer, writer->memory.base, LOG_BLOCK_SIZE);
	kr_assert(r <= 0);
	return finish(writer, r);
}

static int write_all(struct writer *writer, struct log_dir_text *name)
{
	int r = write_snapshot(writer, name);
	if (r == 0)
		r = write_segment(writer, name);
	if (r == 0)
		r = write_mark(writer, name);
	if (r == 0)
		r = io_directory_sync_now(&writer->store->directory);
	if (r == 0)
		r = write_meta(writer, name);
	kr_assert(r <= 0);
	return r == 0 ? io_directory_sync_now(&writer->store->directory) : r;
}

int lay_out(struct log_store *store, const struct lay *lay, struct shard *shard,
	struct kr_error_text *text)
{
	struct writer writer = {.store = store, .lay = lay, .shard = shard};
	struct log_dir_text name = {0};
	kr_assert(store->is_locked && lay->last_lsn >= shard_last_lsn(shard));
	int r = kr_memory_reserve(
		&writer.memory, LOG_SNAP_WINDOW_SIZE, 0, io_loop_faults(store->loop), text);
	if (r < 0)
		return r;
	r = write_all(&writer, &name);
	kr_memory_release(&writer.memory);
	if (r < 0)
		return kr_error_text_set(
			text, r, writer.file.errno_number, "writing the file %s", name.bytes);
	return 0;
}

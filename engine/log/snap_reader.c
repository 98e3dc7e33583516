#include "engine/log/snap_reader.h"

#include <string.h>

#include "base/bytes.h"
#include "engine/log/snap_check.h"

enum phase { PHASE_HEADER, PHASE_CHUNKS, PHASE_DONE };

/* The largest chunk, wherever it starts in a block, lies in one window. */
kr_static_assert(LOG_SNAP_WINDOW_SIZE >= LOG_SNAP_BODY_SIZE_MAX + 3 * LOG_BLOCK_SIZE, "fits");
kr_static_assert(LOG_SNAP_WINDOW_SIZE % LOG_BLOCK_SIZE == 0, "whole blocks");

void log_snap_reader_init(struct log_snap_reader *reader, const struct log_lineage *lineage,
	uint64_t name_lsn, uint64_t file_size_bytes)
{
	kr_assert(lineage->cluster != 0);
	memset(reader, 0, sizeof(*reader));
	reader->lineage = *lineage;
	reader->name_lsn = name_lsn;
	reader->file_size_bytes = file_size_bytes;
	reader->phase = PHASE_HEADER;
}

static enum log_snap_step finish(struct log_snap_reader *reader, enum log_snap_status status)
{
	kr_assert(reader->phase != PHASE_DONE);
	reader->phase = PHASE_DONE;
	reader->status = status;
	reader->bad_offset_bytes = status == LOG_SNAP_OK ? 0 : reader->sums.size_bytes;
	return LOG_SNAP_DONE;
}

/* `size_bytes` at `offset`, or NULL when they are not in the window. */
static const uint8_t *window_at(
	const struct log_snap_reader *reader, uint64_t offset, uint32_t size_bytes)
{
	kr_assert(size_bytes <= LOG_SNAP_WINDOW_SIZE - LOG_BLOCK_SIZE);
	if (reader->window == NULL || offset < reader->window_offset_bytes)
		return NULL;
	uint64_t at = offset - reader->window_offset_bytes;
	if (at > reader->window_size_bytes || reader->window_size_bytes - at < size_bytes)
		return NULL;
	return reader->window + at;
}

/* Asks for a window that begins with the block of `offset`; the caller knows the file reaches. */
static enum log_snap_step need(
	struct log_snap_reader *reader, uint64_t offset, struct log_snap_event *ret_event)
{
	uint64_t begin = offset & ~(uint64_t)(LOG_BLOCK_SIZE - 1);
	uint64_t left = reader->file_size_bytes - begin;
	kr_assert(offset < reader->file_size_bytes && left >= LOG_BLOCK_SIZE);
	reader->window = NULL;
	reader->window_offset_bytes = begin;
	reader->window_size_bytes = (uint32_t)KR_MIN(left, LOG_SNAP_WINDOW_SIZE);
	ret_event->offset_bytes = begin;
	ret_event->size_bytes = reader->window_size_bytes;
	kr_assert(ret_event->size_bytes % LOG_BLOCK_SIZE == 0);
	return LOG_SNAP_NEED;
}

static enum log_snap_step step_header(
	struct log_snap_reader *reader, struct log_snap_event *ret_event)
{
	uint64_t size = reader->file_size_bytes;
	kr_assert(reader->phase == PHASE_HEADER);
	if (size < LOG_BLOCK_SIZE || size % LOG_BLOCK_SIZE != 0)
		return finish(reader, LOG_SNAP_BAD_SIZE);
	const uint8_t *bytes = window_at(reader, 0, LOG_BLOCK_SIZE);
	if (bytes == NULL)
		return need(reader, 0, ret_event);
	enum log_snap_status status = log_snap_header_check(bytes, &reader->header, &reader->sums);
	if (status == LOG_SNAP_BAD_VERSION)
		reader->version = reader->header.format_version;
	if (status != LOG_SNAP_OK)
		return finish(reader, status);
	const struct log_snap_header *header = &reader->header;
	if (header->cluster != reader->lineage.cluster || header->shard != reader->lineage.shard ||
		header->begin_lsn != reader->name_lsn)
		return finish(reader, LOG_SNAP_FOREIGN);
	reader->phase = PHASE_CHUNKS;
	return log_snap_reader_next(reader, ret_event);
}

/* The file ends with the block the footer ends in, and holds nothing behind it. */
static enum log_snap_step step_footer(struct log_snap_reader *reader, const uint8_t *bytes)
{
	struct log_snap_footer footer;
	if (!log_snap_footer_check(bytes, &reader->header, &reader->sums, &footer))
		return finish(reader, LOG_SNAP_BAD_FOOTER);
	uint64_t end = log_block_round(footer.size_bytes);
	kr_assert(end >= footer.size_bytes);
	if (end != reader->file_size_bytes)
		return finish(reader, LOG_SNAP_BAD_SIZE);
	const uint8_t *rest = bytes + LOG_SNAP_FOOTER_SIZE;
	if (!log_block_is_zero(rest, (uint32_t)(end - footer.size_bytes)))
		return finish(reader, LOG_SNAP_BAD_SIZE);
	reader->footer = footer;
	return finish(reader, LOG_SNAP_OK);
}

static enum log_snap_step step_chunk(
	struct log_snap_reader *reader, const uint8_t *head, struct log_snap_event *ret_event)
{
	uint64_t offset = reader->sums.size_bytes;
	uint64_t left = reader->file_size_bytes - offset;
	if (!log_snap_chunk_head_check(head, &reader->sums, &reader->chunk))
		return finish(reader, LOG_SNAP_BAD_CHUNK);
	uint32_t size = log_snap_chunk_size(reader->chunk.body_size_bytes);
	kr_assert(size <= LOG_SNAP_WINDOW_SIZE - LOG_BLOCK_SIZE);
	if (size > left)
		return finish(reader, LOG_SNAP_BAD_SIZE);
	const uint8_t *bytes = window_at(reader, offset, size);
	if (bytes == NULL)
		return need(reader, offset, ret_event);
	if (!log_snap_chunk_body_check(bytes, &reader->chunk, &reader->sums))
		return finish(reader, LOG_SNAP_BAD_CHUNK);
	ret_event->chunk = &reader->chunk;
	ret_event->body = bytes + LOG_SNAP_CHUNK_HEADER_SIZE;
	ret_event->offset_bytes = offset;
	ret_event->size_bytes = size;
	return LOG_SNAP_CHUNK;
}

static enum log_snap_step step_chunks(
	struct log_snap_reader *reader, struct log_snap_event *ret_event)
{
	uint64_t offset = reader->sums.size_bytes;
	kr_assert(reader->phase == PHASE_CHUNKS && offset >= LOG_SNAP_HEADER_SIZE);
	uint64_t left = reader->file_size_bytes - offset;
	if (left < 8)
		return finish(reader, LOG_SNAP_BAD_SIZE);
	/* Two blocks hold any head; the rest of a footer's block is wanted with it. */
	uint32_t size = (uint32_t)KR_MIN(left, 2 * LOG_BLOCK_SIZE);
	const uint8_t *bytes = window_at(reader, offset, size);
	if (bytes == NULL)
		return need(reader, offset, ret_event);
	uint64_t magic = kr_load_u64(bytes);
	if (magic == LOG_SNAP_END_MAGIC && left >= LOG_SNAP_FOOTER_SIZE)
		return step_footer(reader, bytes);
	if (magic == LOG_SNAP_CHUNK_MAGIC && left >= LOG_SNAP_CHUNK_HEADER_SIZE)
		return step_chunk(reader, bytes, ret_event);
	return finish(reader, LOG_SNAP_BAD_CHUNK);
}

enum log_snap_step log_snap_reader_next(
	struct log_snap_reader *reader, struct log_snap_event *ret_event)
{
	memset(ret_event, 0, sizeof(*ret_event));
	switch (reader->phase) {
	case PHASE_HEADER:
		return step_header(reader, ret_event);
	case PHASE_CHUNKS:
		return step_chunks(reader, ret_event);
	default:
		kr_assert(reader->phase == PHASE_DONE);
		return LOG_SNAP_DONE;
	}
}

void log_snap_reader_feed(struct log_snap_reader *reader, const uint8_t *data)
{
	kr_assert(reader->phase != PHASE_DONE);
	kr_assert(reader->window == NULL && reader->window_size_bytes != 0);
	if (data == NULL)
		finish(reader, LOG_SNAP_UNREADABLE);
	reader->window = data;
}

#include "engine/inventory/product.h"
#include "engine/inventory/records.h"

/*
 * A record's canonical bytes, in a chunk and under the digest. CHUNK.md gives them; they hold
 * values, never places: a type's number for its row, runs for nodes.
 */

#define INV_RECORD_HEAD_SIZE_MAX (16u + 8u + 1u + 1u + 5u + 3u * 8u + 10u + 5u + 16u + 8u + 1u)
#define INV_LINE_SIZE_MAX (3u + 3u + 5u + 3u + 3u + 3u + 3u + 1u + 3u)
#define INV_RUN_SIZE_MAX (3u + 6u)
#define INV_TEXTS_SIZE_MAX (2u * (1u + INV_TEXT_SIZE_MAX))
#define INV_RECORD_SIZE_MAX                                                                        \
	(INV_RECORD_HEAD_SIZE_MAX + INV_LINES_MAX * (INV_LINE_SIZE_MAX + INV_TERMS_SIZE_MAX) +     \
		INV_STAY_NIGHTS_MAX * INV_RUN_SIZE_MAX + INV_TEXTS_SIZE_MAX)

/* ---- saving ---- */

static void inv_record_save_head(
	const struct inv *inv, const struct inv_record *record, struct kr_writer *writer)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	kr_assert(record->state >= INV_HELD && record->state <= INV_VOID);
	kr_writer_u64(writer, record->id.hi);
	kr_writer_u64(writer, record->id.lo);
	kr_writer_u64(writer, record->fingerprint);
	kr_writer_u8(writer, record->state);
	kr_writer_u8(writer, record->flags & INV_RECORD_KEPT);
	kr_writer_varint(writer, record->revision);
	kr_writer_u64(writer, record->created_at_us);
	kr_writer_u64(writer, record->changed_at_us);
	kr_writer_u64(writer, record->expires_at_us);
	kr_writer_varint(writer, record->event_seq);
	kr_writer_varint(writer, record->source);
	kr_writer_u64(writer, record->guest.hi);
	kr_writer_u64(writer, record->guest.lo);
	if (record->flags & INV_RECORD_CHANGED)
		kr_writer_u64(writer, inv_record_change_id(inv, record));
	kr_writer_u8(writer, record->line_count);
}

static void inv_line_save(
	const struct inv_line *line, int16_t counted_nights, struct kr_writer *writer)
{
	kr_assert(line->check_out > line->check_in);
	kr_assert(line->run_count == 0 || line->runs != NULL);
	kr_writer_varint(writer, line->type);
	kr_writer_varint(writer, line->plan);
	kr_writer_zigzag(writer, line->check_in);
	kr_writer_varint(writer, (uint64_t)(line->check_out - line->check_in));
	kr_writer_varint(writer, line->rooms);
	kr_writer_varint(writer, line->guests);
	kr_writer_varint(writer, (uint64_t)counted_nights);
	kr_writer_u8(writer, inv_line_pricing_byte(line));
	kr_writer_varint(writer, line->run_count);
	for (uint32_t i = 0; i < line->run_count; i++) {
		kr_writer_varint(writer, line->runs[i].nights);
		kr_writer_varint(writer, line->runs[i].price_minor);
	}
	if (line->tier_count > 0)
		inv_line_terms_put(writer, line);
}

static void inv_text_save(struct inv_text text, struct kr_writer *writer)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(text.bytes != NULL);
	kr_writer_u8(writer, (uint8_t)text.size_bytes);
	kr_writer_bytes(writer, text.bytes, text.size_bytes);
}

void inv_record_save(const struct inv *inv, uint32_t r, struct kr_writer *writer)
{
	const struct inv_record *record = inv_record_at(inv, r);
	struct inv_scratch *scratch = inv_scratch(inv);
	struct inv_record_line kept[INV_LINES_MAX];
	char bytes[INV_TEXT_SIZE_MAX];
	uint32_t line_count = inv_record_lines(inv, record, kept);
	kr_assert(line_count == record->line_count);
	inv_record_save_head(inv, record, writer);
	(void)inv_record_unpack(inv, record, scratch->read_lines, scratch->read_runs);
	for (uint32_t i = 0; i < line_count; i++) {
		kr_assert(kept[i].counted_nights >= 0);
		inv_line_save(&scratch->read_lines[i], kept[i].counted_nights, writer);
	}
	inv_text_save(inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, bytes), writer);
	inv_text_save(inv_record_text(inv, record, INV_NODE_PAYMENT_REF, bytes), writer);
}

uint32_t inv_record_size_max(const struct inv *inv, uint32_t r)
{
	const struct inv_record *record = inv_record_at(inv, r);
	uint32_t size = INV_RECORD_HEAD_SIZE_MAX + INV_LINE_SIZE_MAX + 2 +
			inv_word_run_count(record->first_runs) * INV_RUN_SIZE_MAX;
	for (uint32_t n = record->more; n != INV_NONE; n = inv_nodes(inv)[n].next) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		kr_assert(node->kind != 0);
		if (node->kind == INV_NODE_LINE)
			size += INV_LINE_SIZE_MAX;
		else if (node->kind == INV_NODE_TERMS)
			size += INV_TERMS_SIZE_MAX;
		else if (node->kind != INV_NODE_RUNS)
			size += node->size;
		else
			for (uint32_t i = 0; i < node->size; i++)
				size += inv_word_run_count(node->u.runs[i]) * INV_RUN_SIZE_MAX;
	}
	kr_assert(size <= INV_RECORD_SIZE_MAX);
	return size;
}

uint64_t inv_record_hash(const struct inv *inv, uint32_t r)
{
	uint8_t bytes[INV_RECORD_SIZE_MAX];
	struct kr_writer writer;
	kr_writer_init(&writer, bytes, sizeof(bytes));
	inv_record_save(inv, r, &writer);
	kr_assert(!writer.failed);
	kr_assert(kr_writer_size(&writer) <= inv_record_size_max(inv, r));
	return hash_64(bytes, kr_writer_size(&writer));
}

/* ---- loading ---- */

struct inv_record_image {
	struct inv_record head; /* values only */
	uint64_t change_id;
	struct inv_line lines[INV_LINES_MAX];
	uint32_t products[INV_LINES_MAX];
	uint16_t counted_nights[INV_LINES_MAX];
	struct inv_tier tiers[INV_LINES_MAX][INV_TIERS_MAX];
	struct inv_text external_ref, payment_ref;
};

static void inv_record_load_head(
	struct kr_reader *reader, struct inv_record *record, uint64_t *ret_change_id)
{
	kr_assert(record != NULL);
	record->id.hi = kr_reader_u64(reader);
	record->id.lo = kr_reader_u64(reader);
	record->fingerprint = kr_reader_u64(reader);
	record->state = kr_reader_u8(reader);
	record->flags = kr_reader_u8(reader);
	record->revision = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	record->created_at_us = kr_reader_u64(reader);
	record->changed_at_us = kr_reader_u64(reader);
	record->expires_at_us = kr_reader_u64(reader);
	record->event_seq = kr_reader_varint(reader);
	record->source = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	record->guest.hi = kr_reader_u64(reader);
	record->guest.lo = kr_reader_u64(reader);
	bool changed = record->flags & INV_RECORD_CHANGED;
	*ret_change_id = changed ? kr_reader_u64(reader) : 0;
	record->line_count = kr_reader_u8(reader);
	if (record->state < INV_HELD || record->state > INV_VOID || record->revision == 0 ||
		(record->flags & ~INV_RECORD_KEPT) != 0 || changed != (*ret_change_id != 0) ||
		record->line_count > INV_LINES_MAX ||
		(record->line_count == 0) != (record->state == INV_VOID))
		kr_reader_fail(reader);
	kr_assert(reader->failed || record->revision > 0);
}

static void inv_line_load(struct kr_reader *reader, struct inv_line *line, uint16_t *counted_nights,
	struct inv_price_run *runs, uint32_t run_max, struct inv_tier *tiers)
{
	line->type = (uint16_t)kr_reader_varint_max(reader, INV_TYPE_NUMBER_MAX);
	line->plan = (uint16_t)kr_reader_varint_max(reader, INV_PLAN_NUMBER_MAX);
	int64_t check_in = kr_reader_zigzag(reader);
	uint64_t nights = kr_reader_varint_max(reader, INV_STAY_NIGHTS_MAX);
	line->rooms = (uint16_t)kr_reader_varint_max(reader, INV_LINE_ROOMS_MAX);
	line->guests = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	*counted_nights = (uint16_t)kr_reader_varint_max(reader, nights);
	uint8_t pricing = kr_reader_u8(reader);
	line->pricing = pricing & (uint8_t)~INV_LINE_TERMS;
	line->run_count = (uint16_t)kr_reader_varint_max(reader, run_max);
	line->runs = runs;
	uint64_t covered = 0;
	for (uint32_t i = 0; i < line->run_count; i++) {
		runs[i].nights = (uint16_t)kr_reader_varint_max(reader, INV_STAY_NIGHTS_MAX);
		runs[i].price_minor = kr_reader_varint_max(reader, RATE_PRICE_MAX);
		covered += runs[i].nights;
		if (runs[i].nights == 0)
			kr_reader_fail(reader);
	}
	if (pricing & INV_LINE_TERMS)
		inv_line_terms_get(reader, line, tiers);
	bool has_price = line->pricing != INV_PRICE_NONE;
	if (check_in < INV_DAY_MIN || check_in > INV_DAY_MAX || nights == 0 || line->rooms == 0 ||
		line->pricing > INV_PRICE_NONE || covered != (has_price ? nights : 0)) {
		kr_reader_fail(reader);
		return;
	}
	kr_assert(*counted_nights <= nights);
	line->check_in = (int32_t)check_in;
	line->check_out = (int32_t)(check_in + (int64_t)nights);
}

static struct inv_text inv_text_load(struct kr_reader *reader)
{
	uint8_t size = kr_reader_u8(reader);
	struct inv_text text = {.size_bytes = size};
	kr_assert(reader->at <= reader->end);
	text.bytes = kr_reader_bytes(reader, size);
	if (size > INV_TEXT_SIZE_MAX)
		kr_reader_fail(reader);
	if (reader->failed)
		text = (struct inv_text){0};
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	return text;
}

static void inv_record_load_image(
	const struct inv *inv, struct kr_reader *reader, struct inv_record_image *image)
{
	uint32_t used = 0;
	memset(image, 0, sizeof(*image));
	inv_record_load_head(reader, &image->head, &image->change_id);
	uint32_t line_count = reader->failed ? 0 : image->head.line_count;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		inv_line_load(reader, &image->lines[i], &image->counted_nights[i],
			inv_scratch(inv)->read_runs + used, INV_STAY_NIGHTS_MAX - used,
			image->tiers[i]);
		used += image->lines[i].run_count;
	}
	kr_assert(used <= INV_STAY_NIGHTS_MAX);
	image->external_ref = inv_text_load(reader);
	image->payment_ref = inv_text_load(reader);
}

/* NULL, or what does not go with the state it is loaded into. */
static const char *inv_record_image_wrong(
	const struct inv *inv, uint32_t hotel_index, struct inv_record_image *image)
{
	const struct inv_record *head = &image->head;
	bool counts = head->state == INV_HELD || inv_state_is_booked(head->state);
	kr_assert(head->revision > 0);
	if (inv_record_find(inv, hotel_index, head->id) != INV_NONE)
		return "a reservation is there twice";
	if (hotel_index == INV_NONE && head->state != INV_VOID)
		return "a reservation without a hotel";
	if (hotel_index == INV_NONE && image->external_ref.size_bytes != 0)
		return "a reference without a hotel";
	uint64_t total_minor = 0;
	for (uint32_t i = 0; i < head->line_count; i++) {
		const struct inv_line *line = &image->lines[i];
		int32_t nights = line->check_out - line->check_in;
		uint32_t row = inv_row_find(inv, hotel_index, line->type);
		if (row == INV_NONE)
			return "a line's room type is unknown";
		image->products[i] = inv_product_find(inv, row, line->plan);
		if (image->products[i] == INV_NONE)
			return "a line's rate plan is unknown";
		if (!inv_line_sum(line, &total_minor))
			return "the total leaves its range";
		if (counts && image->counted_nights[i] != nights)
			return "a live reservation does not count all its nights";
	}
	return NULL;
}

static void inv_record_load_counted(
	struct inv *inv, struct inv_record *record, const uint16_t *counted_nights)
{
	uint32_t line = 0;
	kr_assert(record->line_count > 0);
	record->counted_nights = (int16_t)counted_nights[0];
	for (uint32_t n = record->more; n != INV_NONE; n = inv_nodes(inv)[n].next) {
		struct inv_node *node = &inv_nodes(inv)[n];
		if (node->kind == INV_NODE_LINE)
			node->u.line.counted_nights = (int16_t)counted_nights[++line];
		kr_assert(line < record->line_count);
	}
}

static void inv_record_load_commit(
	struct inv *inv, uint32_t hotel_index, const struct inv_record_image *image)
{
	uint32_t r = inv_record_take(inv);
	kr_assert(r != INV_NONE);
	struct inv_record *record = inv_record_at(inv, r);
	*record = image->head;
	record->flags &= (uint8_t)~INV_RECORD_CHANGED;
	record->hotel_index = hotel_index;
	record->product = INV_NONE;
	record->heap_pos = INV_NONE;
	record->chain_next = INV_NONE;
	record->chain_prev = INV_NONE;
	record->more = INV_NONE;
	if (record->line_count > 0) {
		inv_record_put_lines(
			inv, record, image->lines, image->products, record->line_count, false);
		inv_record_load_counted(inv, record, image->counted_nights);
	}
	inv_record_put_text(inv, record, INV_NODE_EXTERNAL_REF, image->external_ref);
	inv_record_put_text(inv, record, INV_NODE_PAYMENT_REF, image->payment_ref);
	if (image->change_id != 0)
		inv_record_put_change(inv, record, image->change_id);
	inv_record_enter(inv, r);
	kr_assert(kr_id_equal(record->id, image->head.id));
}

/* Where the next record's id belongs, while this one is entered. What follows need not be one. */
static void inv_record_hint_next(const struct inv *inv, const struct kr_reader *reader)
{
	struct kr_reader next = *reader;
	struct kr_id id;
	id.hi = kr_reader_u64(&next);
	id.lo = kr_reader_u64(&next);
	if (!next.failed)
		inv_index_prefetch(&inv->record_index, inv_record_slots(inv), inv_id_tag(id));
}

int inv_record_load(struct inv *inv, uint32_t hotel_index, struct kr_reader *reader,
	struct inv_contradiction *ret)
{
	struct inv_record_image image;
	inv_record_load_image(inv, reader, &image);
	inv_record_hint_next(inv, reader);
	const char *wrong = reader->failed ? "a reservation is malformed"
					   : inv_record_image_wrong(inv, hotel_index, &image);
	kr_assert(ret != NULL);
	if (wrong != NULL) {
		*ret = (struct inv_contradiction){.what = wrong, .id = image.head.id};
		if (hotel_index != INV_NONE)
			ret->hotel.v = inv_hotel_at(inv, hotel_index)->id;
		return INV_CONTRADICTION;
	}
	uint32_t nodes =
		inv_text_node_count(image.external_ref) + inv_text_node_count(image.payment_ref);
	nodes += image.change_id != 0;
	if (image.head.line_count > 0)
		nodes += inv_lines_node_count(image.lines, image.head.line_count);
	if (inv_pool_left(&inv->record_pool) == 0 || inv_pool_left(&inv->node_pool) < nodes)
		return INV_NO_ROOM;
	inv_record_load_commit(inv, hotel_index, &image);
	kr_assert(inv->record_pool.used > 0);
	return 0;
}

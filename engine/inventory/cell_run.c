#include "engine/inventory/cell_run.h"

#include "engine/inventory/limit.h"

static uint8_t *inv_put_small_varint(uint8_t *at, uint32_t value)
{
	kr_assert(value < 1 << 14);
	if (value < 128) {
		*at = (uint8_t)value;
		return at + 1;
	}
	at[0] = (uint8_t)(value | 128);
	at[1] = (uint8_t)(value >> 7);
	return at + 2;
}

static uint8_t inv_cell_run_head(const struct inv_cell_run *run)
{
	struct cell_counter c = run->counter;
	uint8_t head = 0;
	if (c.limit < 0 || c.limit > UINT8_MAX || c.held > UINT8_MAX || c.booked > UINT8_MAX)
		head |= INV_CELL_RUN_WIDE_COUNTS;
	if ((run->price_minor | run->rate_flags) != 0)
		head |= INV_CELL_RUN_RATE;
	if (run->price_minor > UINT32_MAX)
		head |= INV_CELL_RUN_WIDE_PRICE;
	if (!inv_los_is_none(run->los))
		head |= INV_CELL_RUN_LOS;
	if ((run->los.min_arrival | run->los.max_arrival | run->los.min_through |
		    run->los.max_through) > UINT8_MAX)
		head |= INV_CELL_RUN_WIDE_LOS;
	kr_assert((c.flags & ~CELL_FLAG_MASK) == 0);
	kr_assert((run->rate_flags & ~RATE_FLAG_MASK) == 0);
	return head;
}

static uint8_t *inv_put_counts(uint8_t *at, struct cell_counter c, bool is_wide)
{
	kr_assert(is_wide || c.limit >= 0);
	if (is_wide) {
		kr_store_u16(at, (uint16_t)c.limit);
		kr_store_u16(at + 2, c.held);
		kr_store_u16(at + 4, c.booked);
		return at + 6;
	}
	at[0] = (uint8_t)c.limit;
	at[1] = (uint8_t)c.held;
	at[2] = (uint8_t)c.booked;
	return at + 3;
}

static uint8_t *inv_put_rate(uint8_t *at, const struct inv_cell_run *run, bool is_wide)
{
	kr_assert(run->price_minor <= RATE_PRICE_MAX);
	*at++ = run->rate_flags;
	kr_store_u32(at, (uint32_t)run->price_minor);
	at += 4;
	if (is_wide)
		*at++ = (uint8_t)(run->price_minor >> 32);
	return at;
}

static uint8_t *inv_put_los(uint8_t *at, struct los_class los, bool is_wide)
{
	kr_assert(!inv_los_is_none(los));
	kr_assert(is_wide || los.max_through <= UINT8_MAX);
	if (is_wide) {
		kr_store_u16(at, los.min_arrival);
		kr_store_u16(at + 2, los.max_arrival);
		kr_store_u16(at + 4, los.min_through);
		kr_store_u16(at + 6, los.max_through);
		return at + 8;
	}
	at[0] = (uint8_t)los.min_arrival;
	at[1] = (uint8_t)los.max_arrival;
	at[2] = (uint8_t)los.min_through;
	at[3] = (uint8_t)los.max_through;
	return at + 4;
}

/* Straight into the writer's memory: this runs for every night of a shard. */
static void inv_cell_run_put(struct kr_writer *writer, const struct inv_cell_run *run)
{
	uint8_t head = inv_cell_run_head(run);
	kr_assert(run->length > 0);
	if (writer->failed || kr_writer_left(writer) < INV_CELL_RUN_SIZE_MAX) {
		writer->failed = true;
		return;
	}
	uint8_t *at = inv_put_small_varint(writer->at, run->length);
	at = inv_put_small_varint(at, run->skipped);
	*at++ = head;
	*at++ = (uint8_t)run->counter.flags;
	at = inv_put_counts(at, run->counter, (head & INV_CELL_RUN_WIDE_COUNTS) != 0);
	if ((head & INV_CELL_RUN_RATE) != 0)
		at = inv_put_rate(at, run, (head & INV_CELL_RUN_WIDE_PRICE) != 0);
	if ((head & INV_CELL_RUN_LOS) != 0)
		at = inv_put_los(at, run->los, (head & INV_CELL_RUN_WIDE_LOS) != 0);
	kr_assert(at - writer->at <= (ptrdiff_t)INV_CELL_RUN_SIZE_MAX);
	writer->at = at;
}

static struct inv_cell_run inv_cell_run_of(
	const struct inv *inv, struct inv_words words, uint32_t skipped, uint32_t length)
{
	struct cell_rate rate = cell_rate_unpack(words.rate);
	kr_assert(length > 0);
	return (struct inv_cell_run){
		.skipped = skipped,
		.length = length,
		.counter = cell_counter_unpack(words.counter),
		.price_minor = rate.price_minor,
		.rate_flags = rate.flags,
		.los = inv_los_class(inv, rate.class_index),
	};
}

void inv_cell_runs_save(const struct inv *inv, uint32_t row_index, struct kr_writer *writer)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	const uint32_t window = inv->config.window_nights;
	const uint64_t untouched = inv_counter_default(row);
	uint32_t ring = inv_ring(inv, inv_hotel_at(inv, row->hotel_index)->first_day);
	uint32_t skipped = 0, length = 0;
	struct inv_words run = {.counter = untouched};
	kr_assert(row->kind == INV_ROW_TYPE);
	for (uint32_t n = 0; n < window; n++) {
		struct inv_words w = inv_cell_load(inv, row_index, ring);
		ring = ring + 1 == window ? 0 : ring + 1;
		if (length != 0 && w.counter == run.counter && w.rate == run.rate) {
			length++;
			continue;
		}
		if (length != 0) {
			struct inv_cell_run out = inv_cell_run_of(inv, run, skipped, length);
			inv_cell_run_put(writer, &out);
			skipped = 0;
		}
		bool is_untouched = w.counter == untouched && w.rate == 0;
		skipped += is_untouched;
		length = is_untouched ? 0 : 1;
		run = w;
	}
	if (length != 0) {
		struct inv_cell_run out = inv_cell_run_of(inv, run, skipped, length);
		inv_cell_run_put(writer, &out);
	}
	kr_assert(skipped <= window);
	kr_writer_varint(writer, 0);
}

static struct cell_counter inv_take_counts(struct kr_reader *reader, uint16_t flags, bool is_wide)
{
	struct cell_counter c = {.flags = flags};
	kr_assert(reader != NULL);
	if (is_wide) {
		c.limit = (int16_t)kr_reader_u16(reader);
		c.held = kr_reader_u16(reader);
		c.booked = kr_reader_u16(reader);
	} else {
		c.limit = kr_reader_u8(reader);
		c.held = kr_reader_u8(reader);
		c.booked = kr_reader_u8(reader);
	}
	if ((flags & ~CELL_FLAG_MASK) != 0 || ((flags & CELL_LOADED) == 0 && c.limit != 0))
		kr_reader_fail(reader);
	return c;
}

static void inv_take_rate(struct kr_reader *reader, struct inv_cell_run *run, bool is_wide)
{
	run->rate_flags = kr_reader_u8(reader);
	run->price_minor = kr_reader_u32(reader);
	kr_assert(run->price_minor <= UINT32_MAX);
	if (is_wide)
		run->price_minor |= (uint64_t)kr_reader_u8(reader) << 32;
	bool is_priced = (run->rate_flags & RATE_PRICED) != 0;
	if ((run->rate_flags & ~RATE_FLAG_MASK) != 0 || (run->price_minor != 0 && !is_priced))
		kr_reader_fail(reader);
	kr_assert(run->price_minor <= RATE_PRICE_MAX);
}

static struct los_class inv_take_los(struct kr_reader *reader, bool is_wide)
{
	uint16_t values[4];
	for (int i = 0; i < 4; i++)
		values[i] = is_wide ? kr_reader_u16(reader) : kr_reader_u8(reader);
	kr_assert(reader->at <= reader->end);
	return (struct los_class){values[0], values[1], values[2], values[3]};
}

struct inv_cell_run inv_cell_run_load(struct kr_reader *reader)
{
	struct inv_cell_run run = {.length = 0};
	run.length = (uint32_t)kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
	if (run.length == 0)
		return run;
	run.skipped = (uint32_t)kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
	uint8_t head = kr_reader_u8(reader);
	uint8_t flags = kr_reader_u8(reader);
	run.counter = inv_take_counts(reader, flags, (head & INV_CELL_RUN_WIDE_COUNTS) != 0);
	if ((head & INV_CELL_RUN_RATE) != 0)
		inv_take_rate(reader, &run, (head & INV_CELL_RUN_WIDE_PRICE) != 0);
	if ((head & INV_CELL_RUN_LOS) != 0)
		run.los = inv_take_los(reader, (head & INV_CELL_RUN_WIDE_LOS) != 0);
	/* One form for one run: what was read must be what would be written. */
	if (!reader->failed && head != inv_cell_run_head(&run))
		kr_reader_fail(reader);
	kr_assert(run.length <= INV_WINDOW_NIGHTS_MAX);
	return run;
}

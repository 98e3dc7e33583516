#include <criterion/criterion.h>

#include "engine/log/record.h"
#include "tests/unit/shard/world.h"

/* What is on disk into a state and back: export, load, replay, and what each says of trouble. */

static struct world *sold(const struct shard_config *config)
{
	struct world *world = world_serving_as(config, 5);
	world_random(world, 300);
	world_settle(world);
	world_restart(world, false);
	return world;
}

struct loading {
	struct shard *shard;
	struct shard_trouble trouble;
	uint32_t count, stop_at; /* chunks */
	void (*bend)(struct log_snap_chunk *chunk);
};

static int load(void *context, const struct log_snap_chunk *chunk, const uint8_t *body)
{
	struct loading *loading = context;
	struct log_snap_chunk bent = *chunk;
	if (loading->count++ == loading->stop_at)
		return -5;
	if (loading->bend != NULL)
		loading->bend(&bent);
	int r = shard_load_chunk(loading->shard, &bent, body, &loading->trouble);
	return r == 0 ? 0 : -r;
}

static int export_to(struct world *from, struct world *to, struct loading *loading)
{
	loading->shard = to->shard;
	loading->count = 0;
	return shard_export(from->shard, shard_last_lsn(from->shard), load, loading);
}

Test(replay, an_exported_state_loads_to_the_same_one_whole_or_in_pieces)
{
	for (uint32_t piece = 0; piece <= 128; piece += 64) {
		struct shard_config config;
		world_config_default(&config);
		config.chunk_size_max_bytes = piece;
		struct world *from = sold(&config), *to = world_new(&config);
		struct loading loading = {.stop_at = UINT32_MAX};
		cr_assert_eq(export_to(from, to, &loading), 0, "%s", loading.trouble.text);
		cr_assert_eq(shard_digest(to->shard), shard_digest(from->shard));
		cr_assert_eq(shard_last_lsn(to->shard), shard_last_lsn(from->shard));
		cr_assert(piece == 0 || loading.count > 3);
		struct shard_sizes sizes;
		shard_sizes_get(to->shard, &sizes);
		cr_assert(sizes.hotels == 1 && sizes.rows == 2 && sizes.window_nights == 64);
		world_free(from);
		world_free(to);
	}
}

Test(replay, an_export_ends_with_the_error_of_whoever_writes_it)
{
	struct world *from = sold(NULL), *to = world_new(NULL);
	for (uint32_t stop_at = 0; stop_at < 3; stop_at++) {
		struct loading loading = {.stop_at = stop_at};
		cr_assert_eq(export_to(from, to, &loading), -5);
		cr_assert_eq(loading.count, stop_at + 1);
		world_free(to);
		to = world_new(NULL);
	}
	world_free(from);
	world_free(to);
}

static void bend_digest(struct log_snap_chunk *chunk)
{
	chunk->digest += chunk->hotel_id != 0;
}

static void bend_slot(struct log_snap_chunk *chunk)
{
	chunk->slot ^= chunk->hotel_id != 0;
}

static void bend_own_slot(struct log_snap_chunk *chunk)
{
	chunk->slot ^= chunk->hotel_id == 0;
}

static void bend_part(struct log_snap_chunk *chunk)
{
	chunk->part++;
}

static void bend_kind(struct log_snap_chunk *chunk)
{
	chunk->kind = 9;
}

static void bend_size(struct log_snap_chunk *chunk)
{
	chunk->body_size_bytes--;
}

static void troubled(const struct shard_config *config, void (*bend)(struct log_snap_chunk *),
	int condition, const char *text)
{
	struct world *from = sold(NULL), *to = world_new(config);
	struct loading loading = {.stop_at = UINT32_MAX, .bend = bend};
	cr_assert_eq(export_to(from, to, &loading), -condition, "%s", text);
	cr_assert_not_null(strstr(loading.trouble.text, text), "%s", loading.trouble.text);
	world_free(from);
	world_free(to);
}

Test(replay, a_chunk_that_is_wrong_is_told_in_words)
{
	struct shard_config small;
	troubled(NULL, bend_digest, SHARD_CONTRADICTION, "hotel 77");
	troubled(NULL, bend_slot, SHARD_CONTRADICTION, "a slot that is not its hotel's");
	troubled(NULL, bend_own_slot, SHARD_CONTRADICTION, "a slot that is not its hotel's");
	troubled(NULL, bend_part, SHARD_CONTRADICTION, "the snapshot's sizes are malformed");
	troubled(NULL, bend_kind, SHARD_CONTRADICTION, "of an unknown kind");
	troubled(NULL, bend_size, SHARD_CONTRADICTION, "malformed");
	world_config_default(&small);
	small.inventory.rows_max = 1;
	troubled(&small, NULL, SHARD_NO_ROOM, "does not fit: start with larger sizes");
}

Test(replay, pieces_beyond_the_memory_for_a_hotel_do_not_fit)
{
	struct shard_config config;
	world_config_default(&config);
	config.slice_size_max_bytes = 1024;
	struct world *to = world_new(&config);
	struct shard_trouble trouble;
	const uint8_t body[600] = {0};
	struct log_snap_chunk chunk = {.kind = 2,
		.slot = slot_of_hotel((struct hotel_id){77}),
		.hotel_id = 77,
		.body_size_bytes = 600};
	cr_assert_eq(shard_load_chunk(to->shard, &chunk, body, &trouble), 0);
	chunk.part = 1;
	cr_assert_eq(shard_load_chunk(to->shard, &chunk, body, &trouble), SHARD_NO_ROOM);
	cr_assert_not_null(strstr(trouble.text, "a hotel of the snapshot does not fit"));
	world_free(to);
}

Test(replay, a_log_that_does_not_fit_or_is_no_log_is_told_in_words)
{
	struct world *from = world_serving(5);
	struct shard_config small;
	struct shard_trouble trouble;
	world_config_default(&small);
	small.inventory.hotels_max = small.inventory.rows_max = 1;
	struct world *to = world_new(&small);
	int r = 0;
	for (uint32_t i = 0; i < from->batch_count && r == 0; i++)
		r = shard_replay(to->shard, &from->batches[i].record, &trouble);
	cr_assert_eq(r, SHARD_NO_ROOM);
	cr_assert_not_null(strstr(trouble.text, "a table is too small for the log"));
	uint8_t noise[64];
	memset(noise, 0xff, sizeof(noise));
	const struct record_body body = {
		.bytes = noise, .size_bytes = sizeof(noise), .first_lsn = 90, .count = 3};
	cr_assert_eq(shard_replay(to->shard, &body, &trouble), SHARD_CONTRADICTION);
	cr_assert_not_null(strstr(trouble.text, "malformed"), "%s", trouble.text);
	cr_assert_eq(trouble.lsn, 90);
	world_free(from);
	world_free(to);
}

struct seen {
	uint64_t last_lsn;
	uint32_t before, after, unwanted;
};

static void see(void *context, const struct inv_effect *effect, bool is_applied)
{
	struct seen *seen = context;
	cr_assert_geq(effect->lsn, seen->last_lsn);
	seen->last_lsn = effect->lsn;
	seen->before += !is_applied;
	seen->after += is_applied;
}

static bool wants_no_other_hotel(void *context, const struct inv_effect *effect)
{
	struct seen *seen = context;
	const bool is_wanted = effect->hotel.v == 0 || effect->hotel.v == WORLD_HOTEL;
	seen->unwanted += !is_wanted;
	return is_wanted;
}

static void replay(const struct world *from, struct world *to, const struct shard_watch *watch)
{
	struct shard_trouble trouble;
	for (uint32_t i = 0; i < from->batch_count; i++) {
		const struct record_body *body = &from->batches[i].record;
		if (watch->to_lsn != 0 && body->first_lsn > watch->to_lsn)
			break;
		cr_assert_eq(shard_replay_watched(to->shard, body, watch, &trouble), 0);
	}
}

Test(replay, shows_each_effect_before_and_after_as_far_as_is_wanted)
{
	struct world *from = world_serving(5);
	cr_assert_eq(world_do(from, world_hotel_put(from, 500)), KEYRACK_DONE);
	/* Two effects of one batch: the second is not wanted below. */
	world_price_set(from, WORLD_HOTEL, 77);
	cr_assert_eq(world_do(from, world_price_set(from, WORLD_HOTEL, 78)), KEYRACK_DONE);
	cr_assert_eq(from->batches[from->batch_count - 1].record.count, 2);
	const uint64_t last = shard_last_lsn(from->shard);
	struct seen seen = {0};
	struct world *to = world_new(NULL);
	struct shard_watch watch = {
		.wants = wants_no_other_hotel, .on_effect = see, .context = &seen};
	replay(from, to, &watch);
	cr_assert_eq(seen.unwanted, 1);
	cr_assert_eq(seen.before, last - 1);
	cr_assert_eq(seen.after, last - 1);
	cr_assert_eq(seen.last_lsn, last);
	world_free(to);
	to = world_new(NULL);
	seen = (struct seen){0};
	watch = (struct shard_watch){.to_lsn = last - 1, .on_effect = see, .context = &seen};
	replay(from, to, &watch);
	cr_assert_eq(seen.last_lsn, last - 1);
	cr_assert_eq(shard_last_lsn(to->shard), last - 1);
	world_free(from);
	world_free(to);
}

/* Every effect of the world's log in one body. */
static size_t put_together(const struct world *from, uint8_t *bytes, size_t size_bytes)
{
	struct record_scratch *scratch = calloc(1, sizeof(*scratch));
	struct record_writer writer;
	cr_assert_not_null(scratch);
	record_writer_init(&writer, bytes, size_bytes);
	for (uint32_t i = 0; i < from->batch_count; i++) {
		struct record_reader reader;
		struct inv_effect effect;
		record_reader_init(&reader, &from->batches[i].record, scratch);
		while (record_next(&reader, &effect) == 0)
			cr_assert_eq(record_put(&writer, &effect), 0);
	}
	free(scratch);
	return record_writer_finish(&writer);
}

/* Effects are read ahead of where they are applied; updates, which are large, stop that. */
Test(replay, applies_in_order_whatever_is_read_ahead_up_to_what_cannot_be_read)
{
	enum { SIZE = 4 << 20 };
	uint8_t *bytes = calloc(1, SIZE);
	struct world *from = world_serving(5);
	for (unsigned i = 0; i < 100; i++) {
		world_random(from, 1 + i % 7);
		world_price_set(from, WORLD_HOTEL, 100 + i);
		for (unsigned n = 0; n < i % 3; n++)
			world_price_set(from, WORLD_HOTEL, 200 + i + n);
	}
	world_settle(from);
	const uint32_t count = (uint32_t)shard_last_lsn(from->shard);
	struct record_body body = {.bytes = bytes,
		.size_bytes = put_together(from, bytes, SIZE),
		.first_lsn = from->batches[0].record.first_lsn,
		.count = count,
		.t_us = from->batches[0].record.t_us};
	cr_assert(body.first_lsn == 1 && count > 300);
	struct seen seen = {0};
	const struct shard_watch watch = {.on_effect = see, .context = &seen};
	struct shard_trouble trouble;
	struct world *to = world_new(NULL);
	cr_assert_eq(
		shard_replay_watched(to->shard, &body, &watch, &trouble), 0, "%s", trouble.text);
	cr_assert(seen.before == count && seen.after == count);
	cr_assert_eq(shard_digest(to->shard), shard_digest(from->shard));
	world_free(to);
	/* All that comes before the damage is applied first. */
	seen = (struct seen){0};
	to = world_new(NULL);
	body.count++;
	cr_assert_eq(shard_replay_watched(to->shard, &body, &watch, &trouble), SHARD_CONTRADICTION);
	cr_assert_eq(trouble.lsn, count + 1);
	cr_assert(seen.before == count && seen.after == count);
	world_free(from);
	world_free(to);
	free(bytes);
}

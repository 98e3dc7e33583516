#include <string.h>

#include "engine/log/record.h"
#include "engine/shard/replay.h"
#include "tests/fault/crash_rig.h"

/* What the script's shard sells: two hotels, drawn from the life and the step alone, so that a
 * script does the same however far it was carried by the one before. */

#define T0_US UINT64_C(1767225600000000) /* 2026-01-01 */
#define SECOND_US UINT64_C(1000000)
#define HOTELS 2u
#define TYPES 2u
#define LARGE_EVERY 11u /* a step whose batch takes more than a block */

struct work {
	struct rig *rig;
	struct inv *inv;
	struct rng rng;
	struct inv_now now;
	struct record_writer writer;
};

static struct hotel_id hotel_of(uint64_t number)
{
	return (struct hotel_id){100 + number * 7};
}

/* Into the batch, and through bytes into the live state, as a replay would. */
static void commit(struct work *w, struct inv_effect *effect)
{
	static uint8_t bytes[RECORD_SMALL_SIZE_MAX];
	struct rig *rig = w->rig;
	struct record_writer alone;
	struct shard_trouble trouble = {0};
	effect->lsn = rig->body_first_lsn + rig->effect_count++;
	record_writer_init(&alone, bytes, sizeof(bytes));
	int r = record_put(&w->writer, effect);
	kr_assert(r == 0);
	r = record_put(&alone, effect);
	kr_assert(r == 0);
	const struct record_body body = {.bytes = bytes,
		.size_bytes = record_writer_finish(&alone),
		.first_lsn = effect->lsn,
		.count = 1,
		.t_us = effect->t_us};
	r = shard_replay(rig->rebuild.shard, &body, &trouble);
	if (r != 0)
		rig_failed("the live state refuses its own effect: %s", trouble.text);
}

static void hotel_put(struct work *w, struct hotel_id hotel)
{
	struct inv_effect effect;
	struct inv_answer answer;
	struct inv_hotel_op op = {.hotel = hotel,
		.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY | INV_HOTEL_HOLD_TTL,
		.settings = {.zone = {"UTC", 3}, .currency = "EUR", .hold_ttl_us = 30 * SECOND_US}};
	if (inv_hotel_judge(w->inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		commit(w, &effect);
}

static void type_put(struct work *w, struct hotel_id hotel, uint16_t type)
{
	struct inv_effect effect;
	struct inv_answer answer;
	struct inv_type_op op = {.hotel = hotel,
		.type = type,
		.mask = INV_TYPE_PHYSICAL,
		.settings.physical = (uint16_t)rng_range(&w->rng, 20, 90)};
	if (inv_type_judge(w->inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		commit(w, &effect);
}

static void update(struct work *w, struct hotel_id hotel)
{
	struct inv_effect effect;
	struct inv_answer answer;
	const int32_t today = (int32_t)(w->now.t_us / 86400000000);
	struct inv_update_op op = {.hotel = hotel,
		.update = {.first_day = today + (int32_t)rng_below(&w->rng, 5),
			.weekday_mask = 127,
			.set_mask = INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_CTA,
			.price_minor = (int64_t)rng_range(&w->rng, 1, 30000),
			.los.min_arrival = (uint16_t)rng_below(&w->rng, 3),
			.cta = rng_below(&w->rng, 8) == 0}};
	op.update.last_day = op.update.first_day + (int32_t)rng_below(&w->rng, 4);
	if (inv_update_judge(w->inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		commit(w, &effect);
}

static void sell(struct work *w, struct hotel_id hotel)
{
	struct inv_effect effect;
	struct inv_answer answer;
	struct rig *rig = w->rig;
	const int32_t today = (int32_t)(w->now.t_us / 86400000000);
	struct inv_line line = {.type = (uint16_t)rng_range(&w->rng, 1, TYPES),
		.check_in = today + (int32_t)rng_below(&w->rng, 8),
		.rooms = 1,
		.guests = 1,
		.pricing = INV_PRICE_NONE};
	line.check_out = line.check_in + (int32_t)rng_range(&w->rng, 1, 3);
	struct inv_reserve_op op = {.hotel = hotel,
		.id = reservation_id_mint(
			w->now.t_us / 1000, slot_of_hotel(hotel), rng_next(&w->rng)),
		.book = rng_below(&w->rng, 2) == 0,
		.lines = &line,
		.line_count = 1};
	op.fingerprint = inv_reserve_fingerprint(&op);
	if (inv_reserve_judge(w->inv, w->now, &op, &effect, &answer) != INV_EFFECT)
		return;
	commit(w, &effect);
	rig->ids[rig->id_count++ % KR_ARRAY_COUNT(rig->ids)] = op.id;
}

static void move(struct work *w)
{
	static const enum inv_transition moves[] = {
		INV_CONFIRM, INV_CONFIRM, INV_RELEASE, INV_CANCEL, INV_RESOLVE};
	struct inv_effect effect;
	struct inv_answer answer;
	struct rig *rig = w->rig;
	if (rig->id_count == 0)
		return;
	struct inv_transition_op op = {
		.transition = moves[rng_below(&w->rng, KR_ARRAY_COUNT(moves))],
		.id = rig->ids[rng_below(
			&w->rng, KR_MIN(rig->id_count, KR_ARRAY_COUNT(rig->ids)))]};
	if (inv_transition_judge(w->inv, w->now, &op, &effect, &answer) == INV_EFFECT)
		commit(w, &effect);
}

static void clock_run(struct work *w)
{
	struct inv_effect effect;
	while (inv_due_judge(w->inv, w->now, &effect) == INV_EFFECT)
		commit(w, &effect);
}

/* What a start logs before it serves. */
static void begin(struct work *w)
{
	struct rig *rig = w->rig;
	struct inv_effect effect = {.kind = INV_EFFECT_START,
		.t_us = w->now.t_us,
		.u.start = {.format = SHARD_FORMAT,
			.window_nights = rig->rebuild.config.inventory.window_nights,
			.epoch = rig->log.writer.position.epoch}};
	const uint64_t last_t_us = w->now.t_us - 300 * SECOND_US;
	commit(w, &effect);
	while (inv_grace_judge(w->inv, w->now, last_t_us, &effect) == INV_EFFECT)
		commit(w, &effect);
	for (uint16_t h = 0; h < HOTELS; h++) {
		hotel_put(w, hotel_of(h));
		for (uint16_t t = 1; t <= TYPES; t++)
			type_put(w, hotel_of(h), t);
	}
}

static void one(struct work *w)
{
	const struct hotel_id hotel = hotel_of(rng_below(&w->rng, HOTELS));
	const uint64_t dice = rng_below(&w->rng, 100);
	if (dice < 50)
		sell(w, hotel);
	else if (dice < 80)
		move(w);
	else if (dice < 97)
		update(w, hotel);
	else
		type_put(w, hotel, (uint16_t)rng_range(&w->rng, 1, TYPES));
}

void rig_work(struct rig *rig, bool is_first)
{
	struct work w = {.rig = rig, .inv = shard_inventory(rig->rebuild.shard)};
	const uint64_t life = rig->life_base + rig->life;
	kr_assert(rig->body_size_bytes == 0);
	rng_init(&w.rng, life * 1000 + rig->step);
	w.now.t_us = T0_US + life * 3600 * SECOND_US + rig->step * 7 * SECOND_US;
	w.now.wall_us = w.now.t_us;
	record_writer_init(&w.writer, rig->body, sizeof(rig->body));
	rig->effect_count = 0;
	rig->body_first_lsn = log_writer_next_lsn(&rig->log.writer);
	if (is_first)
		begin(&w);
	clock_run(&w);
	const uint32_t count = rig->step % LARGE_EVERY == LARGE_EVERY - 1 ? 120 : 3;
	for (uint32_t i = 0; i < count || rig->effect_count == 0; i++)
		one(&w);
	rig->body_size_bytes = (uint32_t)record_writer_finish(&w.writer);
	rig->body_t_us = w.now.t_us;
	const uint64_t last_lsn = rig->body_first_lsn + rig->effect_count - 1;
	kr_assert(last_lsn < RIG_LSN_MAX);
	rig->promise.digests[last_lsn] = shard_digest(rig->rebuild.shard);
}

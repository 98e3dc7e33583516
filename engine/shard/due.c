#include "base/bug.h"
#include "engine/shard/shard_priv.h"

/*
 * What the clock does: day rolls, expiries, retirements, and graces after a restart.
 */

bool shard_due_backlog(const struct shard *shard)
{
	kr_assert(shard->now.t_us > 0);
	kr_assert(shard->inv != NULL);
	return inv_due_next_us(shard->inv) <= shard->now.t_us;
}

/*
 * Beside an append not much more is gathered than the next one takes: a sale that comes now waits
 * for all that was logged before it.
 */
bool shard_due_may_run(struct shard *shard)
{
	kr_assert(shard->life != SHARD_LOADING);
	kr_assert(shard->space <= SHARD_SPACE_STOP);
	if (shard->life != SHARD_SERVING || shard->space == SHARD_SPACE_STOP)
		return false;
	if (shard->flight_count == 0)
		return true;
	const struct kr_writer *gathered = &shard_batch_open(shard)->writer.bytes;
	return shard->batch_count <= shard->flight_count + 1 &&
	       gathered->at - gathered->start < SHARD_DUE_GATHER_SIZE;
}

void shard_due_run(struct shard *shard)
{
	kr_assert(!shard->is_gracing || shard->life != SHARD_SERVING);
	if (!shard_due_may_run(shard))
		return;
	const bool is_early = shard->boot_us < shard->due_next_boot_us;
	const uint32_t count_max = is_early ? SHARD_DUE_EARLY_MAX : SHARD_DUE_MAX;
	for (uint32_t i = 0; i < count_max && shard_due_backlog(shard); i++) {
		if (!shard_batch_room(shard, RECORD_SMALL_SIZE_MAX))
			return;
		if (inv_due_judge(shard->inv, shard->now, &shard->effect) != INV_EFFECT)
			return;
		if (!is_early)
			shard->due_next_boot_us = shard->boot_us + SHARD_DUE_PACE_US;
		shard_effect_log(shard);
		shard->counters.clock++;
	}
}

/*
 * Holds that end one after the other would otherwise each wake the process and make an append of a
 * few records, one behind the other, and every sale would wait for the one under way; and whoever
 * never sleeps is made to wait for whole ticks of the scheduler. Nobody who asks sees the
 * difference: requests run what is due before they are judged, a smaller slice where it comes
 * early.
 */
void shard_due_run_paced(struct shard *shard)
{
	kr_assert(shard->boot_us > 0);
	if (shard->boot_us >= shard->due_next_boot_us)
		shard_due_run(shard);
	kr_assert(shard->due_next_boot_us <= shard->boot_us + SHARD_DUE_PACE_US);
}

bool shard_due_drain(struct shard *shard, struct hotel_id hotel)
{
	kr_assert(shard->drained <= SHARD_DRAIN_MAX);
	kr_assert(hotel.v != 0);
	while (shard->drained < SHARD_DRAIN_MAX) {
		if (!shard_batch_room(shard, RECORD_SMALL_SIZE_MAX))
			return false;
		if (inv_due_hotel_judge(shard->inv, shard->now, hotel, &shard->effect) !=
			INV_EFFECT)
			return true;
		shard_effect_log(shard);
		shard->drained++;
		shard->counters.clock++;
		shard->counters.drained++;
	}
	return false;
}

/* All graces are judged at the instant of START, however many batches they take. */
void shard_grace_run(struct shard *shard)
{
	kr_assert(shard->life == SHARD_STARTING);
	while (bug_is(BUG_TIMER_BEFORE_GRACE) && shard_batch_room(shard, RECORD_SMALL_SIZE_MAX) &&
		inv_due_judge(shard->inv, shard->start_now, &shard->effect) == INV_EFFECT)
		shard_effect_log(shard);
	while (shard->is_gracing && shard_batch_room(shard, RECORD_SMALL_SIZE_MAX)) {
		enum inv_result r = inv_grace_judge(
			shard->inv, shard->start_now, shard->grace_last_t_us, &shard->effect);
		if (r != INV_EFFECT) {
			shard->is_gracing = false;
			return;
		}
		shard_effect_log(shard);
		shard->counters.clock++;
	}
}

#include "base/bug.h"
#include "engine/inventory/priv.h"

struct inv_apply_entry {
	inv_apply_fn *apply;
	bool needs_hotel; /* else it may be the shard's own */
};

static const struct inv_apply_entry apply_table[] = {
	[INV_EFFECT_HOTEL] = {inv_apply_hotel, true},
	[INV_EFFECT_TYPE] = {inv_apply_type, true},
	[INV_EFFECT_UPDATE] = {inv_apply_update, true},
	[INV_EFFECT_RESERVE] = {inv_apply_reserve, true},
	[INV_EFFECT_CONFIRM] = {inv_apply_confirm, true},
	[INV_EFFECT_RELEASE] = {inv_apply_release, true},
	[INV_EFFECT_CANCEL] = {inv_apply_cancel, true},
	[INV_EFFECT_EXPIRE] = {inv_apply_expire, true},
	[INV_EFFECT_GRACE] = {inv_apply_grace, true},
	[INV_EFFECT_RETIRE] = {inv_apply_retire, false},
	[INV_EFFECT_WINDOW] = {inv_apply_window, true},
	[INV_EFFECT_VOID] = {inv_apply_void, false},
	[INV_EFFECT_START] = {inv_apply_start, false},
	[INV_EFFECT_DIGEST] = {inv_apply_digest, false},
	[INV_EFFECT_EXTEND] = {inv_apply_extend, true},
	[INV_EFFECT_ATTACH_PAYMENT] = {inv_apply_attach, true},
	[INV_EFFECT_CHECK_IN] = {inv_apply_check_in, true},
	[INV_EFFECT_COMPLETE] = {inv_apply_complete, true},
	[INV_EFFECT_NO_SHOW] = {inv_apply_no_show, true},
	[INV_EFFECT_MODIFY] = {inv_apply_modify, true},
	[INV_EFFECT_IMPORT] = {inv_apply_import, true},
	[INV_EFFECT_PLAN] = {inv_apply_plan, true},
};

static bool inv_effect_is_shards(enum inv_effect_kind kind)
{
	return kind == INV_EFFECT_START || kind == INV_EFFECT_DIGEST;
}

/* Kind, hotel and event_seq fit together and follow the state. */
static int inv_effect_check(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	bool has_hotel = effect->hotel.v != 0;
	kr_assert((uint32_t)effect->kind < KR_ARRAY_COUNT(apply_table));
	kr_assert(hotel_index == INV_NONE || has_hotel);
	if (has_hotel ? inv_effect_is_shards(effect->kind) : apply_table[effect->kind].needs_hotel)
		return inv_contradict(effect, "the kind of effect does not go with its hotel",
			effect->kind, effect->hotel.v, 0, ret);
	if (has_hotel && hotel_index == INV_NONE && effect->kind != INV_EFFECT_HOTEL)
		return inv_contradict(effect, "there is no such hotel", effect->hotel.v, 0, 0, ret);
	uint64_t event_seq =
		hotel_index == INV_NONE ? 0 : inv_hotel_at(inv, hotel_index)->event_seq;
	event_seq += has_hotel;
	if (effect->event_seq != event_seq)
		return inv_contradict(
			effect, "event_seq does not follow", effect->event_seq, event_seq, 0, ret);
	return 0;
}

/* What an effect tells of the shard, whether or not its hotel shows it already: these only grow,
 * and a hotel's chunk may be newer than the shard's. */
static void inv_shard_note(struct inv *inv, const struct inv_effect *effect)
{
	inv->last_lsn = KR_MAX(inv->last_lsn, effect->lsn);
	inv->last_t_us = KR_MAX(inv->last_t_us, effect->t_us);
	if (effect->kind == INV_EFFECT_RETIRE)
		inv->purge_mark_us = KR_MAX(inv->purge_mark_us, effect->u.retire.purge_mark_us);
	kr_assert(inv->last_lsn >= effect->lsn);
	kr_assert(inv->last_t_us >= effect->t_us);
}

static bool inv_effect_is_shown(
	const struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect)
{
	if (effect->hotel.v == 0)
		return effect->lsn <= inv->shard_lsn;
	return hotel_index != INV_NONE && effect->lsn <= inv_hotel_at(inv, hotel_index)->last_lsn;
}

/* Readers of the mapped arena see an odd number and look again (or ask). */
static void inv_arena_begin(struct inv_hotel *hotel)
{
	uint32_t seq = atomic_load_explicit(&hotel->arena_seq, memory_order_relaxed);
	kr_assert(seq % 2 == 0);
	atomic_store_explicit(&hotel->arena_seq, seq + 1, memory_order_relaxed);
	/* The odd number is seen before any of the stores that follow. */
	atomic_thread_fence(memory_order_release);
}

static void inv_arena_end(struct inv_hotel *hotel)
{
	uint32_t seq = atomic_load_explicit(&hotel->arena_seq, memory_order_relaxed);
	kr_assert(seq % 2 == 1);
	atomic_store_explicit(&hotel->arena_seq, seq + 1, memory_order_release);
}

static int inv_apply_kind(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	inv_apply_fn *apply = apply_table[effect->kind].apply;
	kr_assert(apply != NULL);
	if (hotel_index == INV_NONE)
		return apply(inv, hotel_index, effect, ret);
	inv_arena_begin(inv_hotel_at(inv, hotel_index));
	int r = apply(inv, hotel_index, effect, ret);
	inv_arena_end(inv_hotel_at(inv, hotel_index));
	return r;
}

int inv_apply(struct inv *inv, const struct inv_effect *effect, struct inv_contradiction *ret)
{
	kr_assert(effect != NULL && ret != NULL);
	uint32_t kind = (uint32_t)effect->kind;
	if (kind >= KR_ARRAY_COUNT(apply_table) || apply_table[kind].apply == NULL)
		return inv_contradict(effect, "the kind of effect is unknown", 0, kind, 0, ret);
	uint32_t hotel_index = effect->hotel.v == 0 ? INV_NONE : inv_hotel_find(inv, effect->hotel);
	if (inv_effect_is_shown(inv, hotel_index, effect) && !bug_is(BUG_CHUNK_STAMP_IGNORED)) {
		inv_shard_note(inv, effect);
		return 0;
	}
	int r = inv_effect_check(inv, hotel_index, effect, ret);
	if (r == 0)
		r = inv_apply_kind(inv, hotel_index, effect, ret);
	if (r != 0)
		return r;
	inv_shard_note(inv, effect);
	if (effect->hotel.v == 0) {
		inv->shard_lsn = effect->lsn;
		return 0;
	}
	/* a HOTEL made it only now */
	if (hotel_index == INV_NONE)
		hotel_index = inv_hotel_find(inv, effect->hotel);
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	hotel->event_seq = effect->event_seq;
	hotel->last_lsn = effect->lsn;
	kr_assert(hotel->event_seq > 0);
	return 0;
}

int inv_apply_start(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	kr_assert(effect->kind == INV_EFFECT_START);
	kr_assert(hotel_index == INV_NONE);
	return 0;
}

int inv_apply_digest(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	kr_assert(effect->kind == INV_EFFECT_DIGEST);
	kr_assert(hotel_index == INV_NONE);
	/* Up to the newest stamp of a loaded chunk the state is of several instants at once. */
	if (effect->lsn <= inv->loaded_lsn)
		return 0;
	uint64_t digest = inv_digest(inv);
	if (digest != effect->u.digest.state_digest && !bug_is(BUG_DIGEST_UNCHECKED))
		return inv_contradict(effect, "the state's digest differs",
			effect->u.digest.state_digest, digest, 0, ret);
	return 0;
}

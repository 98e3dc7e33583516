/*
 * Private to the record codec: what its writing and its reading half agree on.
 */
#ifndef ENGINE_LOG_RECORD_PRIV_H
#define ENGINE_LOG_RECORD_PRIV_H

#include "engine/log/record.h"

/* Presence of the fields that every effect may have. */
#define FIELD_HOTEL 0x01u /* and event_seq */
#define FIELD_ACTOR 0x02u
#define FIELD_SOURCE 0x04u
#define FIELD_PRINCIPAL 0x08u
#define FIELD_REASON 0x10u
#define FIELD_REVISION 0x20u /* absent: 1 */
#define FIELD_CHANGE 0x40u   /* exactly with the kinds that are changes */
#define FIELD_MASK 0x7fu
#define ACTOR_MASK (FIELD_ACTOR | FIELD_SOURCE | FIELD_PRINCIPAL | FIELD_REASON)

#define RESERVE_BOOK 0x01u
#define RESERVE_GUEST 0x02u
#define RESERVE_EXTERNAL_REF 0x04u
#define RESERVE_PAYMENT_REF 0x08u
#define RESERVE_REPLACES 0x10u /* a hold only */
#define RESERVE_FORCED 0x20u
#define RESERVE_MASK 0x3fu

#define IMPORT_WAS_HELD 0x01u
#define IMPORT_GRACED 0x02u
#define IMPORT_FORCED 0x04u
#define IMPORT_DEADLINE 0x08u
#define IMPORT_GUEST 0x10u
#define IMPORT_EXTERNAL_REF 0x20u
#define IMPORT_PAYMENT_REF 0x40u
#define IMPORT_CHANGE 0x80u

#define MODIFY_FORCED 0x01u
#define MODIFY_MASK 0x01u

#define ITEM_HOTEL 0x01u
#define ITEM_REVISION 0x02u
#define ITEM_COMPLETED 0x04u
#define ITEM_MASK 0x07u

#define UPDATE_CLOSED 0x01u
#define UPDATE_CTA 0x02u
#define UPDATE_CTD 0x04u
#define UPDATE_PLAN_CLOSED 0x08u
#define UPDATE_PLAN_CTA 0x10u
#define UPDATE_PLAN_CTD 0x20u
#define UPDATE_FLAG_MASK 0x3fu

#define OLD_LIMIT 0x01u
#define OLD_FLAGS 0x02u
#define OLD_PRICE 0x04u
#define OLD_RATE_FLAGS 0x08u
#define OLD_LOS 0x10u
#define OLD_MASK 0x1fu

/* Kept free behind every record: a size prefix grows by at most this when its record is closed. */
#define SIZE_SLACK 4u

kr_static_assert(RECORD_SIZE_MAX < 1u << 28, "a size prefix has four bytes at most");

static inline bool kind_is_packed(unsigned kind)
{
	return kind == INV_EFFECT_EXPIRE || kind == INV_EFFECT_GRACE || kind == INV_EFFECT_RETIRE;
}

/* Kinds that are about one reservation; packed ones have their own layout. */
static inline bool kind_has_id(unsigned kind)
{
	return (kind >= INV_EFFECT_RESERVE && kind <= INV_EFFECT_CANCEL) ||
	       kind == INV_EFFECT_VOID || (kind >= INV_EFFECT_EXTEND && kind != INV_EFFECT_PLAN);
}

static inline bool kind_has_revision(unsigned kind)
{
	return kind_has_id(kind) && kind != INV_EFFECT_VOID;
}

static inline bool kind_has_olds(unsigned kind)
{
	return (kind >= INV_EFFECT_RESERVE && kind <= INV_EFFECT_CANCEL) ||
	       kind == INV_EFFECT_COMPLETE || kind == INV_EFFECT_NO_SHOW ||
	       kind == INV_EFFECT_MODIFY || kind == INV_EFFECT_IMPORT;
}

static inline bool kind_is_change(unsigned kind)
{
	return kind == INV_EFFECT_EXTEND || kind == INV_EFFECT_ATTACH_PAYMENT ||
	       kind == INV_EFFECT_MODIFY;
}

static inline bool los_is_zero(const struct los_class *los)
{
	return (los->min_arrival | los->max_arrival | los->min_through | los->max_through) == 0;
}

#endif

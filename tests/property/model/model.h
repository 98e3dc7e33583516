/*
 * The naive model: what Keyrack must do, written from its domain rules alone.
 *
 * No index, no counter, no cleverness: held and booked are recounted from the reservations each
 * time they are asked for, every rule is a loop over every line and night. It includes no header
 * of the engine, so that a mistake has to be made twice, differently, to go unseen. It may use the
 * heap and be slow; it is driven beside the engine and compared answer by answer.
 */
#ifndef TESTS_PROPERTY_MODEL_H
#define TESTS_PROPERTY_MODEL_H

#include "tests/property/model/model_import.h"

struct m_answer {
	int code;
	/* refusals */
	int line;
	bool has_day;
	int day;
	/* known reservations */
	int state;
	bool due, repeated, has_total, created;
	uint32_t revision;
	uint64_t expires_us, total;
	bool has_amounts; /* of CANCELLED and NO_SHOW */
	uint64_t penalty, refundable;
	/* catalogue and updates */
	uint64_t version;
	uint32_t cells, over_limit;
};

struct m_cost {
	uint64_t free_until_us; /* 0: always free */
	bool has_amounts;
	uint64_t penalty, refundable;
};

struct m_cell {
	bool is_loaded, closed, cta, ctd, explicit_cap;
	int64_t limit;
	int held, booked;
	bool has_rooms;
	int64_t rooms; /* physical - out of order */
};

/* A night of a rate plan. */
struct m_rate {
	bool priced, closed, cta, ctd;
	int64_t price;
	int min_arrival, max_arrival, min_through, max_through;
};

struct model *model_new(const struct m_config *config);
struct model *model_free(struct model *model);
/* Without the refusals it remembers. */
struct model *model_copy(const struct model *model);

/* Catalogue: the model takes settings whole; masks are the driver's business. */
struct m_answer model_hotel_put(struct model *model, struct m_now now, uint64_t hotel,
	const struct m_hotel_settings *settings);
struct m_answer model_type_put(struct model *model, struct m_now now, uint64_t hotel, int type,
	const struct m_type_settings *settings);
struct m_answer model_plan_put(struct model *model, const struct m_plan_put *put);
struct m_answer model_update(struct model *model, struct m_now now, const struct m_update *update);
struct m_answer model_reserve(
	struct model *model, struct m_now now, const struct m_reserve *reserve);
struct m_answer model_transition(
	struct model *model, struct m_now now, const struct m_transition *transition);
struct m_answer model_import(struct model *model, struct m_now now, const struct m_import *import);
struct m_answer model_stay(struct model *model, struct m_now now, const struct m_reserve *reserve);

/* A reservation's state, its lines as they are now, and its revision; 0 when it is not known. */
int model_reservation(const struct model *model, struct m_id id, struct m_reserve *ret_reserve,
	uint32_t *ret_revision);
/* What giving it back costs now, or cost when it was; the id is known. */
struct m_cost model_cost(const struct model *model, struct m_now now, struct m_id id);
/* Of a stay that would be sold now. */
struct m_cost model_stay_cost(
	const struct model *model, struct m_now now, const struct m_reserve *reserve);
/* The next instant from t_us on at which its cost changes, 0 for none. */
uint64_t model_cost_edge(const struct model *model, struct m_id id, uint64_t t_us);
/* What a MODIFY would come to; false when it would be refused or has no total. */
bool model_modify_total(
	struct model *model, struct m_now now, const struct m_transition *t, uint64_t *ret_total);

/* Day rolls, expiry and retirement up to now: before every operation, as the shard does. */
void model_clock(struct model *model, struct m_now now);
/* The process ended: what it kept only in memory is gone. */
void model_forget_refusals(struct model *model);
int model_refusal_count(const struct model *model); /* that it remembers */
/* A restart: holds that lapsed after last_t_us get their grace. */
void model_restart(struct model *model, struct m_now now, uint64_t last_t_us);

/* The night must be inside the window. */
struct m_cell model_cell(const struct model *model, uint64_t hotel, int type, int day);
/* Whether the type is there and has the plan; its nights, derived ones too. */
bool model_has_plan(const struct model *model, uint64_t hotel, int type, int plan);
struct m_rate model_rate(const struct model *model, uint64_t hotel, int type, int plan, int day);
/* Plan 0 first, then ascending; -1: there is none behind `plan`. */
int model_plan_next(const struct model *model, uint64_t hotel, int type, int plan);
struct m_plan_settings model_plan(const struct model *model, uint64_t hotel, int type, int plan);
int model_business_day(const struct model *model, uint64_t hotel);
uint64_t model_version(const struct model *model, uint64_t hotel);
uint64_t model_event_seq(const struct model *model, uint64_t hotel);
int model_reservation_count(const struct model *model); /* not retired, VOID included */

#endif

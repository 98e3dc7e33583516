/* What the property test draws its operations from: a few hotels, types, ids and times, small so
 * that every edge is common. */
#ifndef TESTS_PROPERTY_WORLD_H
#define TESTS_PROPERTY_WORLD_H

#include "base/rng.h"
#include "tests/property/model/model.h"
#include "tests/property/side.h"

#define WORLD_HOTELS 3
#define WORLD_TYPES 3
#define WORLD_IDS 512 /* recent reservations to come back to */
#define WORLD_PLAN_REFUSALS 13

#define WORLD_IMPORTS 256 /* to ask for again */
#define WORLD_DENIALS 4096

struct nights;
struct denials;

/* What is drawn more often, for some hundred steps. */
struct world_mood {
	bool small_caps, wide, clock_is_late;
};

struct world {
	struct rng rng;
	struct side side;
	struct model *model;
	struct inv_now now;
	uint64_t seed, step;
	uint64_t hotels[WORLD_HOTELS];
	int offsets_s[WORLD_HOTELS];
	const char *zones[WORLD_HOTELS];
	struct m_hotel_settings hotel_settings[WORLD_HOTELS];
	struct m_type_settings type_settings[WORLD_HOTELS][WORLD_TYPES];
	bool type_exists[WORLD_HOTELS][WORLD_TYPES];
	struct m_reserve recent[WORLD_IDS];
	uint64_t recent_count;
	uint64_t source_seq;
	uint64_t change_id; /* the last one minted */
	struct nights *nights;
	struct world_mood mood;
	struct denials *denials;
	uint64_t denials_noted, due_shown;
	bool is_told;   /* every operation prints a line */
	bool is_canary; /* a confirmation is taken for a mismatch: for the gate */
	bool has_due;   /* recent[due_at] is a hold whose deadline is now */
	uint32_t due_at;
	/* the clock was moved there for the sake of that reservation's terms; 0 = not */
	uint64_t edge_at_us;
	struct m_id edge_id;
	uint64_t costs, costs_partly, edges; /* penalties that were compared */
	uint64_t restores, saved_before;     /* snapshots that came to their end; side.h */
	/* of rate plans other than 0 */
	uint64_t plans_made, rates_compared, plan_rules[64], plan_refusals[WORLD_PLAN_REFUSALS];
	uint64_t plan_codes[256][11];
	uint64_t codes[256][11]; /* answers by code and operation */
	struct m_import imports[WORLD_IMPORTS];
	uint64_t import_count, over_limit;
	struct m_id void_id; /* resolved before it was sold */
	uint64_t void_hotel;
};

enum world_op {
	W_HOTEL,
	W_TYPE,
	W_UPDATE,
	W_RESERVE,
	W_REPLACE,
	W_STAY,
	W_TRANSITION,
	W_MODIFY,
	W_PLAN,
	W_IMPORT,
	W_OPS
};

struct engine_lines {
	struct inv_line lines[M_LINES];
	struct inv_price_run runs[M_LINES][M_RUNS];
};

/* One operation on both sides; every difference ends the program. */
void world_hotel_put(struct world *world, int hotel);
void world_type_put(struct world *world, int hotel, int type);
void world_update(struct world *world);
void world_reserve(struct world *world);
void world_stay(struct world *world);
void world_transition(struct world *world);
void world_import(struct world *world);
/* Code, line and night; what is told of a reservation. */
void world_agree(struct world *world, enum world_op op, const struct inv_answer *engine,
	struct m_answer model);
void world_agree_reservation(
	struct world *world, const struct inv_answer *engine, struct m_answer model);
struct m_line world_line_draw(struct world *world, uint64_t hotel);
const struct inv_line *engine_lines_fill(
	struct engine_lines *engine, const struct m_line *lines, int line_count);
void world_advance(struct world *world);
/* Every cell, version and event_seq. */
void world_compare(struct world *world);

void world_tell_reserve(const struct world *world, const struct m_reserve *reserve);
void world_tell_transition(const struct world *world, const struct m_transition *transition);
void world_tell_update(const struct world *world, const struct m_update *update);
void world_tell_answer(
	const struct world *world, enum world_op op, const struct inv_answer *answer);

void world_mood_step(struct world *world);
void world_wide_draw(struct world *world, struct m_reserve *reserve);
bool world_clock_waits(struct world *world, uint64_t *ret_step_us);
void world_denial_note(struct world *world, const struct m_reserve *reserve,
	const struct inv_answer *engine, struct m_answer m);
void world_denials_forget(struct world *world);
void world_denials_compare(struct world *world);

/* A rate plan and its terms. */
void world_plan_put(struct world *world, int hotel, int type);
void world_plans_fill(struct world *world, int hotel, int type);
/* A plan to sell under, mostly one that the type has. */
int world_plan_of(struct world *world, uint64_t hotel, int type);
void world_plans_compare(struct world *world, int hotel);
/* An answer about that plan. */
void world_plan_count(
	struct world *world, enum world_op op, int plan, const struct inv_answer *answer);
int world_plans_coverage(const struct world *world); /* what came up too seldom */
void world_agree(
	struct world *world, enum world_op op, const struct inv_answer *engine, struct m_answer m);

void terms_agree(const struct inv_cost *cost, struct m_cost m);
/* What some reservations of lately would cost now, or did. */
void world_terms_compare(struct world *world);
bool world_terms_edge(struct world *world, uint64_t *ret_step_us);

/* Every night of a hotel as the list of nights tells it, ascending by (type, day). */
void nights_read(struct world *world, int hotel);
/* The next night of it is this one, and its figures are the model's. */
void nights_compare(struct world *world, int hotel, int type, int day, const struct m_cell *cell);
/* The lists over all hotels have what was counted since, and the hotel has no other night. */
void nights_end(struct world *world, int hotel);
void nights_compare_all(struct world *world);

/* The same instant, in the model's words. */
struct m_now world_time(const struct world *world);
uint64_t draw(struct world *world, uint64_t bound);
bool chance(struct world *world, unsigned per_hundred);

#endif

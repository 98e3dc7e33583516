/* What the two halves of the model share. */
#ifndef TESTS_PROPERTY_MODEL_PRIV_H
#define TESTS_PROPERTY_MODEL_PRIV_H

#include <stddef.h>

#include "tests/property/model/model.h"

/* What was set for one night, beside the type's defaults. */
struct night {
	bool has_physical, has_out_of_order, has_allowance, has_cap;
	int64_t physical, out_of_order, allowance, cap;
	int allowance_unit;
	bool closed, cta, ctd;
	struct m_rate rate; /* of plan 0 */
};

struct plan {
	int number;
	struct m_plan_settings settings;
	struct m_rate *rates; /* M_NIGHTS of them; NULL: those of another plan are its own */
};

struct type {
	bool exists;
	struct m_type_settings settings;
	struct night *nights; /* M_NIGHTS of them */
	struct m_terms terms; /* of plan 0 */
	struct plan *plans;   /* the others, as they came */
	int plan_count, plan_capacity;
};

struct source {
	bool used;
	uint32_t source;
	uint64_t seq;
};

struct hotel {
	bool exists;
	uint64_t id;
	struct m_hotel_settings settings;
	int business_day;
	uint64_t version, event_seq;
	struct source sources[M_SOURCES];
	struct type types[M_TYPES];
};

struct reservation {
	bool graced;
	int state;
	uint32_t revision;
	uint64_t created_us, expires_us, changed_us, total;
	uint64_t change_id; /* of the last change */
	bool has_total;
	struct m_reserve told;    /* as it was sent */
	struct m_reserve asked;   /* with its lines, at the prices of their nights */
	char payment_ref[M_TEXT]; /* of BOOK, CONFIRM or ATTACH_PAYMENT */
	bool has_hotel;           /* a VOID may have none */
	bool is_imported;
	struct m_import import; /* then: as it was told */
};

struct refused {
	struct m_reserve asked;
	struct m_answer answer;
};

struct model {
	struct m_config config;
	int first_day;
	struct hotel *hotels; /* M_HOTELS of them */
	struct reservation *reservations;
	int count, capacity;
	struct refused *refused;
	int refused_count, refused_capacity;
	uint64_t purge_mark_us;
};

/* One admission being judged. */
struct trial {
	const struct model *m;
	const struct hotel *h;
	const struct m_reserve *r;
	struct reservation *own; /* whose rooms are given back in the same operation; or NULL */
	bool keeps;              /* and are the very ones that are changed */
	struct m_now now;
	uint64_t total;
	bool has_total;
};

/* Steps 2 to 10. */
struct m_answer m_judge(struct trial *t);
/* Puts the prices of its nights into a copy of line i. */
void m_freeze(const struct trial *t, int i, struct m_line *l);
/* And the terms it is sold under. */
void m_freeze_terms(const struct trial *t, int i, struct m_line *l);
/* What giving lines back costs at that instant. */
struct m_cost m_cost_of(const struct m_line *lines, int line_count, uint64_t t_us);
/* The old line whose prices and terms line i keeps, from 0; it may not be there. */
int m_kept_line(const struct m_reserve *r, int i);
/* Line b goes on where the one before it ends. */
bool m_continues(const struct m_line *lines, int line_count, int b);
struct reservation *m_find(const struct model *m, struct m_id id);
struct m_answer m_shown(const struct reservation *r, struct m_now now);

void *m_grown(void *array, int count, int *capacity, size_t size);
struct hotel *m_hotel_find(const struct model *m, uint64_t id);
bool m_in_window(const struct model *m, const struct hotel *h, int day);
struct night *m_night_of(const struct model *m, const struct hotel *h, int type, int day);
struct plan *m_plan_find(const struct type *t, int number);
bool m_has_plan(const struct type *t, int number);
/* Plan 0 has the type's. */
struct m_plan_settings m_plan_of(const struct type *t, int number);
/* What was set for the night; NULL: the plan is derived. */
struct m_rate *m_rate_set(
	const struct model *m, const struct hotel *h, int type, int plan, int day);
struct m_rate m_rate_of(const struct model *m, const struct hotel *h, int type, int plan, int day);
int m_count_on(const struct model *m, uint64_t hotel, int type, int day, bool held);
bool m_limit_of(
	const struct model *m, const struct hotel *h, int type, int day, int64_t *ret_limit);
bool m_is_live_hold(const struct reservation *r);
bool m_is_booking(const struct reservation *r);
void m_end(struct reservation *r, int state, uint64_t t_us);
void m_touch(struct model *m, const struct reservation *r);
uint64_t m_id_us(struct m_id id);
struct m_answer m_no(int code);
bool m_is_foreign(struct m_id id); /* an id of another layout */
/* What to say of an id that is not there. */
struct m_answer m_absent(const struct model *m, struct m_id id);
bool m_is_retirable(const struct model *m, const struct reservation *r, uint64_t t_us);
struct m_answer m_step_reference(const struct model *m, const struct m_reserve *r);
struct m_answer m_step_rooms(const struct trial *t, int i);

#endif

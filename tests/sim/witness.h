/*
 * The witness: the naive model beside every shard of a simulated world, one world at a time.
 *
 * It stands between the shard's step and the inventory (the linker wraps the inventory's judging
 * calls): whatever a shard is asked it asks the model too, at the same instant, and compares. The
 * effects it saw are kept by LSN as what the model was asked; when a shard starts again the model
 * is made anew from those up to the LSN that recovery came to, and compared with what recovery
 * found, night by night and record by record.
 *
 * Every judgement is kept as the answer it must give. What a client hears is looked up there: an
 * answer that no judgement explains, or one whose effect is not there after a start, ends the run.
 */
#ifndef TESTS_SIM_WITNESS_H
#define TESTS_SIM_WITNESS_H

#include "engine/inventory/inventory.h"
#include "tests/property/model/model.h"
#include "tests/sim/cluster.h"

#define WITNESS_PLACES 16u /* hotels' slots of a shard */
#define WITNESS_NIGHTS_MAX 64u

/* What an answer says, all of it; what has no meaning is zero. */
struct witness_reply {
	uint64_t code, rule, line, has_day, day, refused_state, required, left;
	uint64_t state, due, repeated, has_total, outcome, revision, expires_us, total;
	uint64_t has_amounts, penalty, refundable, free_until, event_seq, hotel, version, cells;
	uint64_t over_limit, last_seq, created, business_day, digest; /* of columns, of lines */
	uint64_t cursor, cursor_day;                                  /* of the next page */
};

/* What was done, in the model's words. */
enum deed_kind {
	DEED_NONE, /* START, DIGEST */
	DEED_HOTEL,
	DEED_TYPE,
	DEED_PLAN,
	DEED_UPDATE,
	DEED_RESERVE,
	DEED_IMPORT,
	DEED_TRANSITION,
	DEED_CLOCK,
	DEED_GRACE
};
struct deed {
	struct deed *next; /* of all, to be freed */
	enum deed_kind kind;
	bool is_behind; /* the clock had work left */
	uint32_t slot;  /* of the hotel, or of the id */
	struct m_now now;
	uint64_t hotel, last_t_us, purge_mark_us; /* the last of a retirement */
	int type;
	union {
		struct m_hotel_settings hotel;
		struct m_type_settings type;
		struct m_plan_put plan;
		struct m_update update;
		struct m_reserve reserve;
		struct m_import import;
		struct m_transition transition;
	} u;
};

/* The newest effect of a slot: an answer about it is not true before that is durable. */
struct witness_place {
	uint32_t slot;
	uint64_t lsn;
};

struct deeds_saved {
	struct deed **deeds; /* NULL: nothing is saved */
	uint64_t count;
};

struct witness_shard {
	uint32_t number;
	struct model *live;
	struct model *base; /* at base_lsn, which was durable */
	uint64_t base_lsn;
	struct deed **deeds; /* by LSN - 1 */
	uint64_t deed_count, deed_capacity;
	struct deeds_saved spare;  /* as they were before a start that never got through */
	struct deeds_saved before; /* as they were when the log was struck first */
	bool is_confirmed;         /* the last start became durable */
	uint64_t heard_lsn;        /* the newest that a client has heard of */
	struct witness_place places[WITNESS_PLACES];
	struct deed *pending; /* judged, not yet applied */
	struct m_now grace_now;
	uint64_t grace_last_us;
	uint64_t caught_up_us; /* an instant at which the clock had no work left */
	uint64_t judged;
	uint64_t clock_first_us, clock_first_at_us; /* of its first judgement */
	uint64_t clock_us, clock_at_us, expired_us,
		expired_count;                             /* its time; when that was seen */
	uint64_t *batch_ends, batch_count, batch_capacity; /* LSNs */
	uint64_t reach;     /* batches that damage may have taken since a start got through */
	uint64_t cut_count; /* starts without what was acknowledged, as far as damage allows */
};

void witness_open(struct cluster *cluster);
void witness_close(void);
void witness_ready(uint32_t shard); /* its start is durable, and it serves */
/* A segment of a shard's log is about to be struck; it may be restored to this moment. */
void witness_struck(uint32_t shard);
/* The media of a shard's disk were damaged: what was acknowledged last may be cut. */
void witness_damage(uint32_t shard, uint32_t reach);
void witness_repair(uint32_t shard, uint32_t reach);
void witness_recover(const struct log_store *store, bool is_done); /* begins; ends */
void witness_check(void); /* whole states: model and engine */
uint64_t witness_cuts(void);
uint64_t witness_effects(enum inv_effect_kind kind);
uint64_t witness_replaced(void), witness_judgements(void); /* holds, by other holds; all */
uint64_t witness_sold(bool is_derived);                    /* lines under plans beside plan 0 */

/* Names of requests: equal requests have equal keys. */
uint64_t witness_key(const char *what, const void *bytes, size_t size_bytes);

/*
 * A client heard this, about a request submitted since: ends the run when nobody said so. False
 * when it was true and damaged media have taken it: it is worth nothing any more.
 */
bool witness_heard(
	const char *what, uint64_t key, uint64_t since_us, const struct witness_reply *reply);

/* ---- between the wrapped calls and the rest ---- */

struct witness_shard *witness_of(const struct inv *inv);
const struct cluster *witness_cluster(void);
uint64_t witness_now_us(void);
struct log_io;
struct witness_shard *witness_of_log(const struct log_io *log);
struct deed *witness_deed(enum deed_kind kind, struct inv_now now, uint64_t hotel, struct kr_id id);
/* A change was judged: effect is NULL when there is none. */
void witness_judged(struct witness_shard *shard, const struct inv *inv, struct deed *deed,
	uint64_t key, const struct inv_answer *answer, const struct inv_effect *effect);
/* A read of the slot was answered; WITNESS_SLOT_ALL: of everything. */
#define WITNESS_SLOT_ALL (UINT32_MAX - 1)
void witness_said(struct witness_shard *shard, uint32_t slot, uint64_t key,
	const struct witness_reply *reply);
void witness_batch(struct witness_shard *shard, uint64_t last_lsn);
void witness_start(struct witness_shard *shard, struct inv *inv, uint64_t lsn);
void witness_applied(struct witness_shard *shard, const struct inv_effect *effect);
struct m_answer deed_do(struct model *model, const struct deed *deed);
void witness_reply_refusal(const struct inv_refusal *refusal, struct witness_reply *ret);
KR_NORETURN void witness_fail(const struct witness_shard *shard, const char *format, ...)
	KR_PRINTF(2, 3);

#endif

#include "tests/sim/witness.h"
#include "tests/sim/witness_compare.h"
#include "tests/sim/witness_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/shard/state.h"
#include "tests/property/model/model_priv.h"
#include "tests/sim/oracle.h"
#include "tests/sim/witness_wrap.h"

#define COMPARE_EVERY 256u
#define STORM 8u
#define CLOCK_SLACK_US 40000u /* a minute of slew may come at once */
#define CLOCK_SLEW_PPM 600u   /* the shard's own bound, and rounding */

/* A judgement, and the answer that it must give. */
struct said {
	uint64_t key;
	uint64_t at_us;
	uint64_t lsn; /* it is true once this is durable */
	uint32_t shard;
	bool is_gone;     /* what it shows was never durable */
	bool is_forgiven; /* or it was, until the media were damaged */
	struct witness_reply reply;
};

struct witness {
	struct cluster *cluster;
	struct witness_shard shards[CLUSTER_SHARDS_MAX];
	struct deed *all;
	struct said *said;
	uint64_t said_count, said_capacity, judgements;
	uint64_t effects[INV_EFFECT_LAST + 1], replaced, sold[2];
};

static struct witness witness;

void witness_fail(const struct witness_shard *s, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cluster_fail(witness.cluster, "shard %u, effect %llu: %s", s->number,
		(unsigned long long)s->deed_count, text);
}

/* ---- lists of deeds ---- */

static void deed_keep(struct witness_shard *s, struct deed *deed)
{
	if (s->deed_count == s->deed_capacity) {
		s->deed_capacity = KR_MAX(1024, s->deed_capacity * 2);
		s->deeds = realloc(s->deeds, s->deed_capacity * sizeof(struct deed *));
		kr_assert(s->deeds != NULL);
	}
	s->deeds[s->deed_count++] = deed;
}

static void deeds_drop(struct deeds_saved *saved)
{
	free(saved->deeds);
	*saved = (struct deeds_saved){0};
}

static void deeds_save(const struct witness_shard *s, struct deeds_saved *ret_saved)
{
	deeds_drop(ret_saved);
	ret_saved->deeds = calloc(s->deed_count + 1, sizeof(struct deed *));
	kr_assert(ret_saved->deeds != NULL);
	if (s->deed_count > 0)
		memcpy(ret_saved->deeds, s->deeds, s->deed_count * sizeof(struct deed *));
	ret_saved->count = s->deed_count;
}

static void deeds_restore(struct witness_shard *s, const struct deeds_saved *saved)
{
	kr_assert(saved->deeds != NULL);
	s->deed_count = 0;
	for (uint64_t i = 0; i < saved->count; i++)
		deed_keep(s, saved->deeds[i]);
}

/* ---- life ---- */

static struct model *model_make(void)
{
	const struct inv_config *config = &witness.cluster->plan.server.shard.inventory;
	const struct m_config m = {(int)config->window_nights, config->retention_us,
		config->grace_us, INV_STAY_KEEP_DAYS, (int)config->plans_max};
	return model_new(&m);
}

void witness_open(struct cluster *cluster)
{
	memset(&witness, 0, sizeof(witness));
	witness.cluster = cluster;
	for (uint32_t i = 0; i < cluster->shard_count; i++) {
		struct witness_shard *s = &witness.shards[i];
		s->number = i;
		s->live = model_make();
		s->base = model_make();
	}
}

void witness_close(void)
{
	for (uint32_t i = 0; i < witness.cluster->shard_count; i++) {
		struct witness_shard *s = &witness.shards[i];
		s->live = model_free(s->live);
		s->base = model_free(s->base);
		free(s->deeds);
		deeds_drop(&s->spare);
		deeds_drop(&s->before);
		free(s->batch_ends);
	}
	while (witness.all != NULL) {
		struct deed *next = witness.all->next;
		free(witness.all);
		witness.all = next;
	}
	free(witness.said);
	witness_lists_close();
	memset(&witness, 0, sizeof(witness));
}

uint64_t witness_effects(enum inv_effect_kind kind)
{
	return witness.effects[kind];
}

uint64_t witness_replaced(void)
{
	return witness.replaced;
}

uint64_t witness_sold(bool is_derived)
{
	return witness.sold[is_derived];
}

uint64_t witness_judgements(void)
{
	return witness.judgements;
}

const struct cluster *witness_cluster(void)
{
	return witness.cluster;
}

uint64_t witness_now_us(void)
{
	return sim_world_now_us(witness.cluster->world);
}

struct witness_shard *witness_of(const struct inv *inv)
{
	const struct cluster *c = witness.cluster;
	for (uint32_t i = 0; c != NULL && i < c->shard_count; i++) {
		const struct server *server = c->shards[i].server;
		if (server != NULL && server->shard != NULL && server->shard->inv == inv)
			return &witness.shards[i];
	}
	return NULL;
}

struct witness_shard *witness_of_log(const struct log_io *log)
{
	const struct cluster *c = witness.cluster;
	for (uint32_t i = 0; c != NULL && i < c->shard_count; i++)
		if (c->shards[i].server != NULL && &c->shards[i].server->log == log)
			return &witness.shards[i];
	return NULL;
}

/* ---- deeds ---- */

struct deed *witness_deed(enum deed_kind kind, struct inv_now now, uint64_t hotel, struct kr_id id)
{
	struct deed *deed = calloc(1, sizeof(*deed));
	kr_assert(deed != NULL);
	deed->kind = kind;
	deed->now = (struct m_now){now.t_us, now.wall_us};
	deed->hotel = hotel;
	deed->slot = !kr_id_is_zero(id) ? reservation_id_slot(id)
		     : hotel != 0       ? slot_of_hotel((struct hotel_id){hotel})
					: UINT32_MAX;
	deed->next = witness.all;
	witness.all = deed;
	return deed;
}

struct m_answer deed_do(struct model *model, const struct deed *d)
{
	switch (d->kind) {
	case DEED_HOTEL:
		return model_hotel_put(model, d->now, d->hotel, &d->u.hotel);
	case DEED_TYPE:
		return model_type_put(model, d->now, d->hotel, d->type, &d->u.type);
	case DEED_PLAN:
		return model_plan_put(model, &d->u.plan);
	case DEED_UPDATE:
		return model_update(model, d->now, &d->u.update);
	case DEED_RESERVE:
		return model_reserve(model, d->now, &d->u.reserve);
	case DEED_IMPORT:
		return model_import(model, d->now, &d->u.import);
	case DEED_TRANSITION:
		return model_transition(model, d->now, &d->u.transition);
	case DEED_CLOCK:
		model_clock(model, d->now);
		break;
	case DEED_GRACE:
		model_restart(model, d->now, d->last_t_us);
		break;
	case DEED_NONE:
		break;
	}
	return (struct m_answer){0};
}

static struct witness_place *place_of(struct witness_shard *s, uint32_t slot)
{
	for (uint32_t i = 0; i < WITNESS_PLACES; i++)
		if (s->places[i].lsn == 0 || s->places[i].slot == slot)
			return &s->places[i];
	witness_fail(s, "more slots than the witness has places for");
}

static void place_touch(struct witness_shard *s, uint32_t slot, uint64_t lsn)
{
	if (slot == UINT32_MAX)
		return;
	*place_of(s, slot) = (struct witness_place){slot, lsn};
}

static void expiry_count(struct witness_shard *s, const struct inv_effect *effect)
{
	if (effect->kind != INV_EFFECT_EXPIRE)
		return;
	witness.cluster->edges[INV_HELD][INV_EXPIRED]++;
	s->expired_count = s->expired_us == effect->t_us ? s->expired_count + 1 : 1;
	s->expired_us = effect->t_us;
	witness.cluster->marks[CLUSTER_MARK_EXPIRY_STORM] += s->expired_count == STORM;
}

void witness_applied(struct witness_shard *s, const struct inv_effect *effect)
{
	struct deed *deed = s->pending;
	s->pending = NULL;
	if (effect->lsn != s->deed_count + 1)
		witness_fail(s, "an effect has LSN %llu", (unsigned long long)effect->lsn);
	if (deed == NULL) {
		const bool is_clock = effect->kind == INV_EFFECT_EXPIRE ||
				      effect->kind == INV_EFFECT_WINDOW ||
				      effect->kind == INV_EFFECT_RETIRE;
		const struct inv_now now = {effect->t_us, effect->t_us};
		deed = witness_deed(is_clock ? DEED_CLOCK : DEED_NONE, now, effect->hotel.v,
			effect->hotel.v == 0 ? effect->id : (struct kr_id){0, 0});
		if (effect->kind == INV_EFFECT_GRACE) {
			deed->kind = DEED_GRACE;
			deed->now = s->grace_now;
			deed->last_t_us = s->grace_last_us;
		}
	}
	expiry_count(s, effect);
	kr_assert(effect->kind <= INV_EFFECT_LAST);
	witness.effects[effect->kind]++;
	witness.replaced +=
		effect->kind == INV_EFFECT_RESERVE && !kr_id_is_zero(effect->u.reserve.replaces);
	if (effect->kind == INV_EFFECT_RETIRE)
		deed->purge_mark_us = effect->u.retire.purge_mark_us;
	deed_keep(s, deed);
	place_touch(s, deed->slot, effect->lsn);
}

/* ---- what was said ---- */

static void said_add(
	struct witness_shard *s, uint64_t lsn, uint64_t key, const struct witness_reply *reply)
{
	if (witness.said_count == witness.said_capacity) {
		witness.said_capacity = KR_MAX(4096, witness.said_capacity * 2);
		witness.said = realloc(witness.said, witness.said_capacity * sizeof(struct said));
		kr_assert(witness.said != NULL);
	}
	witness.said[witness.said_count++] = (struct said){
		.key = key,
		.at_us = sim_world_now_us(witness.cluster->world),
		.lsn = lsn,
		.shard = s->number,
		.reply = *reply,
	};
}

void witness_said(
	struct witness_shard *s, uint32_t slot, uint64_t key, const struct witness_reply *reply)
{
	if (slot == WITNESS_SLOT_ALL) {
		said_add(s, s->deed_count, key, reply);
		return;
	}
	const struct witness_place *place = place_of(s, slot);
	said_add(s, place->slot == slot ? place->lsn : 0, key, reply);
}

uint64_t witness_key(const char *what, const void *bytes, size_t size_bytes)
{
	return hash_mix(hash_64(what, strlen(what))) ^ hash_64(bytes, size_bytes);
}

static void reply_tell(const char *who, const struct witness_reply *r)
{
	printf("  %s: penalty %llu/%llu refundable %llu free until %llu\n", who,
		(unsigned long long)r->has_amounts, (unsigned long long)r->penalty,
		(unsigned long long)r->refundable, (unsigned long long)r->free_until);
	printf("  %s: %s rule %llu line %llu day %lld of-state %llu required %lld left %lld; state "
	       "%llu due %llu repeated %llu total %llu/%llu outcome %llu revision %llu expires "
	       "%llu; seq %llu hotel %llu version %llu cells %llu over %llu last %llu created %llu "
	       "day %lld digest %llx\n",
		who, code_name((unsigned)r->code), (unsigned long long)r->rule,
		(unsigned long long)r->line, (long long)r->day,
		(unsigned long long)r->refused_state, (long long)r->required, (long long)r->left,
		(unsigned long long)r->state, (unsigned long long)r->due,
		(unsigned long long)r->repeated, (unsigned long long)r->has_total,
		(unsigned long long)r->total, (unsigned long long)r->outcome,
		(unsigned long long)r->revision, (unsigned long long)r->expires_us,
		(unsigned long long)r->event_seq, (unsigned long long)r->hotel,
		(unsigned long long)r->version, (unsigned long long)r->cells,
		(unsigned long long)r->over_limit, (unsigned long long)r->last_seq,
		(unsigned long long)r->created, (long long)r->business_day,
		(unsigned long long)r->digest);
}

KR_NORETURN static void heard_nothing_like(
	const char *what, uint64_t key, const struct witness_reply *reply)
{
	reply_tell("heard", reply);
	for (uint64_t i = 0; i < witness.said_count; i++)
		if (witness.said[i].key == key)
			reply_tell(witness.said[i].is_gone ? "said and lost" : "said",
				&witness.said[i].reply);
	cluster_fail(witness.cluster, "%s: no judgement explains this answer", what);
}

/* While the process lives it can be asked, and no crash has to come in between. */
static void check_durable(const struct witness_shard *s, const char *what, uint64_t lsn)
{
	const struct server *server = witness.cluster->shards[s->number].server;
	if (server == NULL || !server->is_log_open || server->log.is_failed)
		return;
	if (lsn > log_io_acked_lsn(&server->log))
		witness_fail(s, "%s was answered, the disk has not got as far as %llu", what,
			(unsigned long long)lsn);
}

/* Of several judgements that would explain it, the one that needs the least to be durable. */
bool witness_heard(
	const char *what, uint64_t key, uint64_t since_us, const struct witness_reply *reply)
{
	const struct said *first = NULL;
	bool is_forgiven = false;
	for (uint64_t i = witness.said_count; i > 0; i--) {
		const struct said *said = &witness.said[i - 1];
		if (said->at_us < since_us)
			break;
		if (said->key != key || memcmp(&said->reply, reply, sizeof(*reply)) != 0)
			continue;
		is_forgiven |= said->is_forgiven;
		if (!said->is_gone && (first == NULL || said->lsn < first->lsn))
			first = said;
	}
	if (first == NULL && is_forgiven)
		return false;
	if (first == NULL)
		heard_nothing_like(what, key, reply);
	struct witness_shard *s = &witness.shards[first->shard];
	check_durable(s, what, first->lsn);
	s->heard_lsn = KR_MAX(s->heard_lsn, first->lsn);
	return true;
}

/* ---- judging beside ---- */

void witness_reply_refusal(const struct inv_refusal *f, struct witness_reply *ret)
{
	ret->rule = f->rule;
	ret->line = f->line;
	ret->has_day = f->has_day;
	ret->day = (uint64_t)(int64_t)f->day;
	ret->refused_state = f->state;
	ret->required = (uint64_t)f->required;
	ret->left = (uint64_t)f->left;
}

static void reply_make(const struct deed *d, const struct inv_answer *a, const struct model *model,
	struct witness_reply *ret)
{
	const bool is_put = d->kind == DEED_HOTEL || d->kind == DEED_TYPE || d->kind == DEED_PLAN;
	*ret = (struct witness_reply){.code = a->code};
	if (a->code != KEYRACK_DONE)
		witness_reply_refusal(&a->refusal, ret);
	if (is_put && a->code != KEYRACK_DONE)
		return;
	if (is_put) {
		ret->created = a->created;
		ret->version = model_version(model, d->hotel);
		if (d->kind == DEED_HOTEL) {
			ret->event_seq = model_event_seq(model, d->hotel);
			ret->business_day = (uint64_t)(int64_t)model_business_day(model, d->hotel);
		}
		if (d->kind == DEED_PLAN) {
			const struct m_plan_put *p = &d->u.plan;
			const struct m_plan_settings s =
				model_plan(model, p->hotel, p->type, p->plan);
			ret->digest = witness_plan(0, p->type, p->plan, &s);
		}
	} else if (d->kind == DEED_UPDATE) {
		ret->version = a->ari_version;
		ret->event_seq = a->event_seq;
		ret->cells = a->cell_count;
		ret->repeated = a->repeated;
		ret->last_seq = a->last_source_seq;
		ret->over_limit = a->cells_over_limit;
	} else {
		ret->state = a->state;
		ret->due = a->due;
		ret->repeated = a->repeated;
		ret->has_total = a->has_total;
		ret->outcome = a->outcome;
		ret->revision = a->revision;
		ret->expires_us = a->expires_at_us;
		ret->total = a->total_minor;
		ret->event_seq = a->event_seq;
		ret->hotel = a->hotel.v;
		ret->over_limit = a->cells_over_limit;
		ret->has_amounts = a->has_amounts;
		ret->penalty = a->penalty_minor;
		ret->refundable = a->refundable_minor;
	}
}

static void agree(const struct witness_shard *s, const struct deed *d, const struct inv_answer *e,
	const struct m_answer *m)
{
	if ((int)e->code != m->code)
		witness_fail(s,
			"deed %d: the engine says %s (line %u, day %d), the model %s (line %d, day "
			"%d)",
			d->kind, code_name(e->code), e->refusal.line, e->refusal.day,
			code_name((unsigned)m->code), m->line, m->day);
	if (m->has_day && (e->refusal.day != m->day || e->refusal.line != m->line))
		witness_fail(s, "%s: line %u day %d, not %d %d", code_name(e->code),
			e->refusal.line, e->refusal.day, m->line, m->day);
	const bool is_stay =
		d->kind == DEED_RESERVE || d->kind == DEED_TRANSITION || d->kind == DEED_IMPORT;
	if (d->kind == DEED_IMPORT && m->code == KEYRACK_DONE &&
		e->cells_over_limit != m->over_limit)
		witness_fail(s, "%u over limit, the model %u", e->cells_over_limit, m->over_limit);
	if (m->state != 0 && is_stay) {
		const bool is_same = e->state == m->state && e->revision == m->revision &&
				     e->repeated == m->repeated && e->due == m->due &&
				     e->has_total == m->has_total && e->total_minor == m->total &&
				     e->has_amounts == m->has_amounts &&
				     e->penalty_minor == m->penalty &&
				     e->refundable_minor == m->refundable &&
				     (m->state != M_HELD || e->expires_at_us == m->expires_us);
		if (m->state != M_VOID && !is_same)
			witness_fail(s, "%s: state %u.%u, the model %d.%u", code_name(e->code),
				e->state, e->revision, m->state, m->revision);
	}
	if (e->created != m->created && d->kind == DEED_PLAN)
		witness_fail(s, "created %d, the model %d", e->created, m->created);
	if (d->kind == DEED_UPDATE && m->code == KEYRACK_DONE && !m->repeated &&
		(e->cell_count != m->cells || e->cells_over_limit != m->over_limit))
		witness_fail(s, "%u cells, %u over limit, the model %u, %u", e->cell_count,
			e->cells_over_limit, m->cells, m->over_limit);
	if (d->kind == DEED_UPDATE && m->code == KEYRACK_DONE &&
		(e->repeated != m->repeated || e->ari_version != m->version))
		witness_fail(s, "version %llu, the model %llu", (unsigned long long)e->ari_version,
			(unsigned long long)m->version);
}

/* A table that is said to be full has to be. */
static void check_limit(
	const struct witness_shard *s, const struct inv *inv, const struct inv_answer *a)
{
	const struct inv_config *config = &witness.cluster->plan.server.shard.inventory;
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	const bool is_full = counts.reservations == config->reservations_max ||
			     counts.nodes + 16 > config->nodes_max ||
			     counts.stock_runs + 64 > config->stock_runs_max ||
			     counts.plans == config->plans_max;
	if (!is_full)
		witness_fail(s, "%s is said to be full: %u records, %u nodes, %u runs",
			a->refusal.text == NULL ? "a table" : a->refusal.text, counts.reservations,
			counts.nodes, counts.stock_runs);
}

static void sold_count(const struct witness_shard *s, const struct m_reserve *r)
{
	for (int i = 0; i < r->line_count; i++) {
		const struct m_line *l = &r->lines[i];
		if (l->plan != 0)
			witness.sold[model_plan(s->live, r->hotel, l->type, l->plan).derivation !=
				     0]++;
	}
}

static void check_span(const struct witness_shard *s, uint64_t told, uint64_t real)
{
	const uint64_t slack = CLOCK_SLACK_US + real * CLOCK_SLEW_PPM / 1000000;
	const uint64_t apart = real > told ? real - told : told - real;
	if (apart > slack)
		witness_fail(s, "its time went by %lld us in %llu us", (long long)told,
			(unsigned long long)real);
}

/* Its time goes as real time does, whatever its wall clock shows: since the last judgement, and
 * since the first, as a little that is wrong between any two of them comes to much. */
static void check_clock(struct witness_shard *s, uint64_t t_us)
{
	const uint64_t at_us = sim_world_now_us(witness.cluster->world);
	if (s->clock_us == 0) {
		s->clock_first_us = t_us;
		s->clock_first_at_us = at_us;
	} else {
		if (t_us < s->clock_us)
			witness_fail(s, "its time went back");
		check_span(s, t_us - s->clock_us, at_us - s->clock_at_us);
		check_span(s, t_us - s->clock_first_us, at_us - s->clock_first_at_us);
	}
	s->clock_us = t_us;
	s->clock_at_us = at_us;
}

/* What is asked of which state, and when. */
static uint32_t state_before(struct witness_shard *s, const struct deed *d)
{
	const struct m_id id = d->kind == DEED_RESERVE      ? d->u.reserve.id
			       : d->kind == DEED_IMPORT     ? d->u.import.what.id
			       : d->kind == DEED_TRANSITION ? d->u.transition.id
							    : (struct m_id){0, 0};
	const struct reservation *r = m_find(s->live, id);
	/* At its deadline the clock has ended it already. */
	const bool is_due =
		r != NULL && (r->state == M_EXPIRED ? r->changed_us : r->expires_us) == d->now.t_us;
	witness.cluster->marks[CLUSTER_MARK_EXPIRY_EXACT] += is_due && d->kind == DEED_TRANSITION;
	return r == NULL ? 0 : (uint32_t)r->state;
}

static void judged_count(
	const struct deed *d, const struct inv_answer *a, uint32_t state, bool has_effect)
{
	struct cluster *c = witness.cluster;
	const bool is_sale =
		d->kind == DEED_RESERVE || d->kind == DEED_IMPORT || d->kind == DEED_TRANSITION;
	kr_assert(a->state <= INV_VOID);
	if (is_sale && has_effect)
		c->edges[state][a->state]++;
	c->marks[CLUSTER_MARK_LOWERED] +=
		d->kind == DEED_UPDATE && has_effect && a->cells_over_limit > 0;
}

void witness_judged(struct witness_shard *s, const struct inv *inv, struct deed *d, uint64_t key,
	const struct inv_answer *answer, const struct inv_effect *effect)
{
	struct witness_reply reply;
	witness.judgements++;
	if (s->pending != NULL)
		witness_fail(s, "judged twice without applying");
	if (answer->code == KEYRACK_LIMIT_REACHED) {
		check_limit(s, inv, answer);
		return;
	}
	/* Work for the clock that came up in the same step waits for the next one. */
	d->is_behind = inv_due_next_us(inv) <= d->now.t_us;
	if (d->is_behind && s->caught_up_us != d->now.t_us)
		witness_fail(s, "a change was judged while the clock has work");
	if (!d->is_behind) {
		s->caught_up_us = d->now.t_us;
		model_clock(s->live, d->now);
	}
	check_clock(s, d->now.t_us);
	const uint32_t state = state_before(s, d);
	const struct m_answer m = deed_do(s->live, d);
	agree(s, d, answer, &m);
	judged_count(d, answer, state, effect != NULL);
	if (effect != NULL && effect->hotel.v != 0 &&
		effect->event_seq != model_event_seq(s->live, effect->hotel.v))
		witness_fail(s, "event %llu, the model %llu", (unsigned long long)effect->event_seq,
			(unsigned long long)model_event_seq(s->live, effect->hotel.v));
	if (effect != NULL)
		s->pending = d;
	if (effect != NULL && d->kind == DEED_RESERVE)
		sold_count(s, &d->u.reserve);
	reply_make(d, answer, s->live, &reply);
	if (effect != NULL)
		said_add(s, s->deed_count + 1, key, &reply);
	else if (answer->code == KEYRACK_INVALID)
		said_add(s, 0, key, &reply); /* that is so whatever the state */
	else if (answer->code == KEYRACK_KEY_EXPIRED && d->kind != DEED_IMPORT)
		said_add(s, witness_purge_lsn(s, d), key, &reply);
	else if (answer->state == INV_VOID && answer->hotel.v == 0)
		said_add(s, witness_void_lsn(s, d), key, &reply);
	else
		witness_said(s, d->slot, key, &reply);
	if (++s->judged % COMPARE_EVERY == 0 && effect == NULL)
		witness_compare(s, witness.cluster->shards[s->number].server->shard->inv,
			"while it serves");
}

/* ---- starting again ---- */

static void model_feed(struct witness_shard *s, struct model *model, uint64_t from, uint64_t to)
{
	for (uint64_t lsn = from + 1; lsn <= to; lsn++) {
		const struct deed *d = s->deeds[lsn - 1];
		if (d->kind == DEED_NONE)
			continue;
		if (d->kind != DEED_CLOCK && d->kind != DEED_GRACE && !d->is_behind)
			model_clock(model, d->now);
		(void)deed_do(model, d);
	}
}

void witness_batch(struct witness_shard *s, uint64_t last_lsn)
{
	if (s->batch_count == s->batch_capacity) {
		s->batch_capacity = KR_MAX(256, s->batch_capacity * 2);
		s->batch_ends = realloc(s->batch_ends, s->batch_capacity * sizeof(uint64_t));
		kr_assert(s->batch_ends != NULL);
	}
	s->batch_ends[s->batch_count++] = last_lsn;
}

/*
 * What was heard of must be there. Damage of the media may take the newest batches, as many as it
 * hit: nothing proves those. Whatever lies before them is proven by what came later.
 */
static void check_heard(struct witness_shard *s, uint64_t lsn)
{
	uint64_t lost = 0;
	for (uint64_t i = 0; i < s->batch_count; i++)
		lost += s->batch_ends[i] > lsn && s->batch_ends[i] <= s->heard_lsn;
	while (s->batch_count > 0 && s->batch_ends[s->batch_count - 1] > lsn)
		s->batch_count--;
	if (lsn >= s->heard_lsn)
		return;
	if (lost > s->reach)
		witness_fail(s, "recovery came to LSN %llu, a client has heard of %llu",
			(unsigned long long)lsn, (unsigned long long)s->heard_lsn);
	cluster_tell(witness.cluster, "shard %u: %llu acknowledged batches are cut", s->number,
		(unsigned long long)lost);
	s->cut_count++;
	s->heard_lsn = lsn;
	oracle_forgive(witness.cluster, s->number);
}

static void said_forget(const struct witness_shard *s, uint64_t lsn)
{
	for (uint64_t i = 0; i < witness.said_count; i++) {
		struct said *said = &witness.said[i];
		if (said->shard != s->number || said->lsn <= lsn || said->is_gone)
			continue;
		said->is_gone = true;
		said->is_forgiven = s->reach > 0;
	}
}

static struct model *model_at(struct witness_shard *s, uint64_t lsn)
{
	struct model *model = model_copy(s->base);
	model_feed(s, model, s->base_lsn, lsn);
	return model;
}

/*
 * A start that never got through may have read less than there is (a read that failed): what it
 * would have cut is kept until one gets through. Which of the two the disk has, is told by how far
 * the hotels are: what such a start wrote in the place of effects may have come to nothing.
 */
static void spare_keep(struct witness_shard *s, const struct inv *inv, uint64_t lsn)
{
	struct model *model = lsn > s->base_lsn && lsn <= s->deed_count ? model_at(s, lsn) : NULL;
	if (s->is_confirmed || s->spare.deeds == NULL)
		deeds_save(s, &s->spare);
	else if (lsn > s->deed_count || (model != NULL && !witness_is_as_far(model, inv)))
		deeds_restore(s, &s->spare);
	if (model != NULL)
		(void)model_free(model);
	s->is_confirmed = false;
}

void witness_start(struct witness_shard *s, struct inv *inv, uint64_t start_lsn)
{
	const uint64_t lsn = start_lsn - 1;
	s->pending = NULL;
	s->clock_us = 0;
	witness_lists_forget(s);
	spare_keep(s, inv, lsn);
	if (lsn > s->deed_count)
		witness_fail(s, "recovery came to LSN %llu, beyond all that was ever done",
			(unsigned long long)lsn);
	check_heard(s, lsn);
	said_forget(s, lsn);
	s->deed_count = lsn;
	memset(s->places, 0, sizeof(s->places));
	for (uint64_t i = 0; i < lsn; i++)
		place_touch(s, s->deeds[i]->slot, i + 1);
	if (lsn < s->base_lsn) {
		s->base = model_free(s->base);
		s->base = model_make();
		s->base_lsn = 0;
	}
	s->live = model_free(s->live);
	s->live = model_at(s, lsn);
	witness_compare(s, inv, "after recovery");
}

void witness_ready(uint32_t shard)
{
	struct witness_shard *s = &witness.shards[shard];
	s->is_confirmed = true;
	s->reach = 0;
	deeds_drop(&s->before);
	/* What recovery came to is behind a durable START now. */
	for (uint64_t lsn = s->deed_count; lsn > s->base_lsn; lsn--)
		if (s->deeds[lsn - 1]->kind == DEED_NONE) {
			model_feed(s, s->base, s->base_lsn, lsn);
			s->base_lsn = lsn;
			break;
		}
}

void witness_struck(uint32_t shard)
{
	struct witness_shard *s = &witness.shards[shard];
	if (s->before.deeds == NULL)
		deeds_save(s, &s->before);
}

void witness_damage(uint32_t shard, uint32_t reach)
{
	witness.shards[shard].reach += reach;
}

void witness_repair(uint32_t shard, uint32_t reach)
{
	struct witness_shard *s = &witness.shards[shard];
	kr_assert(s->reach >= reach);
	s->reach -= reach;
	/* The log is that of before it was struck: what starts did since is not in it. */
	if (reach > 0 && s->before.deeds != NULL)
		deeds_restore(s, &s->before);
	deeds_drop(&s->before);
}

void witness_recover(const struct log_store *store, bool is_done)
{
	struct cluster *c = witness.cluster;
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *node = &c->shards[i];
		if (node->server == NULL || &node->server->store != store)
			continue;
		if (is_done) {
			c->verdicts[store->recover->report.verdict]++;
			return;
		}
		node->is_recovering = true;
		if (c->plan.has_damage)
			node->found_digest = c->digest(c, i);
	}
}

uint64_t witness_cuts(void)
{
	uint64_t cuts = 0;
	for (uint32_t i = 0; i < witness.cluster->shard_count; i++)
		cuts += witness.shards[i].cut_count;
	return cuts;
}

void witness_check(void)
{
	for (uint32_t i = 0; i < witness.cluster->shard_count; i++) {
		struct witness_shard *s = &witness.shards[i];
		const struct server *server = witness.cluster->shards[i].server;
		if (server != NULL && server->shard != NULL)
			witness_compare(s, server->shard->inv, "at the end");
	}
}

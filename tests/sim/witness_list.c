/*
 * Lists of reservations and of denials, as the shard reads them. Each record that a list tells is
 * held against the model where it is read; here lists are held against what is to be in them.
 */
#include <string.h>

#include "base/hash.h"
#include "tests/property/model/model_priv.h"
#include "tests/sim/client.h"
#include "tests/sim/witness.h"
#include "tests/sim/witness_list.h"
#include "tests/sim/witness_wrap.h"

#define DENIALS_MAX 64u

static uint64_t digest(const uint64_t *words, size_t count)
{
	return hash_64(words, count * sizeof(uint64_t));
}

/* ---- reservations ---- */

/* The list being read: the step reads one from its first place to its last without a pause. */
static struct {
	const struct inv *inv;
	bool is_whole;
	uint64_t count, sum;
} scanned;

uint64_t witness_listed(const struct inv_reservation_view *v)
{
	const uint64_t words[] = {v->id.hi, v->id.lo, v->hotel.v, v->state, v->due, v->revision,
		v->total_minor, v->has_total, v->event_seq, v->line_count};
	return digest(words, KR_ARRAY_COUNT(words));
}

static uint64_t fitting(const struct model *m, const struct inv_reservation_filter *filter)
{
	uint64_t count = 0;
	for (int i = 0; i < m->count; i++) {
		const struct reservation *r = &m->reservations[i];
		const bool is_hotels = r->has_hotel && r->asked.hotel == filter->hotel.v;
		count += is_hotels && (filter->state_mask == 0 ||
					      (filter->state_mask >> (unsigned)r->state & 1) != 0);
	}
	return count;
}

enum inv_scan __wrap_inv_reservation_scan(struct inv *inv, uint64_t now_us,
	const struct inv_reservation_filter *filter, uint32_t *at, uint32_t *budget,
	struct inv_reservation_view *ret)
{
	if (*at == 0) {
		scanned.inv = inv;
		scanned.is_whole = true;
		scanned.count = scanned.sum = 0;
	}
	const enum inv_scan r = __real_inv_reservation_scan(inv, now_us, filter, at, budget, ret);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL || scanned.inv != inv)
		return r;
	if (r == INV_SCAN_FOUND) {
		witness_compare_record(s, ret, now_us);
		scanned.count++;
		scanned.sum += witness_listed(ret);
		return r;
	}
	const uint64_t expected = fitting(s->live, filter);
	scanned.inv = NULL;
	if (r == INV_SCAN_PAUSED)
		return r;
	if (scanned.count != expected)
		witness_fail(s, "a list of hotel %llu, states %x: %llu, the model has %llu",
			(unsigned long long)filter->hotel.v, filter->state_mask,
			(unsigned long long)scanned.count, (unsigned long long)expected);
	const struct witness_reply reply = {
		.code = KEYRACK_DONE, .cells = scanned.count, .digest = scanned.sum};
	witness_said(s, slot_of_hotel(filter->hotel),
		client_key_reservation_list(filter->hotel.v, filter->state_mask), &reply);
	return r;
}

/* ---- denials ---- */

/* Since the process started, by hotel; the engine counts by type, rule and night too, as far as its
 * table goes. */
static struct {
	uint32_t shard;
	uint64_t hotel, count;
} denied[DENIALS_MAX];
static uint32_t denied_count;

void witness_denials_forget(const struct witness_shard *s)
{
	for (uint32_t i = 0; i < denied_count; i++)
		if (denied[i].shard == s->number)
			denied[i].count = 0;
}

/* A sale that was refused before and is asked again. */
static bool is_repetition(const struct model *m, struct kr_id id)
{
	for (int i = 0; i < m->refused_count; i++)
		if (m->refused[i].asked.id.hi == id.hi && m->refused[i].asked.id.lo == id.lo)
			return true;
	return false;
}

void witness_denied(const struct witness_shard *s, const struct inv_answer *a, uint64_t hotel,
	struct kr_id sale)
{
	const bool is_demand = (a->code >= KEYRACK_SOLD_OUT && a->code <= KEYRACK_NOT_LOADED) ||
			       a->code == KEYRACK_COUNTER_FULL;
	uint32_t i = 0;
	if (!is_demand || (!kr_id_is_zero(sale) && is_repetition(s->live, sale)))
		return;
	while (i < denied_count && (denied[i].shard != s->number || denied[i].hotel != hotel))
		i++;
	kr_assert(i < DENIALS_MAX);
	if (i == denied_count) {
		denied[i].shard = s->number;
		denied[i].hotel = hotel;
		denied[i].count = 0;
		denied_count++;
	}
	denied[i].count++;
}

uint64_t witness_denial(uint64_t digest_before, const struct inv_denial *d)
{
	const uint64_t words[] = {
		digest_before, d->hotel.v, d->type, d->rule, (uint64_t)(int64_t)d->day, d->count};
	return digest(words, KR_ARRAY_COUNT(words));
}

uint32_t __wrap_inv_denial_list(const struct inv *inv, const struct inv_denial_query *query,
	uint32_t *at, uint32_t budget, struct inv_denial *ret, uint32_t count_max, bool *ret_more)
{
	const bool is_begun = *at == 0;
	const uint32_t count =
		__real_inv_denial_list(inv, query, at, budget, ret, count_max, ret_more);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL || !is_begun || *ret_more)
		return count;
	uint64_t listed = 0, of_hotel = 0, total = 0;
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	struct witness_reply reply = {.code = KEYRACK_DONE,
		.cells = count,
		.total = counts.denials,
		.over_limit = counts.denials_overflow};
	for (uint32_t i = 0; i < count; i++) {
		listed += ret[i].count;
		reply.digest = witness_denial(reply.digest, &ret[i]);
	}
	for (uint32_t i = 0; i < denied_count; i++) {
		total += denied[i].shard == s->number ? denied[i].count : 0;
		if (denied[i].shard == s->number && denied[i].hotel == query->hotel.v)
			of_hotel = denied[i].count;
	}
	if (total != counts.denials || listed > of_hotel ||
		of_hotel - listed > counts.denials_overflow)
		witness_fail(s,
			"hotel %llu: %llu denials listed, %llu beyond the table, of %llu; in all "
			"%llu, not %llu",
			(unsigned long long)query->hotel.v, (unsigned long long)listed,
			(unsigned long long)counts.denials_overflow, (unsigned long long)of_hotel,
			(unsigned long long)counts.denials, (unsigned long long)total);
	/* Nothing durable is shown: the answer waits for nothing. */
	witness_said(s, SLOT_COUNT, client_key_denial_list(query->hotel.v), &reply);
	return count;
}

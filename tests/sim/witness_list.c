/*
 * Lists of reservations, nights, stock and denials, as the shard reads them: what each page tells
 * is held against the model, whole lists against all that is to be in them, and of lists of several
 * pages what is there to be told at their ends is kept for whoever reads them (lists.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/shard/shard_priv.h"
#include "tests/property/model/model_priv.h"
#include "tests/sim/client.h"
#include "tests/sim/witness.h"
#include "tests/sim/witness_compare.h"
#include "tests/sim/witness_list.h"
#include "tests/sim/witness_wrap.h"

#define DENIALS_MAX 64u

static uint64_t digest(const uint64_t *words, size_t count)
{
	return hash_64(words, count * sizeof(uint64_t));
}

static bool night_fits(
	const struct model *m, const struct inv_night_query *q, uint64_t hotel, int type, int day);

/* ---- what lists tell, and should ---- */

void witness_items_add(struct witness_items *items, uint64_t what, uint64_t stamp)
{
	if (items->count == items->capacity) {
		items->capacity = KR_MAX(64, items->capacity * 2);
		items->list = realloc(items->list, items->capacity * sizeof(*items->list));
		kr_assert(items->list != NULL);
	}
	items->list[items->count++] = (struct witness_item){what, stamp};
}

bool witness_items_has(const struct witness_items *items, uint64_t what)
{
	for (uint32_t i = 0; i < items->count; i++)
		if (items->list[i].what == what)
			return true;
	return false;
}

void witness_items_free(struct witness_items *items)
{
	free(items->list);
	*items = (struct witness_items){0};
}

uint64_t witness_item_reservation(struct kr_id id)
{
	const uint64_t words[] = {id.hi, id.lo};
	return digest(words, KR_ARRAY_COUNT(words));
}

uint64_t witness_item_night(uint64_t hotel, int type, int day)
{
	const uint64_t words[] = {hotel, (uint64_t)type, (uint64_t)(int64_t)day};
	return digest(words, KR_ARRAY_COUNT(words));
}

/* First and last pages of shards' parts, with what is there to be told. */
static struct part {
	uint64_t key, at_us;
	struct witness_reply reply;
	struct witness_items items;
} * parts;
static uint32_t part_count, part_capacity;

static void items_keep(struct witness_items *items, const struct witness_items *others)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < items->count; i++)
		for (uint32_t k = 0; k < others->count; k++)
			if (others->list[k].what == items->list[i].what &&
				others->list[k].stamp == items->list[i].stamp) {
				items->list[kept++] = items->list[i];
				break;
			}
	items->count = kept;
}

void witness_items_common(uint64_t key, uint64_t since_us, const struct witness_reply *reply,
	bool is_first, struct witness_items *items)
{
	bool is_found = false;
	for (uint32_t i = part_count; i > 0 && parts[i - 1].at_us >= since_us; i--) {
		const struct part *p = &parts[i - 1];
		if (p->key != key || memcmp(&p->reply, reply, sizeof(*reply)) != 0)
			continue;
		for (uint32_t k = 0; is_first && !is_found && k < p->items.count; k++)
			witness_items_add(items, p->items.list[k].what, p->items.list[k].stamp);
		items_keep(items, &p->items);
		is_found = true;
	}
	kr_assert(is_found);
}

/* ---- pages ---- */

/* What the step reads: a page from its cursor to the next one, without a pause. */
static struct {
	const struct shard *shard; /* NULL: none is being read */
	struct list_query query;
	uint64_t count, sum;
	uint64_t first_day, last_day, business_day, event_seq; /* of nights of a hotel */
	int32_t nights_next;
	struct inv_reservation_filter filter;
	struct inv_night_query nights;
} page;

/* Cursors that a shard's process has given out: they hold as long as it lives. */
#define GIVEN_MAX 256u
static struct {
	uint32_t shard;
	uint64_t cursor; /* 0: of a process that is gone */
} given[GIVEN_MAX];
static uint64_t given_count;

static bool was_given(const struct witness_shard *s, uint64_t cursor)
{
	for (uint32_t i = 0; i < KR_MIN(given_count, GIVEN_MAX); i++)
		if (given[i].shard == s->number && given[i].cursor == cursor)
			return true;
	return false;
}

void witness_lists_close(void)
{
	for (uint32_t i = 0; i < part_count; i++)
		witness_items_free(&parts[i].items);
	free(parts);
	parts = NULL;
	part_count = part_capacity = 0;
	given_count = 0;
	page.shard = NULL;
}

static bool is_beginning(uint64_t cursor)
{
	return (cursor & ((UINT64_C(1) << LIST_CURSOR_SHARD_SHIFT) - 1)) == 0;
}

bool __wrap_shard_cursor_read(const struct shard *shard, uint64_t cursor, uint32_t *ret_at)
{
	const bool is_good = __real_shard_cursor_read(shard, cursor, ret_at);
	struct witness_shard *s = witness_of(shard->inv);
	if (s == NULL)
		return is_good;
	memset(&page, 0, sizeof(page));
	const bool is_known = is_beginning(cursor) || was_given(s, cursor);
	if (is_good != is_known && (!is_good || given_count <= GIVEN_MAX))
		witness_fail(s, "cursor %llx is %s", (unsigned long long)cursor,
			is_good ? "taken" : "refused");
	page.shard = is_good ? shard : NULL;
	page.query.cursor = cursor;
	if (is_good)
		return true;
	const struct witness_reply reply = {.code = KEYRACK_VERSION_MISMATCH, .rule = RULE_FIELD};
	witness_said(s, SLOT_COUNT, client_key_cursor(cursor), &reply);
	return false;
}

static bool record_fits(const struct reservation *r, const struct inv_reservation_filter *f)
{
	const uint64_t hotel = r->has_hotel ? r->asked.hotel : 0;
	return (f->hotel.v == 0 || f->hotel.v == hotel) &&
	       (f->state_mask == 0 || (f->state_mask >> (unsigned)r->state & 1) != 0) &&
	       ((f->guest.hi | f->guest.lo) == 0 ||
		       (f->guest.hi == r->asked.guest_hi && f->guest.lo == r->asked.guest_lo));
}

static void records_find(const struct model *m, struct witness_items *ret)
{
	for (int i = 0; i < m->count; i++) {
		const struct reservation *r = &m->reservations[i];
		if (record_fits(r, &page.filter))
			witness_items_add(ret,
				witness_item_reservation(
					(struct kr_id){r->asked.id.hi, r->asked.id.lo}),
				0);
	}
}

/* What sold beyond something was, may not be by now: it counts as the same while nothing has
 * happened to its hotel. */
static void nights_find(const struct model *m, struct witness_items *ret)
{
	const struct inv_night_query *q = &page.nights;
	for (int h = 0; h < M_HOTELS; h++)
		for (int t = 0; m->hotels[h].exists && t < M_TYPES; t++) {
			const struct hotel *hotel = &m->hotels[h];
			const int today = hotel->business_day;
			if (!hotel->types[t].exists || (q->hotel.v != 0 && q->hotel.v != hotel->id))
				continue;
			for (int day = today; day < today + m->config.window_nights; day++)
				if (night_fits(m, q, hotel->id, t, day))
					witness_items_add(ret,
						witness_item_night(hotel->id, t, day),
						q->filter != 0 ? hotel->event_seq : 0);
		}
}

static void part_keep(
	struct witness_shard *s, uint64_t key, const struct witness_reply *reply, bool is_whole)
{
	if (part_count == part_capacity) {
		part_capacity = KR_MAX(64, part_capacity * 2);
		parts = realloc(parts, part_capacity * sizeof(*parts));
		kr_assert(parts != NULL);
	}
	struct part *p = &parts[part_count++];
	*p = (struct part){.key = key, .at_us = witness_now_us(), .reply = *reply};
	if (page.query.kind == FRAME_RESERVATION_LIST)
		records_find(s->live, &p->items);
	else
		nights_find(s->live, &p->items);
	if (is_whole && p->items.count != page.count)
		witness_fail(s, "%s of hotel %llu: %llu, the model has %u",
			frame_type_name((unsigned)page.query.kind),
			(unsigned long long)page.query.hotel, (unsigned long long)page.count,
			p->items.count);
}

static void cursor_check(
	struct witness_shard *s, struct hotel_id hotel, bool is_ended, uint64_t cursor)
{
	const struct server_config *config = &witness_cluster()->plan.server;
	const uint64_t next = s->number + 1;
	const uint64_t expected = hotel.v != 0 || next >= config->shard.shard_count
					  ? 0
					  : next << LIST_CURSOR_SHARD_SHIFT;
	if (is_ended ? cursor != expected
		     : is_beginning(cursor) || cursor >> LIST_CURSOR_SHARD_SHIFT != s->number)
		witness_fail(s, "a page's next cursor is %llx", (unsigned long long)cursor);
	if (is_ended)
		return;
	given[given_count % GIVEN_MAX].shard = s->number;
	given[given_count++ % GIVEN_MAX].cursor = cursor;
}

/* A page is at its end: this is what it says. */
uint64_t __wrap_shard_cursor_next(
	const struct shard *shard, struct hotel_id hotel, bool is_ended, uint32_t at)
{
	const uint64_t cursor = __real_shard_cursor_next(shard, hotel, is_ended, at);
	struct witness_shard *s = witness_of(shard->inv);
	if (s == NULL)
		return cursor;
	kr_assert(page.shard == shard && page.query.hotel == hotel.v);
	cursor_check(s, hotel, is_ended, cursor);
	struct inv_counts counts;
	inv_counts_get(shard->inv, &counts);
	struct witness_reply reply = {.code = KEYRACK_DONE,
		.cells = page.count,
		.digest = page.sum,
		.cursor = cursor,
		.day = page.first_day,
		.left = page.last_day,
		.business_day = page.business_day,
		.event_seq = page.event_seq};
	const uint64_t key = client_key_page(&page.query);
	page.shard = NULL;
	if (page.query.kind == FRAME_DENIAL_LIST) {
		reply.total = counts.denials;
		reply.over_limit = counts.denials_overflow;
		/* Nothing durable is shown: the answer waits for nothing. */
		witness_said(s, SLOT_COUNT, key, &reply);
		return cursor;
	}
	if (page.query.kind == FRAME_NIGHT_LIST)
		reply.cursor_day = is_ended ? 0 : (uint64_t)(int64_t)page.nights_next;
	if (is_beginning(page.query.cursor) || is_ended)
		part_keep(s, key, &reply, is_beginning(page.query.cursor) && is_ended);
	witness_said(s, hotel.v != 0 ? slot_of_hotel(hotel) : WITNESS_SLOT_ALL, key, &reply);
	return cursor;
}

/* ---- reservations ---- */

uint64_t witness_listed(const struct inv_reservation_view *v)
{
	const uint64_t words[] = {v->id.hi, v->id.lo, v->hotel.v, v->state, v->due, v->revision,
		v->total_minor, v->has_total, v->event_seq, v->line_count};
	return digest(words, KR_ARRAY_COUNT(words));
}

enum inv_scan __wrap_inv_reservation_scan(struct inv *inv, uint64_t now_us,
	const struct inv_reservation_filter *filter, uint32_t *at, uint32_t *budget,
	struct inv_reservation_view *ret)
{
	const enum inv_scan r = __real_inv_reservation_scan(inv, now_us, filter, at, budget, ret);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return r;
	kr_assert(page.shard != NULL && page.shard->inv == inv);
	page.filter = *filter;
	page.query = (struct list_query){FRAME_RESERVATION_LIST, filter->hotel.v, page.query.cursor,
		0, filter->state_mask, filter->guest.hi, filter->guest.lo};
	if (r != INV_SCAN_FOUND)
		return r;
	witness_compare_record(s, ret, now_us);
	const struct reservation *m = m_find(s->live, (struct m_id){ret->id.hi, ret->id.lo});
	if (m == NULL || !record_fits(m, filter))
		witness_fail(s, "a list of states %x, guest %llu tells %016llx", filter->state_mask,
			(unsigned long long)filter->guest.lo, (unsigned long long)ret->id.lo);
	page.count++;
	page.sum += witness_listed(ret);
	return r;
}

/* ---- nights ---- */

uint64_t witness_night(uint64_t digest_before, const struct inv_night_view *v)
{
	const uint64_t words[] = {digest_before, v->hotel.v, v->type, (uint64_t)(int64_t)v->day,
		(uint64_t)(int64_t)v->limit, v->held, v->booked, v->rooms, v->over_limit, v->walks,
		(uint64_t)v->is_loaded << 1 | (uint64_t)v->has_rooms};
	return digest(words, KR_ARRAY_COUNT(words));
}

struct sold_beyond {
	int64_t rooms, over_limit, walks;
};

static struct sold_beyond beyond_of(const struct m_cell *m)
{
	const int64_t rooms = m->has_rooms && m->rooms > 0 ? m->rooms : 0;
	const int64_t over = m->held + m->booked - (m->is_loaded ? m->limit : 0);
	const int64_t walks = m->has_rooms ? m->booked - rooms : 0;
	return (struct sold_beyond){rooms, KR_MAX(over, 0), KR_MAX(walks, 0)};
}

static bool night_fits(
	const struct model *m, const struct inv_night_query *q, uint64_t hotel, int type, int day)
{
	const int from = q->is_relative ? model_business_day(m, hotel) : 0;
	if (day < from + q->first_day || day > from + q->last_day)
		return false;
	if (q->filter == 0)
		return true;
	const struct m_cell cell = model_cell(m, hotel, type, day);
	const struct sold_beyond beyond = beyond_of(&cell);
	return ((q->filter & INV_NIGHT_OVER_LIMIT) != 0 && beyond.over_limit > 0) ||
	       ((q->filter & INV_NIGHT_WALKS) != 0 && beyond.walks > 0);
}

static void night_compare(
	struct witness_shard *s, const struct inv_night_query *q, const struct inv_night_view *v)
{
	const struct hotel *hotel = m_hotel_find(s->live, v->hotel.v);
	if (hotel == NULL || !hotel->types[v->type].exists ||
		!m_in_window(s->live, hotel, v->day) ||
		!night_fits(s->live, q, v->hotel.v, v->type, v->day))
		witness_fail(s, "hotel %llu type %d day %d is not sought",
			(unsigned long long)v->hotel.v, v->type, v->day);
	const struct m_cell m = model_cell(s->live, v->hotel.v, v->type, v->day);
	const struct sold_beyond b = beyond_of(&m);
	if (v->held != m.held || v->booked != m.booked || v->rooms != b.rooms ||
		v->over_limit != b.over_limit || v->walks != b.walks)
		witness_fail(s,
			"hotel %llu type %d day %d: %u rooms, %u over, %u walks, not %lld, %lld, "
			"%lld",
			(unsigned long long)v->hotel.v, v->type, v->day, v->rooms, v->over_limit,
			v->walks, (long long)b.rooms, (long long)b.over_limit, (long long)b.walks);
}

/* Of one hotel: which nights were asked for. */
static void night_range(const struct witness_shard *s, const struct inv_night_query *q)
{
	const int today = model_business_day(s->live, q->hotel.v);
	const int from = q->is_relative ? today : 0;
	const int end = today + s->live->config.window_nights - 1;
	page.business_day = (uint64_t)(int64_t)today;
	page.first_day = (uint64_t)(int64_t)KR_MAX(from + q->first_day, today);
	page.last_day = (uint64_t)(int64_t)KR_MIN(from + q->last_day, end);
	page.event_seq = model_event_seq(s->live, q->hotel.v);
}

uint32_t __wrap_inv_night_list(const struct inv *inv, const struct inv_night_query *query,
	struct inv_night_place *place, uint32_t budget, struct inv_night_view *views,
	uint32_t count_max)
{
	const int32_t from_day = place->day;
	const uint32_t count = __real_inv_night_list(inv, query, place, budget, views, count_max);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return count;
	kr_assert(page.shard != NULL && page.shard->inv == inv && query->type_count == 0);
	page.nights = *query;
	page.nights_next = place->day;
	page.query = (struct list_query){FRAME_NIGHT_LIST, query->hotel.v, page.query.cursor,
		is_beginning(page.query.cursor) ? 0 : from_day, (uint64_t)(int64_t)query->first_day,
		(uint64_t)(int64_t)query->last_day, query->filter};
	if (query->hotel.v != 0)
		night_range(s, query);
	for (uint32_t i = 0; i < count; i++) {
		night_compare(s, query, &views[i]);
		page.sum = witness_night(page.sum, &views[i]);
	}
	page.count = count;
	return count;
}

/* ---- stock ---- */

uint64_t witness_stock(uint64_t digest_before, const struct inv_stock_view *v)
{
	const uint64_t words[] = {digest_before, v->type, (uint64_t)(int64_t)v->first_day,
		(uint64_t)(int64_t)v->last_day, v->set_mask, v->physical, v->out_of_order,
		(uint64_t)(int64_t)v->allowance, v->allowance_unit};
	return digest(words, KR_ARRAY_COUNT(words));
}

static bool stock_is(const struct night *n, const struct inv_stock_view *v)
{
	const uint32_t mask = (n->has_physical ? INV_UPDATE_PHYSICAL : 0) |
			      (n->has_out_of_order ? INV_UPDATE_OUT_OF_ORDER : 0) |
			      (n->has_allowance ? INV_UPDATE_ALLOWANCE : 0);
	if (v == NULL || mask == 0)
		return v == NULL && mask == 0;
	return mask == v->set_mask && (!n->has_physical || n->physical == v->physical) &&
	       (!n->has_out_of_order || n->out_of_order == v->out_of_order) &&
	       (!n->has_allowance || (n->allowance == v->allowance &&
					     n->allowance_unit == (int)v->allowance_unit));
}

static const struct inv_stock_view *stock_at(
	const struct inv_stock_view *views, uint32_t count, int type, int day)
{
	for (uint32_t i = 0; i < count; i++)
		if (views[i].type == type && views[i].first_day <= day && day <= views[i].last_day)
			return &views[i];
	return NULL;
}

/* From a place on, to the end or to that of the last run. */
static void stock_compare(struct witness_shard *s, const struct list_query *q,
	const struct inv_stock_view *views, uint32_t count, bool more)
{
	const struct hotel *h = m_hotel_find(s->live, q->hotel);
	const struct inv_stock_view *last = count > 0 ? &views[count - 1] : NULL;
	const int end = h->business_day + s->live->config.window_nights;
	if (more && last == NULL)
		witness_fail(s, "a page without a run, and more");
	for (int t = (int)q->a; t < M_TYPES && (!more || t <= last->type); t++)
		for (int day = h->business_day; h->types[t].exists && day < end; day++) {
			if ((t == (int)q->a && day < q->from_day) ||
				(more && t == last->type && day > last->last_day))
				continue;
			if (!stock_is(
				    m_night_of(s->live, h, t, day), stock_at(views, count, t, day)))
				witness_fail(s, "hotel %llu type %d day %d: its stock",
					(unsigned long long)q->hotel, t, day);
		}
	for (uint32_t i = 1; i < count; i++)
		if (views[i].type < views[i - 1].type ||
			(views[i].type == views[i - 1].type &&
				views[i].first_day <= views[i - 1].last_day))
			witness_fail(s, "runs of hotel %llu are not in order",
				(unsigned long long)q->hotel);
}

uint32_t __wrap_inv_stock_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	int32_t from_day, struct inv_stock_view *views, uint32_t count_max, bool *more)
{
	const uint32_t count =
		__real_inv_stock_list(inv, hotel, from_type, from_day, views, count_max, more);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return count;
	const struct list_query query = {FRAME_STOCK_LIST, hotel.v, 0, from_day, from_type, 0, 0};
	struct witness_reply reply = {.code = KEYRACK_DONE,
		.cells = count,
		.repeated = *more,
		.version = model_version(s->live, hotel.v)};
	stock_compare(s, &query, views, count, *more);
	for (uint32_t i = 0; i < count; i++)
		reply.digest = witness_stock(reply.digest, &views[i]);
	witness_said(s, slot_of_hotel(hotel), client_key_page(&query), &reply);
	return count;
}

/* ---- denials ---- */

/* Since the process started, by hotel; the engine counts by type, rule and night too, as far as its
 * table goes. */
static struct {
	uint32_t shard;
	uint64_t hotel, count;
} denied[DENIALS_MAX];
static uint32_t denied_count;

void witness_lists_forget(const struct witness_shard *s)
{
	for (uint32_t i = 0; i < denied_count; i++)
		if (denied[i].shard == s->number)
			denied[i].count = 0;
	for (uint32_t i = 0; i < KR_MIN(given_count, GIVEN_MAX); i++)
		if (given[i].shard == s->number)
			given[i].cursor = 0;
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

/* A whole list: what the table has no place for is counted by nobody's hotel. */
static void denials_compare(
	struct witness_shard *s, const struct inv *inv, uint64_t hotel, uint64_t listed)
{
	uint64_t of_hotel = 0, total = 0;
	struct inv_counts counts;
	inv_counts_get(inv, &counts);
	for (uint32_t i = 0; i < denied_count; i++) {
		if (denied[i].shard != s->number)
			continue;
		total += denied[i].count;
		of_hotel += hotel == 0 || denied[i].hotel == hotel ? denied[i].count : 0;
	}
	if (total != counts.denials || listed > of_hotel ||
		of_hotel - listed > counts.denials_overflow ||
		(hotel == 0 && of_hotel - listed != counts.denials_overflow))
		witness_fail(s,
			"hotel %llu: %llu denials listed, %llu beyond the table, of %llu; in all "
			"%llu, not %llu",
			(unsigned long long)hotel, (unsigned long long)listed,
			(unsigned long long)counts.denials_overflow, (unsigned long long)of_hotel,
			(unsigned long long)counts.denials, (unsigned long long)total);
}

uint32_t __wrap_inv_denial_list(const struct inv *inv, const struct inv_denial_query *query,
	uint32_t *at, uint32_t budget, struct inv_denial *ret, uint32_t count_max, bool *ret_more)
{
	const bool is_begun = *at == 0;
	const uint32_t count =
		__real_inv_denial_list(inv, query, at, budget, ret, count_max, ret_more);
	struct witness_shard *s = witness_of(inv);
	if (s == NULL)
		return count;
	kr_assert(page.shard != NULL && page.shard->inv == inv);
	page.query = (struct list_query){
		FRAME_DENIAL_LIST, query->hotel.v, page.query.cursor, 0, 0, 0, 0};
	uint64_t listed = 0;
	for (uint32_t i = 0; i < count; i++) {
		listed += ret[i].count;
		page.sum = witness_denial(page.sum, &ret[i]);
		if (query->hotel.v != 0 && ret[i].hotel.v != query->hotel.v)
			witness_fail(s, "a denial of another hotel");
	}
	page.count = count;
	if (is_begun && !*ret_more)
		denials_compare(s, inv, query->hotel.v, listed);
	return count;
}

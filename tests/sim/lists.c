#include "tests/sim/lists.h"

#include <stdlib.h>
#include <string.h>

#include "keyrack/keyrack.h"
#include "tests/sim/client.h"
#include "tests/sim/hear.h"
#include "tests/sim/oracle.h"

static void stop(struct client_walk *w)
{
	w->is_on = false;
	witness_items_free(&w->told);
	witness_items_free(&w->needed);
}

void lists_begin(struct client *c, const struct list_query *query, uint32_t limit)
{
	struct client_walk *w = &c->walk;
	if (w->is_on)
		return;
	stop(w);
	memset(w, 0, sizeof(*w));
	w->query = *query;
	w->limit = limit;
	w->is_on = ask_page(c, &w->query, limit);
}

void lists_free(struct client *c)
{
	stop(&c->walk);
}

static void fail(struct client *c, const char *what)
{
	const struct list_query *q = &c->walk.query;
	cluster_fail(c->cluster, "client %u: %s of hotel %llu, page %u: %s", c->number,
		frame_type_name((unsigned)q->kind), (unsigned long long)q->hotel,
		c->walk.page_count, what);
}

/* ---- what a page tells ---- */

static void told(struct client *c, uint64_t what)
{
	struct client_walk *w = &c->walk;
	if (witness_items_has(&w->told, what))
		fail(c, "something is told twice");
	witness_items_add(&w->told, what, 0);
}

static uint32_t take_reservations(struct client *c, const struct client_end *end)
{
	Keyrack__ReservationListAnswer *a =
		keyrack__reservation_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	kr_assert(a != NULL);
	for (size_t i = 0; i < a->n_reservations; i++)
		told(c, witness_item_reservation((struct kr_id){
				a->reservations[i]->id_hi, a->reservations[i]->id_lo}));
	const uint32_t count = (uint32_t)a->n_reservations;
	keyrack__reservation_list_answer__free_unpacked(a, NULL);
	return count;
}

static uint32_t take_nights(struct client *c, const struct client_end *end)
{
	Keyrack__NightListAnswer *a =
		keyrack__night_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	kr_assert(a != NULL);
	for (size_t i = 0; i < a->n_nights; i++)
		told(c, witness_item_night(a->nights[i]->hotel_id, (int)a->nights[i]->type,
				a->nights[i]->day));
	const uint32_t count = (uint32_t)a->n_nights;
	keyrack__night_list_answer__free_unpacked(a, NULL);
	return count;
}

/* Where the next page of a stock begins: behind the last run. */
static uint32_t take_stock(struct client *c, const struct client_end *end)
{
	struct list_query *q = &c->walk.query;
	Keyrack__StockListAnswer *a =
		keyrack__stock_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	kr_assert(a != NULL);
	const uint32_t count = (uint32_t)a->n_runs;
	if (count > 0) {
		q->a = a->runs[count - 1]->type;
		q->from_day = (int64_t)a->runs[count - 1]->last_day + 1;
	}
	keyrack__stock_list_answer__free_unpacked(a, NULL);
	return count;
}

static uint32_t take(struct client *c, const struct client_end *end, const struct witness_reply *r)
{
	switch (c->walk.query.kind) {
	case FRAME_RESERVATION_LIST:
		return take_reservations(c, end);
	case FRAME_NIGHT_LIST:
		return take_nights(c, end);
	case FRAME_STOCK_LIST:
		return take_stock(c, end);
	default:
		return (uint32_t)r->cells;
	}
}

/* ---- pages ---- */

/* A part's first page and its last one: what the model had at both has been told. */
static void check_part(struct client *c, const struct open_call *call,
	const struct witness_reply *reply, bool is_first, bool is_last)
{
	struct client_walk *w = &c->walk;
	if (is_first)
		witness_items_free(&w->needed);
	if (is_first || is_last)
		witness_items_common(call->key, call->at_us, reply, is_first, &w->needed);
	for (uint32_t i = 0; is_last && i < w->needed.count; i++)
		if (!witness_items_has(&w->told, w->needed.list[i].what))
			fail(c, "something that was there all the time is not told");
	w->shard_count += is_last;
}

static void finish(struct client *c)
{
	const struct client_walk *w = &c->walk;
	uint64_t *marks = c->cluster->marks;
	const bool is_over_all = w->query.hotel == 0;
	if (is_over_all && w->shard_count != c->cluster->shard_count)
		fail(c, "it ends before the last shard");
	marks[CLUSTER_MARK_LIST_ALL] += is_over_all && w->page_count > w->shard_count;
	marks[CLUSTER_MARK_LIST_GUEST] +=
		is_over_all && w->query.kind == FRAME_RESERVATION_LIST && w->query.b != 0;
	marks[CLUSTER_MARK_LIST_STOCK] += w->query.kind == FRAME_STOCK_LIST && w->page_count > 1;
	stop(&c->walk);
}

static bool is_beginning(uint64_t cursor)
{
	return (cursor & ((UINT64_C(1) << LIST_CURSOR_SHARD_SHIFT) - 1)) == 0;
}

/* False: that was all. */
static bool page(struct client *c, const struct open_call *call, const struct client_end *end,
	const struct witness_reply *reply)
{
	struct client_walk *w = &c->walk;
	const uint64_t next = reply->cursor;
	const bool is_stock = w->query.kind == FRAME_STOCK_LIST;
	const uint32_t count = take(c, end, reply);
	if (w->limit != 0 && count > w->limit)
		fail(c, "a page is longer than was asked for");
	w->page_count++;
	if (is_stock)
		return reply->repeated != 0;
	if (w->query.kind != FRAME_DENIAL_LIST)
		check_part(c, call, reply, is_beginning(w->query.cursor), is_beginning(next));
	else
		w->shard_count += is_beginning(next);
	w->query.cursor = next;
	w->query.from_day = (int64_t)reply->cursor_day;
	return next != 0;
}

/* Pages of a stock that changed in between do not fit together. */
static bool has_changed(struct client_walk *w, const struct witness_reply *reply)
{
	const bool is_other = w->query.kind == FRAME_STOCK_LIST && w->page_count > 0 &&
			      reply->version != w->version;
	w->version = reply->version;
	return is_other;
}

void lists_answer(struct client *c, const struct open_call *call, const struct client_end *end)
{
	struct client_walk *w = &c->walk;
	struct witness_reply reply;
	uint64_t *marks = c->cluster->marks;
	const enum code_class class = code_class_of(end->code);
	const bool is_stale = end->code == KEYRACK_VERSION_MISMATCH;
	kr_assert(w->is_on);
	if (end->outcome == KEYRACK_RESULT_UNKNOWN ||
		(class != CODE_SUCCESS && class != CODE_FINAL)) {
		marks[CLUSTER_MARK_LIST_BROKEN] += w->page_count > 0;
		stop(w);
		return;
	}
	if (!hear_reply(call->type, end, &reply))
		fail(c, "an answer cannot be read");
	const uint64_t key =
		is_stale ? client_key_cursor(w->query.cursor) : oracle_key(call, &reply);
	const bool is_true = witness_heard(frame_type_name(call->type), key, call->at_us, &reply);
	marks[CLUSTER_MARK_LIST_STALE] += is_stale;
	if (!is_true || end->code != KEYRACK_DONE || has_changed(w, &reply))
		stop(w);
	else if (!page(c, call, end, &reply))
		finish(c);
	else if (!ask_page(c, &w->query, w->limit))
		stop(w);
}

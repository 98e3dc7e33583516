#include "engine/shard/read.h"

/* STOCK_LIST: what is set by date of a hotel's stock, a page at a time. */

kr_static_assert(
	INV_UPDATE_PHYSICAL == 1 && INV_UPDATE_OUT_OF_ORDER == 2 && INV_UPDATE_ALLOWANCE == 4,
	"set_mask of a StockRun has the bits of InventorySetRequest");

/* Into an array of messages in the arena; NULL when it is full. */
static Keyrack__StockRun **runs_fill(
	struct shard *shard, const struct inv_stock_view *views, uint32_t count)
{
	struct kr_arena *arena = &shard->arena.arena;
	Keyrack__StockRun *bodies = KR_ARENA_ARRAY(arena, Keyrack__StockRun, count);
	Keyrack__StockRun **list = KR_ARENA_ARRAY(arena, Keyrack__StockRun *, count);
	kr_assert(views != NULL && count <= SHARD_STOCK_LIST_MAX);
	if (bodies == NULL || list == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		const struct inv_stock_view *view = &views[i];
		Keyrack__StockRun *body = &bodies[i];
		keyrack__stock_run__init(body);
		kr_assert(view->set_mask != 0);
		body->type = view->type;
		body->first_day = view->first_day;
		body->last_day = view->last_day;
		body->set_mask = view->set_mask;
		body->physical = view->physical;
		body->out_of_order = view->out_of_order;
		body->allowance = view->allowance;
		body->allowance_unit = view->allowance_unit;
		list[i] = body;
	}
	return list;
}

bool shard_stock_read(struct shard *shard, const struct shard_request *request)
{
	Keyrack__StockListAnswer message = KEYRACK__STOCK_LIST_ANSWER__INIT;
	const struct shard_stock_query *query = &request->u.stock;
	struct kr_arena *arena = &shard->arena.arena;
	struct inv_hotel_head hotel;
	bool more;
	kr_assert(query->limit >= 1 && query->limit <= SHARD_STOCK_LIST_MAX);
	if (!inv_hotel_head(shard->inv, request->hotel, &hotel))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	struct inv_stock_view *views = KR_ARENA_ARRAY(arena, struct inv_stock_view, query->limit);
	if (views == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count = inv_stock_list(shard->inv, request->hotel, query->from_type,
		query->from_day, views, query->limit, &more);
	message.runs = runs_fill(shard, views, count);
	if (message.runs == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	message.n_runs = count;
	message.more = more;
	message.ari_version = hotel.ari_version;
	kr_assert(!more || count == query->limit);
	return shard_answer_message(shard, request, hotel.last_lsn, KEYRACK_DONE, &message.base);
}

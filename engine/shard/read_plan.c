#include "engine/shard/read.h"

/* Rate plans as messages: the answer of PLAN_PUT, and PLAN_LIST a page at a time. */

/* A plan's message with the others that hang on it. */
struct plan_body {
	Keyrack__Plan plan;
	Keyrack__PlanSettings settings;
	Keyrack__Tier tiers[INV_TIERS_MAX];
	Keyrack__Tier *tier_list[INV_TIERS_MAX];
};

static Keyrack__Plan *plan_fill(
	struct shard *shard, const struct inv_plan_view *view, struct plan_body *body)
{
	const struct inv_plan_settings *s = &view->settings;
	Keyrack__PlanSettings *settings = &body->settings;
	keyrack__plan__init(&body->plan);
	keyrack__plan_settings__init(settings);
	kr_assert(s->tier_count <= INV_TIERS_MAX);
	for (uint32_t i = 0; i < s->tier_count; i++) {
		Keyrack__Tier *tier = body->tier_list[i] = &body->tiers[i];
		keyrack__tier__init(tier);
		tier->hours = s->tiers[i].hours;
		tier->nights = s->tiers[i].nights;
		tier->basis_points = s->tiers[i].basis_points;
	}
	settings->code = shard_text_copy(shard, s->code);
	settings->status = s->status;
	settings->advance_min_minutes = s->advance_min_minutes;
	settings->advance_max_minutes = s->advance_max_minutes;
	settings->parent = s->parent;
	settings->derivation = s->derivation;
	settings->adjustment = s->adjustment;
	settings->tiers = body->tier_list;
	settings->n_tiers = s->tier_count;
	body->plan.type = view->type;
	body->plan.plan = view->plan;
	body->plan.settings = settings;
	return &body->plan;
}

bool shard_plan_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer)
{
	Keyrack__PlanAnswer message = KEYRACK__PLAN_ANSWER__INIT;
	const struct inv_plan_op *op = &request->u.plan_put;
	struct inv_plan_view view;
	struct plan_body body;
	bool more;
	kr_assert(answer->code == KEYRACK_DONE);
	uint32_t count =
		inv_plan_list(shard->inv, request->hotel, op->type, op->plan, &view, 1, &more);
	kr_assert(count == 1 && view.plan == op->plan);
	message.plan = plan_fill(shard, &view, &body);
	message.created = answer->created;
	message.ari_version = answer->ari_version;
	return shard_answer_message(shard, request, answer->wait_lsn, KEYRACK_DONE, &message.base);
}

bool shard_plans_read(struct shard *shard, const struct shard_request *request)
{
	Keyrack__PlanListAnswer message = KEYRACK__PLAN_LIST_ANSWER__INIT;
	const struct shard_plan_query *query = &request->u.plans;
	struct kr_arena *arena = &shard->arena.arena;
	struct inv_hotel_head hotel;
	bool more;
	kr_assert(query->limit >= 1 && query->limit <= SHARD_PLAN_LIST_MAX);
	if (!inv_hotel_head(shard->inv, request->hotel, &hotel))
		return shard_refuse(shard, request, KEYRACK_NOT_FOUND, RULE_HOTEL, NULL);
	struct inv_plan_view *views = KR_ARENA_ARRAY(arena, struct inv_plan_view, query->limit);
	struct plan_body *bodies = KR_ARENA_ARRAY(arena, struct plan_body, query->limit);
	Keyrack__Plan **list = KR_ARENA_ARRAY(arena, Keyrack__Plan *, query->limit);
	if (views == NULL || bodies == NULL || list == NULL)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint32_t count = inv_plan_list(shard->inv, request->hotel, query->from_type,
		query->from_plan, views, query->limit, &more);
	for (uint32_t i = 0; i < count; i++)
		list[i] = plan_fill(shard, &views[i], &bodies[i]);
	message.plans = list;
	message.n_plans = count;
	message.more = more;
	message.ari_version = hotel.ari_version;
	kr_assert(!more || count == query->limit);
	return shard_answer_message(shard, request, hotel.last_lsn, KEYRACK_DONE, &message.base);
}

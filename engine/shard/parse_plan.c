#include "engine/shard/parse.h"

/* PLAN_PUT. */

static void parse_tiers(struct shard_request *request, const Keyrack__PlanSettings *s,
	struct inv_plan_settings *settings)
{
	kr_assert(s->n_tiers == 0 || s->tiers != NULL);
	kr_assert(settings->tier_count == 0);
	if (s->n_tiers > INV_TIERS_MAX) {
		parse_invalid(request, "tiers");
		return;
	}
	for (size_t i = 0; i < s->n_tiers; i++) {
		const Keyrack__Tier *tier = s->tiers[i];
		settings->tiers[i] = (struct inv_tier){
			.hours = (uint16_t)parse_max(request, tier->hours, UINT16_MAX, "tiers"),
			.nights = (uint16_t)parse_max(request, tier->nights, UINT16_MAX, "tiers"),
			.basis_points = (uint16_t)parse_max(
				request, tier->basis_points, UINT16_MAX, "tiers"),
		};
	}
	settings->tier_count = (uint8_t)s->n_tiers;
}

static void parse_plan_settings(struct shard_request *request, const Keyrack__PlanSettings *s,
	struct inv_plan_settings *settings)
{
	kr_assert(s->code != NULL);
	kr_assert(settings != NULL);
	settings->code = parse_text(request, s->code, "code");
	settings->status = (uint8_t)parse_max(request, s->status, UINT8_MAX, "status");
	settings->advance_min_minutes = s->advance_min_minutes;
	settings->advance_max_minutes = s->advance_max_minutes;
	settings->parent = (uint16_t)parse_max(request, s->parent, INV_PLAN_NUMBER_MAX, "parent");
	settings->derivation = (uint8_t)parse_max(request, s->derivation, UINT8_MAX, "derivation");
	settings->adjustment = s->adjustment;
	parse_tiers(request, s, settings);
}

void parse_plan_put(struct shard *shard, struct shard_request *request, const void *message)
{
	const Keyrack__PlanPutRequest *body = message;
	const Keyrack__PlanSettings none = KEYRACK__PLAN_SETTINGS__INIT;
	struct inv_plan_op *op = &request->u.plan_put;
	kr_assert(body->reason != NULL);
	kr_assert(op->mask == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	op->hotel = request->hotel;
	op->type = (uint16_t)parse_max(request, body->type, INV_TYPE_NUMBER_MAX, "type");
	op->plan = (uint16_t)parse_max(request, body->plan, INV_PLAN_NUMBER_MAX, "plan");
	op->mask = (uint32_t)parse_max(request, body->mask, INV_PLAN_MASK, "mask");
	parse_plan_settings(
		request, body->settings != NULL ? body->settings : &none, &op->settings);
	op->has_expected_version = body->has_expected_version;
	op->expected_ari_version = body->expected_ari_version;
	op->actor = parse_actor(request, body->actor, body->source, body->reason);
}

#include "engine/shard/parse.h"

/* IMPORT: a reservation as RESERVATION_GET tells one. */

void parse_terms(struct shard *shard, struct shard_request *request, const Keyrack__Line *body,
	struct inv_line *line)
{
	kr_assert(line->tier_count == 0);
	line->arrival_us = body->arrival_us;
	if (body->n_tiers > INV_TIERS_MAX)
		parse_invalid(request, "tiers");
	if (body->n_tiers == 0 || body->n_tiers > INV_TIERS_MAX)
		return;
	struct inv_tier *tiers =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_tier, body->n_tiers);
	if (tiers == NULL) {
		parse_overloaded(request);
		return;
	}
	for (size_t i = 0; i < body->n_tiers; i++) {
		const Keyrack__Tier *tier = body->tiers[i];
		if (tier->hours > UINT16_MAX || tier->nights > UINT16_MAX ||
			tier->basis_points > UINT16_MAX)
			parse_invalid(request, "tiers");
		tiers[i] = (struct inv_tier){(uint16_t)tier->hours, (uint16_t)tier->nights,
			(uint16_t)tier->basis_points};
	}
	line->tiers = tiers;
	line->tier_count = (uint8_t)body->n_tiers;
	kr_assert(line->tier_count <= INV_TIERS_MAX);
}

static void parse_lineage(
	struct shard_request *request, const Keyrack__Reservation *body, struct inv_import_op *op)
{
	kr_assert(op->revision == 0);
	kr_assert(body->state != 0 || op->state == 0);
	if (body->state > INV_VOID)
		parse_invalid(request, "state");
	op->state = body->state > INV_VOID ? 0 : (uint8_t)body->state;
	op->was_held = body->was_held;
	op->graced = body->graced;
	op->revision = body->revision;
	op->created_at_us = body->created_at_us;
	op->changed_at_us = body->changed_at_us;
	op->expires_at_us = body->expires_at_us;
	op->change_id = body->change_id;
}

void parse_import(
	struct shard *shard, struct shard_request *request, const Keyrack__ImportRequest *message)
{
	static const Keyrack__Reservation none = KEYRACK__RESERVATION__INIT;
	const Keyrack__Reservation *body =
		message->reservation != NULL ? message->reservation : &none;
	struct inv_import_op *op = &request->u.import;
	kr_assert(request->frame->header->type == FRAME_IMPORT);
	kr_assert(op->line_count == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	op->hotel = request->hotel;
	op->id = (struct kr_id){.hi = body->id_hi, .lo = body->id_lo};
	parse_lineage(request, body, op);
	op->has_counted_until = message->has_counted_until;
	op->counted_until = message->has_counted_until ? body->counted_until_day : 0;
	op->lines = parse_lines(shard, request, body->lines, body->n_lines);
	op->line_count = op->lines == NULL ? 0 : (uint32_t)body->n_lines;
	op->guest = (struct inv_guest_id){.hi = body->guest_hi, .lo = body->guest_lo};
	op->external_ref = parse_text(request, body->external_ref, "external_ref");
	op->payment_ref = parse_text(request, body->payment_ref, "payment_ref");
	op->source = body->source;
	op->force = parse_force(request, message->force);
	op->actor = parse_actor_text(
		request, message->actor, 0, parse_text(request, message->reason, "reason"));
	if (request->code == 0)
		op->fingerprint = inv_import_fingerprint(op);
}

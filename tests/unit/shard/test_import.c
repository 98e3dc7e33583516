#include <criterion/criterion.h>

#include "proto/access.h"
#include "tests/unit/shard/world.h"

/* What an import is made of; the message borrows from it. */
struct sample {
	Keyrack__ImportRequest message;
	Keyrack__Reservation reservation;
	Keyrack__Line line;
	Keyrack__Line *lines[1];
	uint32_t run_nights[1];
	uint64_t run_prices[1];
};

static void sample_init(struct sample *s, const struct world *world, uint64_t number)
{
	*s = (struct sample){.message = KEYRACK__IMPORT_REQUEST__INIT,
		.reservation = KEYRACK__RESERVATION__INIT,
		.line = KEYRACK__LINE__INIT,
		.run_nights = {2},
		.run_prices = {9900}};
	s->line.type = 1;
	s->line.check_in = WORLD_TODAY + 3;
	s->line.check_out = WORLD_TODAY + 5;
	s->line.rooms = 1;
	s->line.pricing = INV_PRICE_CALLER;
	s->line.run_nights = s->run_nights;
	s->line.run_price_minor = s->run_prices;
	s->line.n_run_nights = s->line.n_run_price_minor = 1;
	s->lines[0] = &s->line;
	s->reservation.id_hi = 7;
	s->reservation.id_lo = number;
	s->reservation.hotel_id = WORLD_HOTEL;
	s->reservation.state = INV_CONFIRMED;
	s->reservation.revision = 2;
	s->reservation.created_at_us = world->wall_us - 48 * WORLD_HOUR_US;
	s->reservation.changed_at_us = world->wall_us - WORLD_HOUR_US;
	s->reservation.lines = s->lines;
	s->reservation.n_lines = 1;
	s->message.reservation = &s->reservation;
}

static uint64_t ask(struct world *world, const struct sample *s)
{
	return world_frame(world, FRAME_IMPORT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &s->message.base);
}

static const Keyrack__ReservationAnswer *answer_of(struct world *world, uint64_t request_id)
{
	return (const Keyrack__ReservationAnswer *)world_answer(world, request_id)->message;
}

static const Keyrack__Reservation *seen(struct world *world, const struct sample *s)
{
	Keyrack__ReservationGetRequest body = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	body.id_hi = s->reservation.id_hi;
	body.id_lo = s->reservation.id_lo;
	body.has_hotel = true;
	body.hotel_id = WORLD_HOTEL;
	uint64_t id = world_frame(
		world, FRAME_RESERVATION_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	return ((const Keyrack__ReservationGetAnswer *)world_answer(world, id)->message)
		->reservation;
}

Test(import, what_came_in_is_there_after_a_restart)
{
	struct world *world = world_serving(2);
	struct sample s;
	sample_init(&s, world, 1);
	s.reservation.state = INV_NO_SHOW;
	s.line.check_in = WORLD_TODAY - 4;
	s.line.check_out = WORLD_TODAY - 2;
	s.reservation.counted_until_day = WORLD_TODAY - 3;
	s.message.has_counted_until = true;
	s.reservation.external_ref = (char *)(uintptr_t) "OTA-1";
	s.reservation.source = 5;
	uint64_t first = ask(world, &s);
	cr_assert_eq(world_do(world, first), KEYRACK_DONE);
	cr_assert_eq(answer_of(world, first)->total_minor, 2 * 9900);
	for (int turn = 0; turn < 2; turn++) {
		const Keyrack__Reservation *r = seen(world, &s);
		cr_assert_eq(r->state, INV_NO_SHOW);
		cr_assert_eq(r->revision, 2);
		cr_assert_eq(r->created_at_us, s.reservation.created_at_us);
		cr_assert_eq(r->changed_at_us, s.reservation.changed_at_us);
		cr_assert_eq(r->counted_until_day, WORLD_TODAY - 3);
		cr_assert_eq(r->source, 5);
		cr_assert_str_eq(r->external_ref, "OTA-1");
		uint64_t again = ask(world, &s);
		cr_assert_eq(world_do(world, again), KEYRACK_DONE);
		cr_assert(answer_of(world, again)->repeated_op);
		world_restart(world, false);
		cr_assert_eq(world_start(world, false), 0);
	}
	world_free(world);
}

Test(import, again_with_other_content_is_refused_and_with_the_same_is_a_repetition)
{
	struct world *world = world_serving(2);
	struct sample s;
	sample_init(&s, world, 1);
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_DONE);
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_DONE);
	s.line.guests = 2;
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_KEY_REUSED);
	world_free(world);
}

Test(import, a_date_that_is_not_said_to_be_told_is_not_read)
{
	struct world *world = world_serving(2);
	struct sample s;
	sample_init(&s, world, 1);
	s.reservation.counted_until_day = WORLD_TODAY + 5;
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_DONE);
	s.reservation.id_lo = 2;
	s.message.has_counted_until = true;
	uint64_t id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "counted_until");
	world_free(world);
}

Test(import, shapes_that_cannot_be_are_invalid_and_named)
{
	struct world *world = world_serving(2);
	struct sample s;
	sample_init(&s, world, 1);
	s.reservation.state = 257;
	uint64_t id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "state");
	sample_init(&s, world, 1);
	s.line.keeps = 1;
	id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "keeps");
	sample_init(&s, world, 1);
	s.reservation.hotel_id++;
	id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "routing_key");
	s.message.reservation = NULL;
	id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "hotel_id");
	world_free(world);
}

Test(import, over_the_limit_it_takes_force_and_says_on_how_many_nights)
{
	struct world *world = world_serving(1);
	struct sample s;
	for (uint64_t number = 1; number <= 2; number++) {
		sample_init(&s, world, number);
		uint64_t id = ask(world, &s);
		cr_assert_eq(world_do(world, id), number == 1 ? KEYRACK_DONE : KEYRACK_SOLD_OUT);
		cr_assert_eq(answer_of(world, id)->nights_over_limit, 0);
	}
	s.message.force = true;
	uint64_t id = ask(world, &s);
	world->headers[world->frame_count - 1].principal =
		(uint16_t)access_principal(ACCESS_BOOKING, ACCESS_ANYBODY, 0);
	cr_assert_eq(world_do(world, id), KEYRACK_FORBIDDEN);
	id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	cr_assert_eq(answer_of(world, id)->nights_over_limit, 2);
	world_free(world);
}

Test(import, is_refused_like_a_sale_when_the_disk_is_nearly_full)
{
	struct world *world = world_serving(1);
	struct sample s;
	struct shard_event event = {.kind = SHARD_SPACE, .space = SHARD_SPACE_LOW};
	sample_init(&s, world, 1);
	(void)world_event(world, &event);
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_READ_ONLY);
	world_free(world);
}

Test(import, terms_come_in_as_they_were_agreed_or_are_refused)
{
	struct world *world = world_serving(2);
	Keyrack__Tier tier[INV_TIERS_MAX + 1], *tiers[INV_TIERS_MAX + 1];
	for (unsigned i = 0; i <= INV_TIERS_MAX; i++) {
		keyrack__tier__init(&tier[i]);
		tier[i].hours = 90 - 10 * i;
		tier[i].basis_points = 1000 * (i + 1);
		tiers[i] = &tier[i];
	}
	struct sample s;
	sample_init(&s, world, 5);
	s.line.tiers = tiers;
	s.line.n_tiers = INV_TIERS_MAX + 1;
	uint64_t id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "tiers");
	s.line.n_tiers = 2;
	tier[1].nights = 1u << 16;
	id = ask(world, &s);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	cr_assert_str_eq(answer_of(world, id)->refusal->text, "tiers");
	tier[1].nights = 0;
	cr_assert_eq(world_do(world, ask(world, &s)), KEYRACK_DONE);
	const Keyrack__Line *line = seen(world, &s)->lines[0];
	cr_assert_eq(line->n_tiers, 2);
	cr_assert(line->tiers[1]->hours == 80 && line->tiers[1]->basis_points == 2000);
	cr_assert_neq(line->arrival_us, 0);
	world_free(world);
}

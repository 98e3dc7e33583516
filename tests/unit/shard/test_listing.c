#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* NIGHT_LIST and DENIAL_LIST through frames: pages, cursors, refusals, the gate. */

static uint64_t ask_nights(struct world *world, const Keyrack__NightListRequest *body)
{
	const unsigned route = body->hotel_id != 0 ? FRAME_ROUTE_HOTEL : FRAME_ROUTE_SHARD;
	return world_frame(world, FRAME_NIGHT_LIST, route, body->hotel_id, &body->base);
}

static uint64_t ask_denials(struct world *world, const Keyrack__DenialListRequest *body)
{
	const unsigned route = body->hotel_id != 0 ? FRAME_ROUTE_HOTEL : FRAME_ROUTE_SHARD;
	return world_frame(world, FRAME_DENIAL_LIST, route, body->hotel_id, &body->base);
}

static Keyrack__NightListRequest nights_of(uint64_t hotel)
{
	Keyrack__NightListRequest body = KEYRACK__NIGHT_LIST_REQUEST__INIT;
	body.hotel_id = hotel;
	body.relative = true;
	body.last_day = 9;
	return body;
}

static const Keyrack__NightListAnswer *nights(struct world *world, uint64_t request_id)
{
	cr_assert_eq(world_do(world, request_id), KEYRACK_DONE);
	return (const void *)world_answer(world, request_id)->message;
}

static void refused(struct world *world, const Keyrack__NightListRequest *body, uint16_t code,
	const char *field)
{
	const uint64_t id = ask_nights(world, body);
	cr_assert_eq(world_do(world, id), code, "%s", field);
	const Keyrack__NightListAnswer *answer = (const void *)world_answer(world, id)->message;
	cr_assert_not_null(answer->refusal);
	cr_assert_eq(answer->refusal->code, code);
	if (field != NULL)
		cr_assert_str_eq(answer->refusal->text, field);
}

Test(listing, nights_come_in_pages_that_go_on_where_the_last_one_ended)
{
	struct world *world = world_serving(5);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK,
						     world_id(world, WORLD_HOTEL), 1, 3, 2, 0)),
			KEYRACK_DONE);
	Keyrack__NightListRequest body = nights_of(WORLD_HOTEL);
	body.limit = 7;
	uint32_t count = 0, booked = 0, pages = 0;
	do {
		const Keyrack__NightListAnswer *page = nights(world, ask_nights(world, &body));
		cr_assert_eq(page->business_day, WORLD_TODAY);
		cr_assert(page->first_day == WORLD_TODAY && page->last_day == WORLD_TODAY + 9);
		for (size_t i = 0; i < page->n_nights; i++, count++) {
			const Keyrack__Night *night = page->nights[i];
			cr_assert_eq(night->type, 1 + count / 10);
			cr_assert_eq(night->day, WORLD_TODAY + (int)(count % 10));
			cr_assert(night->has_rooms && night->rooms == 5 && night->limit == 5);
			booked += night->booked;
		}
		body.cursor = page->next_cursor;
		body.from_day = page->next_day;
		pages++;
	} while (body.cursor != 0);
	cr_assert(count == 20 && booked == 6 && pages == 3);
	world_free(world);
}

static void same_line(const Keyrack__Line *line, const Keyrack__Line *asked, uint64_t price_minor)
{
	cr_assert_eq(line->type, asked->type);
	cr_assert_eq(line->plan, asked->plan);
	cr_assert_eq(line->check_in, asked->check_in);
	cr_assert_eq(line->check_out, asked->check_out);
	cr_assert_eq(line->rooms, asked->rooms);
	cr_assert_eq(line->guests, asked->guests);
	cr_assert_eq(line->pricing, asked->pricing);
	cr_assert(line->n_run_nights == 1 && line->n_run_price_minor == 1);
	cr_assert_eq(line->run_nights[0], (uint32_t)(asked->check_out - asked->check_in));
	cr_assert_eq(line->run_price_minor[0], price_minor);
}

Test(listing, a_reservation_is_shown_with_every_line_as_it_was_asked)
{
	struct world *world = world_serving(9);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line one = KEYRACK__LINE__INIT, other = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[] = {&one, &other};
	one.type = 1;
	other.type = 2;
	one.check_in = WORLD_TODAY + 1;
	other.check_in = WORLD_TODAY + 2;
	one.check_out = WORLD_TODAY + 4;
	other.check_out = WORLD_TODAY + 9;
	one.rooms = 3;
	other.rooms = 5;
	one.guests = 4;
	other.guests = 7;
	body.hotel_id = WORLD_HOTEL;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	body.lines = lines;
	body.n_lines = KR_ARRAY_COUNT(lines);
	body.source = 1;
	cr_assert_eq(world_do(world, world_frame(world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL,
					     &body.base)),
		KEYRACK_DONE);
	const uint64_t get = world_get(world, id);
	cr_assert_eq(world_do(world, get), KEYRACK_DONE);
	const Keyrack__ReservationGetAnswer *answer =
		(const void *)world_answer(world, get)->message;
	const Keyrack__Reservation *shown = answer->reservation;
	cr_assert_not_null(shown);
	cr_assert_eq(shown->n_lines, 2);
	same_line(shown->lines[0], &one, 10000);
	same_line(shown->lines[1], &other, 10000);
	cr_assert(shown->has_total);
	cr_assert_eq(shown->total_minor, UINT64_C(10000) * (3 * 3 + 7 * 5));
	cr_assert(shown->id_hi == id.hi && shown->id_lo == id.lo);
	cr_assert_eq(shown->hotel_id, WORLD_HOTEL);
	cr_assert_eq(shown->state, INV_CONFIRMED);
	cr_assert_eq(shown->revision, 1);
	cr_assert_eq(shown->source, 1);
	world_free(world);
}

Test(listing, nights_are_of_the_types_that_were_asked_for)
{
	struct world *world = world_serving(5);
	Keyrack__NightListRequest body = nights_of(WORLD_HOTEL);
	uint32_t types[] = {1, 2};
	body.types = types;
	for (uint32_t count = 1; count <= 2; count++) {
		for (uint32_t first = 0; first + count <= 2; first++) {
			body.types = types + first;
			body.n_types = count;
			const Keyrack__NightListAnswer *page =
				nights(world, ask_nights(world, &body));
			cr_assert_eq(page->n_nights, 10 * count);
			for (size_t i = 0; i < page->n_nights; i++)
				cr_assert_eq(page->nights[i]->type, types[first + i / 10]);
		}
	}
	world_free(world);
}

Test(listing, an_answer_about_a_night_waits_for_what_it_shows)
{
	struct world *world = world_serving(5);
	Keyrack__NightListRequest all = nights_of(0), one = nights_of(WORLD_HOTEL);
	world->auto_persist = false;
	const uint64_t sale =
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	const uint64_t ids[] = {ask_nights(world, &one), ask_nights(world, &all)};
	world_turn(world);
	cr_assert_null(world_answer(world, sale));
	for (unsigned i = 0; i < 2; i++)
		cr_assert_null(world_answer(world, ids[i]), "it shows what is not on disk");
	world_settle(world);
	for (unsigned i = 0; i < 2; i++) {
		const Keyrack__NightListAnswer *answer =
			(const void *)world_answer(world, ids[i])->message;
		cr_assert_eq(answer->nights[3]->booked, 1);
	}
	world_free(world);
}

Test(listing, what_makes_no_sense_is_refused_by_its_field)
{
	struct world *world = world_serving(5);
	uint32_t types[] = {2, 1, 9};
	Keyrack__NightListRequest body = nights_of(WORLD_HOTEL);
	body.limit = 2049;
	refused(world, &body, KEYRACK_INVALID, "limit");
	body = nights_of(WORLD_HOTEL);
	body.filter = 4;
	refused(world, &body, KEYRACK_INVALID, "filter");
	body = nights_of(WORLD_HOTEL);
	body.first_day = 10;
	refused(world, &body, KEYRACK_INVALID, "first_day");
	body = nights_of(WORLD_HOTEL);
	body.types = types;
	body.n_types = 2;
	refused(world, &body, KEYRACK_INVALID, "types");
	body.types = types + 1;
	refused(world, &body, KEYRACK_NOT_FOUND, NULL);
	body.hotel_id = 0;
	refused(world, &body, KEYRACK_INVALID, "types");
	body = nights_of(WORLD_HOTEL + 1);
	refused(world, &body, KEYRACK_NOT_FOUND, NULL);
	/* Of another shard, of another life, of nothing. */
	const uint64_t cursors[] = {UINT64_C(1) << 50, UINT64_C(77) << 32 | 1, 0x7fffffff};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cursors); i++) {
		body = nights_of(0);
		body.cursor = cursors[i];
		refused(world, &body, KEYRACK_VERSION_MISMATCH, "cursor");
	}
	world_free(world);
}

Test(listing, a_cursor_that_was_made_up_in_this_life_is_refused_as_well)
{
	struct world *world = world_serving(5);
	Keyrack__NightListRequest body = nights_of(WORLD_HOTEL);
	body.limit = 1;
	const uint64_t cursor = nights(world, ask_nights(world, &body))->next_cursor;
	cr_assert_neq(cursor, 0);
	body.cursor = (cursor & ~(uint64_t)UINT32_MAX) | 1000;
	refused(world, &body, KEYRACK_VERSION_MISMATCH, "cursor");
	body.cursor = cursor | UINT32_MAX;
	refused(world, &body, KEYRACK_VERSION_MISMATCH, "cursor");
	world_restart(world, false);
	cr_assert_eq(world_start(world, false), 0);
	world_settle(world);
	body.cursor = cursor;
	refused(world, &body, KEYRACK_VERSION_MISMATCH, "cursor");
	world_free(world);
}

Test(listing, denials_are_told_with_what_the_table_had_no_place_for)
{
	struct world *world = world_serving(1);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1,
					     3, 2, 0)),
		KEYRACK_DONE);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(
			world_do(world, world_sale(world, FRAME_HOLD, world_id(world, WORLD_HOTEL),
						1, i < 3 ? 3 : 4, 1, 0)),
			KEYRACK_SOLD_OUT);
	Keyrack__DenialListRequest body = KEYRACK__DENIAL_LIST_REQUEST__INIT;
	body.limit = 1;
	uint64_t count = 0, sum = 0;
	do {
		const uint64_t id = ask_denials(world, &body);
		cr_assert_eq(world_do(world, id), KEYRACK_DONE);
		const Keyrack__DenialListAnswer *page =
			(const void *)world_answer(world, id)->message;
		cr_assert(page->total == 4 && page->overflow == 0 && page->shard == 0);
		for (size_t i = 0; i < page->n_denials; i++, count++)
			sum += page->denials[i]->count;
		body.cursor = page->next_cursor;
	} while (body.cursor != 0);
	cr_assert(count == 2 && sum == 4);
	body.hotel_id = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, ask_denials(world, &body)), KEYRACK_NOT_FOUND);
	body.hotel_id = WORLD_HOTEL;
	body.rule = 256;
	cr_assert_eq(world_do(world, ask_denials(world, &body)), KEYRACK_INVALID);
	body.rule = 0;
	body.has_nights = true;
	body.first_day = 1;
	cr_assert_eq(world_do(world, ask_denials(world, &body)), KEYRACK_INVALID);
	body.has_nights = false;
	body.cursor = UINT64_C(77) << 32 | 1;
	cr_assert_eq(world_do(world, ask_denials(world, &body)), KEYRACK_VERSION_MISMATCH);
	world_free(world);
}

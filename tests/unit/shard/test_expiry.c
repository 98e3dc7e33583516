#include <criterion/criterion.h>

#include "engine/shard/shard_priv.h"
#include "engine/shard/state.h"
#include "tests/unit/shard/world.h"

#define SECOND_US UINT64_C(1000000)

static unsigned state_of(struct world *world, struct kr_id id, bool *ret_due)
{
	uint64_t request = world_get(world, id);
	if (world_do(world, request) != KEYRACK_DONE)
		return 0;
	const Keyrack__ReservationGetAnswer *answer =
		(const Keyrack__ReservationGetAnswer *)world_answer(world, request)->message;
	*ret_due = answer->reservation->due;
	return answer->reservation->state;
}

Test(expiry, the_timer_gives_the_room_back_without_any_request)
{
	struct world *world = world_serving(1);
	struct kr_id id = world_id(world, WORLD_HOTEL);
	bool due;
	cr_assert_eq(world_do(world, world_sale(world, FRAME_HOLD, id, 1, 3, 2, 60 * SECOND_US)),
		KEYRACK_DONE);
	uint32_t before = world->batch_count;
	world_pass(world, 61 * SECOND_US);
	cr_assert_eq(world->batch_count, before + 1);
	cr_assert_eq(state_of(world, id, &due), INV_EXPIRED);
	uint64_t book = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	cr_assert_eq(world_do(world, book), KEYRACK_DONE);
	world_free(world);
}

Test(expiry, a_hold_ends_in_the_microsecond_of_its_deadline)
{
	struct world *world = world_serving(1);
	const struct shard *shard = world->shard;
	struct shard_event event = {.kind = SHARD_TIMEOUT};
	world_do(world, world_sale(world, FRAME_HOLD, world_id(world, WORLD_HOTEL), 1, 3, 2,
				60 * SECOND_US));
	const uint32_t before = world->batch_count;
	const uint64_t deadline_us = inv_due_next_us(shard->inv);
	/* The shard's time is the wall's once it has had the time to come to it. */
	world_pass(world, 10 * SECOND_US);
	cr_assert_eq(world_event(world, &event), 0);
	cr_assert_eq(shard->now.t_us, world->wall_us);
	for (int early = 1; early >= 0; early--) {
		/* an event is a microsecond by itself */
		const uint64_t step_us = deadline_us - (uint64_t)early - 1 - shard->now.t_us;
		world->boot_us += step_us;
		world->wall_us += step_us;
		cr_assert_eq(world_event(world, &event), 0);
		cr_assert_eq(shard->now.t_us, deadline_us - (uint64_t)early);
		cr_assert_eq(world->batch_count, before + !early);
	}
	world_free(world);
}

Test(expiry, a_confirm_of_a_due_hold_is_refused_even_if_the_timer_was_late)
{
	struct world *world = world_serving(1);
	struct kr_id id = world_id(world, WORLD_HOTEL);
	world_do(world, world_sale(world, FRAME_HOLD, id, 1, 3, 2, 60 * SECOND_US));
	world->boot_us += 61 * SECOND_US;
	world->wall_us += 61 * SECOND_US;
	cr_assert_eq(
		world_do(world, world_transition(world, FRAME_CONFIRM, id)), KEYRACK_HOLD_EXPIRED);
	world_free(world);
}

/* Due holds of type 2, and a younger one of type 1, whose only room it has; and a booking of type
 * 2. */
static struct world *world_behind(struct kr_id *ret_booking, unsigned due_count)
{
	struct shard_config config;
	world_config_default(&config);
	config.inventory.reservations_max = config.inventory.nodes_max = 32768;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	world_hotel_put(world, WORLD_HOTEL);
	world_type_put(world, WORLD_HOTEL, 1, 1);
	world_type_put(world, WORLD_HOTEL, 2, 10000);
	world_price_set(world, WORLD_HOTEL, 100);
	*ret_booking = world_id(world, WORLD_HOTEL);
	world_sale(world, FRAME_BOOK, *ret_booking, 2, 3, 2, 0);
	for (unsigned i = 0; i < due_count; i++) {
		world_sale(
			world, FRAME_HOLD, world_id(world, WORLD_HOTEL), 2, 3, 2, 60 * SECOND_US);
		if (i % 1000 == 999)
			world_turn(world);
	}
	world_turn(world);
	uint64_t last = world_sale(world, FRAME_HOLD, world_id(world, WORLD_HOTEL), 1, 3, 2,
		60 * SECOND_US + SECOND_US);
	cr_assert_eq(world_do(world, last), KEYRACK_DONE);
	world->boot_us += 70 * SECOND_US;
	world->wall_us += 70 * SECOND_US;
	return world;
}

static void nothing_is_held(struct world *world)
{
	struct inv_counts counts;
	world_pass(world, SECOND_US);
	inv_counts_get(shard_inventory(world->shard), &counts);
	cr_assert_eq(counts.holds, 0);
}

Test(expiry, a_sale_gets_the_room_of_a_hold_that_is_due_though_a_backlog_is_older)
{
	struct kr_id booking;
	struct world *world = world_behind(&booking, SHARD_DUE_MAX + 100);
	uint64_t book = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	cr_assert_eq(world_do(world, book), KEYRACK_DONE);
	nothing_is_held(world);
	world_free(world);
}

static uint64_t modify(struct world *world, struct kr_id id)
{
	Keyrack__TransitionRequest body = KEYRACK__TRANSITION_REQUEST__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT, *lines[1] = {&line};
	line.type = 1;
	line.check_in = WORLD_TODAY + 3;
	line.check_out = line.check_in + 2;
	line.rooms = line.guests = 1;
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	body.has_expected_revision = true;
	body.expected_revision = 1;
	body.change_id = 9;
	body.lines = lines;
	body.n_lines = 1;
	return world_frame(
		world, FRAME_MODIFY, FRAME_ROUTE_SLOT, reservation_id_slot(id), &body.base);
}

Test(expiry, a_changed_stay_gets_such_a_room_too_and_an_unknown_one_is_not_found)
{
	struct kr_id booking;
	struct world *world = world_behind(&booking, SHARD_DUE_MAX + 100);
	uint64_t nobodys = modify(world, world_id(world, WORLD_HOTEL));
	cr_assert_eq(world_do(world, nobodys), KEYRACK_NOT_FOUND);
	nothing_is_held(world);
	world_free(world);
	world = world_behind(&booking, SHARD_DUE_MAX + 100);
	cr_assert_eq(world_do(world, modify(world, booking)), KEYRACK_DONE);
	nothing_is_held(world);
	world_free(world);
}

Test(expiry, holds_that_lapsed_while_the_shard_was_down_get_one_grace)
{
	struct world *world = world_serving(1);
	struct kr_id id = world_id(world, WORLD_HOTEL);
	bool due;
	world_do(world, world_sale(world, FRAME_HOLD, id, 1, 3, 2, 60 * SECOND_US));
	for (unsigned round = 0; round < 2; round++) {
		world_restart(world, false);
		world->boot_us += 600 * SECOND_US;
		world->wall_us += 600 * SECOND_US;
		cr_assert_eq(world_start(world, false), 0);
		world_pass(world, SECOND_US);
		unsigned state = state_of(world, id, &due);
		cr_assert_eq(state, round == 0 ? INV_HELD : INV_EXPIRED, "%u", state);
		cr_assert_not(due);
	}
	world_free(world);
}

Test(expiry, the_day_rolls_by_the_timer_at_the_hotels_hour)
{
	struct world *world = world_serving(1);
	struct inv_hotel_view view;
	struct hotel_id hotel = {WORLD_HOTEL};
	cr_assert(inv_hotel_get(shard_inventory(world->shard), hotel, &view));
	cr_assert_eq(view.business_day, WORLD_TODAY);
	/* 04:00 in Paris is 03:00 UTC; the world begins at noon UTC. */
	world_pass(world, 15 * WORLD_HOUR_US - 60 * SECOND_US);
	cr_assert(inv_hotel_get(shard_inventory(world->shard), hotel, &view));
	cr_assert_eq(view.business_day, WORLD_TODAY);
	world_pass(world, 120 * SECOND_US);
	cr_assert(inv_hotel_get(shard_inventory(world->shard), hotel, &view));
	cr_assert_eq(view.business_day, WORLD_TODAY + 1);
	world_free(world);
}

Test(expiry, nothing_is_expired_while_the_log_takes_nothing)
{
	struct world *world = world_serving(1);
	struct kr_id id = world_id(world, WORLD_HOTEL);
	bool due = false;
	world_do(world, world_sale(world, FRAME_HOLD, id, 1, 3, 2, 60 * SECOND_US));
	struct shard_event event = {.kind = SHARD_SPACE, .space = SHARD_SPACE_STOP};
	cr_assert_eq(world_event(world, &event), 0);
	uint32_t before = world->batch_count;
	world_pass(world, 61 * SECOND_US);
	cr_assert_eq(world->batch_count, before);
	cr_assert_eq(state_of(world, id, &due), INV_HELD);
	cr_assert(due);
	world_free(world);
}

static uint64_t held(struct world *world)
{
	struct inv_counts counts;
	inv_counts_get(shard_inventory(world->shard), &counts);
	return counts.holds;
}

/* The update is none of a hold's business: it drains nothing. */
Test(expiry, a_request_waits_for_a_bounded_part_of_a_backlog)
{
	struct kr_id booking;
	struct world *world = world_behind(&booking, 5000);
	world->auto_persist = false;
	world_price_set(world, WORLD_HOTEL, 200);
	world_turn(world);
	cr_assert_eq(world->batches[world->batch_count - 1].record.count, SHARD_DUE_MAX + 1);
	cr_assert_eq(world->timer_us, world->boot_us + SHARD_DUE_PACE_US);
	world->auto_persist = true;
	world_settle(world);
	nothing_is_held(world);
	world_free(world);
}

Test(expiry, a_backlog_goes_on_beside_an_append_until_the_next_one_is_large_enough)
{
	struct kr_id booking;
	struct world *world = world_behind(&booking, 12000);
	struct shard_event timeout = {.kind = SHARD_TIMEOUT};
	world->auto_persist = false;
	do {
		cr_assert_eq(world_event(world, &timeout), 0);
		world->boot_us += SHARD_DUE_PACE_US;
		world->wall_us += SHARD_DUE_PACE_US;
	} while (world->timer_us <= world->boot_us);
	cr_assert_eq(world->timer_us, UINT64_MAX);
	const uint64_t left = held(world);
	cr_assert_gt(left, 0);
	cr_assert_lt(left, 12000 - 10 * SHARD_DUE_MAX);
	/* The full one leaves, and there is room for more. */
	cr_assert(world_persist(world));
	cr_assert_leq(world->timer_us, world->boot_us + SHARD_DUE_PACE_US);
	world->boot_us += SHARD_DUE_PACE_US;
	world->wall_us += SHARD_DUE_PACE_US;
	cr_assert_eq(world_event(world, &timeout), 0);
	cr_assert_lt(held(world), left);
	world->auto_persist = true;
	world_settle(world);
	nothing_is_held(world);
	world_free(world);
}

/* Appends that are done meanwhile and timers that are early change nothing; a request does. */
Test(expiry, slices_of_a_backlog_keep_their_distance_but_a_sale_gets_its_room)
{
	struct kr_id booking;
	struct world *world = world_behind(&booking, 3 * SHARD_DUE_MAX);
	struct shard_event timeout = {.kind = SHARD_TIMEOUT};
	cr_assert_eq(world_event(world, &timeout), 0);
	const uint64_t next_us = world->boot_us + SHARD_DUE_PACE_US, left = held(world);
	cr_assert_eq(left, 3 * SHARD_DUE_MAX + 1 - SHARD_DUE_MAX);
	world_settle(world);
	cr_assert_eq(world_event(world, &timeout), 0);
	cr_assert_eq(held(world), left);
	cr_assert_eq(world->timer_us, next_us);
	cr_assert_eq(world_do(world, world_price_set(world, WORLD_HOTEL, 200)), KEYRACK_DONE);
	cr_assert_eq(held(world), left - SHARD_DUE_EARLY_MAX);
	cr_assert_eq(world->timer_us, next_us);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_DONE);
	cr_assert_lt(world->boot_us, next_us);
	cr_assert_eq(held(world), 0, "a sale expires all that is due of its hotel");
	world_free(world);
}

Test(expiry, holds_that_end_one_after_the_other_share_their_appends)
{
	struct world *world = world_serving(1000);
	for (unsigned i = 0; i < 1000; i++)
		world_sale(world, FRAME_HOLD, world_id(world, WORLD_HOTEL), 1, 3, 2,
			60 * SECOND_US + i * UINT64_C(10));
	world_turn(world);
	cr_assert_eq(held(world), 1000);
	world_pass(world, 59 * SECOND_US);
	const uint32_t before = world->batch_count;
	world_pass(world, 2 * SECOND_US);
	cr_assert_eq(held(world), 0);
	cr_assert_leq(world->batch_count - before, 1 + 10000 / SHARD_DUE_PACE_US + 1);
	world_free(world);
}

/*
 * A chunk that is saved in steps shows its hotel as it was at the first one, whatever happens
 * meanwhile.
 */
#include "engine/inventory/capture.h"
#include "engine/inventory/index.h"
#include "tests/unit/inventory/sales.h"

#define CHUNK_SIZE_MAX (1u << 20)
#define BOOKED 60u
#define HELD 20u

static struct world w;
static int32_t today;
static struct kr_id booked[BOOKED], held[HELD];
static uint8_t bytes[CHUNK_SIZE_MAX], at_once[CHUNK_SIZE_MAX];
static struct inv_capture capture;
static struct kr_writer writer;
static uint64_t digest;

static void begin(void)
{
	struct inv_config config = world_config();
	config.reservations_max = 256;
	world_init(&w, &config);
	world_standard(&w, 2, 500);
	today = world_day(2026, 11, 22);
	for (uint32_t i = 0; i < BOOKED; i++)
		booked[i] = sales_book(&w, 100 + i, 1, today + 2, today + 5);
	for (uint32_t i = 0; i < HELD; i++)
		held[i] = sales_hold(&w, 500 + i, 2, today + 1, today + 3);
}

static void end(void)
{
	sales_agree(&w);
	world_fini(&w);
}

TestSuite(capture, .init = begin, .fini = end);

static void start(uint32_t chunk)
{
	kr_writer_init(&writer, bytes, sizeof(bytes));
	digest = inv_chunk_digest(w.inv, chunk);
	cr_assert_leq(inv_chunk_size_max(w.inv, chunk), inv_capture_size_max(w.inv, chunk));
	inv_capture_begin(w.inv, chunk, &capture, &writer);
}

/* True: the chunk is whole. Never more than `work` records are saved. */
static bool go_on(uint64_t work)
{
	uint64_t left = work;
	const uint32_t before = capture.held_left + capture.kept_left;
	const bool whole = inv_capture_run(w.inv, &capture, &writer, &left);
	cr_assert_leq(left, work);
	cr_assert_leq(before - capture.held_left - capture.kept_left, work - left);
	return whole;
}

/* Into an inventory of its own, behind the shard's chunk as it is now. */
static void finish(void)
{
	void *memory;
	struct kr_reader reader;
	while (!go_on(7))
		;
	cr_assert_not(writer.failed);
	cr_assert_eq(inv_capture_digest(&capture), digest);
	struct inv *copy = world_inventory_new(&w, &memory);
	kr_reader_init(&reader, bytes, kr_writer_size(&writer));
	int r = inv_chunk_load(copy, &reader, w.lsn, digest, &w.contradiction);
	cr_assert_eq(r, 0, "%s", w.contradiction.what);
	cr_assert_eq(inv_chunk_digest(copy, 1), digest);
	cr_assert_eq(inv_verify(copy, &w.contradiction), 0, "%s", w.contradiction.what);
	free(memory);
}

/* As the shard does: what is about to change is saved before. */
static void apply_before(struct inv_effect *effect)
{
	effect->lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.mirror, effect, &w.contradiction), 0);
	inv_capture_before(w.inv, &capture, effect, &writer);
	cr_assert_eq(inv_apply(w.inv, effect, &w.contradiction), 0);
}

static void cancel(struct kr_id id)
{
	struct inv_transition_op op = transition_op(INV_CANCEL, id);
	cr_assert_eq(inv_transition_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	apply_before(&w.effect);
}

static void release(struct kr_id id)
{
	struct inv_transition_op op = transition_op(INV_RELEASE, id);
	cr_assert_eq(inv_transition_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	apply_before(&w.effect);
}

static void book(uint64_t random)
{
	struct inv_line line = stay_line(1, today + 3, today + 4);
	struct inv_reserve_op op = book_op(&w, random, &line, 1);
	op.fingerprint = inv_reserve_fingerprint(&op);
	cr_assert_eq(inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	apply_before(&w.effect);
}

Test(capture, in_steps_of_any_size_gives_the_bytes_of_a_chunk)
{
	for (uint32_t chunk = 0; chunk < 2; chunk++) {
		struct kr_writer whole;
		kr_writer_init(&whole, at_once, sizeof(at_once));
		inv_chunk_save(w.inv, chunk, &whole);
		for (uint64_t work = 1; work < 100; work += 9) {
			start(chunk);
			while (!go_on(work))
				;
			cr_assert_eq(inv_capture_digest(&capture), digest);
			cr_assert_eq(kr_writer_size(&writer), kr_writer_size(&whole));
			cr_assert_arr_eq(bytes, at_once, kr_writer_size(&whole));
		}
	}
}

Test(capture, shows_records_as_they_were_when_it_began)
{
	for (uint32_t first = 0; first < 30; first += 5) {
		start(1);
		cr_assert_not(go_on(HELD + first));
		cancel(booked[first]);
		cancel(booked[BOOKED - 2 - first]);
		book(1000 + first);
		finish();
	}
}

Test(capture, saves_the_other_holds_before_an_effect_on_their_hotel)
{
	start(1);
	cr_assert_not(go_on(3));
	cr_assert_eq(capture.held_left, HELD - 3);
	release(held[10]);
	cr_assert_eq(capture.held_left, 0);
	cr_assert_eq(capture.kept_left, BOOKED, "nothing else is");
	release(held[0]);
	finish();
}

Test(capture, finds_holds_that_went_behind_others)
{
	start(1);
	cr_assert_not(go_on(3));
	/* Not due, so they are looked at and stand behind the others afterwards. */
	for (uint32_t i = 0; i < 5; i++)
		cr_assert_eq(inv_due_hotel_judge(
				     w.inv, w.now, (struct hotel_id){WORLD_HOTEL}, &w.effect),
			INV_ANSWER);
	finish();
}

Test(capture, goes_on_behind_a_record_that_retires)
{
	for (uint32_t i = 0; i < BOOKED; i += 2)
		sales_cancel(&w, booked[i], false);
	w.now.t_us += w.config.retention_us + 8 * DAY_US;
	start(1);
	cr_assert_not(go_on(HELD + 4));
	uint32_t retired = 0;
	while (inv_due_next_us(w.inv) <= w.now.t_us &&
		inv_due_judge(w.inv, w.now, &w.effect) == INV_EFFECT) {
		retired += w.effect.kind == INV_EFFECT_RETIRE;
		apply_before(&w.effect);
	}
	cr_assert_gt(retired, 10);
	finish();
}

Test(capture, of_another_hotel_is_left_alone)
{
	struct inv_hotel_op op = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	start(2);
	cancel(booked[0]);
	book(2000);
	cr_assert(go_on(1));
	cr_assert_eq(inv_capture_digest(&capture), digest);
	start(0);
	cancel(booked[1]);
	cr_assert(go_on(1));
	start(1);
	finish();
}

Test(capture, counts_nights_as_work)
{
	const uint64_t two_types = inv_capture_begin_work(w.inv, 1);
	struct inv_type_op op = type_op(3);
	cr_assert_gt(two_types, 2 * w.config.window_nights / INV_CAPTURE_NIGHTS);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_geq(inv_capture_begin_work(w.inv, 1),
		two_types + w.config.window_nights / INV_CAPTURE_NIGHTS);
}

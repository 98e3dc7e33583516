#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/rng.h"
#include "engine/inventory/priv.h"
#include "engine/inventory/records.h"
#include "tests/unit/inventory/sales.h"

/* What does not fit a record: further lines, runs of prices, references. */

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static void nodes_init(struct world *w, uint32_t nodes_max)
{
	struct inv_config config = world_config();
	config.nodes_max = nodes_max;
	config.window_nights = 300;
	world_init(w, &config);
	world_standard(w, 4, 30000);
}

Test(nodes, one_line_of_one_price_needs_none)
{
	struct world w;
	nodes_init(&w, 8);
	sales_price(&w, 1, 100);
	struct inv_line line = stay_line(1, day_one(), day_one() + 200);
	line.pricing = INV_PRICE_CALENDAR;
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_counts(&w).nodes, 0);
	sales_agree(&w);
	world_fini(&w);
}

/* Each night another price: two to a word, one word in the record, seven to a node. */
Test(nodes, as_many_as_the_prices_need)
{
	struct world w;
	nodes_init(&w, 64);
	struct inv_price_run runs[120];
	for (int n = 0; n < 120; n++)
		runs[n] = (struct inv_price_run){1, (uint64_t)n + 1};
	for (int32_t nights = 1; nights <= 120; nights += nights < 20 ? 1 : 17) {
		int32_t day = day_one() + 30; /* a day goes by each time */
		struct inv_line line = stay_line(1, day, day + nights);
		line.pricing = INV_PRICE_CALLER;
		line.runs = runs;
		line.run_count = (uint16_t)nights;
		struct inv_reserve_op op = book_op(&w, (uint64_t)nights, &line, 1);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
		cr_assert_eq(w.answer.total_minor, (uint64_t)nights * (uint64_t)(nights + 1) / 2);
		const uint32_t words = (uint32_t)(nights + 1) / 2;
		cr_assert_eq(sales_counts(&w).nodes, (words - 1 + 6) / 7);
		sales_agree(&w);
		cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
		w.now.t_us += INV_RETENTION_US + 1000;
		(void)sales_due(&w);
		cr_assert_eq(sales_counts(&w).nodes, 0);
	}
	world_fini(&w);
}

#define SMALL_PRICE_MAX ((UINT64_C(1) << 22) - 1)
#define SMALL_NIGHTS_MAX 511u

static uint64_t price_drawn(struct rng *rng)
{
	static const uint64_t edges[] = {
		0, SMALL_PRICE_MAX - 1, SMALL_PRICE_MAX, SMALL_PRICE_MAX + 1, RATE_PRICE_MAX};
	if (rng_chance(rng, 500000))
		return rng_below(rng, 1000) + 1;
	return edges[rng_below(rng, KR_ARRAY_COUNT(edges))];
}

/* A reservation of random shape; the runs of all its lines stand in `runs`. */
static uint32_t lines_drawn(
	struct rng *rng, struct inv_line lines[static INV_LINES_MAX], struct inv_price_run *runs)
{
	uint32_t line_count = (uint32_t)rng_range(rng, 1, INV_LINES_MAX), used = 0;
	for (uint32_t i = 0; i < line_count; i++) {
		int32_t in = day_one() + (int32_t)rng_below(rng, 100);
		int32_t nights = (int32_t)rng_range(rng, 1, 40);
		lines[i] = stay_line((uint16_t)rng_range(rng, 1, 4), in, in + nights);
		lines[i].rooms = (uint16_t)rng_range(rng, 1, 9);
		lines[i].guests = (uint16_t)rng_below(rng, 20);
		if (rng_chance(rng, 300000))
			continue;
		lines[i].pricing = INV_PRICE_CALLER;
		lines[i].runs = runs + used;
		for (int32_t n = 0; n < nights; n++) {
			runs[used].nights = 1;
			do /* none are joined */
				runs[used].price_minor = price_drawn(rng);
			while (n > 0 && runs[used].price_minor == runs[used - 1].price_minor);
			used++;
			lines[i].run_count++;
		}
	}
	return line_count;
}

static void check_kept(struct world *w, const struct inv_reserve_op *op)
{
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w->inv, op->id, w->now.t_us, &view));
	cr_assert_eq(view.line_count, op->line_count);
	cr_assert_eq(view.guest.hi, op->guest.hi);
	cr_assert_eq(view.fingerprint, op->fingerprint);
	for (uint32_t i = 0; i < op->line_count; i++) {
		const struct inv_line *want = &op->lines[i], *kept = &view.lines[i];
		cr_assert_eq(kept->type, want->type);
		cr_assert_eq(kept->check_in, want->check_in);
		cr_assert_eq(kept->check_out, want->check_out);
		cr_assert_eq(kept->rooms, want->rooms);
		cr_assert_eq(kept->guests, want->guests);
		cr_assert_eq(kept->pricing, want->pricing);
		cr_assert_eq(kept->run_count, want->run_count);
		for (uint32_t r = 0; r < want->run_count; r++) {
			cr_assert_eq(kept->runs[r].nights, want->runs[r].nights);
			cr_assert_eq(kept->runs[r].price_minor, want->runs[r].price_minor);
		}
	}
	cr_assert_eq(view.external_ref.size_bytes, op->external_ref.size_bytes);
	if (op->external_ref.size_bytes != 0)
		cr_assert_arr_eq(view.external_ref.bytes, op->external_ref.bytes,
			op->external_ref.size_bytes);
}

Test(nodes, keep_every_shape_of_reservation)
{
	static struct inv_price_run runs[INV_LINES_MAX * 40];
	struct inv_line lines[INV_LINES_MAX];
	struct world w;
	struct rng rng;
	nodes_init(&w, 4096);
	rng_init(&rng, 3);
	for (uint64_t n = 0; n < 60; n++) {
		uint32_t line_count = lines_drawn(&rng, lines, runs);
		struct inv_reserve_op op = hold_op(&w, n, lines, line_count);
		op.book = n % 2;
		op.guest = (struct inv_guest_id){n, 0};
		char reference[] = "reference 000";
		reference[10] = (char)('0' + n % 10);
		reference[11] = (char)('0' + n / 10);
		if (n % 3 == 0)
			op.external_ref = text(reference);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
		check_kept(&w, &op);
		if (n % 10 == 0)
			sales_agree(&w);
		if (n % 4 == 1)
			cr_assert_eq(sales_cancel(&w, op.id, true), KEYRACK_DONE);
		check_kept(&w, &op);
	}
	sales_agree(&w);
	w.now.t_us += HOUR_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_counts(&w).holds, 0);
	w.now.t_us += 400 * DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_counts(&w).nodes, 0);
	cr_assert_eq(sales_counts(&w).reservations, 0);
	world_fini(&w);
}

Test(nodes, two_small_runs_stand_in_the_record)
{
	static const struct {
		struct inv_price_run runs[3];
		uint16_t run_count;
		uint32_t nodes;
	} cases[] = {
		{{{1, 0}, {1, 1}}, 2, 0},
		{{{SMALL_NIGHTS_MAX, SMALL_PRICE_MAX}, {SMALL_NIGHTS_MAX, 0}}, 2, 0},
		{{{SMALL_NIGHTS_MAX, 0}, {SMALL_NIGHTS_MAX, SMALL_PRICE_MAX}}, 2, 0},
		{{{SMALL_NIGHTS_MAX + 1, 1}, {1, 2}}, 2, 1},
		{{{1, 1}, {SMALL_NIGHTS_MAX + 1, 2}}, 2, 1},
		{{{1, SMALL_PRICE_MAX + 1}, {1, 2}}, 2, 1},
		{{{1, 1}, {1, SMALL_PRICE_MAX + 1}}, 2, 1},
		{{{2000, RATE_PRICE_MAX}}, 1, 0},
		{{{1, RATE_PRICE_MAX}, {2, 1}, {3, 2}}, 3, 1},
		{{{1, 1}, {2, 2}, {3, RATE_PRICE_MAX}}, 3, 1},
	};
	struct inv_config config = world_config();
	struct world w;
	config.window_nights = INV_STAY_NIGHTS_MAX;
	config.nodes_max = 64;
	world_init(&w, &config);
	world_standard(&w, 4, 30000);
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	hotel.mask = INV_HOTEL_NIGHTS_MAX;
	hotel.settings.nights_max = INV_STAY_NIGHTS_MAX;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	uint32_t nodes = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_line line = stay_line(1, day_one(), day_one());
		line.pricing = INV_PRICE_CALLER;
		line.runs = cases[i].runs;
		line.run_count = cases[i].run_count;
		uint64_t total_minor = 0;
		for (uint16_t r = 0; r < line.run_count; r++) {
			line.check_out += line.runs[r].nights;
			total_minor += line.runs[r].price_minor * line.runs[r].nights;
		}
		struct inv_reserve_op op = book_op(&w, i + 1, &line, 1);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "%zu: %u", i, w.answer.code);
		cr_assert_eq(w.answer.total_minor, total_minor, "%zu", i);
		nodes += cases[i].nodes;
		cr_assert_eq(sales_counts(&w).nodes, nodes, "%zu", i);
		check_kept(&w, &op);
		sales_agree(&w);
	}
	world_fini(&w);
}

static int load_into(struct world *w, uint32_t nodes_max)
{
	static uint8_t bytes[1u << 16];
	struct world smaller = *w;
	struct kr_writer writer;
	struct kr_reader reader;
	void *memory;
	smaller.config.nodes_max = nodes_max;
	struct inv *copy = world_inventory_new(&smaller, &memory);
	kr_writer_init(&writer, bytes, sizeof(bytes));
	inv_chunk_save(w->inv, 1, &writer);
	cr_assert_not(writer.failed);
	kr_reader_init(&reader, bytes, kr_writer_size(&writer));
	int r = inv_chunk_load(copy, &reader, inv_chunk_lsn(w->inv, 1), inv_chunk_digest(w->inv, 1),
		&w->contradiction);
	free(memory);
	return r;
}

/* A line with its runs, two references, a change's id. */
Test(nodes, a_snapshot_takes_as_many_as_its_reservations_had)
{
	struct world w;
	nodes_init(&w, 64);
	struct inv_price_run runs[17];
	for (uint32_t n = 0; n < KR_ARRAY_COUNT(runs); n++)
		runs[n] = (struct inv_price_run){1, n + 1};
	struct inv_line line = stay_line(1, day_one(), day_one() + (int32_t)KR_ARRAY_COUNT(runs));
	line.pricing = INV_PRICE_CALLER;
	line.runs = runs;
	line.run_count = (uint16_t)KR_ARRAY_COUNT(runs);
	struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
	op.external_ref = text("OTA-1");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	struct inv_transition_op attach = transition_op(INV_ATTACH_PAYMENT, op.id);
	attach.has_expected_revision = true;
	attach.expected_revision = 1;
	attach.change_id = 7;
	attach.payment_ref = text("card");
	cr_assert_eq(sales_transition(&w, &attach), KEYRACK_DONE);
	const uint32_t nodes = sales_counts(&w).nodes;
	cr_assert_eq(nodes, 5);
	for (uint32_t nodes_max = 1; nodes_max <= nodes; nodes_max++)
		cr_assert_eq(load_into(&w, nodes_max), nodes_max < nodes ? INV_NO_ROOM : 0, "%u",
			nodes_max);
	world_fini(&w);
}

Test(nodes, the_fingerprint_covers_what_is_asked_and_not_who_asks)
{
	struct world w;
	nodes_init(&w, 8);
	struct inv_price_run runs[2] = {{1, 5}, {1, 6}};
	struct inv_line lines[2] = {
		stay_line(1, day_one(), day_one() + 2), stay_line(2, day_one(), day_one() + 2)};
	lines[0].pricing = INV_PRICE_CALLER;
	lines[0].runs = runs;
	lines[0].run_count = 2;
	struct inv_reserve_op op = book_op(&w, 1, lines, 2);
	op.external_ref = text("ab");
	op.payment_ref = text("c");
	const uint64_t first = inv_reserve_fingerprint(&op);
	op.actor = (struct inv_actor){9, 8, 7, text("why")};
	cr_assert_eq(inv_reserve_fingerprint(&op), first);
	struct inv_price_run same[2] = {{1, 5}, {1, 6}};
	lines[0].runs = same;
	cr_assert_eq(inv_reserve_fingerprint(&op), first, "values, not places");
#define CHANGES(what)                                                                              \
	do {                                                                                       \
		const struct inv_reserve_op op_kept = op;                                          \
		const struct inv_line line_kept = lines[1];                                        \
		const struct inv_price_run run_kept = same[1];                                     \
		what;                                                                              \
		cr_assert_neq(inv_reserve_fingerprint(&op), first, #what);                         \
		op = op_kept;                                                                      \
		lines[1] = line_kept;                                                              \
		same[1] = run_kept;                                                                \
		cr_assert_eq(inv_reserve_fingerprint(&op), first);                                 \
	} while (0)
	CHANGES(op.book = false);
	CHANGES(op.hotel.v++);
	CHANGES(op.id.lo++);
	CHANGES(op.line_count = 1);
	CHANGES(op.ttl_us = 1);
	CHANGES(op.has_expected_total = true);
	CHANGES(op.expected_total_minor = 1);
	CHANGES(op.guest.hi = 1);
	CHANGES(op.guest.lo = 1);
	CHANGES(op.external_ref = text("a"); op.payment_ref = text("bc"));
	CHANGES(op.external_ref = text("abc"); op.payment_ref = text(""));
	CHANGES(op.payment_ref = text("d"));
	CHANGES(lines[1].type++);
	CHANGES(lines[1].plan++);
	CHANGES(lines[1].check_in++);
	CHANGES(lines[1].check_out++);
	CHANGES(lines[1].rooms++);
	CHANGES(lines[1].guests++);
	CHANGES(lines[1].pricing = INV_PRICE_CALENDAR);
	CHANGES(same[1].nights++);
	CHANGES(same[1].price_minor++);
#undef CHANGES
	world_fini(&w);
}

Test(nodes, the_fingerprint_reads_a_lines_terms_and_nothing_behind_them)
{
	struct world w;
	nodes_init(&w, 8);
	const size_t page_size_bytes = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * page_size_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq((void *)pages, MAP_FAILED);
	cr_assert_eq(mprotect(pages + page_size_bytes, page_size_bytes, PROT_NONE), 0);
	for (uint16_t count = 1; count <= INV_TIERS_MAX; count++) {
		struct inv_tier *tiers =
			(struct inv_tier *)(void *)(pages + page_size_bytes) - count;
		for (uint16_t i = 0; i < count; i++)
			tiers[i] = (struct inv_tier){(uint16_t)(72 - i), 1, 0};
		struct inv_line line = stay_line(1, day_one(), day_one() + 2);
		line.arrival_us = 1;
		line.tiers = tiers;
		line.tier_count = (uint8_t)count;
		const struct inv_reserve_op op = book_op(&w, 1, &line, 1);
		const uint64_t first = inv_reserve_fingerprint(&op);
		tiers[count - 1].nights = 2;
		cr_assert_neq(inv_reserve_fingerprint(&op), first);
	}
	munmap(pages, 2 * page_size_bytes);
	world_fini(&w);
}

/* No window reaches them: the record of a stay that ended takes their dates. */
Test(nodes, a_stay_on_the_first_or_the_last_of_all_days_comes_back)
{
	struct world w;
	nodes_init(&w, 8);
	const struct kr_id id = sales_book(&w, 1, 1, day_one(), day_one() + 2);
	cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
	const uint32_t r = inv_record_seek(w.inv, INV_NONE, id);
	const int32_t days[] = {INV_DAY_MIN, INV_DAY_MAX};
	for (size_t i = 0; i < KR_ARRAY_COUNT(days); i++) {
		inv_record_at(w.inv, r)->check_in = days[i];
		inv_record_at(w.mirror, r)->check_in = days[i];
		sales_agree(&w);
	}
	world_fini(&w);
}

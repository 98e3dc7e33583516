#include "bench/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "bench/ari.h"

const char *const work_names[WORK_KINDS] = {
	"book", "hold+confirm", "cancel", "availability", "hold+release", "stay", "get", "update"};

uint64_t work_weight(const struct work_options *options, enum work_kind kind)
{
	kr_assert(kind < WORK_KINDS && options->burst > 0);
	/* A draw of an update begins a whole burst of them. */
	return options->weights[kind] * (kind == WORK_UPDATE ? UINT64_C(1) : options->burst);
}

/* Zipf by the rejection-free approximation of Gray et al., "Quickly generating billion-record
 * synthetic databases", SIGMOD 1994. */
static void zipf_init(struct work *work)
{
	const double theta = work->options.zipf_theta;
	const uint32_t n = work->chain->row_count;
	double zeta = 0;
	for (uint32_t i = 1; i <= n; i++)
		zeta += 1 / pow(i, theta);
	work->zipf_zeta = zeta;
	work->zipf_alpha = 1 / (1 - theta);
	work->zipf_eta = (1 - pow(2.0 / n, 1 - theta)) / (1 - (1 + pow(0.5, theta)) / zeta);
}

static uint32_t zipf_draw(struct work *work)
{
	const double u = rng_unit(&work->rng), uz = u * work->zipf_zeta;
	const uint32_t n = work->chain->row_count;
	if (uz < 1)
		return 0;
	if (uz < 1 + pow(0.5, work->options.zipf_theta))
		return n > 1 ? 1 : 0;
	const double rank = n * pow(work->zipf_eta * u - work->zipf_eta + 1, work->zipf_alpha);
	return KR_MIN((uint32_t)rank, n - 1);
}

static uint32_t row_choose(struct work *work)
{
	switch (work->options.spread) {
	case SPREAD_ZIPF:
		return zipf_draw(work);
	case SPREAD_HOT:
		return (uint32_t)rng_below(&work->rng, work->hot_rows);
	case SPREAD_UNIFORM:
		break;
	}
	return (uint32_t)rng_below(&work->rng, work->chain->row_count);
}

/* One ahead, so that the row is in the cache when its turn comes. */
static uint32_t row_draw(struct work *work)
{
	const uint32_t row = work->next_row;
	work->next_row = row_choose(work);
	kr_prefetch(&work->chain->rows[work->next_row]);
	return row;
}

void work_init(struct work *work, const struct work_options *options, struct bench_chain *chain,
	struct journal *journal, uint32_t connection_count)
{
	memset(work, 0, sizeof(*work));
	work->options = *options;
	work->chain = chain;
	work->journal = journal;
	rng_init(&work->rng, options->seed);
	for (int i = 0; i < WORK_KINDS; i++)
		work->weight_sum += work_weight(options, (enum work_kind)i);
	kr_assert(work->weight_sum > 0);
	ari_init(work, connection_count);
	while (work->hot_rows < chain->row_count &&
		chain->rows[work->hot_rows].hotel_id == chain->rows[0].hotel_id)
		work->hot_rows++;
	if (options->spread == SPREAD_ZIPF)
		zipf_init(work);
	work->next_row = row_choose(work);
	work->booked = bench_alloc(options->booked_max, sizeof(*work->booked));
	work->doubt_capacity = 1u << 20;
	work->doubts = bench_alloc(work->doubt_capacity, sizeof(*work->doubts));
	work->hists = bench_alloc(WORK_KINDS, sizeof(*work->hists));
	for (int i = 0; i < WORK_KINDS; i++)
		hist_init(&work->hists[i]);
}

void work_fini(struct work *work)
{
	kr_assert(work->booked != NULL);
	ari_fini(work);
	free(work->booked);
	free(work->doubts);
	free(work->hists);
}

static enum work_kind kind_draw(struct work *work)
{
	uint64_t at = rng_below(&work->rng, work->weight_sum);
	enum work_kind kind = WORK_BOOK;
	while (at >= work_weight(&work->options, kind)) {
		at -= work_weight(&work->options, kind);
		kind++;
	}
	const bool needs_booking = kind == WORK_CANCEL || kind == WORK_GET;
	return needs_booking && work->booked_count == 0 ? WORK_BOOK : kind;
}

/* ---- counting ---- */

static void count_apply(struct work_count *count)
{
	kr_assert(count->night_count == 0 || count->nights != NULL);
	for (uint32_t i = 0; i < count->night_count; i++)
		count->nights[i] += count->rooms;
	count->night_count = 0;
}

static void count_rooms(struct work *work, const struct work_booking *b, int32_t rooms)
{
	int32_t *night = work->chain->expected + (size_t)b->row * work->chain->nights + b->night;
	kr_assert(b->night + b->nights <= work->chain->nights);
	kr_assert(b->nights > 0);
	__builtin_prefetch(night, 1);
	__builtin_prefetch(night + b->nights - 1, 1);
	struct work_count *count = &work->counts[work->count_at++ % WORK_COUNTS_WAITING];
	count_apply(count);
	*count = (struct work_count){night, b->nights, rooms};
}

static void count_all(struct work *work)
{
	for (uint32_t i = 0; i < WORK_COUNTS_WAITING; i++)
		count_apply(&work->counts[i]);
}

static void booked_put(struct work *work, const struct work_booking *b)
{
	const uint32_t max = work->options.booked_max;
	if (work->booked_count < max)
		work->booked[work->booked_count++] = *b;
	else if (max > 0)
		work->booked[rng_below(&work->rng, max)] = *b;
}

static struct work_booking booked_take(struct work *work)
{
	kr_assert(work->booked_count > 0);
	const uint32_t i = (uint32_t)rng_below(&work->rng, work->booked_count);
	const struct work_booking taken = work->booked[i];
	work->booked[i] = work->booked[--work->booked_count];
	return taken;
}

static const char *call_name(const struct work_op *op)
{
	if (op->kind == WORK_HOLD_CONFIRM)
		return op->is_second ? "CONFIRM" : "HOLD";
	if (op->kind == WORK_HOLD_RELEASE)
		return op->is_second ? "RELEASE" : "HOLD";
	return op->kind == WORK_CANCEL ? "CANCEL" : "BOOK";
}

static bool is_sale(enum work_kind kind)
{
	return kind == WORK_BOOK || kind == WORK_HOLD_CONFIRM || kind == WORK_HOLD_RELEASE;
}

static void note(const struct work_op *op, const struct keyrack_result *result)
{
	struct work *work = op->work;
	work->calls++;
	work->by_code[KR_MIN(result->code, KR_ARRAY_COUNT(work->by_code) - 1)]++;
	if (result->outcome == KEYRACK_RESULT_UNKNOWN)
		work->unknown++;
	else if (result->outcome == KEYRACK_RESULT_DONE)
		work->done++;
	else if (result->code < 64)
		work->refused++;
	else
		work->transient++;
	if (work->journal == NULL || (op->kind != WORK_CANCEL && !is_sale(op->kind)))
		return;
	const struct bench_row *row = &work->chain->rows[op->booking.row];
	const int32_t check_in = row->business_day + op->booking.night;
	journal_put(work->journal, &(struct journal_entry){
					   .id = op->booking.id,
					   .op = call_name(op),
					   .hotel_id = row->hotel_id,
					   .type = row->type,
					   .check_in = check_in,
					   .check_out = check_in + op->booking.nights,
					   .rooms = 1,
					   .code = result->outcome == KEYRACK_RESULT_UNKNOWN
							   ? "UNKNOWN"
							   : keyrack_code_name(result->code),
				   });
}

static void doubt(struct work *work, const struct work_booking *b)
{
	if (work->doubt_count == work->doubt_capacity)
		bench_fail(BENCH_ABORTED, "more than %u unknown outcomes", work->doubt_capacity);
	work->doubts[work->doubt_count++] = *b;
}

/* What an answer did to the counters. A doubt counts as it stood before, until it is resolved. */
static void count_answer(struct work_op *op, const struct keyrack_result *result)
{
	struct work *work = op->work;
	const bool is_done = result->outcome == KEYRACK_RESULT_DONE;
	if (result->outcome == KEYRACK_RESULT_UNKNOWN) {
		/* A doubt is taken out of the count; resolving adds it back where it stands. */
		if (op->kind == WORK_CANCEL || op->is_second)
			count_rooms(work, &op->booking, -1);
		doubt(work, &op->booking);
	} else if (op->kind == WORK_CANCEL) {
		if (is_done)
			count_rooms(work, &op->booking, -1);
	} else if (!op->is_second) {
		if (is_done)
			count_rooms(work, &op->booking, 1);
	} else if (!is_done) {
		count_rooms(work, &op->booking, -1); /* expired before its second call */
		doubt(work, &op->booking);
	} else if (op->kind == WORK_HOLD_RELEASE) {
		count_rooms(work, &op->booking, -1);
	}
	if (is_done && (op->kind == WORK_BOOK || (op->kind == WORK_HOLD_CONFIRM && op->is_second)))
		booked_put(work, &op->booking);
}

/* ---- calls ---- */

static void end(struct work_op *op)
{
	struct work *work = op->work;
	const uint64_t now = bench_now_us();
	const uint64_t latency_us = now - KR_MIN(op->intended_us, now);
	if (work->is_measuring)
		hist_add(&work->hists[op->kind], latency_us);
	if (work->is_measuring && work->series != NULL)
		series_add(work->series, now, latency_us);
	op->ended_us = now;
	op->on_end(op);
}

static void on_moved(void *user, const union keyrack_answer *answer)
{
	struct work_op *op = user;
	note(op, &answer->result);
	count_answer(op, &answer->result);
	end(op);
}

/* The second call of a hold that stands. */
static bool follow(struct work_op *op)
{
	const struct keyrack_transition move = {.id = op->booking.id};
	kr_assert(!op->is_second);
	op->is_second = true;
	const int r = op->kind == WORK_HOLD_CONFIRM
			      ? keyrack_submit_confirm(op->client, &move, on_moved, op)
			      : keyrack_submit_release(op->client, &move, on_moved, op);
	if (r < 0)
		bench_fail(BENCH_ABORTED, "%s: %s", call_name(op), strerror(-r));
	return r == 0;
}

static void on_reserved(void *user, const union keyrack_answer *answer)
{
	struct work_op *op = user;
	note(op, &answer->result);
	count_answer(op, &answer->result);
	if (op->kind != WORK_BOOK && answer->result.outcome == KEYRACK_RESULT_DONE && follow(op))
		return;
	end(op);
}

static void on_queried(void *user, const union keyrack_answer *answer)
{
	note(user, &answer->result);
	end(user);
}

static void on_updated(void *user, const union keyrack_answer *answer)
{
	struct work_op *op = user;
	op->work->stale +=
		answer->result.outcome == KEYRACK_RESULT_DONE && answer->inventory_set.repeated_seq;
	note(op, &answer->result);
	end(op);
}

static int start_query(struct work_op *op)
{
	const struct work *work = op->work;
	const struct bench_row *row = &work->chain->rows[op->booking.row];
	const struct keyrack_availability query = {
		.hotel_id = row->hotel_id,
		.types = &row->type,
		.type_count = 1,
		.first_day = row->business_day + op->booking.night,
		.night_count = work->options.query_nights,
	};
	return keyrack_submit_availability(op->client, &query, on_queried, op);
}

static struct keyrack_line line_of(const struct work_op *op)
{
	const struct bench_row *row = &op->work->chain->rows[op->booking.row];
	const int32_t check_in = row->business_day + op->booking.night;
	kr_assert(op->booking.nights > 0);
	return (struct keyrack_line){
		.type = row->type,
		.check_in_day = check_in,
		.check_out_day = check_in + op->booking.nights,
		.rooms = 1,
		.guests = op->work->options.guests,
		.pricing = op->work->options.count_only ? KEYRACK_PRICING_NONE
							: KEYRACK_PRICING_CALENDAR,
	};
}

static int start_sale(struct work_op *op)
{
	const uint64_t hotel_id = op->work->chain->rows[op->booking.row].hotel_id;
	const struct keyrack_line line = line_of(op);
	kr_assert(is_sale(op->kind));
	op->booking.id = keyrack_id_mint(op->client, hotel_id);
	const struct keyrack_reserve reserve = {
		.hotel_id = hotel_id, .id = op->booking.id, .lines = &line, .line_count = 1};
	return op->kind == WORK_BOOK ? keyrack_submit_book(op->client, &reserve, on_reserved, op)
				     : keyrack_submit_hold(op->client, &reserve, on_reserved, op);
}

static int start_stay(struct work_op *op)
{
	const struct keyrack_line line = line_of(op);
	const struct keyrack_stay stay = {
		.hotel_id = op->work->chain->rows[op->booking.row].hotel_id,
		.lines = &line,
		.line_count = 1,
	};
	return keyrack_submit_stay(op->client, &stay, on_queried, op);
}

static int start_get(struct work_op *op)
{
	const struct work *work = op->work;
	const struct keyrack_reservation_get get = {.id = op->booking.id};
	kr_assert(work->booked_count > 0);
	return keyrack_submit_reservation_get(op->client, &get, on_queried, op);
}

static int start_cancel(struct work_op *op)
{
	const struct keyrack_transition cancel = {.id = op->booking.id};
	return keyrack_submit_cancel(op->client, &cancel, on_moved, op);
}

static int start(struct work_op *op)
{
	switch (op->kind) {
	case WORK_BOOK:
	case WORK_HOLD_CONFIRM:
	case WORK_HOLD_RELEASE:
		return start_sale(op);
	case WORK_CANCEL:
		return start_cancel(op);
	case WORK_AVAILABILITY:
		return start_query(op);
	case WORK_STAY:
		return start_stay(op);
	case WORK_GET:
		return start_get(op);
	case WORK_UPDATE:
		return ari_submit(op, on_updated);
	case WORK_KINDS:
		break;
	}
	kr_unreachable();
}

static struct work_booking booking_draw(struct work_op *op)
{
	struct work *work = op->work;
	const uint32_t nights = op->kind == WORK_AVAILABILITY ? work->options.query_nights
							      : work->options.stay_nights;
	if (op->kind == WORK_CANCEL)
		return booked_take(work);
	if (op->kind == WORK_GET)
		return work->booked[rng_below(&work->rng, work->booked_count)];
	kr_assert(nights <= work->options.window);
	return (struct work_booking){
		.row = op->kind == WORK_UPDATE ? ari_row_draw(work, op->connection)
					       : row_draw(work),
		.night = (uint16_t)rng_below(&work->rng, work->options.window - nights + 1),
		.nights = (uint16_t)nights,
	};
}

bool work_start(struct work_op *op, uint64_t intended_us)
{
	struct work *work = op->work;
	if (keyrack_client_room(op->client) == 0)
		return false;
	op->kind = ari_is_bursting(work, op->connection) ? WORK_UPDATE : kind_draw(work);
	op->intended_us = intended_us;
	op->is_second = false;
	op->booking = booking_draw(op);
	const int r = start(op);
	if (r < 0)
		bench_fail(BENCH_ABORTED, "%s: %s", work_names[op->kind], strerror(-r));
	if (r != 0 && op->kind == WORK_CANCEL)
		booked_put(work, &op->booking);
	if (r != 0 && op->kind == WORK_UPDATE)
		ari_row_return(work, op->connection);
	return r == 0;
}

/* ---- doubts ---- */

static void on_resolved(void *user, const union keyrack_answer *answer)
{
	struct work_op *op = user;
	const struct keyrack_reservation_answer *r = &answer->reservation;
	if (r->result.outcome == KEYRACK_RESULT_UNKNOWN)
		bench_fail(BENCH_ABORTED, "an outcome stays unknown: %s",
			keyrack_code_text(r->result.code));
	if (r->state == KEYRACK_STATE_CONFIRMED || r->state == KEYRACK_STATE_HELD)
		count_rooms(op->work, &op->booking, 1);
	free(op);
}

void work_resolve(struct work *work, struct bench_fleet *fleet)
{
	for (uint32_t i = 0; i < work->doubt_count; i++) {
		struct work_op *op = bench_alloc(1, sizeof(*op));
		op->work = work;
		op->booking = work->doubts[i];
		const struct keyrack_transition resolve = {
			.call = {.deadline_us = 60000000}, .id = op->booking.id};
		struct keyrack_client *client = fleet->clients[i % fleet->count];
		int r;
		while ((r = keyrack_submit_resolve(client, &resolve, on_resolved, op)) ==
			KEYRACK_WOULD_BLOCK)
			fleet_turn(fleet, 100000);
		if (r < 0)
			bench_fail(BENCH_ABORTED, "resolve: %s", strerror(-r));
	}
	fleet_drain(fleet);
	work->doubt_count = 0;
	count_all(work);
}

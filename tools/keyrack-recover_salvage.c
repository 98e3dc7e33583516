#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/log/record.h"
#include "engine/log/walk.h"
#include "tools/keyrack-recover.h"
#include "tools/keyrack-recover_lay.h"

/*
 * salvage: past damage, every hotel as far as its events are whole.
 *
 * From the newest whole snapshot, every whole batch is applied, in order, past what is missing. A
 * hotel numbers its events, so an effect that follows the last one of its hotel is right whatever
 * is missing of others; one that does not ends that hotel, and all that is seen of it from there
 * on is listed and not used. Of a hotel of which nothing is seen behind a gap nobody can tell
 * whether the gap held anything of it, and that is said too.
 */

#define GROWTHS_MAX 24u
#define HOLES_MAX 64u
#define SHOWN_MAX 100u

struct hole {
	uint64_t first_lsn, last_lsn;
};

/* A hotel that ended. */
struct ended {
	struct hotel_id hotel;
	uint64_t missing_seq; /* the first event that is not there, or does not fit */
	uint64_t seen_seq;    /* the last one seen */
	uint64_t unused_count;
	bool is_wrong; /* it is there, and contradicts the state */
};

struct salvage {
	struct recovery *recovery;
	struct rebuild *rebuild;
	uint64_t base_lsn; /* everything up to it is in the snapshot */
	uint64_t next_lsn; /* of the batch that should come; 0: any */
	uint64_t last_lsn, last_seq, epoch, term;
	uint64_t effect_lsn; /* of the effect looked at last */
	struct hotel_id effect_hotel;
	uint64_t effect_seq;
	struct hole holes[HOLES_MAX];
	uint32_t hole_count;
	uint64_t hole_end_lsn; /* of the last one, whether it is listed or not */
	struct ended *ended;
	size_t ended_count, capacity;
};

static struct inv *inventory_of(const struct salvage *salvage)
{
	kr_assert(salvage->rebuild->shard != NULL);
	return shard_inventory(salvage->rebuild->shard);
}

static void reset(struct salvage *salvage)
{
	kr_assert(salvage->ended_count <= salvage->capacity);
	salvage->next_lsn = salvage->last_lsn = salvage->last_seq = salvage->epoch = 0;
	salvage->term = 1;
	salvage->hole_count = 0;
	salvage->hole_end_lsn = 0;
	salvage->ended_count = 0;
}

/* ---- hotels that ended ---- */

/* Ascending by hotel: where it is, or would be. */
static size_t ended_place(const struct salvage *salvage, struct hotel_id hotel)
{
	size_t first = 0, end = salvage->ended_count;
	kr_assert(hotel.v != 0);
	while (first < end) {
		size_t middle = first + (end - first) / 2;
		if (salvage->ended[middle].hotel.v < hotel.v)
			first = middle + 1;
		else
			end = middle;
	}
	kr_assert(first <= salvage->ended_count);
	return first;
}

static struct ended *ended_find(struct salvage *salvage, struct hotel_id hotel)
{
	size_t place = ended_place(salvage, hotel);
	kr_assert(hotel.v != 0);
	if (place == salvage->ended_count || salvage->ended[place].hotel.v != hotel.v)
		return NULL;
	return &salvage->ended[place];
}

static void ended_add(struct salvage *salvage, struct hotel_id hotel, uint64_t missing_seq,
	uint64_t seen_seq, bool is_wrong)
{
	if (salvage->ended_count == salvage->capacity) {
		size_t capacity = salvage->capacity * 2 + 64;
		struct ended *ended = recover_alloc(capacity, sizeof(*ended));
		if (salvage->ended_count > 0)
			memcpy(ended, salvage->ended, salvage->ended_count * sizeof(*ended));
		free(salvage->ended);
		salvage->ended = ended;
		salvage->capacity = capacity;
	}
	kr_assert(ended_find(salvage, hotel) == NULL);
	size_t place = ended_place(salvage, hotel);
	memmove(&salvage->ended[place + 1], &salvage->ended[place],
		(salvage->ended_count - place) * sizeof(*salvage->ended));
	salvage->ended_count++;
	salvage->ended[place] = (struct ended){
		.hotel = hotel,
		.missing_seq = missing_seq,
		.seen_seq = seen_seq,
		.unused_count = 1,
		.is_wrong = is_wrong,
	};
}

/* ---- effects ---- */

static bool wants_event(struct salvage *salvage, const struct inv_effect *effect)
{
	struct inv_hotel_head head = {0};
	struct ended *ended = ended_find(salvage, effect->hotel);
	bool is_known = inv_hotel_head(inventory_of(salvage), effect->hotel, &head);
	kr_assert(effect->event_seq > 0);
	/* Shown already: passed over by applying it. */
	if (is_known && effect->lsn <= head.last_lsn)
		return true;
	if (ended != NULL) {
		ended->unused_count += effect->event_seq > ended->seen_seq;
		ended->seen_seq = KR_MAX(ended->seen_seq, effect->event_seq);
		return false;
	}
	if (effect->event_seq == head.event_seq + 1)
		return true;
	ended_add(salvage, effect->hotel, head.event_seq + 1, effect->event_seq, false);
	return false;
}

/* A digest is of a whole state, which this is not. */
static bool wants(void *context, const struct inv_effect *effect)
{
	struct salvage *salvage = context;
	salvage->effect_lsn = effect->lsn;
	salvage->effect_hotel = effect->hotel;
	salvage->effect_seq = effect->event_seq;
	kr_assert(effect->lsn > 0);
	if (effect->hotel.v != 0)
		return wants_event(salvage, effect);
	return effect->kind == INV_EFFECT_START || effect->kind == INV_EFFECT_VOID;
}

/* Again after a hotel has ended: what is applied already is passed over. */
static int apply_batch(struct salvage *salvage, const struct record_body *records)
{
	struct rebuild *rebuild = salvage->rebuild;
	struct shard_watch watch = {.wants = wants, .context = salvage};
	struct shard_trouble trouble;
	for (;;) {
		int r = shard_replay_watched(rebuild->shard, records, &watch, &trouble);
		if (r == 0)
			return 0;
		if (r == SHARD_NO_ROOM) {
			rebuild->is_too_small = true;
			return kr_error_text_set(rebuild->text, -KR_E_LIMIT, 0, "LSN %llu: %s",
				(unsigned long long)trouble.lsn, trouble.text);
		}
		kr_assert(r == SHARD_CONTRADICTION || r == SHARD_DIGEST_DIFFERS);
		/* No effect: the rest of the batch cannot be read. */
		if (trouble.lsn != salvage->effect_lsn || salvage->effect_hotel.v == 0 ||
			ended_find(salvage, salvage->effect_hotel) != NULL)
			return 0;
		ended_add(salvage, salvage->effect_hotel, salvage->effect_seq, salvage->effect_seq,
			true);
	}
}

static void hole_note(struct salvage *salvage, uint64_t first_lsn, uint64_t last_lsn)
{
	kr_assert(first_lsn <= last_lsn);
	if (last_lsn <= salvage->base_lsn)
		return;
	if (salvage->hole_count < HOLES_MAX)
		salvage->holes[salvage->hole_count++] = (struct hole){first_lsn, last_lsn};
	salvage->hole_end_lsn = last_lsn;
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body)
{
	struct salvage *salvage = context;
	struct record_body records = {
		.bytes = body,
		.size_bytes = header->body_size_bytes,
		.first_lsn = header->first_lsn,
		.count = header->count,
		.t_us = header->timestamp_us,
	};
	uint64_t expected = salvage->next_lsn != 0 ? salvage->next_lsn : salvage->base_lsn + 1;
	if (header->first_lsn > expected)
		hole_note(salvage, expected, header->first_lsn - 1);
	salvage->next_lsn = KR_MAX(expected, header->first_lsn + header->count);
	salvage->last_lsn = KR_MAX(salvage->last_lsn, salvage->next_lsn - 1);
	salvage->last_seq = KR_MAX(salvage->last_seq, header->batch_seq);
	salvage->epoch = KR_MAX(salvage->epoch, header->epoch);
	salvage->term = KR_MAX(salvage->term, header->term);
	kr_assert(header->batch_seq > 0);
	return header->count > 0 ? apply_batch(salvage, &records) : 0;
}

/* What MARK and the snapshot know of a log whose end is gone. */
static void note_end(struct salvage *salvage)
{
	const struct log_recover_report *report = &salvage->recovery->store.recover->report;
	uint64_t known_lsn = salvage->base_lsn;
	if (report->has_snap)
		known_lsn = KR_MAX(known_lsn, report->snap_end_lsn);
	if (report->has_mark) {
		known_lsn = KR_MAX(known_lsn, report->mark.durable_lsn);
		salvage->last_seq = KR_MAX(salvage->last_seq, report->mark.durable_seq);
		salvage->epoch = KR_MAX(salvage->epoch, report->mark.epoch);
	}
	salvage->epoch = KR_MAX(salvage->epoch, report->next_epoch - 1);
	if (known_lsn > KR_MAX(salvage->last_lsn, salvage->base_lsn))
		hole_note(salvage, KR_MAX(salvage->last_lsn, salvage->base_lsn) + 1, known_lsn);
	salvage->last_lsn = KR_MAX(salvage->last_lsn, known_lsn);
	kr_assert(salvage->last_lsn >= salvage->base_lsn);
}

/* ---- reading ---- */

static int pass_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	kr_assert(header->batch_seq > 0);
	return 0;
}

static int pass_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	kr_assert(header->batch_seq > 0);
	return 0;
}

/* The newest whole snapshot, and the verdict on the rest. */
static int read_once(struct salvage *salvage)
{
	struct recovery *recovery = salvage->recovery;
	struct log_applier applier;
	int r = rebuild_reset(salvage->rebuild);
	if (r < 0)
		return r;
	rebuild_applier(salvage->rebuild, &applier);
	applier.on_batch = pass_batch;
	applier.on_digest = pass_digest;
	r = log_store_recover(&recovery->store, NULL, false, &applier, &recovery->text);
	if (r < 0)
		return r;
	const struct log_recover_report *report = &recovery->store.recover->report;
	reset(salvage);
	if (report->meta.cluster == 0 || report->verdict == LOG_VERDICT_VERSION)
		return 0;
	salvage->base_lsn = report->has_snap ? report->snap_begin_lsn : 0;
	kr_assert(recovery->text.error == 0);
	r = log_store_walk(&recovery->store, on_batch, salvage, &recovery->text);
	if (r == 0)
		note_end(salvage);
	return r;
}

static int read_all(struct salvage *salvage)
{
	for (unsigned i = 0; i < GROWTHS_MAX; i++) {
		kr_error_text_clear(&salvage->recovery->text);
		int r = read_once(salvage);
		if (!salvage->rebuild->is_too_small || !rebuild_grow(salvage->rebuild))
			return r;
	}
	kr_assert(salvage->recovery->text.error < 0);
	return -KR_E_LIMIT;
}

/* ---- the report ---- */

/* Is it known that nothing of the hotel is missing? */
static bool is_whole(const struct salvage *salvage, const struct inv_hotel_head *head)
{
	kr_assert(head != NULL);
	return KR_MAX(head->last_lsn, salvage->base_lsn) >= salvage->hole_end_lsn;
}

static void print_ended(struct salvage *salvage)
{
	for (size_t i = 0; i < salvage->ended_count && i < SHOWN_MAX; i++) {
		const struct ended *ended = &salvage->ended[i];
		struct inv_hotel_head head = {0};
		bool is_there = inv_hotel_head(inventory_of(salvage), ended->hotel, &head);
		printf("  hotel %" PRIu64 ": ", ended->hotel.v);
		if (is_there)
			printf("whole up to event %" PRIu64 " (LSN %" PRIu64 "); ", head.event_seq,
				head.last_lsn);
		else
			printf("not recoverable; ");
		printf("event %" PRIu64 " %s; %" PRIu64 " seen up to event %" PRIu64
		       " and not used\n",
			ended->missing_seq,
			ended->is_wrong ? "contradicts the state" : "is missing",
			ended->unused_count, ended->seen_seq);
		kr_assert(ended->unused_count > 0);
	}
}

static uint64_t print_unknown(struct salvage *salvage)
{
	struct inv *inv = inventory_of(salvage);
	uint64_t count = 0;
	for (uint32_t i = 1; i < inv_chunk_count(inv); i++) {
		struct hotel_id hotel = inv_chunk_hotel(inv, i);
		struct inv_hotel_head head = {0};
		bool is_there = inv_hotel_head(inv, hotel, &head);
		kr_assert(is_there);
		if (ended_find(salvage, hotel) != NULL || is_whole(salvage, &head))
			continue;
		if (count++ < SHOWN_MAX)
			printf("  hotel %" PRIu64 ": whole up to event %" PRIu64 " (LSN %" PRIu64
			       "); nothing of it is seen behind what is missing\n",
				hotel.v, head.event_seq, head.last_lsn);
	}
	return count;
}

/* 0: nothing is lost; or the exit status. */
static int report(struct salvage *salvage)
{
	uint32_t hotels = inv_chunk_count(inventory_of(salvage)) - 1;
	kr_assert(salvage->hole_count <= HOLES_MAX);
	for (uint32_t i = 0; i < salvage->hole_count; i++)
		printf("missing: LSN %" PRIu64 " to %" PRIu64 "\n", salvage->holes[i].first_lsn,
			salvage->holes[i].last_lsn);
	print_ended(salvage);
	uint64_t unknown = print_unknown(salvage);
	printf("salvaged: %u hotels; %zu end at a gap or are lost; %" PRIu64
	       " may lack something of what is missing%s\n",
		hotels, salvage->ended_count, unknown,
		salvage->ended_count > SHOWN_MAX || unknown > SHOWN_MAX
			? "; the first 100 of each are shown"
			: "");
	return unknown > 0 || salvage->ended_count > 0 ? RECOVER_EXIT_NOT_WHOLE : 0;
}

/* ---- writing ---- */

static int write_out(struct salvage *salvage, const struct lay *lay)
{
	struct recovery out = {.options = salvage->recovery->options};
	struct io_loop *loop = salvage->recovery->store.loop;
	int r = log_store_open(loop, &out.store, out.options->out, IO_DIRECTORY_CREATE,
		out.options->allow_tmpfs, &out.text);
	if (r < 0)
		return recover_fail(&out, r);
	r = log_store_lock(&out.store, &out.text);
	if (r == LOG_STORE_LOCKED)
		r = kr_error_text_set(
			&out.text, -KR_E_INVALID, 0, "%s is in use", out.options->out);
	if (r == 0)
		r = log_store_recover(&out.store, NULL, false, NULL, &out.text);
	if (r == 0 && recover_verdict(&out) != LOG_VERDICT_EMPTY)
		r = kr_error_text_set(&out.text, -KR_E_EXISTS, 0,
			"%s holds a shard already: give a new directory", out.options->out);
	if (r == 0)
		r = lay_out(&out.store, lay, salvage->rebuild->shard, &out.text);
	int status = r < 0 ? recover_fail(&out, r) : 0;
	if (r == 0) {
		out.rebuild = *salvage->rebuild;
		memset(salvage->rebuild, 0, sizeof(*salvage->rebuild));
		out.rebuild.text = &out.text;
		status = recover_run_verify(&out);
		rebuild_fini(&out.rebuild);
	}
	log_store_close(&out.store);
	return status;
}

static int finish(struct salvage *salvage)
{
	struct recovery *recovery = salvage->recovery;
	const struct log_recover *recover = recovery->store.recover;
	struct lay lay = {
		.meta = recover->report.meta,
		.last_lsn = KR_MAX(salvage->last_lsn, shard_last_lsn(salvage->rebuild->shard)),
		.last_seq = salvage->last_seq,
		.epoch = salvage->epoch,
		.term = salvage->term,
		.segment = recover->report.has_mark ? recover->report.mark.segment : 0,
	};
	if (recover->segment_count > 0)
		lay.segment =
			KR_MAX(lay.segment, recover->segments[recover->segment_count - 1].number);
	if (lay.last_lsn == 0) {
		fputs("keyrack-recover: there is nothing to salvage\n", stderr);
		return RECOVER_EXIT_OUT_OF_REACH;
	}
	int lost = report(salvage);
	kr_assert(lay.last_lsn > 0);
	int status = write_out(salvage, &lay);
	return status != 0 ? status : lost;
}

int recover_run_salvage(struct recovery *recovery)
{
	struct salvage salvage = {.recovery = recovery, .rebuild = &recovery->rebuild};
	int r = read_all(&salvage);
	if (r < 0) {
		free(salvage.ended);
		return recover_fail(recovery, r);
	}
	recover_describe(recovery, stdout);
	enum log_verdict verdict = recover_verdict(recovery);
	bool is_known = recovery->store.recover->report.meta.cluster != 0;
	int status = (int)recover_verdict_exit(recovery);
	kr_assert(verdict < LOG_VERDICT_COUNT);
	if (is_known && verdict != LOG_VERDICT_EMPTY && verdict != LOG_VERDICT_VERSION) {
		status = finish(&salvage);
	}
	free(salvage.ended);
	return status;
}

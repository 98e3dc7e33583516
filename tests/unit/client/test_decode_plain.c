/*
 * The reader of hot answers against the long way: random messages as a shard writes them, messages
 * that it never writes, damaged ones, and every cut.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/civil.h"
#include "base/rng.h"
#include "client/decode.h"
#include "proto/message.h"
#include "tests/unit/client/plain_same.h"

#define BODY_MAX 4096u
#define CELLS_MAX 64u

static struct rng rng;
static uint8_t body[BODY_MAX];

static const unsigned sales[] = {
	FRAME_HOLD, FRAME_BOOK, FRAME_CONFIRM, FRAME_RELEASE, FRAME_CANCEL};

static uint64_t some_number(uint64_t max)
{
	static const uint64_t edges[] = {0, 1, 127, 128, 16383, 16384, INT32_MAX, UINT32_MAX,
		UINT64_C(1) << 32, INT64_MAX, UINT64_MAX};
	uint64_t number = rng_next(&rng) >> rng_below(&rng, 64);
	if (rng_chance(&rng, 400000))
		number = edges[rng_below(&rng, KR_ARRAY_COUNT(edges))];
	return number > max ? max : number;
}

static bool some_flag(void)
{
	return rng_chance(&rng, 500000);
}

static size_t pack(const ProtobufCMessage *message)
{
	size_t size = message_pack(message, body, sizeof(body));
	cr_assert_neq(size, MESSAGE_NO_ROOM);
	return size;
}

static void some_refusal(Keyrack__Refusal *m)
{
	*m = (Keyrack__Refusal)KEYRACK__REFUSAL__INIT;
	m->code = (uint32_t)some_number(UINT16_MAX);
	m->rule = (uint32_t)some_number(UINT8_MAX);
	m->line = (uint32_t)some_number(UINT32_MAX);
	m->has_day = some_flag();
	m->day = (int32_t)some_number(INT32_MAX);
	m->required = (int64_t)some_number(UINT64_MAX);
	m->left = (int64_t)some_number(UINT64_MAX);
	m->state = (uint32_t)some_number(UINT8_MAX);
}

static void some_reservation(Keyrack__ReservationAnswer *m, Keyrack__Refusal *refusal)
{
	*m = (Keyrack__ReservationAnswer)KEYRACK__RESERVATION_ANSWER__INIT;
	m->state = (uint32_t)some_number(UINT32_MAX);
	m->revision = (uint32_t)some_number(UINT32_MAX);
	m->expires_at_us = some_number(UINT64_MAX);
	m->total_minor = some_number(UINT64_MAX);
	m->has_total = some_flag();
	m->event_seq = some_number(UINT64_MAX);
	m->due = some_flag();
	m->repeated_op = some_flag();
	m->hotel_id = some_number(UINT64_MAX);
	m->outcome = (uint32_t)some_number(UINT32_MAX);
	m->has_amounts = some_flag();
	m->penalty_minor = some_number(UINT64_MAX);
	m->refundable_minor = some_number(UINT64_MAX);
	m->nights_over_limit = (uint32_t)some_number(UINT32_MAX);
	some_refusal(refusal);
	m->refusal = some_flag() ? refusal : NULL;
}

/* With as many cells as types x nights. Its columns are the caller's. */
struct columns {
	uint32_t types[8];
	uint64_t counters[CELLS_MAX], rates[CELLS_MAX], classes[8];
};

static void some_availability(Keyrack__AvailabilityAnswer *m, struct columns *c)
{
	*m = (Keyrack__AvailabilityAnswer)KEYRACK__AVAILABILITY_ANSWER__INIT;
	m->n_types = rng_range(&rng, 1, KR_ARRAY_COUNT(c->types));
	m->night_count = (uint32_t)rng_range(&rng, 1, CELLS_MAX / m->n_types);
	m->n_counters = m->n_rates = m->n_types * m->night_count;
	m->n_classes = 2 * rng_below(&rng, KR_ARRAY_COUNT(c->classes) / 2 + 1);
	for (size_t i = 0; i < m->n_types; i++)
		c->types[i] = (uint32_t)some_number(UINT32_MAX);
	for (size_t i = 0; i < m->n_counters; i++) {
		c->counters[i] = rng_next(&rng);
		c->rates[i] = rng_next(&rng);
	}
	for (size_t i = 0; i < m->n_classes; i++)
		c->classes[i] = rng_next(&rng);
	m->types = c->types;
	m->counters = c->counters;
	m->rates = c->rates;
	m->classes = c->classes;
	m->first_day = (int32_t)some_number(CIVIL_DAY_MAX - CELLS_MAX);
	m->business_day = (int32_t)some_number(INT32_MAX);
	m->ari_version = some_number(UINT64_MAX);
}

/* One of either kind, packed into `body`. */
static size_t some_answer(unsigned *ret_type)
{
	if (some_flag()) {
		Keyrack__ReservationAnswer m;
		Keyrack__Refusal refusal;
		some_reservation(&m, &refusal);
		*ret_type = sales[rng_below(&rng, KR_ARRAY_COUNT(sales))];
		return pack(&m.base);
	}
	Keyrack__AvailabilityAnswer m;
	struct columns columns;
	some_availability(&m, &columns);
	*ret_type = FRAME_AVAILABILITY;
	return pack(&m.base);
}

static void begin(void)
{
	rng_init(&rng, 11);
}

TestSuite(decode_plain, .init = begin);

Test(decode_plain, what_a_shard_writes_is_read_and_alike)
{
	for (int i = 0; i < 200000; i++) {
		unsigned type;
		size_t size = some_answer(&type);
		bool is_done = type == FRAME_AVAILABILITY || some_flag();
		cr_assert(plain_same(type, is_done, body, size));
	}
}

Test(decode_plain, an_answer_without_a_body_is_all_zero)
{
	cr_assert(plain_same(FRAME_BOOK, true, NULL, 0));
	cr_assert(plain_same(FRAME_CANCEL, false, NULL, 0));
	cr_assert_not(plain_same(FRAME_AVAILABILITY, true, NULL, 0));
}

Test(decode_plain, every_cut_is_read_alike_or_left)
{
	int read = 0;
	for (int i = 0; i < 2000; i++) {
		unsigned type;
		size_t size = some_answer(&type);
		for (size_t cut = 0; cut < size; cut++)
			read += plain_same(type, true, body, cut);
	}
	cr_assert_gt(read, 2000);
}

Test(decode_plain, damaged_answers_are_read_alike_or_left)
{
	int read = 0, left = 0;
	for (int i = 0; i < 500000; i++) {
		unsigned type;
		size_t size = some_answer(&type);
		for (uint64_t n = rng_range(&rng, 1, 3); n > 0 && size > 0; n--)
			body[rng_below(&rng, KR_MIN(size, 40))] = (uint8_t)rng_next(&rng);
		if (plain_same(type, true, body, size))
			read++;
		else
			left++;
	}
	cr_assert(read > 20000 && left > 20000, "%d read, %d left", read, left);
}

Test(decode_plain, bodies_of_the_other_kind_are_read_alike_or_left)
{
	for (int i = 0; i < 200000; i++) {
		unsigned type;
		size_t size = some_answer(&type);
		type = type == FRAME_AVAILABILITY ? FRAME_BOOK : FRAME_AVAILABILITY;
		(void)plain_same(type, true, body, size);
	}
}

Test(decode_plain, what_is_out_of_the_ordinary_is_left)
{
	Keyrack__ReservationAnswer m = KEYRACK__RESERVATION_ANSWER__INIT;
	Keyrack__Refusal refusal = KEYRACK__REFUSAL__INIT;
	m.refusal = &refusal;
	cr_assert(plain_same(FRAME_BOOK, false, body, pack(&m.base)));
	refusal.text = (char *)"field";
	cr_assert_not(plain_same(FRAME_BOOK, false, body, pack(&m.base)));
	refusal.text = (char *)"";
	refusal.other_hi = 1;
	cr_assert_not(plain_same(FRAME_BOOK, false, body, pack(&m.base)));

	static const uint8_t twice[] = {0x08, 1, 0x08, 1}, back[] = {0x10, 1, 0x08, 1},
			     unknown[] = {0x80, 0x01, 1}, wide[] = {0x28, 2};
	cr_assert_not(plain_same(FRAME_BOOK, true, twice, sizeof(twice)));
	cr_assert_not(plain_same(FRAME_BOOK, true, back, sizeof(back)));
	cr_assert_not(plain_same(FRAME_BOOK, true, unknown, sizeof(unknown)));
	cr_assert_not(plain_same(FRAME_BOOK, true, wide, sizeof(wide)));
}

Test(decode_plain, columns_that_do_not_fit_are_left)
{
	for (int i = 0; i < 10000; i++) {
		Keyrack__AvailabilityAnswer m;
		struct columns columns;
		some_availability(&m, &columns);
		switch (rng_below(&rng, 6)) {
		case 0:
			m.n_counters--;
			break;
		case 1:
			m.n_rates--;
			break;
		case 2:
			m.night_count++;
			break;
		case 3:
			m.n_classes = 1;
			break;
		case 4:
			m.first_day = some_flag() ? INT32_MAX : INT32_MIN;
			break;
		default:
			m.n_types--;
		}
		cr_assert_not(plain_same(FRAME_AVAILABILITY, true, body, pack(&m.base)));
	}
}

Test(decode_plain, availability_that_is_not_done_is_left)
{
	Keyrack__AvailabilityAnswer m;
	struct columns columns;
	some_availability(&m, &columns);
	cr_assert(plain_same(FRAME_AVAILABILITY, true, body, pack(&m.base)));
	cr_assert_not(plain_same(FRAME_AVAILABILITY, false, body, pack(&m.base)));
}

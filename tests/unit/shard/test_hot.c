/*
 * The hand-written codec against protobuf-c: whatever it reads, protobuf-c reads the same; what
 * ordinary clients write, it reads; what it writes is protobuf-c's bytes.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "base/rng.h"
#include "engine/shard/hot.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

#define ROUNDS 30000u

static uint64_t value_of(struct rng *rng, uint64_t max)
{
	if (rng_below(rng, 3) == 0)
		return 0;
	uint64_t value = rng_next(rng) >> rng_below(rng, 64);
	return max == UINT64_MAX ? value : value % (max + 1);
}

static char *text_of(struct rng *rng, char *bytes)
{
	size_t size = (size_t)value_of(rng, 66);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('a' + rng_below(rng, 26));
	bytes[size] = 0;
	return bytes;
}

static bool text_same(struct inv_text text, const char *string)
{
	return text.size_bytes == strlen(string) &&
	       (text.size_bytes == 0 || memcmp(text.bytes, string, text.size_bytes) == 0);
}

static bool line_same(const struct inv_line *a, const Keyrack__Line *b)
{
	return a->type == b->type && a->plan == b->plan && a->check_in == b->check_in &&
	       a->check_out == b->check_out && a->rooms == b->rooms && a->guests == b->guests &&
	       a->pricing == b->pricing && b->n_run_nights == 0 && b->n_run_price_minor == 0;
}

static bool reserve_same(const struct hot_reserve *a, const Keyrack__ReserveRequest *b)
{
	bool same = a->hotel_id == b->hotel_id && a->id_hi == b->id_hi && a->id_lo == b->id_lo &&
		    a->ttl_us == b->ttl_us && a->has_expected_total == b->has_expected_total &&
		    a->expected_total_minor == b->expected_total_minor &&
		    a->guest_hi == b->guest_hi && a->guest_lo == b->guest_lo &&
		    a->actor == b->actor && a->source == b->source &&
		    text_same(a->external_ref, b->external_ref) &&
		    text_same(a->payment_ref, b->payment_ref) && text_same(a->reason, b->reason) &&
		    a->line_count == b->n_lines;
	for (uint32_t i = 0; same && i < a->line_count; i++)
		same = line_same(&a->lines[i], b->lines[i]);
	return same;
}

static bool transition_same(const struct hot_transition *a, const Keyrack__TransitionRequest *b)
{
	return a->id_hi == b->id_hi && a->id_lo == b->id_lo && a->has_hotel == b->has_hotel &&
	       a->hotel_id == b->hotel_id && a->has_expected_revision == b->has_expected_revision &&
	       a->expected_revision == b->expected_revision && a->any == b->any &&
	       a->actor == b->actor && a->source == b->source &&
	       text_same(a->payment_ref, b->payment_ref) && text_same(a->reason, b->reason);
}

static bool availability_same(
	const struct hot_availability *a, const Keyrack__AvailabilityRequest *b)
{
	bool same = a->hotel_id == b->hotel_id && a->first_day == b->first_day &&
		    a->night_count == b->night_count && a->type_count == b->n_types &&
		    a->plan == b->plan;
	for (uint32_t i = 0; same && i < a->type_count; i++)
		same = a->types[i] == b->types[i];
	return same;
}

/* Reads both ways; true when the hand-written one took it. */
static bool read_both(unsigned type, const uint8_t *body, size_t size)
{
	static struct hot_reserve reserve;
	struct hot_transition transition;
	struct hot_availability availability;
	bool read = type == FRAME_BOOK           ? hot_reserve_read(body, size, &reserve)
		    : type == FRAME_AVAILABILITY ? hot_availability_read(body, size, &availability)
						 : hot_transition_read(body, size, &transition);
	if (!read)
		return false;
	ProtobufCMessage *message =
		protobuf_c_message_unpack(message_of_request(type), NULL, size, body);
	cr_assert_not_null(message);
	const void *any = message;
	if (type == FRAME_BOOK)
		cr_assert(reserve_same(&reserve, any));
	else if (type == FRAME_AVAILABILITY)
		cr_assert(availability_same(&availability, any));
	else
		cr_assert(transition_same(&transition, any));
	protobuf_c_message_free_unpacked(message, NULL);
	return true;
}

struct drawn {
	uint8_t body[4096];
	size_t size;
	bool is_plain; /* what an ordinary client writes, within the limits */
};

static void draw_reserve(struct rng *rng, struct drawn *ret)
{
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line lines[18], *list[18];
	uint32_t nights[2] = {1, 2};
	uint64_t prices[2] = {100, 200};
	char texts[3][80];
	body.hotel_id = value_of(rng, UINT64_MAX);
	body.id_hi = value_of(rng, UINT64_MAX);
	body.id_lo = value_of(rng, UINT64_MAX);
	body.ttl_us = value_of(rng, INT64_MAX);
	body.has_expected_total = rng_below(rng, 2) == 0;
	body.expected_total_minor = value_of(rng, INT64_MAX);
	body.guest_hi = value_of(rng, UINT64_MAX);
	body.guest_lo = value_of(rng, UINT64_MAX);
	body.external_ref = text_of(rng, texts[0]);
	body.payment_ref = text_of(rng, texts[1]);
	body.reason = text_of(rng, texts[2]);
	body.actor = value_of(rng, INT64_MAX);
	body.source = (uint32_t)value_of(rng, UINT32_MAX);
	body.lines = list;
	body.n_lines = rng_below(rng, 10) == 0 ? rng_below(rng, 18) : 1 + rng_below(rng, 3);
	ret->is_plain = body.n_lines <= INV_LINES_MAX;
	for (size_t i = 0; i < body.n_lines; i++) {
		keyrack__line__init(&lines[i]);
		lines[i].type = (uint32_t)value_of(rng, 70000);
		lines[i].plan = (uint32_t)value_of(rng, 100);
		lines[i].check_in = (int32_t)value_of(rng, 40000) - 100;
		lines[i].check_out = (int32_t)value_of(rng, 40000);
		lines[i].rooms = (uint32_t)value_of(rng, 66000);
		lines[i].guests = (uint32_t)value_of(rng, 66000);
		lines[i].pricing = (uint32_t)rng_below(rng, 4);
		if (rng_below(rng, 8) == 0) {
			lines[i].n_run_nights = lines[i].n_run_price_minor = 2;
			lines[i].run_nights = nights;
			lines[i].run_price_minor = prices;
		}
		ret->is_plain = ret->is_plain && lines[i].type <= UINT16_MAX &&
				lines[i].check_in >= 0 && lines[i].rooms <= UINT16_MAX &&
				lines[i].guests <= UINT16_MAX && lines[i].pricing <= 2 &&
				lines[i].n_run_nights == 0;
		list[i] = &lines[i];
	}
	for (unsigned i = 0; i < 3; i++)
		ret->is_plain = ret->is_plain && strlen(texts[i]) <= INV_TEXT_SIZE_MAX;
	ret->size = protobuf_c_message_pack(&body.base, ret->body);
}

static void draw_transition(struct rng *rng, struct drawn *ret)
{
	Keyrack__TransitionRequest body = KEYRACK__TRANSITION_REQUEST__INIT;
	char texts[2][80];
	body.id_hi = value_of(rng, UINT64_MAX);
	body.id_lo = value_of(rng, UINT64_MAX);
	body.has_hotel = rng_below(rng, 2) == 0;
	body.hotel_id = value_of(rng, UINT64_MAX);
	body.has_expected_revision = rng_below(rng, 2) == 0;
	body.expected_revision = (uint32_t)value_of(rng, UINT32_MAX);
	body.payment_ref = text_of(rng, texts[0]);
	body.any = rng_below(rng, 2) == 0;
	body.actor = value_of(rng, INT64_MAX);
	body.source = (uint32_t)value_of(rng, UINT32_MAX);
	body.reason = text_of(rng, texts[1]);
	ret->is_plain =
		strlen(texts[0]) <= INV_TEXT_SIZE_MAX && strlen(texts[1]) <= INV_TEXT_SIZE_MAX;
	ret->size = protobuf_c_message_pack(&body.base, ret->body);
}

static void draw_availability(struct rng *rng, struct drawn *ret)
{
	Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
	uint32_t types[20];
	body.hotel_id = value_of(rng, UINT64_MAX);
	body.types = types;
	body.n_types = rng_below(rng, 20);
	ret->is_plain = body.n_types <= INV_LINES_MAX;
	for (size_t i = 0; i < body.n_types; i++) {
		types[i] = (uint32_t)value_of(rng, 65600);
		ret->is_plain = ret->is_plain && types[i] <= UINT16_MAX;
	}
	body.first_day = (int32_t)value_of(rng, 40000) - 10;
	body.night_count = (uint32_t)value_of(rng, UINT32_MAX);
	body.plan = (uint32_t)value_of(rng, 65600);
	ret->is_plain = ret->is_plain && body.first_day >= 0 && body.plan <= INV_PLAN_NUMBER_MAX;
	ret->size = protobuf_c_message_pack(&body.base, ret->body);
}

static unsigned draw(struct rng *rng, unsigned round, struct drawn *ret)
{
	static const unsigned types[] = {FRAME_BOOK, FRAME_CONFIRM, FRAME_AVAILABILITY};
	unsigned type = types[round % 3];
	if (type == FRAME_BOOK)
		draw_reserve(rng, ret);
	else if (type == FRAME_CONFIRM)
		draw_transition(rng, ret);
	else
		draw_availability(rng, ret);
	return type;
}

Test(hot, reads_what_ordinary_clients_write_as_protobuf_does)
{
	struct rng rng;
	struct drawn drawn;
	unsigned plain = 0;
	rng_init(&rng, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned type = draw(&rng, i, &drawn);
		bool read = read_both(type, drawn.body, drawn.size);
		cr_assert_eq(read, drawn.is_plain, "%u: %u", type, drawn.is_plain);
		plain += read;
	}
	cr_assert_gt(plain, ROUNDS / 4);
}

Test(hot, never_reads_damaged_bytes_as_anything_else_than_protobuf_does)
{
	struct rng rng;
	struct drawn drawn;
	unsigned read = 0;
	rng_init(&rng, 2);
	for (unsigned i = 0; i < ROUNDS * 4; i++) {
		unsigned type = draw(&rng, i, &drawn);
		for (unsigned k = 0; drawn.size > 0 && k < 1 + i % 3; k++)
			drawn.body[rng_below(&rng, drawn.size)] = (uint8_t)rng_next(&rng);
		size_t size = drawn.size - (drawn.size > 0 ? rng_below(&rng, 2) : 0);
		uint8_t *tight = malloc(size + 1);
		memcpy(tight, drawn.body, size);
		read += read_both(type, tight, size);
		free(tight);
	}
	cr_assert_gt(read, 1000);
}

static void draw_refusal(struct rng *rng, struct inv_refusal *refusal)
{
	*refusal = (struct inv_refusal){
		.code = (uint16_t)(10 + rng_below(rng, 20)),
		.rule = (uint8_t)value_of(rng, 31),
		.state = (uint8_t)value_of(rng, 9),
		.line = (uint16_t)value_of(rng, UINT16_MAX),
		.has_day = rng_below(rng, 2) == 0,
		.day = (int32_t)(uint32_t)value_of(rng, UINT32_MAX),
		.required = (int64_t)value_of(rng, UINT64_MAX),
		.left = (int64_t)value_of(rng, UINT64_MAX),
		.other = {value_of(rng, UINT64_MAX), value_of(rng, UINT64_MAX)},
		.text = rng_below(rng, 2) == 0 ? NULL : "reservations",
	};
}

static void refusal_message(const struct inv_refusal *r, Keyrack__Refusal *m)
{
	keyrack__refusal__init(m);
	m->code = r->code;
	m->rule = r->rule;
	m->line = r->line;
	m->day = r->day;
	m->has_day = r->has_day;
	m->required = r->required;
	m->left = r->left;
	m->state = r->state;
	m->other_hi = r->other.hi;
	m->other_lo = r->other.lo;
	if (r->text != NULL)
		m->text = (char *)(uintptr_t)r->text;
}

Test(hot, writes_reservation_answers_byte_for_byte)
{
	struct rng rng;
	rng_init(&rng, 3);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct inv_answer a = {
			.code = 1,
			.hotel = {value_of(&rng, UINT64_MAX)},
			.state = (uint8_t)value_of(&rng, 9),
			.due = rng_below(&rng, 2) == 0,
			.repeated = rng_below(&rng, 2) == 0,
			.has_total = rng_below(&rng, 2) == 0,
			.outcome = (uint16_t)value_of(&rng, UINT16_MAX),
			.revision = (uint32_t)value_of(&rng, UINT32_MAX),
			.expires_at_us = value_of(&rng, UINT64_MAX),
			.total_minor = value_of(&rng, UINT64_MAX),
			.event_seq = value_of(&rng, UINT64_MAX),
			.has_amounts = rng_below(&rng, 2) == 0,
			.penalty_minor = value_of(&rng, UINT64_MAX),
			.refundable_minor = value_of(&rng, UINT64_MAX),
		};
		bool refused = rng_below(&rng, 2) == 0;
		Keyrack__ReservationAnswer m = KEYRACK__RESERVATION_ANSWER__INIT;
		Keyrack__Refusal refusal;
		draw_refusal(&rng, &a.refusal);
		refusal_message(&a.refusal, &refusal);
		m.state = a.state;
		m.revision = a.revision;
		m.expires_at_us = a.expires_at_us;
		m.total_minor = a.total_minor;
		m.has_total = a.has_total;
		m.event_seq = a.event_seq;
		m.due = a.due;
		m.repeated_op = a.repeated;
		m.hotel_id = a.hotel.v;
		m.outcome = a.outcome;
		m.has_amounts = a.has_amounts;
		m.penalty_minor = a.penalty_minor;
		m.refundable_minor = a.refundable_minor;
		m.refusal = refused ? &refusal : NULL;
		uint8_t wanted[512], got[HOT_RESERVATION_SIZE_MAX];
		size_t size = protobuf_c_message_pack(&m.base, wanted);
		cr_assert_eq(hot_reservation_write(&a, refused, got), size);
		cr_assert_eq(memcmp(wanted, got, size), 0);
	}
}

Test(hot, writes_availability_answers_byte_for_byte)
{
	static uint64_t words[3][4096];
	static uint8_t wanted[1 << 17], got[1 << 17];
	struct rng rng;
	rng_init(&rng, 4);
	for (unsigned i = 0; i < 2000; i++) {
		Keyrack__AvailabilityAnswer m = KEYRACK__AVAILABILITY_ANSWER__INIT;
		uint16_t types[32];
		uint32_t wide[32];
		struct hot_columns c = {
			.types = types,
			.type_count = (uint32_t)rng_below(&rng, 32),
			.first_day = (int32_t)value_of(&rng, 80000) - 100,
			.night_count = (uint32_t)rng_below(&rng, 128),
			.counters = words[0],
			.rates = words[1],
			.classes = words[2],
			.class_words = 2 * (uint32_t)rng_below(&rng, 20),
			.ari_version = value_of(&rng, UINT64_MAX),
			.business_day = (int32_t)value_of(&rng, 80000) - 100,
		};
		rng_fill(&rng, words, sizeof(words));
		for (uint32_t t = 0; t < c.type_count; t++)
			wide[t] = types[t] = (uint16_t)value_of(&rng, UINT16_MAX);
		m.types = wide;
		m.n_types = c.type_count;
		m.first_day = c.first_day;
		m.night_count = c.night_count;
		m.counters = words[0];
		m.rates = words[1];
		m.n_counters = m.n_rates = (size_t)c.type_count * c.night_count;
		m.classes = words[2];
		m.n_classes = c.class_words;
		m.ari_version = c.ari_version;
		m.business_day = c.business_day;
		size_t size = protobuf_c_message_pack(&m.base, wanted);
		cr_assert_eq(hot_columns_size(&c), size);
		hot_columns_write(&c, size, got);
		cr_assert_eq(memcmp(wanted, got, size), 0);
	}
}

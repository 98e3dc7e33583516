#include <criterion/criterion.h>
#include <string.h>

#include "base/civil.h"
#include "tools/keyrack/stay_sheet.h"

static const struct money_unit eur = {"EUR", 2};

static int32_t day(int year, int month, int number)
{
	return civil_day_from_date((struct civil_date){year, (uint8_t)month, (uint8_t)number});
}

struct sample {
	const char *texts[STAY_COLUMN_COUNT];
	struct stay_key key;
	struct stay stay;
	struct kr_error_text error;
};

static void sample_init(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->texts[STAY_HOTEL] = "7";
	s->texts[STAY_ID] = "000000000000000000000000000000ff";
	s->texts[STAY_STATE] = "CONFIRMED";
	s->texts[STAY_TYPE] = "3";
	s->texts[STAY_CHECK_IN] = "2026-12-30";
	s->texts[STAY_CHECK_OUT] = "2027-01-02";
	s->texts[STAY_CREATED] = "1700000000000000";
}

static int sample_read(struct sample *s, int32_t shift_days)
{
	int r = stay_key_read(s->texts, &s->key, &s->error);
	if (r == 0 && s->key.line == 1)
		r = stay_begin(s->texts, &s->key, shift_days, &s->stay, &s->error);
	return r == 0 ? stay_line_add(s->texts, &eur, shift_days, &s->stay, &s->error) : r;
}

static void check_wrong(enum stay_column column, const char *text, const char *reason)
{
	struct sample s;
	sample_init(&s);
	s.texts[column] = text;
	cr_assert_lt(sample_read(&s, 0), 0, "%s", reason);
	cr_assert_not_null(
		strstr(s.error.bytes, reason), "\"%s\" says \"%s\"", text, s.error.bytes);
}

Test(stay_sheet, little_has_to_be_said)
{
	struct sample s;
	sample_init(&s);
	cr_assert_eq(sample_read(&s, 0), 0, "%s", s.error.bytes);
	const struct keyrack_reservation *r = &s.stay.request.reservation;
	cr_assert_eq(r->hotel_id, 7);
	cr_assert_eq(r->id.lo, 255);
	cr_assert_eq(r->state, KEYRACK_STATE_CONFIRMED);
	cr_assert_eq(r->revision, 1);
	cr_assert_eq(r->changed_at_us, r->created_at_us);
	cr_assert_eq(r->line_count, 1);
	cr_assert_eq(r->lines[0].rooms, 1);
	cr_assert_eq(r->lines[0].check_out_day, day(2027, 1, 2));
	cr_assert_eq(r->lines[0].pricing, KEYRACK_PRICING_NONE);
	cr_assert_not(s.stay.request.has_counted_until);
	/* an id of ours tells when it was minted */
	s.texts[STAY_CREATED] = NULL;
	cr_assert_lt(sample_read(&s, 0), 0);
	char id[KEYRACK_ID_TEXT_SIZE];
	keyrack_id_format(keyrack_id_make(1700000000123, 5, 1), id);
	s.texts[STAY_ID] = id;
	cr_assert_eq(sample_read(&s, 0), 0);
	cr_assert_eq(r->created_at_us, UINT64_C(1700000000123000));
}

Test(stay_sheet, prices_and_terms_are_read_by_line)
{
	struct sample s;
	sample_init(&s);
	s.texts[STAY_LINE] = "1";
	s.texts[STAY_LINES] = "2";
	s.texts[STAY_PRICES] = "EUR 120.00*2+EUR 99.50*1";
	s.texts[STAY_PRICING] = "calendar";
	s.texts[STAY_TERMS] = "72h:1n,24h:100%";
	s.texts[STAY_ARRIVAL] = "1800000000000000";
	cr_assert_eq(sample_read(&s, 0), 0, "%s", s.error.bytes);
	s.texts[STAY_LINE] = "2";
	s.texts[STAY_PRICES] = "EUR 1.00*3";
	s.texts[STAY_PRICING] = NULL;
	s.texts[STAY_TERMS] = s.texts[STAY_ARRIVAL] = "";
	cr_assert_eq(sample_read(&s, 0), 0, "%s", s.error.bytes);
	const struct keyrack_reservation *r = &s.stay.request.reservation;
	cr_assert_eq(r->line_count, 2);
	cr_assert_eq(r->lines[0].pricing, KEYRACK_PRICING_CALENDAR);
	cr_assert_eq(r->lines[0].run_count, 2);
	cr_assert_eq(r->lines[0].runs[1].price_minor, 9950);
	cr_assert_eq(r->lines[0].tier_count, 2);
	cr_assert_eq(r->lines[0].tiers[1].basis_points, 10000);
	cr_assert_eq(r->lines[0].arrival_us, UINT64_C(1800000000000000));
	cr_assert_eq(r->lines[1].pricing, KEYRACK_PRICING_CALLER);
	cr_assert_eq(r->lines[1].runs[0].nights, 3);
	cr_assert_eq(r->lines[1].tier_count, 0);
}

Test(stay_sheet, days_and_instants_are_shifted_together)
{
	struct sample s;
	sample_init(&s);
	s.texts[STAY_STATE] = "NO_SHOW";
	s.texts[STAY_COUNTED_UNTIL] = "2026-12-31";
	s.texts[STAY_EXPIRES] = "0";
	cr_assert_eq(sample_read(&s, 10), 0, "%s", s.error.bytes);
	const struct keyrack_reservation *r = &s.stay.request.reservation;
	cr_assert_eq(r->lines[0].check_in_day, day(2027, 1, 9));
	cr_assert_eq(r->counted_until_day, day(2027, 1, 10));
	cr_assert(s.stay.request.has_counted_until);
	cr_assert_eq(r->created_at_us, UINT64_C(1700000000000000) + UINT64_C(864000000000));
	cr_assert_eq(r->expires_at_us, 0, "no instant is none a day later, either");
	cr_assert_lt(sample_read(&s, -36000), 0, "before 1970");
	/* of a booking the date follows from its nights */
	s.texts[STAY_STATE] = "CONFIRMED";
	cr_assert_eq(sample_read(&s, 0), 0);
	cr_assert_not(s.stay.request.has_counted_until);
}

Test(stay_sheet, what_is_wrong_is_named_with_its_column)
{
	check_wrong(STAY_HOTEL, "", "hotel is missing");
	check_wrong(STAY_ID, "17", "id: ");
	check_wrong(STAY_ID, NULL, "id is missing");
	check_wrong(STAY_STATE, "VOID", "state: \"VOID\"");
	check_wrong(STAY_STATE, "", "state is missing");
	check_wrong(STAY_LINES, "17", "lines: ");
	check_wrong(STAY_LINE, "x", "line: ");
	check_wrong(STAY_TYPE, "", "type is missing");
	check_wrong(STAY_CHECK_IN, "2026-02-30", "check_in: ");
	check_wrong(STAY_CHECK_OUT, NULL, "check_out is missing");
	check_wrong(STAY_ROOMS, "-1", "rooms: ");
	check_wrong(STAY_PRICING, "free", "pricing: \"free\"");
	check_wrong(STAY_PRICES, "EUR 1.00", "EUR 120.00*2");
	check_wrong(STAY_PRICES, "USD 1.00*3", "prices: ");
	check_wrong(STAY_PRICES, "EUR 1.00*0", "prices: ");
	check_wrong(STAY_PRICES, "EUR 1.00*3+", "prices: ");
	check_wrong(STAY_TERMS, "24h:1", "terms: ");
	check_wrong(STAY_CREATED, "yesterday", "created_at_us: ");
	check_wrong(STAY_WAS_HELD, "perhaps", "was_held: ");
	check_wrong(STAY_CHANGE, "0", "change_id: ");
	check_wrong(STAY_CHANGE, "12345678901234567", "change_id: ");
	check_wrong(STAY_EXTERNAL_REF,
		"12345678901234567890123456789012345678901234567890123456789012345",
		"external_ref: ");
}

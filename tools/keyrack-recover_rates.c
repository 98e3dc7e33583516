#include <inttypes.h>
#include <stdlib.h>

#include "base/civil.h"
#include "tools/keyrack-recover.h"
#include "tools/keyrack-recover_json.h"

/* Nights of rate plans beside each type's plan 0, whose nights are the cells'. */

#define HOTELS_AT_ONCE 256u

static void rate_print_json(const struct recover_rate *rate, struct cell_rate word,
	struct los_class los, const char *date, FILE *out)
{
	char hotel[RECOVER_NUMBER_SIZE];
	kr_assert(rate->plan != 0);
	recover_number_format(rate->hotel.v, hotel);
	fprintf(out,
		"{\"hotel\":%s,\"type\":%u,\"plan\":%u,\"night\":%d,\"date\":\"%s\","
		"\"price_minor\":",
		hotel, rate->type, rate->plan, rate->day, date);
	if (word.flags & RATE_PRICED)
		fprintf(out, "%" PRIu64, word.price_minor);
	else
		fputs("null", out);
	fprintf(out,
		",\"plan_closed\":%s,\"plan_cta\":%s,\"plan_ctd\":%s,\"min_arrival\":%u,"
		"\"max_arrival\":%u,\"min_through\":%u,\"max_through\":%u}\n",
		word.flags & RATE_CLOSED ? "true" : "false",
		word.flags & RATE_CTA ? "true" : "false", word.flags & RATE_CTD ? "true" : "false",
		los.min_arrival, los.max_arrival, los.min_through, los.max_through);
}

void recover_print_rate(
	const struct inv *inv, const struct recover_rate *rate, bool is_json, FILE *out)
{
	struct cell_rate word = cell_rate_unpack(rate->rate);
	char date[CIVIL_DATE_TEXT_SIZE], flags[RECOVER_FLAGS_SIZE];
	civil_day_format(rate->day, date);
	kr_assert(rate->hotel.v != 0);
	if (is_json) {
		rate_print_json(rate, word, inv_los_class(inv, word.class_index), date, out);
		return;
	}
	recover_flags_format(0, rate->rate, flags);
	fprintf(out, "%" PRIu64 " %u %u %s %s ", rate->hotel.v, rate->type, rate->plan, date,
		flags);
	if (word.flags & RATE_PRICED)
		fprintf(out, "%" PRIu64 "\n", word.price_minor);
	else
		fputs("-\n", out);
}

struct rates_dump {
	struct inv *inv;
	uint32_t nights;
	bool is_json;
	FILE *out;
	uint64_t *counters, *rates;
};

static void rates_of_plan(
	struct rates_dump *dump, const struct inv_hotel_view *hotel, uint16_t type, uint16_t plan)
{
	struct recover_rate rate = {.hotel = hotel->hotel, .type = type, .plan = plan};
	struct inv_answer answer = {0};
	inv_availability(dump->inv, hotel->hotel, &type, 1, plan, hotel->business_day, dump->nights,
		dump->counters, dump->rates, &answer);
	kr_assert(answer.code == KEYRACK_DONE);
	for (uint32_t i = 0; i < dump->nights; i++) {
		rate.day = hotel->business_day + (int32_t)i;
		rate.rate = dump->rates[i];
		if (rate.rate != 0)
			recover_print_rate(dump->inv, &rate, dump->is_json, dump->out);
	}
}

static void rates_of_hotel(struct rates_dump *dump, const struct inv_hotel_view *hotel)
{
	struct inv_plan_view view = {.type = 0, .plan = 0};
	uint32_t type = 0, plan = 0;
	bool more = true;
	kr_assert(hotel->hotel.v != 0);
	while (more && inv_plan_list(dump->inv, hotel->hotel, (uint16_t)type, (uint16_t)plan, &view,
			       1, &more) == 1) {
		if (view.plan != 0)
			rates_of_plan(dump, hotel, view.type, view.plan);
		type = view.type;
		plan = view.plan + 1u; /* at most 65,535: numbers end below */
	}
}

void recover_dump_rates(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out)
{
	struct rates_dump dump = {
		.inv = inv, .nights = window_nights, .is_json = is_json, .out = out};
	struct inv_hotel_view *hotels = recover_alloc(HOTELS_AT_ONCE, sizeof(*hotels));
	struct hotel_id after = {0};
	bool more = true;
	kr_assert(window_nights <= INV_WINDOW_NIGHTS_MAX);
	dump.counters = recover_alloc(INV_WINDOW_NIGHTS_MAX, sizeof(uint64_t));
	dump.rates = recover_alloc(INV_WINDOW_NIGHTS_MAX, sizeof(uint64_t));
	if (!is_json)
		fputs("# hotel type plan date flags price\n", out);
	for (bool first = true; more; first = false) {
		uint32_t count = inv_hotel_list(inv, first, after, hotels, HOTELS_AT_ONCE, &more);
		for (uint32_t i = 0; i < count; i++)
			rates_of_hotel(&dump, &hotels[i]);
		if (count > 0)
			after = hotels[count - 1].hotel;
	}
	free(dump.rates);
	free(dump.counters);
	free(hotels);
}

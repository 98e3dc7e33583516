#include "tools/keyrack/import_hotels.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "tools/keyrack/report.h"

#define PLACES_FIRST 1024u

void import_hotels_init(struct import_hotels *hotels, struct cli *cli)
{
	*hotels = (struct import_hotels){.cli = cli, .place_count = PLACES_FIRST};
	hotels->places = calloc(PLACES_FIRST, sizeof(*hotels->places));
	kr_assert(hotels->places != NULL);
}

void import_hotels_fini(struct import_hotels *hotels)
{
	free(hotels->places);
	hotels->places = NULL;
	kr_assert(hotels->used_count <= hotels->place_count);
}

/* Its place, or the free one it would get. */
static struct import_hotel *hotels_place(struct import_hotels *hotels, uint64_t hotel_id)
{
	uint32_t at = (uint32_t)hash_mix(hotel_id) & (hotels->place_count - 1);
	kr_assert(hotels->used_count < hotels->place_count);
	while (hotels->places[at].is_used && hotels->places[at].hotel_id != hotel_id)
		at = (at + 1) & (hotels->place_count - 1);
	return &hotels->places[at];
}

static void hotels_grow(struct import_hotels *hotels)
{
	struct import_hotels grown = *hotels;
	grown.place_count *= 2;
	grown.places = calloc(grown.place_count, sizeof(*grown.places));
	kr_assert(grown.places != NULL);
	for (uint32_t i = 0; i < hotels->place_count; i++)
		if (hotels->places[i].is_used)
			*hotels_place(&grown, hotels->places[i].hotel_id) = hotels->places[i];
	free(hotels->places);
	*hotels = grown;
}

static int hotel_ask(struct import_hotels *hotels, uint64_t hotel_id, struct import_hotel *ret)
{
	struct cli *cli = hotels->cli;
	const struct keyrack_hotel_get get = {.call = cli_call(cli), .hotel_id = hotel_id};
	struct keyrack_hotel_answer answer;
	int r = keyrack_hotel_get(cli->client, &get, &answer);
	const struct keyrack_hotel *hotel = &answer.hotel;
	*ret = (struct import_hotel){.hotel_id = hotel_id, .is_used = true};
	if (r < 0)
		return report_not_taken(cli, r);
	if (answer.result.code == KEYRACK_CODE_NOT_FOUND)
		return CLI_DONE;
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report_of_read, &answer.result);
	ret->is_known = true;
	ret->first_day = hotel->business_day;
	ret->last_day = hotel->business_day + (int32_t)hotel->window_nights - 1;
	ret->unit.digits = KR_MIN(hotel->settings.currency_digits, MONEY_DIGITS_MAX);
	(void)snprintf(
		ret->unit.currency, sizeof(ret->unit.currency), "%.3s", hotel->settings.currency);
	kr_assert(ret->first_day <= ret->last_day);
	return CLI_DONE;
}

int import_hotels_find(
	struct import_hotels *hotels, uint64_t hotel_id, const struct import_hotel **ret_hotel)
{
	struct import_hotel *place = hotels_place(hotels, hotel_id);
	if (!place->is_used) {
		struct import_hotel asked;
		int code = hotel_ask(hotels, hotel_id, &asked);
		if (code != CLI_DONE)
			return code;
		if (hotels->used_count >= hotels->place_count / 2) {
			hotels_grow(hotels);
			place = hotels_place(hotels, hotel_id);
		}
		*place = asked;
		hotels->used_count++;
	}
	kr_assert(place->hotel_id == hotel_id);
	*ret_hotel = place;
	return CLI_DONE;
}

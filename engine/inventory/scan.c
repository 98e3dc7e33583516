#include "engine/inventory/reservations.h"

/* Lists of reservations: the table of records is read in its own order, a bounded piece a call. */

static bool inv_day_is_among(int32_t day, int32_t first, int32_t last)
{
	return first <= day && day <= last;
}

/* Dates over all lines. */
static bool inv_scan_dates_fit(const struct inv *inv, const struct inv_record *record,
	const struct inv_reservation_filter *filter)
{
	if (!filter->has_arrival && !filter->has_departure && !filter->has_night)
		return true;
	if (record->line_count == 0)
		return false;
	struct inv_record_line lines[INV_LINES_MAX];
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count == record->line_count);
	bool sleeps = false;
	for (uint32_t i = 0; i < line_count; i++)
		sleeps |= lines[i].check_in <= filter->night_last &&
			  lines[i].check_in + lines[i].nights > filter->night_first;
	int32_t arrival = inv_record_check_in(inv, record);
	int32_t departure = inv_record_check_out(inv, record);
	kr_assert(arrival < departure);
	return (!filter->has_night || sleeps) &&
	       (!filter->has_arrival ||
		       inv_day_is_among(arrival, filter->arrival_first, filter->arrival_last)) &&
	       (!filter->has_departure || inv_day_is_among(departure, filter->departure_first,
						  filter->departure_last));
}

static bool inv_scan_texts_fit(const struct inv *inv, const struct inv_record *record,
	const struct inv_reservation_filter *filter)
{
	char bytes[INV_TEXT_SIZE_MAX];
	kr_assert(filter->payment <= 2);
	if (filter->external_ref.size_bytes != 0 &&
		!inv_text_equal(inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, bytes),
			filter->external_ref))
		return false;
	if (filter->payment == 0)
		return true;
	bool pays = inv_record_text(inv, record, INV_NODE_PAYMENT_REF, bytes).size_bytes != 0;
	return pays == (filter->payment == 1);
}

static bool inv_scan_arrives(const struct inv *inv, const struct inv_record *record,
	const struct inv_reservation_filter *filter)
{
	if (filter->arrives_before_us == 0)
		return true;
	if (record->line_count == 0)
		return false;
	uint32_t minute = inv_hotel_cold_at(inv, record->hotel_index)->check_in_minute;
	kr_assert(record->hotel_index != INV_NONE);
	return inv_hotel_instant_us(inv, record->hotel_index, inv_record_check_in(inv, record),
		       minute) < filter->arrives_before_us;
}

/* From the record alone first: the lines and texts are further cache misses. */
static bool inv_scan_fits(const struct inv *inv, uint32_t hotel_index,
	const struct inv_record *record, const struct inv_reservation_filter *filter)
{
	if (record->flags & INV_RECORD_FREE)
		return false;
	kr_assert(record->state >= INV_HELD && record->state <= INV_VOID);
	if (filter->hotel.v != 0 && record->hotel_index != hotel_index)
		return false;
	if (filter->state_mask != 0 && (filter->state_mask >> record->state & 1) == 0)
		return false;
	if (filter->source != 0 && record->source != filter->source)
		return false;
	if ((filter->guest.hi | filter->guest.lo) != 0 &&
		(record->guest.hi != filter->guest.hi || record->guest.lo != filter->guest.lo))
		return false;
	return inv_scan_dates_fit(inv, record, filter) && inv_scan_arrives(inv, record, filter) &&
	       inv_scan_texts_fit(inv, record, filter);
}

enum inv_scan inv_reservation_scan(struct inv *inv, uint64_t now_us,
	const struct inv_reservation_filter *filter, uint32_t *at, uint32_t *budget,
	struct inv_reservation_view *ret)
{
	uint32_t hotel_index = INV_NONE;
	kr_assert(ret != NULL);
	if (filter->hotel.v != 0) {
		hotel_index = inv_hotel_find(inv, filter->hotel);
		if (hotel_index == INV_NONE)
			return INV_SCAN_ENDED;
	}
	for (; *at < inv->record_pool.fresh; ++*at) {
		const struct inv_record *record = &inv_records(inv)[*at];
		if (*budget == 0)
			return INV_SCAN_PAUSED;
		--*budget;
		if (!inv_scan_fits(inv, hotel_index, record, filter))
			continue;
		inv_reservation_show(inv, (*at)++, now_us, ret);
		return INV_SCAN_FOUND;
	}
	return INV_SCAN_ENDED;
}

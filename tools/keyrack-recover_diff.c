#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack-recover.h"
#include "tools/keyrack-recover_json.h"

/*
 * diff: two states side by side. A hotel whose chunks have the same digest is the same; of any
 * other, nights and reservations that differ are shown, up to a limit, and counted.
 */

#define HOTELS_AT_ONCE 256u
#define DAYS_MAX (2 * INV_WINDOW_NIGHTS_MAX)

struct hotel_entry {
	struct hotel_id hotel;
	uint64_t digest;
};

struct side {
	struct inv *inv;
	uint32_t window_nights;
	char letter; /* '-', '+' */
	struct hotel_entry *hotels;
	uint32_t hotel_count;
	struct recover_id *ids;
	size_t id_count;
	struct inv_hotel_view view; /* of the hotel at hand */
	bool has_hotel;
	struct inv_type_view *types;
	uint32_t type_count;
	uint64_t *counters, *rates; /* of the type at hand, from first_day on */
};

struct diff {
	struct side a, b;
	FILE *out;
	bool is_json;
	uint32_t limit;
	uint64_t cell_count, reservation_count, hotel_count;
	int32_t first_day;
	uint32_t day_count;
	uint64_t hotel_differences; /* of the hotel at hand */
};

static int entry_compare(const void *a, const void *b)
{
	const struct hotel_entry *x = a, *y = b;
	kr_assert(x->hotel.v != 0 && y->hotel.v != 0);
	return x->hotel.v < y->hotel.v ? -1 : x->hotel.v > y->hotel.v;
}

/* Chunk 0 is the shard's own. */
static void side_begin(struct side *side, struct recovery *recovery, char letter)
{
	side->inv = shard_inventory(recovery->rebuild.shard);
	side->window_nights = recovery->rebuild.config.inventory.window_nights;
	side->letter = letter;
	uint32_t count = inv_chunk_count(side->inv);
	side->hotels = recover_alloc(count, sizeof(*side->hotels));
	for (uint32_t i = 1; i < count; i++) {
		side->hotels[side->hotel_count++] = (struct hotel_entry){
			.hotel = inv_chunk_hotel(side->inv, i),
			.digest = inv_chunk_digest(side->inv, i),
		};
	}
	if (side->hotel_count > 0)
		qsort(side->hotels, side->hotel_count, sizeof(*side->hotels), entry_compare);
	side->ids = recover_ids(side->inv, &side->id_count);
	side->types = recover_alloc(INV_HOTEL_TYPES_MAX, sizeof(*side->types));
	side->counters = recover_alloc(DAYS_MAX, sizeof(uint64_t));
	side->rates = recover_alloc(DAYS_MAX, sizeof(uint64_t));
	kr_assert(side->hotel_count < count);
}

static void side_end(struct side *side)
{
	kr_assert(side->hotels != NULL);
	free(side->hotels);
	free(side->ids);
	free(side->types);
	free(side->counters);
	free(side->rates);
}

static const struct hotel_entry *side_find(const struct side *side, struct hotel_id hotel)
{
	struct hotel_entry key = {.hotel = hotel};
	kr_assert(hotel.v != 0);
	if (side->hotel_count == 0)
		return NULL;
	return bsearch(&key, side->hotels, side->hotel_count, sizeof(*side->hotels), entry_compare);
}

static bool hotel_is_same(const struct diff *diff, struct hotel_id hotel)
{
	if (hotel.v == 0)
		return false;
	const struct hotel_entry *a = side_find(&diff->a, hotel);
	const struct hotel_entry *b = side_find(&diff->b, hotel);
	kr_assert(a != NULL || b != NULL);
	return a != NULL && b != NULL && a->digest == b->digest;
}

/* ---- printing ---- */

static bool is_shown(const struct diff *diff)
{
	uint64_t count = diff->cell_count + diff->reservation_count + diff->hotel_count;
	kr_assert(count > 0);
	return diff->limit == 0 || count <= diff->limit;
}

/* `line` is one of dump's, an object or words. */
static void print_line(
	const struct diff *diff, const struct side *side, const char *what, const char *line)
{
	kr_assert(line[0] != '\0');
	if (diff->is_json)
		fprintf(diff->out, "{\"side\":\"%c\",\"what\":\"%s\",%s",
			side->letter == '-' ? 'a' : 'b', what, line + 1);
	else
		fprintf(diff->out, "%c %s %s", side->letter, what, line);
}

static char *cell_line(
	const struct diff *diff, const struct side *side, const struct recover_cell *cell)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);
	if (out == NULL)
		return recover_alloc(1, 1);
	recover_print_cell(side->inv, cell, diff->is_json, out);
	kr_assert(cell->hotel.v != 0);
	fclose(out);
	return bytes;
}

static char *reservation_line(
	const struct side *side, struct recover_id id, uint64_t now_us, bool is_json)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);
	if (out == NULL)
		return recover_alloc(1, 1);
	recover_print_reservation(side->inv, id, now_us, is_json, out);
	kr_assert(!kr_id_is_zero(id.id));
	fclose(out);
	return bytes;
}

/* ---- cells ---- */

static void side_read_hotel(struct side *side, struct hotel_id hotel)
{
	side->has_hotel = inv_hotel_get(side->inv, hotel, &side->view);
	side->type_count =
		side->has_hotel ? inv_type_list(side->inv, hotel, side->types, INV_HOTEL_TYPES_MAX)
				: 0;
	kr_assert(side->type_count <= INV_HOTEL_TYPES_MAX);
}

/* Zeroes for nights outside the window, and for a type or a plan that is not there. */
static void side_read_product(struct side *side, const struct diff *diff, struct hotel_id hotel,
	uint16_t type, uint16_t plan)
{
	struct inv_answer answer = {0};
	memset(side->counters, 0, DAYS_MAX * sizeof(uint64_t));
	memset(side->rates, 0, DAYS_MAX * sizeof(uint64_t));
	if (!side->has_hotel)
		return;
	int64_t at = (int64_t)side->view.business_day - diff->first_day;
	kr_assert(side->window_nights <= INV_WINDOW_NIGHTS_MAX);
	if (at < 0 || at + side->window_nights > DAYS_MAX)
		return;
	inv_availability(side->inv, hotel, &type, 1, plan, side->view.business_day,
		side->window_nights, side->counters + at, side->rates + at, &answer);
	if (answer.code == KEYRACK_DONE)
		return;
	memset(side->counters, 0, DAYS_MAX * sizeof(uint64_t));
	memset(side->rates, 0, DAYS_MAX * sizeof(uint64_t));
}

/* Classes of lengths of stay have numbers of their own in each state. */
static bool rate_is_same(const struct diff *diff, uint32_t i)
{
	struct cell_rate a = cell_rate_unpack(diff->a.rates[i]);
	struct cell_rate b = cell_rate_unpack(diff->b.rates[i]);
	struct los_class los_a = inv_los_class(diff->a.inv, a.class_index);
	struct los_class los_b = inv_los_class(diff->b.inv, b.class_index);
	kr_assert(i < DAYS_MAX);
	return a.price_minor == b.price_minor && a.flags == b.flags &&
	       los_a.min_arrival == los_b.min_arrival && los_a.max_arrival == los_b.max_arrival &&
	       los_a.min_through == los_b.min_through && los_a.max_through == los_b.max_through;
}

static void print_cell(
	const struct diff *diff, const struct side *side, struct recover_cell *cell, uint32_t i)
{
	cell->counter = side->counters[i];
	cell->rate = side->rates[i];
	if (cell->counter == 0 && cell->rate == 0)
		return;
	char *line = cell_line(diff, side, cell);
	kr_assert(cell->day == diff->first_day + (int32_t)i);
	print_line(diff, side, "cell", line);
	free(line);
}

static void diff_type(struct diff *diff, struct hotel_id hotel, uint16_t type)
{
	struct recover_cell cell = {.hotel = hotel, .type = type};
	side_read_product(&diff->a, diff, hotel, type, 0);
	side_read_product(&diff->b, diff, hotel, type, 0);
	kr_assert(diff->day_count <= DAYS_MAX);
	for (uint32_t i = 0; i < diff->day_count; i++) {
		if (diff->a.counters[i] == diff->b.counters[i] && rate_is_same(diff, i))
			continue;
		diff->cell_count++;
		diff->hotel_differences++;
		cell.day = diff->first_day + (int32_t)i;
		if (!is_shown(diff))
			continue;
		print_cell(diff, &diff->a, &cell, i);
		print_cell(diff, &diff->b, &cell, i);
	}
}

/* ---- nights of plans beside plan 0 ---- */

static void print_rate(
	const struct diff *diff, const struct side *side, struct recover_rate *rate, uint32_t i)
{
	char *bytes = NULL;
	size_t size;
	rate->rate = side->rates[i];
	if (rate->rate == 0)
		return;
	FILE *out = open_memstream(&bytes, &size);
	if (out == NULL)
		return;
	recover_print_rate(side->inv, rate, diff->is_json, out);
	fclose(out);
	kr_assert(rate->plan != 0);
	print_line(diff, side, "rate", bytes);
	free(bytes);
}

static void diff_plan(struct diff *diff, struct hotel_id hotel, uint16_t type, uint16_t plan)
{
	struct recover_rate rate = {.hotel = hotel, .type = type, .plan = plan};
	side_read_product(&diff->a, diff, hotel, type, plan);
	side_read_product(&diff->b, diff, hotel, type, plan);
	kr_assert(plan != 0);
	for (uint32_t i = 0; i < diff->day_count; i++) {
		if (rate_is_same(diff, i))
			continue;
		diff->cell_count++;
		diff->hotel_differences++;
		rate.day = diff->first_day + (int32_t)i;
		if (!is_shown(diff))
			continue;
		print_rate(diff, &diff->a, &rate, i);
		print_rate(diff, &diff->b, &rate, i);
	}
}

/* The type's plans in this state, from that number on; UINT32_MAX behind the last. */
static uint32_t plan_from(
	const struct side *side, struct hotel_id hotel, uint16_t type, uint32_t number)
{
	struct inv_plan_view view;
	bool more;
	if (!side->has_hotel || number > INV_PLAN_NUMBER_MAX ||
		inv_plan_list(side->inv, hotel, type, (uint16_t)number, &view, 1, &more) == 0 ||
		view.type != type)
		return UINT32_MAX;
	kr_assert(view.plan >= number);
	return view.plan;
}

static void diff_plans(struct diff *diff, struct hotel_id hotel, uint16_t type)
{
	for (uint32_t number = 1;; number++) {
		uint32_t of_a = plan_from(&diff->a, hotel, type, number);
		uint32_t of_b = plan_from(&diff->b, hotel, type, number);
		number = KR_MIN(of_a, of_b);
		if (number == UINT32_MAX)
			return;
		kr_assert(number <= INV_PLAN_NUMBER_MAX);
		diff_plan(diff, hotel, type, (uint16_t)number);
	}
}

static void diff_days(struct diff *diff)
{
	const struct side *a = &diff->a, *b = &diff->b;
	int32_t first_a = a->has_hotel ? a->view.business_day : b->view.business_day;
	int32_t first_b = b->has_hotel ? b->view.business_day : first_a;
	int32_t end =
		KR_MAX(first_a + (int32_t)a->window_nights, first_b + (int32_t)b->window_nights);
	kr_assert(a->has_hotel || b->has_hotel);
	diff->first_day = KR_MIN(first_a, first_b);
	/* States further apart than a window have no night in common: the older one's go unread. */
	if (end - diff->first_day > (int32_t)DAYS_MAX)
		diff->first_day = end - (int32_t)DAYS_MAX;
	diff->day_count = (uint32_t)(end - diff->first_day);
}

static void diff_cells(struct diff *diff, struct hotel_id hotel)
{
	struct side *a = &diff->a, *b = &diff->b;
	uint32_t i = 0, j = 0;
	kr_assert(hotel.v != 0);
	while (i < a->type_count || j < b->type_count) {
		uint32_t of_a = i < a->type_count ? a->types[i].type : UINT32_MAX;
		uint32_t of_b = j < b->type_count ? b->types[j].type : UINT32_MAX;
		diff_type(diff, hotel, (uint16_t)KR_MIN(of_a, of_b));
		diff_plans(diff, hotel, (uint16_t)KR_MIN(of_a, of_b));
		i += of_a <= of_b;
		j += of_b <= of_a;
	}
}

/* ---- hotels ---- */

static void print_hotel(const struct diff *diff, struct hotel_id hotel)
{
	uint64_t seq_a = diff->a.has_hotel ? diff->a.view.event_seq : 0;
	uint64_t seq_b = diff->b.has_hotel ? diff->b.view.event_seq : 0;
	kr_assert(hotel.v != 0);
	if (!diff->is_json) {
		fprintf(diff->out, "! hotel %" PRIu64 " event_seq %" PRIu64 " | %" PRIu64 "\n",
			hotel.v, seq_a, seq_b);
		return;
	}
	json_t *json = json_object();
	recover_put_string(json, "what", "hotel");
	recover_put_number(json, "hotel", hotel.v);
	recover_put_number(json, "event_seq_a", seq_a);
	recover_put_number(json, "event_seq_b", seq_b);
	recover_print_json("", json, diff->out);
}

static void diff_hotel(struct diff *diff, struct hotel_id hotel)
{
	if (hotel_is_same(diff, hotel))
		return;
	side_read_hotel(&diff->a, hotel);
	side_read_hotel(&diff->b, hotel);
	kr_assert(diff->a.has_hotel || diff->b.has_hotel);
	diff->hotel_count++;
	if (is_shown(diff))
		print_hotel(diff, hotel);
	diff_days(diff);
	diff_cells(diff, hotel);
}

static void diff_hotels(struct diff *diff)
{
	uint32_t i = 0, j = 0;
	const struct side *a = &diff->a, *b = &diff->b;
	while (i < a->hotel_count || j < b->hotel_count) {
		uint64_t of_a = i < a->hotel_count ? a->hotels[i].hotel.v : UINT64_MAX;
		uint64_t of_b = j < b->hotel_count ? b->hotels[j].hotel.v : UINT64_MAX;
		diff_hotel(diff, (struct hotel_id){KR_MIN(of_a, of_b)});
		i += of_a <= of_b;
		j += of_b <= of_a;
	}
	kr_assert(i == a->hotel_count && j == b->hotel_count);
}

/* ---- reservations ---- */

static struct hotel_id hotel_of(const struct side *side, struct recover_id id)
{
	struct inv_reservation_view view;
	bool found = inv_reservation_get_of(side->inv, id.hotel, id.id, 0, &view);
	kr_assert(found);
	return view.hotel;
}

/* The instant that dump shows the state at. */
static uint64_t last_t_us(const struct side *side)
{
	struct inv_counts counts;
	inv_counts_get(side->inv, &counts);
	kr_assert(counts.reservations >= counts.holds);
	return counts.last_t_us;
}

static void diff_reservation(struct diff *diff, struct recover_id id, bool is_in_a, bool is_in_b)
{
	const struct side *any = is_in_a ? &diff->a : &diff->b;
	kr_assert(is_in_a || is_in_b);
	if (is_in_a && is_in_b && hotel_is_same(diff, hotel_of(any, id)))
		return;
	/* At one instant, so that time alone is no difference. */
	char *a = is_in_a ? reservation_line(&diff->a, id, 0, true) : NULL;
	char *b = is_in_b ? reservation_line(&diff->b, id, 0, true) : NULL;
	bool is_same = a != NULL && b != NULL && strcmp(a, b) == 0;
	free(a);
	free(b);
	if (is_same)
		return;
	diff->reservation_count++;
	if (!is_shown(diff))
		return;
	a = is_in_a ? reservation_line(&diff->a, id, last_t_us(&diff->a), diff->is_json) : NULL;
	b = is_in_b ? reservation_line(&diff->b, id, last_t_us(&diff->b), diff->is_json) : NULL;
	if (a != NULL)
		print_line(diff, &diff->a, "reservation", a);
	if (b != NULL)
		print_line(diff, &diff->b, "reservation", b);
	free(a);
	free(b);
}

static void diff_reservations(struct diff *diff)
{
	size_t i = 0, j = 0;
	const struct side *a = &diff->a, *b = &diff->b;
	while (i < a->id_count || j < b->id_count) {
		int order = i == a->id_count   ? 1
			    : j == b->id_count ? -1
					       : recover_id_compare(a->ids[i], b->ids[j]);
		diff_reservation(diff, order <= 0 ? a->ids[i] : b->ids[j], order <= 0, order >= 0);
		i += order <= 0;
		j += order >= 0;
	}
	kr_assert(i == a->id_count && j == b->id_count);
}

int recover_diff(struct recovery *a, struct recovery *b, FILE *out)
{
	struct diff diff = {.out = out, .is_json = a->options->is_json, .limit = a->options->limit};
	uint64_t lsn_a = shard_last_lsn(a->rebuild.shard);
	uint64_t lsn_b = shard_last_lsn(b->rebuild.shard);
	side_begin(&diff.a, a, '-');
	side_begin(&diff.b, b, '+');
	if (!diff.is_json)
		fprintf(out, "# - LSN %" PRIu64 "\n# + LSN %" PRIu64 "\n", lsn_a, lsn_b);
	diff_hotels(&diff);
	diff_reservations(&diff);
	fprintf(out,
		diff.is_json ? "{\"what\":\"counts\",\"cells\":%" PRIu64
			       ",\"reservations\":%" PRIu64 ",\"hotels\":%" PRIu64 "}\n"
			     : "%" PRIu64 " cells, %" PRIu64 " reservations and %" PRIu64
			       " hotels differ\n",
		diff.cell_count, diff.reservation_count, diff.hotel_count);
	side_end(&diff.a);
	side_end(&diff.b);
	uint64_t count = diff.cell_count + diff.reservation_count + diff.hotel_count;
	kr_assert(a != b);
	return count > 0 ? RECOVER_EXIT_DIFFERS : 0;
}

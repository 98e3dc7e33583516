/* A hotel's nights as they are kept, in runs of equal ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/export.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"

#define TYPES_MAX 1024u
#define TRIES_MAX 100u /* of a piece of a hotel that changes while it is read */
#define TRY_AGAIN (-1) /* no exit code */

/* What is set by night of a rate plan; the rest is its room type's. */
#define PLAN_BITS                                                                                  \
	(KEYRACK_SET_PRICE | KEYRACK_SET_PLAN_CLOSED | KEYRACK_SET_PLAN_CTA | KEYRACK_SET_PLAN_CTD)

/* A piece: some room types over all nights, read at one version of the hotel. With plan 0 goes what
 * is the types' own. */
struct piece {
	struct export *export;
	struct export_hotel hotel;
	const uint32_t *types;
	uint32_t type_count;
	uint32_t plan;
	int32_t first_day;
	uint32_t night_count;
	bool has_version;
	uint64_t ari_version;
	struct sheet_night *nights; /* type-major */
};

/* Which nights of the hotel are wanted; false: none. */
static bool nights_of(struct piece *piece)
{
	const struct export *export = piece->export;
	int32_t first = piece->hotel.business_day;
	int32_t end = first + (int32_t)piece->hotel.window_nights;
	if (export->has_nights) {
		first = KR_MAX(first, export->nights.first_day);
		end = KR_MIN(end, export->nights.end_day);
	}
	piece->first_day = first;
	piece->night_count = end > first ? (uint32_t)(end - first) : 0;
	kr_assert(piece->night_count <= piece->hotel.window_nights);
	return piece->night_count > 0;
}

/* True once for each piece, then only for the same version. */
static bool version_is_same(struct piece *piece, uint64_t ari_version)
{
	bool is_same = !piece->has_version || piece->ari_version == ari_version;
	piece->has_version = true;
	piece->ari_version = ari_version;
	kr_assert(piece->has_version);
	return is_same;
}

static uint32_t type_index(const struct piece *piece, uint32_t type)
{
	uint32_t i = 0;
	while (i < piece->type_count && piece->types[i] != type)
		i++;
	kr_assert(i <= piece->type_count);
	return i;
}

static void stock_run_spread(const struct piece *piece, const struct keyrack_stock_run *run)
{
	uint32_t index = type_index(piece, run->type);
	int32_t end = piece->first_day + (int32_t)piece->night_count;
	if (index == piece->type_count)
		return;
	for (int32_t day = KR_MAX(run->first_day, piece->first_day);
		day <= run->last_day && day < end; day++) {
		struct sheet_night *night = &piece->nights[(size_t)index * piece->night_count +
							   (uint32_t)(day - piece->first_day)];
		kr_assert(night->set_mask == 0);
		night->set_mask = run->set_mask;
		if ((run->set_mask & KEYRACK_SET_PHYSICAL) != 0)
			night->physical = (int32_t)run->physical;
		if ((run->set_mask & KEYRACK_SET_OUT_OF_ORDER) != 0)
			night->out_of_order = (int32_t)run->out_of_order;
		if ((run->set_mask & KEYRACK_SET_ALLOWANCE) != 0) {
			night->allowance = run->allowance;
			night->allowance_unit = run->allowance_unit;
		}
	}
}

/* CLI_DONE, TRY_AGAIN, or the exit code. */
static int stock_read(struct piece *piece)
{
	struct cli *cli = piece->export->cli;
	struct keyrack_stock_list request = {.call = cli_call(cli),
		.hotel_id = piece->hotel.hotel_id,
		.from_type = piece->types[0],
		.from_day = piece->first_day};
	struct keyrack_stock_list_answer answer;
	kr_assert(piece->type_count > 0);
	do {
		int r = keyrack_stock_list(cli->client, &request, &answer);
		r = report_got(cli, r, &answer.result);
		if (r != CLI_DONE)
			return r;
		if (!version_is_same(piece, answer.ari_version))
			return TRY_AGAIN;
		for (uint32_t i = 0; i < answer.run_count; i++) {
			request.from_type = answer.runs[i].type;
			request.from_day = answer.runs[i].last_day + 1;
			stock_run_spread(piece, &answer.runs[i]);
		}
	} while (answer.more && answer.run_count > 0 &&
		 request.from_type <= piece->types[piece->type_count - 1]);
	return CLI_DONE;
}

static void night_fill(struct sheet_night *night, const struct keyrack_night *cell, bool is_of_type)
{
	static const struct {
		size_t offset;
		uint32_t bit;
	} flags[] = {{offsetof(struct keyrack_night, closed), KEYRACK_SET_CLOSED},
		{offsetof(struct keyrack_night, cta), KEYRACK_SET_CTA},
		{offsetof(struct keyrack_night, ctd), KEYRACK_SET_CTD},
		{offsetof(struct keyrack_night, plan_closed), KEYRACK_SET_PLAN_CLOSED},
		{offsetof(struct keyrack_night, plan_cta), KEYRACK_SET_PLAN_CTA},
		{offsetof(struct keyrack_night, plan_ctd), KEYRACK_SET_PLAN_CTD},
		{offsetof(struct keyrack_night, capped), KEYRACK_SET_CAP},
		{offsetof(struct keyrack_night, priced), KEYRACK_SET_PRICE}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(flags); i++) {
		bool flag;
		memcpy(&flag, (const char *)cell + flags[i].offset, sizeof(flag));
		if (is_of_type || (flags[i].bit & PLAN_BITS) != 0)
			night->set_mask |= flag ? flags[i].bit : 0;
	}
	night->cap = is_of_type && cell->capped ? cell->limit : 0;
	night->price_minor = cell->priced ? cell->price_minor : 0;
	night->los = cell->los;
	kr_assert((night->set_mask & KEYRACK_SET_AVAILABLE) == 0);
}

/* CLI_DONE, TRY_AGAIN, or the exit code. */
static int cells_read(struct piece *piece)
{
	struct cli *cli = piece->export->cli;
	const struct keyrack_availability request = {.call = cli_call(cli),
		.hotel_id = piece->hotel.hotel_id,
		.types = piece->types,
		.type_count = piece->type_count,
		.first_day = piece->first_day,
		.night_count = piece->night_count,
		.plan = piece->plan};
	struct keyrack_availability_answer answer;
	int r = keyrack_availability(cli->client, &request, &answer);
	kr_assert(piece->night_count > 0);
	if (r < 0)
		return report_not_taken(cli, r);
	if (answer.result.code == KEYRACK_CODE_PAST_DATE)
		return TRY_AGAIN; /* its business date has turned */
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report_of_read, &answer.result);
	if (!version_is_same(piece, answer.ari_version))
		return TRY_AGAIN;
	for (uint32_t t = 0; t < piece->type_count; t++)
		for (uint32_t n = 0; n < piece->night_count; n++) {
			struct keyrack_night cell = keyrack_availability_night(&answer, t, n);
			night_fill(&piece->nights[(size_t)t * piece->night_count + n], &cell,
				piece->plan == 0);
		}
	return CLI_DONE;
}

static int piece_read(struct piece *piece)
{
	int code = CLI_DONE;
	memset(piece->nights, 0,
		(size_t)piece->type_count * piece->night_count * sizeof(*piece->nights));
	piece->has_version = false;
	if (piece->plan == 0)
		code = stock_read(piece);
	kr_assert(code != CLI_USAGE);
	return code == CLI_DONE ? cells_read(piece) : code;
}

static bool night_is_empty(const struct sheet_night *night)
{
	static const struct sheet_night empty;
	kr_assert(empty.set_mask == 0);
	return memcmp(night, &empty, sizeof(empty)) == 0;
}

static void piece_write(const struct piece *piece)
{
	struct sheet_texts texts;
	uint32_t count = piece->night_count;
	for (uint32_t t = 0; t < piece->type_count; t++) {
		const struct sheet_night *nights = &piece->nights[(size_t)t * count];
		for (uint32_t n = 0, end; n < count; n = end) {
			for (end = n + 1; end < count; end++)
				if (memcmp(&nights[end], &nights[n], sizeof(*nights)) != 0)
					break;
			if (night_is_empty(&nights[n]))
				continue;
			sheet_nights_format(
				&(struct sheet_nights){.hotel_id = piece->hotel.hotel_id,
					.type = piece->types[t],
					.plan = piece->plan,
					.first_day = piece->first_day + (int32_t)n,
					.last_day = piece->first_day + (int32_t)end - 1,
					.unit = piece->hotel.unit,
					.night = nights[n]},
				&texts);
			sheet_out_row(&piece->export->out, &texts);
		}
	}
	kr_assert(count > 0);
}

/* As many types as fit one query; *types moves behind them. */
static int piece_export(struct piece *piece, uint32_t types_left)
{
	struct export *export = piece->export;
	for (uint32_t i = 0; i < TRIES_MAX; i++) {
		int code;
		if (!nights_of(piece)) {
			piece->type_count = types_left;
			return CLI_DONE;
		}
		piece->type_count = KR_MIN(types_left, KEYRACK_CELL_COUNT_MAX / piece->night_count);
		code = piece_read(piece);
		if (code == CLI_DONE)
			piece_write(piece);
		if (code != TRY_AGAIN)
			return code;
		code = export_hotel_get(export, piece->hotel.hotel_id, &piece->hotel);
		if (code != CLI_DONE)
			return code;
	}
	cli_say(export->cli, "hotel %llu changes faster than it can be read: try again later",
		(unsigned long long)piece->hotel.hotel_id);
	kr_assert(types_left > 0);
	return CLI_UNREACHABLE;
}

static int types_list(
	struct export *export, uint64_t hotel_id, uint32_t *ret_types, uint32_t *ret_count)
{
	const struct keyrack_type_get get = {.call = cli_call(export->cli), .hotel_id = hotel_id};
	struct keyrack_type_list_answer answer;
	int r = keyrack_type_get(export->cli->client, &get, &answer);
	r = report_got(export->cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	kr_assert(answer.type_count <= TYPES_MAX);
	for (uint32_t i = 0; i < answer.type_count; i++)
		ret_types[i] = answer.types[i].type;
	*ret_count = answer.type_count;
	return CLI_DONE;
}

/* The nights of the other plans, as far as they have any. */
static int plans_export(struct piece *piece)
{
	struct plans plans;
	int code = plans_get(piece->export->cli, piece->hotel.hotel_id, NULL, &plans);
	for (uint32_t i = 0; i < plans.count && code == CLI_DONE; i++) {
		const struct keyrack_plan *plan = &plans.list[i].plan;
		if (plan->plan == 0 || plan->settings.derivation != KEYRACK_DERIVED_NOT)
			continue;
		piece->types = &plan->type;
		piece->plan = plan->plan;
		code = piece_export(piece, 1);
	}
	plans_free(&plans);
	kr_assert(plans.count == 0);
	return code;
}

int export_calendar_one(struct export *export, const struct keyrack_hotel *hotel)
{
	static struct sheet_night nights[KEYRACK_CELL_COUNT_MAX];
	struct piece piece = {.export = export, .hotel = export_hotel_of(hotel), .nights = nights};
	uint32_t types[TYPES_MAX], count = 0;
	int code = types_list(export, hotel->hotel_id, types, &count);
	for (uint32_t i = 0; i < count && code == CLI_DONE; i += piece.type_count) {
		piece.types = types + i;
		code = piece_export(&piece, count - i);
		kr_assert(piece.type_count > 0 || code != CLI_DONE);
	}
	return code == CLI_DONE ? plans_export(&piece) : code;
}

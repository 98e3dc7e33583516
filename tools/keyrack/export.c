/* keyrack export hotels|types|plans|calendar */
#include "tools/keyrack/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"

#define LIST_PAGE 200u

enum export_key {
	EXPORT_FORMAT = 'f',
	EXPORT_OUT = 'o',
	EXPORT_NIGHTS = 'n',
};

#define FORMAT_OPTIONS                                                                             \
	{"format", EXPORT_FORMAT, "csv|ndjson", 0, "as a table or as an object a line (csv)", 0},  \
	{                                                                                          \
		"out", EXPORT_OUT, "FILE", 0,                                                      \
			"into this file, which is there only when all of it is", 0                 \
	}

const struct argp_option export_plain_options[] = {FORMAT_OPTIONS, {0}};
static const struct argp_option calendar_options[] = {FORMAT_OPTIONS,
	{"nights", EXPORT_NIGHTS, "A..B", 0, "only these nights, both included (all on sale)", 0},
	{0}};

int export_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct export *export = options;
	switch ((enum export_key)key) {
	case EXPORT_FORMAT:
		export->is_ndjson = strcmp(arg, "ndjson") == 0;
		if (!export->is_ndjson && strcmp(arg, "csv") != 0)
			return kr_error_text_set(
				error, -KR_E_INVALID, 0, "\"%s\" is neither csv nor ndjson", arg);
		return 0;
	case EXPORT_OUT:
		export->path = arg;
		return 0;
	case EXPORT_NIGHTS:
		export->has_nights = true;
		return span_parse_nights(arg, &export->nights, error);
	}
	kr_unreachable();
}

struct export_hotel export_hotel_of(const struct keyrack_hotel *hotel)
{
	struct export_hotel ret = {.hotel_id = hotel->hotel_id,
		.business_day = hotel->business_day,
		.window_nights = hotel->window_nights,
		.unit = {.digits = KR_MIN(hotel->settings.currency_digits, MONEY_DIGITS_MAX)}};
	kr_assert(hotel->settings.currency != NULL);
	(void)snprintf(
		ret.unit.currency, sizeof(ret.unit.currency), "%.3s", hotel->settings.currency);
	return ret;
}

int export_hotel_get(struct export *export, uint64_t hotel_id, struct export_hotel *ret_hotel)
{
	const struct keyrack_hotel_get get = {.call = cli_call(export->cli), .hotel_id = hotel_id};
	struct keyrack_hotel_answer answer;
	int r = keyrack_hotel_get(export->cli->client, &get, &answer);
	kr_assert(export->cli->client != NULL);
	r = report_got(export->cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	*ret_hotel = export_hotel_of(&answer.hotel);
	return CLI_DONE;
}

static int hotels_one(struct export *export, const struct keyrack_hotel *hotel)
{
	struct sheet_texts texts;
	sheet_hotel_format(hotel, &texts);
	sheet_out_row(&export->out, &texts);
	kr_assert(export->out.row_count > 0);
	return CLI_DONE;
}

static int types_one(struct export *export, const struct keyrack_hotel *hotel)
{
	const struct keyrack_type_get get = {
		.call = cli_call(export->cli), .hotel_id = hotel->hotel_id};
	struct keyrack_type_list_answer answer;
	struct sheet_texts texts;
	uint64_t hotel_id = hotel->hotel_id;
	int r = keyrack_type_get(export->cli->client, &get, &answer);
	kr_assert(get.type_count == 0);
	r = report_got(export->cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	for (uint32_t i = 0; i < answer.type_count; i++) {
		sheet_type_format(hotel_id, &answer.types[i], &texts);
		sheet_out_row(&export->out, &texts);
	}
	return CLI_DONE;
}

/* Without terms there is nothing to say of plan 0 that the room types do not say. */
static bool plan_is_told(const struct keyrack_plan *plan)
{
	kr_assert(plan->settings.code != NULL);
	return plan->plan != 0 || plan->settings.tier_count > 0;
}

/* A type's plans: of two kinds, because a plan has to be there before others are derived from it.
 */
static void plans_write(struct export *export, const struct export_hotel *hotel,
	const struct plans_one *list, uint32_t count, bool is_derived)
{
	struct sheet_texts texts;
	kr_assert(count > 0);
	for (uint32_t i = 0; i < count; i++) {
		const struct keyrack_plan *plan = &list[i].plan;
		if ((plan->settings.derivation != KEYRACK_DERIVED_NOT) != is_derived ||
			!plan_is_told(plan))
			continue;
		sheet_plan_format(hotel->hotel_id, plan, &hotel->unit, &texts);
		sheet_out_row(&export->out, &texts);
	}
}

static int plans_one(struct export *export, const struct keyrack_hotel *hotel)
{
	const struct export_hotel kept = export_hotel_of(hotel);
	struct plans plans;
	int code = plans_get(export->cli, kept.hotel_id, NULL, &plans);
	for (uint32_t i = 0, end; i < plans.count && code == CLI_DONE; i = end) {
		for (end = i + 1; end < plans.count; end++)
			if (plans.list[end].plan.type != plans.list[i].plan.type)
				break;
		plans_write(export, &kept, &plans.list[i], end - i, false);
		plans_write(export, &kept, &plans.list[i], end - i, true);
	}
	plans_free(&plans);
	kr_assert(plans.list == NULL);
	return code;
}

static int one_done(struct export *export, int code)
{
	export->hotel_count += code == CLI_DONE;
	progress_show(&export->progress, 0, export->out.row_count);
	kr_assert(export->out.file != NULL);
	return code;
}

/* A hotel by its word. */
static int named_one(struct export *export, const char *word, export_one *one)
{
	struct value_hotel hotel;
	struct keyrack_hotel_answer answer;
	struct keyrack_hotel_get get = {.call = cli_call(export->cli)};
	int code = lookup_hotel(export->cli, word, &hotel);
	kr_assert(one != NULL);
	if (code != CLI_DONE)
		return code;
	get.hotel_id = hotel.id;
	code = keyrack_hotel_get(export->cli->client, &get, &answer);
	code = report_got(export->cli, code, &answer.result);
	if (code != CLI_DONE)
		return code;
	return one_done(export, one(export, &answer.hotel));
}

/* A list's answer is gone with the next call: what a hotel's rows are made from is kept. */
static int page_each(
	struct export *export, const struct keyrack_hotel_list_answer *page, export_one *one)
{
	static struct keyrack_hotel hotels[LIST_PAGE];
	static char currencies[LIST_PAGE][4];
	uint32_t count = KR_MIN(page->hotel_count, LIST_PAGE);
	int code = CLI_DONE;
	kr_assert(page->hotels != NULL || count == 0);
	for (uint32_t i = 0; i < count; i++) {
		hotels[i] = page->hotels[i];
		(void)snprintf(
			currencies[i], sizeof(currencies[i]), "%.3s", hotels[i].settings.currency);
		hotels[i].settings.currency = currencies[i];
		if (one == hotels_one)
			code = one_done(export, hotels_one(export, &page->hotels[i]));
	}
	for (uint32_t i = 0; one != hotels_one && i < count && code == CLI_DONE; i++)
		code = one_done(export, one(export, &hotels[i]));
	return code;
}

static int every_one(struct export *export, export_one *one)
{
	struct keyrack_hotel_list request = {.call = cli_call(export->cli), .limit = LIST_PAGE};
	struct keyrack_hotel_list_answer page;
	bool more = true;
	kr_assert(one != NULL);
	while (more) {
		int r = keyrack_hotel_list(export->cli->client, &request, &page);
		r = report_got(export->cli, r, &page.result);
		if (r != CLI_DONE)
			return r;
		more = page.more && page.hotel_count > 0;
		if (more) {
			request.has_after = true;
			request.after = page.hotels[page.hotel_count - 1].hotel_id;
		}
		r = page_each(export, &page, one);
		if (r != CLI_DONE)
			return r;
	}
	return CLI_DONE;
}

static void export_tell(const struct export *export)
{
	json_t *root;
	if (export->path == NULL)
		return;
	if (!export->cli->json) {
		printf("%" PRIu64 " row%s of %u hotel%s in %s\n", export->out.row_count,
			export->out.row_count == 1 ? "" : "s", export->hotel_count,
			export->hotel_count == 1 ? "" : "s", export->path);
		return;
	}
	root = js_object();
	js_text(root, "file", export->path);
	js_count(root, "rows", export->out.row_count);
	js_count(root, "hotels", export->hotel_count);
	js_print(root);
	kr_assert(export->out.row_count < UINT64_MAX);
}

static int export_all(struct export *export, export_one *one)
{
	int code = CLI_DONE;
	kr_assert(export->out.file != NULL);
	if (export->hotels[0] == NULL)
		return every_one(export, one);
	for (uint32_t i = 0; i < EXPORT_HOTELS_MAX && code == CLI_DONE; i++)
		if (export->hotels[i] != NULL)
			code = named_one(export, export->hotels[i], one);
	return code;
}

static int hotels_rows(struct export *export)
{
	kr_assert(export->cli != NULL);
	return export_all(export, hotels_one);
}

static int types_rows(struct export *export)
{
	kr_assert(export->cli != NULL);
	return export_all(export, types_one);
}

static int plans_rows(struct export *export)
{
	kr_assert(export->cli != NULL);
	return export_all(export, plans_one);
}

static int calendar_rows(struct export *export)
{
	kr_assert(export->cli != NULL);
	return export_all(export, export_calendar_one);
}

static int export_sheet(struct export *export, const struct sheet *sheet, export_rows *rows)
{
	struct cli *cli = export->cli;
	struct kr_error_text error;
	kr_error_text_clear(&error);
	if (cli->json && export->path == NULL)
		return cli_wrong(cli, "--json tells what was written: give --out FILE, or take "
				      "--format ndjson");
	int code = cli_connect(cli);
	if (code != CLI_DONE)
		return code;
	if (sheet_out_open(&export->out, sheet, export->is_ndjson, export->path, &error) < 0) {
		cli_say(cli, "%s", error.bytes);
		return CLI_USAGE;
	}
	progress_begin(&export->progress, "rows", 0);
	code = rows(export);
	progress_end(&export->progress);
	if (code != CLI_DONE) {
		sheet_out_drop(&export->out);
		return code;
	}
	if (sheet_out_close(&export->out, &error) < 0) {
		cli_say(cli, "%s", error.bytes);
		return CLI_UNREACHABLE;
	}
	export_tell(export);
	return CLI_DONE;
}

int export_run(struct cli *cli, int argc, char **argv, const struct cli_spec *spec,
	const struct sheet *sheet, export_rows *rows)
{
	static struct export export;
	memset(&export, 0, sizeof(export));
	cli_words(cli, spec, argc, argv, &export, export.hotels);
	kr_assert(export.cli == NULL);
	export.cli = cli;
	return export_sheet(&export, sheet, rows);
}

int export_hotels_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = EXPORT_SPEC(export_plain_options,
		"Writes the hotels with all their settings, for `import hotels`.", ", by number.");
	return export_run(cli, argc, argv, &spec, sheet_of(SHEET_HOTELS), hotels_rows);
}

int export_types_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = EXPORT_SPEC(export_plain_options,
		"Writes the room types with all their settings, for `import types`.",
		", by number.");
	return export_run(cli, argc, argv, &spec, sheet_of(SHEET_TYPES), types_rows);
}

int export_plans_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = EXPORT_SPEC(export_plain_options,
		"Writes the rate plans with all their settings, for `import plans`; of plan 0 "
		"only its terms of cancellation, since the rest is the room type's.",
		", by number.");
	return export_run(cli, argc, argv, &spec, sheet_of(SHEET_PLANS), plans_rows);
}

int export_calendar_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = EXPORT_SPEC(calendar_options,
		"Writes what is set by date, for `import calendar`: a row for each run of equal "
		"nights of a room type, or of a rate plan with prices of its own; none for nights "
		"about which nothing was said.",
		", by number.");
	return export_run(cli, argc, argv, &spec, sheet_of(SHEET_CALENDAR), calendar_rows);
}

#include "tools/keyrack/fields.h"

#include <string.h>

#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)

enum kind { KIND_COUNT, KIND_ALLOWANCE, KIND_FLAG, KIND_PRICE, KIND_NIGHTS };

#define FIELD_NAMES                                                                                \
	"physical, out-of-order, allowance, cap, available, price, closed, cta, ctd, min-arrival " \
	"(the shortest stay), max-arrival, min-through, max-through, plan-closed, plan-cta and "   \
	"plan-ctd"

#define OF(member) offsetof(struct keyrack_inventory_set, member)
static const struct field {
	const char *name;
	uint32_t bit;
	enum kind kind;
	bool may_adjust;
	bool may_clear;
	size_t offset;
} field_table[] = {
	{"physical", KEYRACK_SET_PHYSICAL, KIND_COUNT, true, true, OF(physical)},
	{"out-of-order", KEYRACK_SET_OUT_OF_ORDER, KIND_COUNT, true, true, OF(out_of_order)},
	{"allowance", KEYRACK_SET_ALLOWANCE, KIND_ALLOWANCE, true, true, OF(allowance)},
	{"cap", KEYRACK_SET_CAP, KIND_COUNT, true, true, OF(cap)},
	{"available", KEYRACK_SET_AVAILABLE, KIND_COUNT, false, false, OF(available)},
	{"price", KEYRACK_SET_PRICE, KIND_PRICE, true, true, OF(price_minor)},
	{"closed", KEYRACK_SET_CLOSED, KIND_FLAG, false, true, OF(closed)},
	{"cta", KEYRACK_SET_CTA, KIND_FLAG, false, true, OF(cta)},
	{"ctd", KEYRACK_SET_CTD, KIND_FLAG, false, true, OF(ctd)},
	{"min-arrival", KEYRACK_SET_MIN_ARRIVAL, KIND_NIGHTS, false, true, OF(min_arrival)},
	{"max-arrival", KEYRACK_SET_MAX_ARRIVAL, KIND_NIGHTS, false, true, OF(max_arrival)},
	{"min-through", KEYRACK_SET_MIN_THROUGH, KIND_NIGHTS, false, true, OF(min_through)},
	{"max-through", KEYRACK_SET_MAX_THROUGH, KIND_NIGHTS, false, true, OF(max_through)},
	{"plan-closed", KEYRACK_SET_PLAN_CLOSED, KIND_FLAG, false, true, OF(plan_closed)},
	{"plan-cta", KEYRACK_SET_PLAN_CTA, KIND_FLAG, false, true, OF(plan_cta)},
	{"plan-ctd", KEYRACK_SET_PLAN_CTD, KIND_FLAG, false, true, OF(plan_ctd)},
};

/* Tables spell the names with '_', as columns are; both are taken. */
static bool name_is(const char *field, const char *name)
{
	for (; *field != '\0' && (*name == *field || (*name == '_' && *field == '-')); name++)
		field++;
	return *field == '\0' && *name == '\0';
}

static const struct field *field_find(const char *name)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(field_table); i++)
		if (name_is(field_table[i].name, name))
			return &field_table[i];
	return NULL;
}

/* The field of that name, which no mask has yet; NULL with *error set. */
static const struct field *field_take(
	struct fields *fields, const char *name, struct kr_error_text *error)
{
	const struct field *field = field_find(name);
	const struct keyrack_inventory_set *update = &fields->update;
	if (field == NULL) {
		(void)WRONG(error, "\"%s\" is no field: " FIELD_NAMES " are", name);
		return NULL;
	}
	if (((update->set_mask | update->adjust_mask | update->clear_mask) & field->bit) != 0) {
		(void)WRONG(error, "%s is named twice", name);
		return NULL;
	}
	return field;
}

static int allowance_read(
	struct keyrack_inventory_set *update, const char *text, struct kr_error_text *error)
{
	kr_assert(text[0] != '\0');
	if (text[strlen(text) - 1] == '%') {
		update->allowance_unit = KEYRACK_ALLOWANCE_BASIS_POINTS;
		return value_percent(text, &update->allowance, error);
	}
	update->allowance_unit = KEYRACK_ALLOWANCE_ROOMS;
	return value_i64(text, &update->allowance, error);
}

static int nights_read(const char *text, void *ret_nights, struct kr_error_text *error)
{
	uint64_t nights;
	uint32_t small;
	int r = value_u64(text, (struct value_range){0, UINT32_MAX}, &nights, error);
	if (r < 0)
		return r;
	small = (uint32_t)nights;
	memcpy(ret_nights, &small, sizeof(small));
	return 0;
}

static int field_read(struct fields *fields, const struct field *field, const char *text,
	bool is_change, struct kr_error_text *error)
{
	char *place = (char *)&fields->update + field->offset;
	int64_t count;
	bool flag;
	int r = 0;
	switch (field->kind) {
	case KIND_COUNT:
		r = value_i64(text, &count, error);
		if (r == 0)
			memcpy(place, &count, sizeof(count));
		return r;
	case KIND_ALLOWANCE:
		return allowance_read(&fields->update, text, error);
	case KIND_FLAG:
		r = value_bool(text, &flag, error);
		if (r == 0)
			memcpy(place, &flag, sizeof(flag));
		return r;
	case KIND_PRICE:
		fields->has_price = true;
		return money_parse(text, is_change, &fields->price, error);
	case KIND_NIGHTS:
		return nights_read(text, place, error);
	}
	kr_unreachable();
}

static int values_read(
	struct fields *fields, const char *text, bool is_change, struct kr_error_text *error)
{
	struct value_pair pair;
	while (value_pair_next(&text, &pair, error)) {
		const struct field *field = field_take(fields, pair.key, error);
		int r;
		if (field == NULL)
			return error->error;
		if (is_change && !field->may_adjust)
			return WRONG(error, "%s cannot be adjusted, only set", field->name);
		if (!pair.has_value || pair.value[0] == '\0')
			return WRONG(error, "%s needs a value", field->name);
		r = field_read(fields, field, pair.value, is_change, error);
		if (r < 0)
			return r;
		*(is_change ? &fields->update.adjust_mask : &fields->update.set_mask) |= field->bit;
	}
	return error->error;
}

int fields_set(struct fields *fields, const char *text, struct kr_error_text *error)
{
	kr_assert(fields != NULL);
	return values_read(fields, text, false, error);
}

int fields_adjust(struct fields *fields, const char *text, struct kr_error_text *error)
{
	kr_assert(fields != NULL);
	return values_read(fields, text, true, error);
}

int fields_clear(struct fields *fields, const char *text, struct kr_error_text *error)
{
	struct value_pair pair;
	kr_assert(fields != NULL);
	while (value_pair_next(&text, &pair, error)) {
		const struct field *field = field_take(fields, pair.key, error);
		if (field == NULL)
			return error->error;
		if (pair.has_value)
			return WRONG(error, "%s is cleared without a value", field->name);
		if (!field->may_clear)
			return WRONG(error, "%s cannot be cleared; clear cap instead", field->name);
		fields->update.clear_mask |= field->bit;
	}
	return error->error;
}

int fields_put(
	struct fields *fields, const char *name, const char *text, struct kr_error_text *error)
{
	const struct field *field = field_take(fields, name, error);
	int r;
	kr_assert(text != NULL);
	if (field == NULL)
		return error->error;
	if (text[0] == '\0' && !field->may_clear)
		return WRONG(error, "%s needs a value", field->name);
	if (text[0] == '\0') {
		fields->update.clear_mask |= field->bit;
		return 0;
	}
	r = field_read(fields, field, text, false, error);
	if (r == 0)
		fields->update.set_mask |= field->bit;
	return r;
}

bool fields_is_of_plan(const char *name)
{
	const struct field *field = field_find(name);
	const uint32_t plans = KEYRACK_SET_PRICE | KEYRACK_SET_MIN_ARRIVAL |
			       KEYRACK_SET_MAX_ARRIVAL | KEYRACK_SET_MIN_THROUGH |
			       KEYRACK_SET_MAX_THROUGH | KEYRACK_SET_PLAN_CLOSED |
			       KEYRACK_SET_PLAN_CTA | KEYRACK_SET_PLAN_CTD;
	kr_assert(field != NULL);
	return (field->bit & plans) != 0;
}

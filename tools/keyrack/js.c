#include "tools/keyrack/js.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"

#define NAME_SIZE 48

static json_t *checked(json_t *value)
{
	if (value == NULL) {
		fputs("keyrack: out of memory\n", stderr);
		abort();
	}
	return value;
}

json_t *js_object(void)
{
	return checked(json_object());
}

json_t *js_array(void)
{
	return checked(json_array());
}

void js_set(json_t *object, const char *name, json_t *value)
{
	kr_assert(json_object_get(object, name) == NULL);
	if (json_object_set_new(object, name, checked(value)) != 0)
		(void)checked(NULL);
}

void js_append(json_t *array, json_t *value)
{
	kr_assert(json_is_array(array));
	if (json_array_append_new(array, checked(value)) != 0)
		(void)checked(NULL);
}

void js_text(json_t *object, const char *name, const char *text)
{
	json_t *value = text != NULL ? json_string(text) : NULL;
	/* What is no UTF-8 is no JSON either. */
	js_set(object, name, value != NULL ? value : json_null());
}

void js_int(json_t *object, const char *name, int64_t value)
{
	js_set(object, name, json_integer(value));
}

void js_count(json_t *object, const char *name, uint64_t value)
{
	js_set(object, name, json_integer((json_int_t)KR_MIN(value, (uint64_t)INT64_MAX)));
}

void js_bool(json_t *object, const char *name, bool value)
{
	js_set(object, name, json_boolean(value));
}

void js_number_id(json_t *object, const char *name, uint64_t id)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRIu64, id);
	js_text(object, name, text);
}

void js_hex_id(json_t *object, const char *name, uint64_t id)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%016" PRIx64, id);
	js_text(object, name, text);
}

void js_id(json_t *object, const char *name, struct keyrack_id id)
{
	char text[KEYRACK_ID_TEXT_SIZE];
	keyrack_id_format(id, text);
	js_text(object, name, (id.hi | id.lo) != 0 ? text : NULL);
}

void js_day(json_t *object, const char *name, int32_t day)
{
	char text[CIVIL_DATE_TEXT_SIZE];
	civil_day_format(day, text);
	js_text(object, name, text);
}

void js_money(json_t *object, const char *name, const struct money_unit *unit, uint64_t minor)
{
	char text[MONEY_TEXT_SIZE];
	char name_minor[NAME_SIZE];
	int length = snprintf(name_minor, sizeof(name_minor), "%s_minor", name);
	kr_assert(length > 0 && length < NAME_SIZE);
	if (unit != NULL && unit->currency[0] != '\0') {
		money_format(unit, (int64_t)minor, text);
		js_text(object, name, text);
	}
	js_count(object, name_minor, minor);
}

void js_print(json_t *root)
{
	kr_assert(json_is_object(root));
	if (json_dumpf(root, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) != 0)
		(void)checked(NULL);
	putchar('\n');
	json_decref(root);
}

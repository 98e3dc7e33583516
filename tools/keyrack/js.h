/*
 * JSON for programs. Every field is set by name once; 64-bit ids are strings, because numbers of
 * JSON readers often end at 2^53; dates are "YYYY-MM-DD". Without memory the program ends.
 */
#ifndef TOOLS_KEYRACK_JS_H
#define TOOLS_KEYRACK_JS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "keyrack/keyrack.h"
#include "tools/keyrack/money.h"

json_t *js_object(void);
json_t *js_array(void);
/* Each takes the value over. */
void js_set(json_t *object, const char *name, json_t *value);
void js_append(json_t *array, json_t *value);

void js_text(json_t *object, const char *name, const char *text); /* NULL: null */
void js_int(json_t *object, const char *name, int64_t value);
void js_count(json_t *object, const char *name, uint64_t value);
void js_bool(json_t *object, const char *name, bool value);
void js_number_id(json_t *object, const char *name, uint64_t id);   /* decimal, as a string */
void js_hex_id(json_t *object, const char *name, uint64_t id);      /* 16 digits, as a string */
void js_id(json_t *object, const char *name, struct keyrack_id id); /* zero: null */
void js_day(json_t *object, const char *name, int32_t day);
/* NAME: "EUR 120.00", and NAME_minor: 12000; the first only where the unit is known. */
void js_money(json_t *object, const char *name, const struct money_unit *unit, uint64_t minor);

/* One line on standard output; frees. */
void js_print(json_t *root);

#endif

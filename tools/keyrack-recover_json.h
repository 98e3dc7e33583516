/*
 * Values of what is printed with --json: one rule for each kind of them.
 *
 * A number is one that every reader of JSON keeps: many take all numbers for doubles. What is
 * greater, as ids of hotels made from text codes are, is text of decimal digits.
 */
#ifndef TOOLS_KEYRACK_RECOVER_JSON_H
#define TOOLS_KEYRACK_RECOVER_JSON_H

#include <jansson.h>

#include "engine/inventory/catalogue_op.h"
#include "engine/inventory/stay_op.h"

/* The greatest integer n of which doubles know n + 1 as well: RFC 8259, 6. */
#define RECOVER_NUMBER_MAX ((UINT64_C(1) << 53) - 1)
#define RECOVER_NUMBER_SIZE 24u /* with quotes */
/* As it stands behind a member's colon. */
void recover_number_format(uint64_t value, char ret_text[static RECOVER_NUMBER_SIZE]);

json_t *recover_number_json(uint64_t value);
/* Never NULL: text that is no UTF-8, which no request brings, is "(not UTF-8)". */
json_t *recover_text_json(struct inv_text text);

/* ---- members of an object ---- */
void recover_put_number(json_t *json, const char *name, uint64_t value);
void recover_put_signed(json_t *json, const char *name, int64_t value);
/* Sixteen digits. */
void recover_put_hex(json_t *json, const char *name, uint64_t value);
void recover_put_string(json_t *json, const char *name, const char *value);
void recover_put_bool(json_t *json, const char *name, bool value);
/* A date; a number where the calendar has none. */
void recover_put_day(json_t *json, const char *name, int32_t day);
/* As RFC 3339 writes it. */
void recover_put_time(json_t *json, const char *name, uint64_t t_us);
/* A list of what each tier costs, as nights or as basis points. */
void recover_put_tiers(
	json_t *json, const char *name, const struct inv_tier *tiers, uint32_t tier_count);
/* The limits of a hotel's stays and holds. */
void recover_put_hotel_limits(json_t *json, const struct inv_hotel_settings *settings);
/* The line's terms of cancellation. */
void recover_put_terms(json_t *json, const struct inv_line *line);

/* One line, its first members from elsewhere: `{`, `head`, the object's own, and a newline. The
 * object is freed. */
void recover_print_json(const char *head, json_t *json, FILE *out);

#endif

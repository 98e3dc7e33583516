/*
 * What a row means: the forms a file may have, known by its columns, and each row as a request.
 * Forms that are not ours: the listings and calendars of Inside Airbnb (a listing is a hotel with
 * one room type of one room), the register of French hotels. Pure.
 */
#ifndef TOOLS_KEYRACK_IMPORT_FORM_H
#define TOOLS_KEYRACK_IMPORT_FORM_H

#include "tools/keyrack/rows.h"
#include "tools/keyrack/sheet.h"

/* What the command line says about rows that do not say it themselves. */
struct import_words {
	int32_t shift_days; /* added to every date */
	const char *zone;
	const char *currency;
};

enum import_kind {
	IMPORT_NOTHING,
	IMPORT_HOTEL,
	IMPORT_TYPE,
	IMPORT_PLAN,
	IMPORT_NIGHTS,
	IMPORT_STAY
};

/* One row's request; texts belong to the row. */
struct import_unit {
	enum import_kind kind;
	uint64_t hotel_id;
	bool has_type; /* IMPORT_HOTEL: its room type follows */
	struct keyrack_hotel_put hotel;
	struct keyrack_type_put type;
	struct plan_words plan; /* IMPORT_PLAN */
	struct fields fields;   /* IMPORT_NIGHTS */
	uint32_t type_number;
	const struct keyrack_import *stay; /* IMPORT_STAY: until it is sent; */
	struct keyrack_id id;              /* and its id */
};

/* 0, or -KR_E_INVALID with the reason. */
typedef int import_read(const struct import_words *words, const struct row *row,
	struct import_unit *ret_unit, struct kr_error_text *error);

struct import_form {
	const char *name;
	enum sheet_kind kind;
	bool is_own;              /* every column has to be known */
	const char *signature[4]; /* columns it is known by */
	const char *const *columns;
	uint32_t column_count;
	import_read *read;
};

/* The form of a file that is imported as `kind`; NULL: none fits. */
const struct import_form *import_form_find(enum sheet_kind kind, const struct rows *rows);

#endif

/* An import in progress: rows in, requests out, and what becomes of each row. */
#ifndef TOOLS_KEYRACK_IMPORT_H
#define TOOLS_KEYRACK_IMPORT_H

#include <stdio.h>

#include "tools/keyrack/import_flow.h"
#include "tools/keyrack/import_hotels.h"
#include "tools/keyrack/import_state.h"
#include "tools/keyrack/import_stays.h"
#include "tools/keyrack/progress.h"

#define IMPORT_STATE_US UINT64_C(1000000) /* between two states, */
#define IMPORT_STATE_ROWS 65536u          /* or so many rows */

struct import {
	struct cli *cli;
	enum sheet_kind kind;
	/* the words */
	const char *path;
	const char *rejects_path; /* NULL: none */
	const char *state_path;   /* NULL: none */
	uint64_t from_line;
	struct import_words words;
	char only_name[64]; /* "": every row */
	const char *only_value;
	/* what goes on */
	struct rows rows;
	const struct import_form *form;
	const char *columns[ROWS_COLUMNS_MAX];
	uint32_t only_place;
	struct import_flow flow;
	struct import_hotels hotels;
	struct progress progress;
	struct flow_op *pending;   /* nights that the next row may go on */
	struct import_stays stays; /* SHEET_RESERVATIONS */
	FILE *rejects;
	struct import_state state;
	uint64_t begun_us, state_us;
	uint64_t merged_count;
};

/* The flow has failed: says why. The exit code. */
int import_failed(const struct import *import);
/* All of it. The exit code. */
int import_go(struct import *import);

/* ---- import_reject.c ------------------------------------------------------------------------- */

/* CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int import_rejects_open(struct import *import);
void import_reject(struct import *import, uint64_t line, const char *raw, size_t raw_size_bytes,
	const char *reason);
void import_refused(void *import, const struct flow_op *op, const struct flow_row *row,
	const struct keyrack_result *result);
/* All requests have ended: what was rejected and how far it went is put on disk. CLI_DONE, or the
 * exit code after saying why. */
KR_MUST_CHECK int import_state_keep(struct import *import);
/* Takes up an earlier state. CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int import_state_take(struct import *import);

#endif

/*
 * keyrack-recover, offline: what a shard's directory holds, by the same recovery as a start.
 */
#ifndef TOOLS_KEYRACK_RECOVER_H
#define TOOLS_KEYRACK_RECOVER_H

#include <stdio.h>

#include "engine/log/store.h"
#include "engine/server/rebuild.h"
#include "tools/keyrack-recover_options.h"
#include "tools/keyrack-recover_time.h"

/* One directory, opened, and the state that was read from it. */
struct recovery {
	const struct recover_options *options;
	struct log_store store;
	struct rebuild rebuild;
	struct kr_error_text text;
	/* Called before each try to build the state: what a watch has seen is void. May be NULL. */
	void (*on_restart)(void *context);
	void *context;
};

/* Says a negative error; the exit status. */
int recover_fail(const struct recovery *recovery, int error);
/* The verdict's paragraph. */
void recover_describe(const struct recovery *recovery, FILE *out);
enum log_verdict recover_verdict(const struct recovery *recovery);
bool recover_is_refused(const struct recovery *recovery);
unsigned recover_verdict_exit(const struct recovery *recovery);
/* calloc() that does not fail. */
void *recover_alloc(size_t count, size_t size_bytes);
/* For who reads the log alone: snapshots are passed over. */
int recover_ignore_reset(void *context);
int recover_ignore_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble);

/* ---- keyrack-recover_reach.c ---- */

#define RECOVER_OUT_OF_REACH 1

/*
 * Builds the state from what is on disk; `store.reach` and `rebuild.watch` say which and who looks
 * on. 0: the report says what was found; LOG_STORE_OUT_OF_REACH; or negative.
 */
KR_MUST_CHECK int recover_build(struct recovery *recovery);
/* The same for the point that the options name, with the archive where the directory alone does
 * not do. `from_oldest`: by the longest way there is, rather than the shortest. 0, negative, or
 * RECOVER_OUT_OF_REACH: it was said why. */
KR_MUST_CHECK int recover_build_as_of(struct recovery *recovery, bool from_oldest);
/* What the state is made of, in one sentence without a full stop. */
void recover_sources(const struct recovery *recovery, struct kr_text *text);

/* ---- commands: the exit status ---- */
int recover_run_replay(struct recovery *recovery);
int recover_run_why(struct recovery *recovery);
int recover_run_verify(struct recovery *recovery);
int recover_run_truncate(struct recovery *recovery);
int recover_run_salvage(struct recovery *recovery);
/* Prints how two states differ. */
int recover_diff(struct recovery *a, struct recovery *b, FILE *out);

/* ---- keyrack-recover_dump.c, keyrack-recover_log.c ---- */

/* All of a dump goes to `out`; a write error is found at the end, by ferror(). */
void recover_dump_cells(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out);
void recover_dump_reservations(struct inv *inv, uint64_t now_us, bool is_json, FILE *out);

/* Hotels, room types, rate plans, and what is set by date of the stock. */
void recover_dump_settings(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out);

/* The nights of rate plans beside plan 0. */
void recover_dump_rates(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out);
struct recover_rate {
	struct hotel_id hotel;
	uint16_t type, plan;
	int32_t day;
	uint64_t rate;
};
void recover_print_rate(
	const struct inv *inv, const struct recover_rate *rate, bool is_json, FILE *out);

struct recover_cell {
	struct hotel_id hotel;
	uint16_t type;
	int32_t day;
	uint64_t counter, rate;
};
void recover_print_cell(
	const struct inv *inv, const struct recover_cell *cell, bool is_json, FILE *out);
/* What finds a reservation: ids of other layouts are one within their hotel. */
struct recover_id {
	struct kr_id id;
	struct hotel_id hotel; /* 0 of a VOID without one */
};
int recover_id_compare(struct recover_id a, struct recover_id b);
/* The reservation is there. */
void recover_print_reservation(
	struct inv *inv, struct recover_id id, uint64_t now_us, bool is_json, FILE *out);
/* All of them, ascending; freed by the caller. */
struct recover_id *recover_ids(struct inv *inv, size_t *ret_count);

struct recover_log_dump {
	FILE *out;
	bool is_json;
	uint64_t from_lsn;
	uint64_t to_lsn; /* 0: the last */
	struct record_scratch *scratch;
};

/* An applier that prints every effect and applies none. */
void recover_log_applier(struct recover_log_dump *dump, struct log_applier *ret_applier);

/* Letters for a night's flags, "-" for none. */
#define RECOVER_FLAGS_SIZE 16u
void recover_flags_format(
	uint64_t counter, uint64_t rate, char ret_text[static RECOVER_FLAGS_SIZE]);
/* "HELD"; "UNKNOWN". */
const char *recover_state_name(unsigned state);

#endif

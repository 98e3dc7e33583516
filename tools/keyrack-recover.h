/*
 * keyrack-recover, offline: what a shard's directory holds, by the same recovery as a start.
 */
#ifndef TOOLS_KEYRACK_RECOVER_H
#define TOOLS_KEYRACK_RECOVER_H

#include <stdio.h>

#include "engine/log/store.h"
#include "engine/server/rebuild.h"

#define RECOVER_EXIT_USAGE 2
#define RECOVER_EXIT_SYSTEM 3

enum recover_command { RECOVER_VERIFY = 1, RECOVER_REPAIR_TAIL, RECOVER_DUMP };
enum recover_dump { RECOVER_CELLS = 1, RECOVER_RESERVATIONS, RECOVER_LOG };

struct recover_options {
	enum recover_command command;
	enum recover_dump dump;
	bool is_json;
	bool allow_tmpfs;
	unsigned lock_wait_s;
	const char *directory;
};

/* All of a dump goes to `out`; a write error is found at the end, by ferror(). */
void recover_dump_cells(struct inv *inv, uint32_t window_nights, bool is_json, FILE *out);
void recover_dump_reservations(struct inv *inv, uint64_t now_us, bool is_json, FILE *out);

struct recover_log_dump {
	FILE *out;
	bool is_json;
	struct record_scratch *scratch;
};

/* An applier that prints every effect and applies none. */
void recover_log_applier(struct recover_log_dump *dump, struct log_applier *ret_applier);

/* "2026-11-22T05:41:36.123456Z" */
#define RECOVER_TIME_SIZE 32u
void recover_time_format(uint64_t t_us, char ret_text[static RECOVER_TIME_SIZE]);
/* "HELD"; "UNKNOWN". */
const char *recover_state_name(unsigned state);

#endif

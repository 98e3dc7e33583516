/*
 * keyrack-recover's command line as values, and its exit statuses.
 */
#ifndef TOOLS_KEYRACK_RECOVER_OPTIONS_H
#define TOOLS_KEYRACK_RECOVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* 0, the verdicts' own (10 to 44), and these. */
#define RECOVER_EXIT_USAGE 2
#define RECOVER_EXIT_SYSTEM 3
#define RECOVER_EXIT_OUT_OF_REACH 50 /* no state or log leads to the point asked for */
#define RECOVER_EXIT_WRONG 51        /* why: what led to the night is not what the state says */
#define RECOVER_EXIT_NOT_FORCED 52   /* truncate: nothing was written, --force is missing */

#define RECOVER_EXIT_DIFFERS 53    /* diff: the states are not the same */
#define RECOVER_EXIT_NOT_WHOLE 54  /* salvage: done, and something is lost or may be */
#define RECOVER_EXIT_NOT_COPIED 55 /* backup: no copy of a running shard was whole */

#define RECOVER_SHARDS_MAX 64u

enum recover_command {
	RECOVER_VERIFY = 1,
	RECOVER_REPAIR_TAIL,
	RECOVER_DUMP,
	RECOVER_REPLAY,
	RECOVER_WHY,
	RECOVER_TRUNCATE,
	RECOVER_DIFF,
	RECOVER_SALVAGE,
	RECOVER_BACKUP,
	RECOVER_RESTORE,
};
enum recover_dump {
	RECOVER_CELLS = 1,
	RECOVER_RATES,
	RECOVER_RESERVATIONS,
	RECOVER_SETTINGS,
	RECOVER_LOG
};

struct recover_options {
	enum recover_command command;
	enum recover_dump dump;
	bool is_json;
	bool is_forced;
	bool allow_tmpfs;
	unsigned lock_wait_s;
	uint64_t from_lsn; /* 0: the first */
	uint64_t to_lsn;   /* 0: the last */
	bool has_to_time;
	uint64_t to_time_us;
	uint32_t limit; /* diff: so many differences are shown; 0: all */
	const char *directory;
	const char *other; /* diff: the second directory, or NULL */
	const char *archive;
	const char *out;                       /* salvage, backup, restore: the new directory */
	const char *words[RECOVER_SHARDS_MAX]; /* restore: the old directories */
	uint32_t word_count;
	uint32_t shard_count;                    /* restore: so many new ones */
	uint64_t shard_lsns[RECOVER_SHARDS_MAX]; /* restore: 0: all */
	uint64_t hotel;                          /* why */
	uint16_t type, plan;
	int32_t night;
};

/* Ends the process where the command line is wrong. */
void recover_options_parse(int argc, char **argv, struct recover_options *ret_options);

#endif

/*
 * A program's options from its table (base/option.h): flags, environment variables, a
 * configuration file. The first of these that says something counts:
 *
 *   --idle-timeout=60               a flag
 *   KEYRACK_SHARD_IDLE_TIMEOUT=60   the program's prefix, the flag in capitals, _ for -; an empty
 *                                   variable says nothing, a variable that no option has is not
 * ours idle-timeout: 60                a line of the YAML file that --config (or ..._CONFIG) names:
 * a key that no option has is an error with its line the default of the row
 *
 * A list is taken whole from where it counts; flags of one list add up. --check-config and
 * --print-config are there by themselves; what is printed is a file that --config takes.
 *
 * Everything wrong is told, not only the first thing: a sentence each with the place it came from.
 * For the main() of a program: prints, ends the process, allocates.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdio.h>

#include "base/option.h"

#define OPTIONS_EXIT_USAGE 2
#define OPTIONS_EXIT_MEMORY 3
#define OPTIONS_FILE_SIZE_MAX (1u << 20)

struct option_set;

struct option_program {
	const char *name;        /* begins every sentence that is printed */
	const char *environment; /* "KEYRACK_SHARD_"; NULL: flags alone */
	/* What is wrong at the start; NULL: lines on standard error. */
	void (*say)(const char *sentence);
	const char *about; /* --help before the options, and after \v behind them */
	const struct option_row *table;
	uint32_t count; /* of rows */
	size_t structure_size_bytes;
	/* What rows cannot say: what follows from other options, what contradicts another. Called
	 * when every row is right; calls options_complain(). May be NULL. */
	void (*finish)(struct option_set *set, void *structure);
};

enum option_origin { OPTION_PRESET, OPTION_FILE, OPTION_ENVIRONMENT, OPTION_FLAG };

struct option_source {
	enum option_origin origin;
	unsigned line; /* of the file */
};

struct option_flag {
	uint32_t row;
	const char *text;
};

struct option_file;

/* One reading of everything. */
struct option_set {
	const struct option_program *program;
	void *structure; /* the program's, all of whose options are set */
	struct option_source sources[OPTION_COUNT_MAX];
	struct option_flag *flags; /* of the command line, in order */
	uint32_t flag_count;
	struct option_file *file; /* keeps its texts */
	struct {
		const char *config;
		bool check, print;
	} own;
	uint32_t wrong_count;
	void (*say)(void *context, const char *sentence);
	void *context;
};

/*
 * Sets `structure`, whose other members stay. Ends the process: with status 0 after --help,
 * --version, --check-config and --print-config, with OPTIONS_EXIT_USAGE when anything is wrong.
 * argv and the set stay as long as the structure's texts are used.
 */
void options_start(struct option_set *set, const struct option_program *program, int argc,
	char **argv, void *structure);
void options_fini(struct option_set *set);

/* From finish(): the option's place and name, then the rest of the sentence. */
void options_complain(struct option_set *set, const char *name, const char *format, ...)
	KR_PRINTF(3, 4);
/* The same from main() when the command line is read and still wrong; ends the process. */
KR_NORETURN void options_refuse(struct option_set *set);

/*
 * Reads the file again and takes the rows with OPTION_LIVE over. `say` hears a line for each row
 * that changed: what holds now, or that it needs a restart; or everything that is wrong, and then
 * nothing has changed. True: live rows have changed in the structure. Blocks for a read of a file.
 */
KR_MUST_CHECK bool options_reload(
	struct option_set *set, void (*say)(void *context, const char *sentence), void *context);

/* As YAML, with what is no default marked by where it came from. */
void options_print(const struct option_set *set, FILE *out);

#endif

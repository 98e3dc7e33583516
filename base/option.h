/*
 * One option as a row of a table: what it is called, what it takes, where it is kept. A program's
 * table is all there is to say about its options; base/options.h makes flags, environment
 * variables, a configuration file and the help of it. Pure.
 *
 * A row's type reads a text into the field and writes the field as a text that reads the same.
 * A field that is not set is written as nothing: a NULL text, an empty list, a number below the
 * row's `min`.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

#define OPTION_COUNT_MAX 64u
#define OPTION_NAME_SIZE 64u
#define OPTION_TEXT_SIZE 16384u /* the longest list as a text */

#define OPTION_WRONG 1 /* the text is no value of this option: `why` says what would be one */

/* flags of a row */
#define OPTION_LIVE 1u      /* may change while the program runs; numbers and switches only */
#define OPTION_FLAG_ONLY 2u /* about one start: no environment variable, not in a file */
#define OPTION_NOT_IN_FILE 4u
#define OPTION_OF_PROCESS 8u /* not of what runs in it, which may run inside another program */

struct option_row;

struct option_type {
	size_t size_bytes; /* of the field */
	bool is_switch;    /* yes or no; a bare flag is yes */
	bool is_list;      /* each reading adds to the field */
	bool is_quoted;    /* in YAML: any text may come of it */
	/* 0 or OPTION_WRONG; `why` goes on after the option's name: "takes a number ...". */
	int (*read)(const struct option_row *option, const char *text, void *field,
		struct kr_error_text *why);
	void (*write)(const struct option_row *option, const void *field, struct kr_text *text);
};

struct option_row {
	const char *name;     /* the flag without its --, the key in a file */
	char letter;          /* the short flag, or 0 */
	const char *heading;  /* of the group in --help that begins here, or NULL */
	const char *argument; /* in --help and errors: the unit or the shape; of a word: "a|b" */
	const char *help;
	const char *needed; /* why it has no default, as a sentence's end; NULL: it may be absent */
	const char *instead; /* the option whose presence makes up for this needed one; or NULL */
	const char *preset_note; /* the default in words, where it follows from other options */
	const char *preset_text; /* the default of texts and lists; NULL: none */
	uint64_t preset;         /* the default of numbers, in the option's unit; words: which */
	uint64_t min, max;       /* in the option's unit; lists: at most `max` */
	uint64_t unit;           /* the field is the number times this; 0 = 1 */
	unsigned flags;
	const struct option_type *type;
	size_t offset; /* of the field in the program's structure */
};

/* The parts of a row that most have, in one line each. */
#define OPTION_NAMED(name_, letter_, argument_, help_)                                             \
	.name = (name_), .letter = (letter_), .argument = (argument_), .help = (help_)
#define OPTION_RANGE(preset_, min_, max_) .preset = (preset_), .min = (min_), .max = (max_)

/* Gives a row its type and place; another C type of the field does not compile. */
#define OPTION_FIELD(option_type, structure, field, c_type)                                        \
	.type = &(option_type), .offset = offsetof(structure, field) + 0 * sizeof(struct {         \
		int has_wrong_type : 2 * __builtin_types_compatible_p(                             \
						 __typeof__(((structure *)0)->field), c_type) -    \
			1;                                                                         \
	})
#define OPTION_U32(structure, field) OPTION_FIELD(option_u32, structure, field, uint32_t)
#define OPTION_U64(structure, field) OPTION_FIELD(option_u64, structure, field, uint64_t)
/* A double; min, max and preset are in thousandths. */
#define OPTION_REAL(structure, field) OPTION_FIELD(option_real, structure, field, double)
#define OPTION_SWITCH(structure, field) OPTION_FIELD(option_switch, structure, field, bool)
/* A uint32_t: which of the words in `argument`, from 0. */
#define OPTION_WORD(structure, field) OPTION_FIELD(option_word, structure, field, uint32_t)
#define OPTION_STRING(structure, field) OPTION_FIELD(option_string, structure, field, const char *)

extern const struct option_type option_u32, option_u64, option_real, option_switch, option_word,
	option_string; /* keeps the pointer */

/* The default into the field, or nothing. */
void option_preset(const struct option_row *option, void *structure);
KR_MUST_CHECK int option_read(const struct option_row *option, const char *text, void *structure,
	struct kr_error_text *why);
void option_write(const struct option_row *option, const void *structure, struct kr_text *text);
bool option_is_set(const struct option_row *option, const void *structure);
/* Forgets what a list holds; other fields keep their value until they are read again. */
void option_clear(const struct option_row *option, void *structure);

#endif

/*
 * Reads a line of `keyrack-recover dump --log --json` back: written from what the line says alone,
 * so that what it leaves out, cuts or mixes up is another effect.
 */
#ifndef TESTS_UNIT_TOOLS_RECOVER_JSON_H
#define TESTS_UNIT_TOOLS_RECOVER_JSON_H

#include <jansson.h>

#include "engine/log/record.h"

struct recover_json {
	json_t *root;
	struct record_scratch scratch; /* the effect's arrays */
	uint32_t run_count;            /* of scratch.arrays.runs, used */
	size_t read_count;             /* members of objects, each once */
};

/* False: no such line, or one with a member that nobody reads. The effect lives until the next
 * call; init is zeroes, and recover_json_fini() frees what the last line took. */
bool recover_json_read(struct recover_json *in, const char *line, struct inv_effect *ret_effect);
void recover_json_fini(struct recover_json *in);

/* What a line can tell of an instant and of who asked: instants end with the calendar's last day,
 * and not every number is somebody. */
void recover_json_as_told(struct inv_effect *effect, struct inv_line lines[static INV_LINES_MAX]);

#endif

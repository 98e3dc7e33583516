/* How far something long has come, on one line of a terminal; nothing where there is no terminal.
 */
#ifndef TOOLS_KEYRACK_PROGRESS_H
#define TOOLS_KEYRACK_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct progress {
	bool is_shown;
	const char *noun;    /* what is counted: "rows" */
	uint64_t total;      /* bytes of the whole; 0 = not known */
	uint64_t first_done; /* bytes that were done before */
	uint64_t begun_us, told_us;
};

#define PROGRESS_TEXT_SIZE 128u

void progress_begin(struct progress *progress, const char *noun, uint64_t total);
/* Bytes done of the total, and things counted. Cheap: it looks at the clock first. */
void progress_show(struct progress *progress, uint64_t done, uint64_t count);
/* Makes room for a message. */
void progress_clear(struct progress *progress);
void progress_end(struct progress *progress);
/* "12 %, 1234567 rows, 45678/s, 1:23 left". Pure. */
void progress_format(const struct progress *progress, uint64_t done, uint64_t count,
	uint64_t elapsed_us, char ret_text[static PROGRESS_TEXT_SIZE]);
uint64_t progress_now_us(void);

#endif

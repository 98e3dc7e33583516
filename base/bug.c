#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* No program has this name as an exit status of its own. */
#define EXIT_UNKNOWN_BUG 97

enum bug bug_planted;

static const char *const names[BUG_COUNT] = {
#define X(constant, name, text) [BUG_##constant] = name,
	BUG_TABLE(X)
#undef X
};

/* Tests are programs of many kinds, and a test framework's main() is not ours. */
__attribute__((constructor)) static void bug_read(void)
{
	const char *wanted = getenv("KEYRACK_BUG");
	if (wanted == NULL || *wanted == '\0')
		return;
	for (int i = BUG_NONE + 1; i < BUG_COUNT; i++) {
		kr_assert(i == BUG_NONE + 1 || strcmp(names[i - 1], names[i]) < 0);
		if (strcmp(names[i], wanted) == 0)
			bug_planted = (enum bug)i;
	}
	if (bug_planted != BUG_NONE)
		return;
	fprintf(stderr, "KEYRACK_BUG=%s: there is no such planted bug; see base/bug.h\n", wanted);
	exit(EXIT_UNKNOWN_BUG);
}

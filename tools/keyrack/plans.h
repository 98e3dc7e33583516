/* The rate plans of a hotel, all that were asked for at one version of it. */
#ifndef TOOLS_KEYRACK_PLANS_H
#define TOOLS_KEYRACK_PLANS_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/line.h"
#include "tools/keyrack/value.h"

/* A plan that outlives the answer it came with: its settings' texts are in it. */
struct plans_one {
	struct keyrack_plan plan;
	char code[LINE_CODE_MAX + 1];
	struct keyrack_tier tiers[KEYRACK_TIER_COUNT_MAX];
};

struct plans {
	struct plans_one *list; /* ascending by type and number */
	uint32_t count, room;
	uint64_t ari_version;
};

/* Those of the type, or of every type (NULL). CLI_DONE, or the exit code after saying why. Free
 * them in either case. */
KR_MUST_CHECK int plans_get(
	struct cli *cli, uint64_t hotel_id, const uint32_t *type, struct plans *ret_plans);
void plans_free(struct plans *plans);

/* A plan's number in its type; asks the hotel if it was given by code. CLI_DONE or the exit code.
 */
KR_MUST_CHECK int lookup_plan(struct cli *cli, uint64_t hotel_id, uint32_t type,
	const struct line_name *plan, uint32_t *ret_number);
/* The same for several types (none: all): a code has to be the same number in each that has it. */
KR_MUST_CHECK int lookup_plan_of_types(struct cli *cli, uint64_t hotel_id,
	const struct value_list *types, const struct line_name *plan, uint32_t *ret_number);

#endif

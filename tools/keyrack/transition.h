/* Options and words that transitions and changes of one reservation share. */
#ifndef TOOLS_KEYRACK_TRANSITION_H
#define TOOLS_KEYRACK_TRANSITION_H

#include "tools/keyrack/reservation.h"

enum transition_key {
	TRANSITION_HOTEL = CLI_KEY_OWN,
	TRANSITION_EXPECT_REVISION,
	TRANSITION_PAYMENT_REF,
	TRANSITION_ANY,
	TRANSITION_CHANGE,
	TRANSITION_FOR,
	TRANSITION_UNTIL,
	TRANSITION_KEY_END,
};

/* clang-format off */
#define TRANSITION_HOTEL_OPTION                                                                    \
	{"hotel", TRANSITION_HOTEL, "HOTEL", 0, RESERVATION_HOTEL_HELP, 0}
#define TRANSITION_REVISION_OPTION                                                                 \
	{"expect-revision", TRANSITION_EXPECT_REVISION, "N", 0,                                    \
		"refuse if its revision is another", 0}
#define TRANSITION_CHANGE_OPTION                                                                   \
	{"change", TRANSITION_CHANGE, "ID", 0,                                                     \
		"repeat this change (up to 16 hexadecimal digits) after an unknown "              \
		"outcome, with the same --expect-revision", 0}
/* clang-format on */

/* A cli_option; `options` is a struct keyrack_transition. */
int transition_option(void *options, int key, const char *arg, struct kr_error_text *error);
/* Mints the change's id unless it was given, and tells it before it is sent, so that it can be
 * repeated. */
void transition_change_tell(struct cli *cli, struct keyrack_transition *transition);

#endif

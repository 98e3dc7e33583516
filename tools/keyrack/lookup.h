/* What a command has to know of a hotel before it can say or understand something. */
#ifndef TOOLS_KEYRACK_LOOKUP_H
#define TOOLS_KEYRACK_LOOKUP_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/line.h"
#include "tools/keyrack/type_list.h"
#include "tools/keyrack/value.h"

/* Reads a HOTEL of the words. CLI_DONE or CLI_USAGE. */
KR_MUST_CHECK int lookup_hotel(
	const struct cli *cli, const char *word, struct value_hotel *ret_hotel);
/* The HOTEL of the words, 0 where `word` is NULL, and a client. CLI_DONE or the exit code. */
KR_MUST_CHECK int lookup_hotel_connect(struct cli *cli, const char *word, uint64_t *ret_hotel_id);
/* Reads an ID of the words. CLI_DONE or CLI_USAGE. */
KR_MUST_CHECK int lookup_id(const struct cli *cli, const char *word, struct keyrack_id *ret_id);
/* The hotel's currency. CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int lookup_unit(struct cli *cli, uint64_t hotel_id, struct money_unit *ret_unit);
/* The same to show an amount: an empty unit where it cannot be had, and no word about it. */
struct money_unit lookup_unit_quietly(struct cli *cli, uint64_t hotel_id);
#define LOOKUP_ZONE_SIZE 65u
/* The same with the hotel's time zone, "" where it cannot be had. */
struct lookup_place {
	struct money_unit unit;
	char zone[LOOKUP_ZONE_SIZE];
};
/* CLI_DONE, or the exit code after saying why. */
KR_MUST_CHECK int lookup_place(struct cli *cli, uint64_t hotel_id, struct lookup_place *ret_place);
struct lookup_place lookup_place_quietly(struct cli *cli, uint64_t hotel_id);
/* A type's number; asks the hotel if it was given by code. CLI_DONE or the exit code. */
KR_MUST_CHECK int lookup_type(
	struct cli *cli, uint64_t hotel_id, const struct line_name *type, uint32_t *ret_number);
/* Puts the numbers of the types that were given by code into the list. CLI_DONE or the exit code.
 */
KR_MUST_CHECK int lookup_type_list(struct cli *cli, uint64_t hotel_id, struct type_list *types);
/* Numbers of all types of a hotel, ascending. CLI_DONE or the exit code. */
KR_MUST_CHECK int lookup_types(struct cli *cli, uint64_t hotel_id, struct value_list *ret_list);

#endif

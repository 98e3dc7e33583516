/*
 * Books a room, the synchronous way: is it free, what does it cost, take it, show it.
 *
 *   book_a_room ROUTERS HOTEL TYPE CHECK_IN CHECK_OUT
 *   book_a_room 127.0.0.1:7070 1 0 2026-03-01 2026-03-04
 *
 * Exit codes: 0 booked, 1 refused, 2 usage, 3 the outcome is unknown or nobody was reached.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <keyrack/keyrack.h>

static int report(const char *what, const struct keyrack_result *result)
{
	char sentence[512];
	if (result->refusal != NULL) {
		keyrack_refusal_format(result->refusal, sentence, sizeof(sentence));
		printf("%s: %s\n", what, sentence);
	} else {
		printf("%s: %s: %s\n", what, keyrack_code_name(result->code),
			keyrack_code_text(result->code));
	}
	if (result->outcome == KEYRACK_RESULT_UNKNOWN)
		return 3;
	return result->code == KEYRACK_CODE_UNREACHABLE ? 3 : 1;
}

/* Sells the stay at the price it was shown at, or not at all. */
static int book(struct keyrack_client *client, uint64_t hotel_id, const struct keyrack_line *line)
{
	struct keyrack_stay stay = {.hotel_id = hotel_id, .lines = line, .line_count = 1};
	struct keyrack_stay_answer offer;
	int r = keyrack_stay(client, &stay, &offer);
	if (r != KEYRACK_RESULT_DONE)
		return r < 0 ? 2 : report("not for sale", &offer.result);
	printf("%" PRIu32 " rooms left, %" PRIu64 " minor units for the stay\n", offer.rooms_left,
		offer.total_minor);

	struct keyrack_reserve reserve = {.hotel_id = hotel_id,
		.id = keyrack_id_mint(client, hotel_id),
		.lines = line,
		.line_count = 1,
		.has_expected_total = offer.has_total,
		.expected_total_minor = offer.total_minor};
	char id[KEYRACK_ID_TEXT_SIZE];
	keyrack_id_format(reserve.id, id);
	printf("booking %s\n", id); /* before it is sent: whatever happens, we can ask for it */

	struct keyrack_reservation_answer answer;
	r = keyrack_book(client, &reserve, &answer);
	if (r == KEYRACK_RESULT_UNKNOWN) {
		/* The library has tried for the whole deadline. Ask once more what became of it. */
		struct keyrack_transition resolve = {.id = reserve.id};
		r = keyrack_resolve(client, &resolve, &answer);
	}
	if (r != KEYRACK_RESULT_DONE)
		return r < 0 ? 2 : report("not booked", &answer.result);
	printf("%s: %s, revision %" PRIu32 "\n", id, keyrack_state_name(answer.state),
		answer.revision);
	return 0;
}

int main(int argc, char **argv)
{
	struct keyrack_line line = {.rooms = 1, .guests = 1};
	if (argc != 6 || keyrack_day_parse(argv[4], &line.check_in_day) != 0 ||
		keyrack_day_parse(argv[5], &line.check_out_day) != 0) {
		fprintf(stderr, "usage: %s ROUTERS HOTEL TYPE CHECK_IN CHECK_OUT\n", argv[0]);
		return 2;
	}
	line.type = (uint32_t)strtoul(argv[3], NULL, 10);
	struct keyrack_config config = {
		.routers = argv[1], .agent = "book_a_room", .fail_fast = true};
	struct keyrack_client *client;
	int r = keyrack_client_new(&config, &client);
	if (r != 0) {
		fprintf(stderr, "%s is no address of a router\n", argv[1]);
		return 2;
	}
	r = book(client, strtoull(argv[2], NULL, 10), &line);
	keyrack_client_free(client);
	return r;
}

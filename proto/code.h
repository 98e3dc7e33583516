/*
 * Answer codes: the one table of what an answer can say.
 *
 * Every answer frame carries a code in its header's status field. The number is the contract;
 * name, class and sentence are for people. A client that meets a number it does not know goes by
 * its range, so that an old client can still act rightly on a new code:
 *
 *   1          done; success is never zero
 *   10 .. 63   FINAL: a correct "no"; nothing happened; the same id will not be judged again
 *   64 .. 95   TRANSIENT: nothing happened; retry with the same id
 *   96 .. 127  UNKNOWN: it may or may not have happened; retry with the same id, or RESOLVE
 *   128 .. 255 REJECT: the connection is at fault and is closed after this frame
 *
 * Other numbers are nobody's on the wire; from 256 on they are the client library's own.
 */
#ifndef PROTO_CODE_H
#define PROTO_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define KEYRACK_CODE_TABLE(X)                                                                      \
	X(1, DONE, "done")                                                                         \
	X(10, SOLD_OUT, "no room is left")                                                         \
	X(11, CLOSED, "the hotel, room type or night is closed")                                   \
	X(12, RATE_CLOSED, "the rate plan is closed")                                              \
	X(13, CLOSED_TO_ARRIVAL, "no stay may begin on that night")                                \
	X(14, CLOSED_TO_DEPARTURE, "no stay may end on that date")                                 \
	X(15, MIN_LOS, "the stay is too short")                                                    \
	X(16, MAX_LOS, "the stay is too long")                                                     \
	X(17, TOO_LATE, "it is too close to check-in")                                             \
	X(18, TOO_EARLY, "it is too far ahead of check-in")                                        \
	X(19, OVER_OCCUPANCY, "there are too many guests for the rooms")                           \
	X(20, NO_RATE, "a night has no price")                                                     \
	X(21, PRICE_CHANGED, "the price is not the expected total")                                \
	X(22, PAST_DATE, "check-in is before the hotel's business date")                           \
	X(23, OUT_OF_WINDOW, "a night lies beyond the hotel's window")                             \
	X(24, NOT_LOADED, "a night was never loaded")                                              \
	X(25, NOT_FOUND, "there is no such hotel, type, plan or reservation")                      \
	X(26, HOLD_EXPIRED, "the hold has expired")                                                \
	X(27, BAD_STATE, "the reservation's state does not allow that")                            \
	X(28, VERSION_MISMATCH, "the expected version or revision is stale")                       \
	X(29, COUNTER_FULL, "a counter would leave its range")                                     \
	X(30, KEY_REUSED, "the id or external reference belongs to another request")               \
	X(31, KEY_EXPIRED, "the id is older than the purge mark")                                  \
	X(32, INVALID, "the request is malformed")                                                 \
	X(33, FORBIDDEN, "that takes the role of an operator")                                     \
	X(64, OVERLOADED, "the server is busy")                                                    \
	X(65, LIMIT_REACHED, "a table is full")                                                    \
	X(66, READ_ONLY, "the disk is nearly full: new work is refused")                           \
	X(67, UNAVAILABLE, "the shard is down or starting")                                        \
	X(68, MOVED, "another shard owns that slot")                                               \
	X(69, RATE_LIMITED, "the caller is over its rate")                                         \
	X(96, OUTCOME_UNKNOWN, "the shard was lost after the request was forwarded")               \
	X(128, REJECT_MAGIC, "this is not a Keyrack frame")                                        \
	X(129, REJECT_VERSION, "the protocol version is not spoken here")                          \
	X(130, REJECT_CLUSTER, "the frame is for another cluster")                                 \
	X(131, REJECT_CHECKSUM, "a checksum is wrong")                                             \
	X(132, REJECT_SIZE, "the body is larger than allowed")                                     \
	X(133, REJECT_TYPE, "the frame type or route is unknown")                                  \
	X(134, REJECT_RESERVED, "a reserved bit or field is not zero")                             \
	X(135, REJECT_STATE, "the frame is out of order: HELLO comes first, once")                 \
	X(136, REJECT_TOKEN, "a token is needed here, or this is none of its tokens")

#define X(number, name, text) KEYRACK_##name = number,
enum keyrack_wire_code { KEYRACK_CODE_TABLE(X) };
#undef X

enum code_class { CODE_SUCCESS, CODE_FINAL, CODE_TRANSIENT, CODE_UNKNOWN, CODE_REJECT };

/* The class of any number, known or not. Zero is nobody's code and counts as REJECT. */
static inline enum code_class code_class_of(unsigned code)
{
	if (code == KEYRACK_DONE)
		return CODE_SUCCESS;
	if (code >= 10 && code < 64)
		return CODE_FINAL;
	if (code >= 64 && code < 96)
		return CODE_TRANSIENT;
	if (code >= 96 && code < 128)
		return CODE_UNKNOWN;
	return CODE_REJECT;
}

/* Whether a REJECT frame may say that; the class holds the numbers that are nobody's, too. */
static inline bool code_is_reject(unsigned code)
{
	return code >= 128 && code < 256;
}

/* Name ("SOLD_OUT") and sentence of a code; "CODE_<range>" and "unknown code" when it is new. */
const char *code_name(unsigned code);
const char *code_text(unsigned code);
/* The number of a name, or 0. */
unsigned code_from_name(const char *name);

/*
 * The rule a refusal speaks of: finer than the code, since a type and its plan, arrival and
 * stay-through share codes. `required` and `left` of a refusal are in the unit given here.
 */
#define REFUSAL_RULE_TABLE(X)                                                                      \
	X(1, ID, "the reservation id")                                                             \
	X(2, HOTEL, "the hotel")                                                                   \
	X(3, TYPE, "the room type")                                                                \
	X(4, PLAN, "the rate plan")                                                                \
	X(5, DATES, "the dates (nights)")                                                          \
	X(6, MIN_ADVANCE, "the minimum advance notice (minutes)")                                  \
	X(7, MAX_ADVANCE, "the maximum advance notice (minutes)")                                  \
	X(8, OCCUPANCY, "guests in the rooms (guests)")                                            \
	X(9, TYPE_CLOSED, "stop-sell of the room type")                                            \
	X(10, PLAN_CLOSED, "stop-sell of the rate plan")                                           \
	X(11, TYPE_CTA, "closed to arrival, room type")                                            \
	X(12, PLAN_CTA, "closed to arrival, rate plan")                                            \
	X(13, TYPE_CTD, "closed to departure, room type")                                          \
	X(14, PLAN_CTD, "closed to departure, rate plan")                                          \
	X(15, MIN_ARRIVAL, "minimum stay by arrival date (nights)")                                \
	X(16, MAX_ARRIVAL, "maximum stay by arrival date (nights)")                                \
	X(17, MIN_THROUGH, "minimum stay through (nights)")                                        \
	X(18, MAX_THROUGH, "maximum stay through (nights)")                                        \
	X(19, PRICE, "the price (minor units)")                                                    \
	X(20, LOADED, "loaded nights")                                                             \
	X(21, LIMIT, "the limit (rooms)")                                                          \
	X(22, COUNTER, "the counter's range (rooms)")                                              \
	X(23, STATE, "the reservation's state")                                                    \
	X(24, VERSION, "the version")                                                              \
	X(25, FIELD, "a field's value")                                                            \
	X(26, TABLE, "a table's size (entries)")                                                   \
	X(27, EXTERNAL_REF, "the external reference")                                              \
	X(28, PAYMENT_REF, "the payment reference")                                                \
	X(29, EXPIRY, "the hold's deadline (microseconds, unix)")                                  \
	X(30, SOURCE_SEQ, "the source's sequence number")                                          \
	X(31, HOLD_CAP, "the cap on live holds (holds)")                                           \
	X(32, ARRIVAL, "the first night (date)")

#define X(number, name, text) RULE_##name = number,
enum refusal_rule { REFUSAL_RULE_TABLE(X) };
#undef X

const char *rule_name(unsigned rule);
const char *rule_text(unsigned rule);

#endif

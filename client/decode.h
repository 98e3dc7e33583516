/*
 * From messages to public structs. Texts stay in the message's memory.
 */
#ifndef CLIENT_DECODE_H
#define CLIENT_DECODE_H

#include "client/client.h"

void client_decode_refusal(const Keyrack__Refusal *in, struct keyrack_refusal *ret);
void client_decode_hotel(const Keyrack__Hotel *in, struct keyrack_hotel *ret);
void client_decode_stat(const Keyrack__Stat *in, struct keyrack_stat *ret);
void client_decode_result(const struct client_end *end, struct keyrack_result *ret);

/* The answers of the hot calls, as decode_plain.h reads them. False: read it the long way. */
bool client_decode_plain(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer);
/* Any answer, through its message: what client_decode() is but for speed. */
void client_decode_long(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer);

#endif

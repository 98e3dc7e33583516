/*
 * The table of public calls, and how each becomes a request.
 */
#ifndef CLIENT_ENCODE_H
#define CLIENT_ENCODE_H

#include "client/client.h"

/* name, public request, public answer */
#define CLIENT_CALL_TABLE(X)                                                                       \
	X(hotel_put, hotel_put, hotel_answer)                                                      \
	X(hotel_get, hotel_get, hotel_answer)                                                      \
	X(hotel_list, hotel_list, hotel_list_answer)                                               \
	X(type_put, type_put, type_answer)                                                         \
	X(type_get, type_get, type_list_answer)                                                    \
	X(plan_put, plan_put, plan_answer)                                                         \
	X(plan_list, plan_list, plan_list_answer)                                                  \
	X(inventory_set, inventory_set, inventory_set_answer)                                      \
	X(stock_list, stock_list, stock_list_answer)                                               \
	X(night_list, night_list, night_list_answer)                                               \
	X(denial_list, denial_list, denial_list_answer)                                            \
	X(availability, availability, availability_answer)                                         \
	X(stay, stay, stay_answer)                                                                 \
	X(hold, reserve, reservation_answer)                                                       \
	X(book, reserve, reservation_answer)                                                       \
	X(confirm, transition, reservation_answer)                                                 \
	X(release, transition, reservation_answer)                                                 \
	X(cancel, transition, reservation_answer)                                                  \
	X(resolve, transition, reservation_answer)                                                 \
	X(extend, transition, reservation_answer)                                                  \
	X(attach_payment, transition, reservation_answer)                                          \
	X(check_in, transition, reservation_answer)                                                \
	X(complete, transition, reservation_answer)                                                \
	X(no_show, transition, reservation_answer)                                                 \
	X(modify, transition, reservation_answer)                                                  \
	X(import, import, reservation_answer)                                                      \
	X(reservation_get, reservation_get, reservation_get_answer)                                \
	X(reservation_list, reservation_list, reservation_list_answer)                             \
	X(snapshot, snapshot, snapshot_answer)                                                     \
	X(stats, stats, stats_answer)                                                              \
	X(ping, ping, ping_answer)                                                                 \
	X(router_status, router_status, router_status_answer)                                      \
	X(router_map, router_map, router_map_answer)                                               \
	X(router_connections, router_connections, router_connections_answer)

#define X(name, request, answer) client_encode client_encode_##name;
CLIENT_CALL_TABLE(X)
#undef X

#define CLIENT_RETRY_READ (CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN | CLIENT_RETRY_KEYED)

/* Route and key for a hotel's call; FRAME_FLAG_STALE_OK if it is a read that asks for it. */
static inline void client_route_hotel(
	struct client_pack *pack, enum frame_type type, uint64_t hotel_id, uint8_t retry)
{
	kr_assert(hotel_id == hotel_id && pack->entry != NULL);
	pack->request.type = (uint8_t)type;
	pack->request.route = FRAME_ROUTE_HOTEL;
	pack->request.routing_key = hotel_id;
	pack->request.retry = retry;
}

static inline uint8_t client_read_flags(const struct keyrack_call *call)
{
	return call->stale_ok ? FRAME_FLAG_STALE_OK : 0;
}

/* Whether a sale is one that client_pack_plain_reserve() writes: one line at the calendar's prices
   or none, no texts, no other reservation. */
bool client_reserve_is_plain(const struct keyrack_reserve *reserve);
/* Writes the body into the entry: what client_pack_body() would, without its message. */
void client_pack_plain_reserve(struct client_pack *pack, const struct keyrack_reserve *reserve);

/* The same of a question for few types. */
bool client_availability_is_plain(const struct keyrack_availability *ask);
void client_pack_plain_availability(
	struct client_pack *pack, const struct keyrack_availability *ask);

/* False when the text is longer than the wire takes. */
bool client_text_is_fit(const char *text);
/* An array that is said to have elements must be there. */
static inline bool client_array_is_fit(const void *array, uint32_t count)
{
	return array != NULL || count == 0;
}

/* Who asks, by the call or by the client; gives the actor. */
uint64_t client_actor(
	const struct client_pack *pack, const struct keyrack_origin *origin, uint32_t *ret_source);

/* protobuf-c's structs hold texts and arrays that it will not change without const. */
static inline char *client_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

#endif

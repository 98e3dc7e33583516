/*
 * Frames: a 64-byte little-endian header, then a protobuf body.
 *
 * The header alone says where a frame goes, so that a router forwards without decoding bodies.
 * The header checksum is the hop's (a router stamps `principal` and `via` and sums anew); the
 * body checksum is end to end and is never recomputed on the way. Lengths are trusted only after
 * the header checksum holds. There are no spare bytes: a field that has no meaning for a frame's
 * direction or type is zero and is checked.
 *
 * Offsets, sizes and meaning are the wire contract of PROTOCOL.md; the asserts below hold them.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define FRAME_MAGIC 0x314b524bu /* "KRK1" in memory order */
#define FRAME_VERSION 1u
#define FRAME_HEADER_SIZE 64u
#define FRAME_BODY_SIZE_MAX (1u << 20)

/* flags */
#define FRAME_FLAG_ANSWER 0x01u   /* shard or router to client */
#define FRAME_FLAG_STALE_OK 0x02u /* a read may show what is not yet durable */
#define FRAME_FLAG_MASK 0x03u

/* How `routing_key` is read. */
#define FRAME_ROUTE_TABLE(X)                                                                       \
	X(1, HOTEL)  /* hotel_id: slot = XXH3_64(hotel_id) & 16383 */                              \
	X(2, SLOT)   /* a slot number: calls that carry only a reservation id */                   \
	X(3, SHARD)  /* a shard number: snapshot, stats, lists */                                  \
	X(4, ROUTER) /* the router itself; key is 0 */

#define X(number, name) FRAME_ROUTE_##name = number,
enum frame_route { FRAME_ROUTE_TABLE(X) };
#undef X

/* type, name, request message, answer message: PROTOCOL.md is checked against this table. */
#define FRAME_TYPE_TABLE(X)                                                                        \
	X(1, HELLO, HelloRequest, HelloAnswer)                                                     \
	X(2, PING, PingRequest, PingAnswer)                                                        \
	X(3, REJECT, RejectNotice, RejectNotice)                                                   \
	X(4, AUTH, AuthRequest, AuthAnswer)                                                        \
	X(10, HOTEL_PUT, HotelPutRequest, HotelAnswer)                                             \
	X(11, HOTEL_GET, HotelGetRequest, HotelAnswer)                                             \
	X(12, HOTEL_LIST, HotelListRequest, HotelListAnswer)                                       \
	X(13, TYPE_PUT, TypePutRequest, TypeAnswer)                                                \
	X(14, TYPE_GET, TypeGetRequest, TypeListAnswer)                                            \
	X(15, PLAN_PUT, PlanPutRequest, PlanAnswer)                                                \
	X(16, PLAN_LIST, PlanListRequest, PlanListAnswer)                                          \
	X(20, INVENTORY_SET, InventorySetRequest, InventorySetAnswer)                              \
	X(21, STOCK_LIST, StockListRequest, StockListAnswer)                                       \
	X(22, NIGHT_LIST, NightListRequest, NightListAnswer)                                       \
	X(23, DENIAL_LIST, DenialListRequest, DenialListAnswer)                                    \
	X(30, AVAILABILITY, AvailabilityRequest, AvailabilityAnswer)                               \
	X(31, STAY, StayRequest, StayAnswer)                                                       \
	X(40, HOLD, ReserveRequest, ReservationAnswer)                                             \
	X(41, BOOK, ReserveRequest, ReservationAnswer)                                             \
	X(42, CONFIRM, TransitionRequest, ReservationAnswer)                                       \
	X(43, RELEASE, TransitionRequest, ReservationAnswer)                                       \
	X(44, CANCEL, TransitionRequest, ReservationAnswer)                                        \
	X(45, RESOLVE, TransitionRequest, ReservationAnswer)                                       \
	X(46, RESERVATION_GET, ReservationGetRequest, ReservationGetAnswer)                        \
	X(47, EXTEND, TransitionRequest, ReservationAnswer)                                        \
	X(48, ATTACH_PAYMENT, TransitionRequest, ReservationAnswer)                                \
	X(49, CHECK_IN, TransitionRequest, ReservationAnswer)                                      \
	X(50, COMPLETE, TransitionRequest, ReservationAnswer)                                      \
	X(51, NO_SHOW, TransitionRequest, ReservationAnswer)                                       \
	X(52, MODIFY, TransitionRequest, ReservationAnswer)                                        \
	X(53, RESERVATION_LIST, ReservationListRequest, ReservationListAnswer)                     \
	X(54, IMPORT, ImportRequest, ReservationAnswer)                                            \
	X(60, SNAPSHOT, SnapshotRequest, SnapshotAnswer)                                           \
	X(61, STATS, StatsRequest, StatsAnswer)                                                    \
	X(62, ROUTER_STATUS, RouterStatusRequest, RouterStatusAnswer)                              \
	X(63, ROUTER_MAP, RouterMapRequest, RouterMapAnswer)                                       \
	X(64, ROUTER_CONNECTIONS, RouterConnectionsRequest, RouterConnectionsAnswer)

#define X(number, name, request, answer) FRAME_##name = number,
enum frame_type { FRAME_TYPE_TABLE(X) };
#undef X

struct frame_header {
	uint32_t magic;
	uint8_t version;
	uint8_t type;
	uint8_t route;
	uint8_t flags;
	uint32_t body_size_bytes;
	uint32_t header_sum; /* low half of XXH3-64 over the header with this field zero */
	uint64_t body_sum;   /* XXH3-64 of the body, of no bytes when it is empty */
	uint64_t cluster;    /* 0 only in HELLO: "tell me" */
	uint64_t routing_key;
	uint64_t request_id;   /* the caller's; echoed; unique among a connection's live requests */
	uint32_t remaining_us; /* time left for the caller when sent, never an instant; > 0 in
				  requests, 0 in answers */
	uint32_t map_epoch;    /* of the slot map the sender used; 0 = none */
	uint16_t status;       /* a code in answers; the upper half of the principal in requests */
	uint16_t principal;    /* who asks, stamped by the router: its lower half; 0 from clients */
	uint32_t via;          /* the router's own mark on a forwarded frame, echoed by the shard;
				  in its HELLO a number of its own: the connection replaces those
				  that came with it and a lower request id; 0 from and to clients */
};

kr_static_assert(sizeof(struct frame_header) == FRAME_HEADER_SIZE, "the header is 64 bytes");
kr_static_assert(offsetof(struct frame_header, body_size_bytes) == 8, "wire contract");
kr_static_assert(offsetof(struct frame_header, header_sum) == 12, "wire contract");
kr_static_assert(offsetof(struct frame_header, body_sum) == 16, "wire contract");
kr_static_assert(offsetof(struct frame_header, cluster) == 24, "wire contract");
kr_static_assert(offsetof(struct frame_header, routing_key) == 32, "wire contract");
kr_static_assert(offsetof(struct frame_header, request_id) == 40, "wire contract");
kr_static_assert(offsetof(struct frame_header, remaining_us) == 48, "wire contract");
kr_static_assert(offsetof(struct frame_header, map_epoch) == 52, "wire contract");
kr_static_assert(offsetof(struct frame_header, status) == 56, "wire contract");
kr_static_assert(offsetof(struct frame_header, principal) == 58, "wire contract");
kr_static_assert(offsetof(struct frame_header, via) == 60, "wire contract");

/* Sums the header (magic, version and header_sum are filled in here). */
void frame_header_seal(struct frame_header *header);

/* Fills body_size_bytes and body_sum from the body, then seals. */
void frame_seal(struct frame_header *header, const void *body, size_t body_size_bytes);

/*
 * Reads one header from `bytes` (FRAME_HEADER_SIZE of them, any alignment).
 * 0: *ret_header is whole and may be trusted. Otherwise a REJECT code (KEYRACK_REJECT_*): magic,
 * version, checksum, size, type, route or reserved bits are wrong, judged in this order.
 * The cluster is the caller's to compare.
 */
KR_MUST_CHECK int frame_header_read(const void *bytes, struct frame_header *ret_header);

/* 0, or KEYRACK_REJECT_CHECKSUM. */
KR_MUST_CHECK int frame_body_check(const struct frame_header *header, const void *body);

const char *frame_type_name(unsigned type);

#endif

#include "proto/access.h"

#include "base/bug.h"

#define OPERATOR_BIT 1u
#define KIND_SHIFT 1u
#define KIND_MASK 3u
#define NUMBER_SHIFT 3u

uint32_t access_principal(enum access_role role, enum access_kind kind, uint32_t number)
{
	kr_assert(role == ACCESS_BOOKING || role == ACCESS_OPERATOR);
	kr_assert(kind >= ACCESS_ANYBODY && kind <= ACCESS_TOKEN);
	if (number > ACCESS_NUMBER_MAX)
		number = ACCESS_UID_OVERFLOW;
	return number << NUMBER_SHIFT | (uint32_t)kind << KIND_SHIFT |
	       (role == ACCESS_OPERATOR ? OPERATOR_BIT : 0);
}

enum access_role access_role_of(uint32_t principal)
{
	kr_static_assert(ACCESS_NUMBER_MAX == UINT32_MAX >> NUMBER_SHIFT, "a number fits");
	return (principal & OPERATOR_BIT) != 0 ? ACCESS_OPERATOR : ACCESS_BOOKING;
}

/*
 * No default: a frame type without a line does not compile. Reading is everybody's; what another
 * client is, and what a shard writes to disk when it is told to, is not.
 */
enum access_role access_needed(unsigned frame_type)
{
	kr_assert(frame_type <= UINT8_MAX);
	switch ((enum frame_type)frame_type) {
	case FRAME_HELLO:
	case FRAME_PING:
	case FRAME_REJECT:
	case FRAME_AUTH:
	case FRAME_HOTEL_GET:
	case FRAME_HOTEL_LIST:
	case FRAME_TYPE_GET:
	case FRAME_PLAN_LIST:
	case FRAME_STOCK_LIST:
	case FRAME_NIGHT_LIST:
	case FRAME_DENIAL_LIST:
	case FRAME_AVAILABILITY:
	case FRAME_STAY:
	case FRAME_HOLD:
	case FRAME_BOOK:
	case FRAME_CONFIRM:
	case FRAME_RELEASE:
	case FRAME_CANCEL:
	case FRAME_RESOLVE:
	case FRAME_RESERVATION_GET:
	case FRAME_EXTEND:
	case FRAME_ATTACH_PAYMENT:
	case FRAME_CHECK_IN:
	case FRAME_COMPLETE:
	case FRAME_NO_SHOW:
	case FRAME_MODIFY:
	case FRAME_RESERVATION_LIST:
	case FRAME_STATS:
	case FRAME_ROUTER_STATUS:
	case FRAME_ROUTER_MAP:
		return ACCESS_BOOKING;
	case FRAME_HOTEL_PUT:
	case FRAME_TYPE_PUT:
	case FRAME_PLAN_PUT:
	case FRAME_INVENTORY_SET:
	case FRAME_IMPORT:
	case FRAME_SNAPSHOT:
	case FRAME_ROUTER_CONNECTIONS:
		return ACCESS_OPERATOR;
	}
	kr_unreachable();
}

bool access_may_force(uint32_t principal)
{
	kr_assert(ACCESS_OPERATOR > ACCESS_BOOKING);
	return access_role_of(principal) == ACCESS_OPERATOR || bug_is(BUG_FORCE_BY_ANYBODY);
}

const char *access_role_name(enum access_role role)
{
	kr_assert(role == ACCESS_BOOKING || role == ACCESS_OPERATOR);
	return role == ACCESS_OPERATOR ? "operator" : "booking";
}

void access_principal_format(uint32_t principal, struct kr_text *text)
{
	unsigned kind = principal >> KIND_SHIFT & KIND_MASK;
	kr_assert(text != NULL);
	if (principal == 0) {
		kr_text_put_string(text, "nobody");
		return;
	}
	kr_text_put_string(text, access_role_name(access_role_of(principal)));
	if (kind == ACCESS_UID || kind == ACCESS_TOKEN)
		kr_text_format(text, " %s %u", kind == ACCESS_UID ? "uid" : "token",
			principal >> NUMBER_SHIFT);
}

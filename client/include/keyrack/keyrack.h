/*
 * libkeyrack: sell hotel rooms exactly once, from C.
 *
 * A client talks to a Keyrack cluster through one of its routers. There are two ways to use it:
 *
 *   synchronous     int keyrack_book(client, &request, &answer): sends, waits, answers.
 *   non-blocking    keyrack_submit_book(client, &request, callback, user): thousands in flight;
 *                   your own event loop watches keyrack_client_fd() and keyrack_client_timeout_us()
 *                   and calls keyrack_client_process().
 *
 * Outcomes are three, never two: DONE (it happened, and is durable), NOT_DONE (it certainly did
 * not happen) and UNKNOWN (the connection or the deadline was lost at the wrong moment). After
 * UNKNOWN ask with keyrack_resolve(), or send the same request with the same id again: one id has
 * at most one effect, ever.
 *
 * Conventions
 *   Zero is the default everywhere: `struct keyrack_reserve r = {0};` is a good start.
 *   *_day     a date: days since 1970-01-01 in the hotel's calendar (keyrack_day_parse()),
 *             -32768 to 65535.
 *   *_us      microseconds; instants are unix time.
 *   *_minor   money in minor units of the hotel's currency (cents), at most 40 bits.
 *   Stays are half open: [check_in_day, check_out_day). Range updates name nights inclusively.
 *   Strings are UTF-8 and end in NUL; NULL means "".
 *
 * Memory
 *   A request is copied before a call returns; it may live on the caller's stack.
 *   Pointers inside an answer belong to the client. They hold until the next call on that client
 *   (synchronous), or until the callback returns (non-blocking). Nothing is for the caller to free.
 *
 * Threads
 *   No global state. A client is used by one thread at a time; different clients are independent.
 *   The functions that take no client are pure but for keyrack_client_new(), and are safe anywhere.
 *   A client does not survive fork(). The library prints nothing, starts no thread, and raises no
 *   signal (SIGPIPE is suppressed).
 *
 * Errors
 *   A negative return is -errno: the call was not made and nothing was sent (-EINVAL a wrong
 *   argument, -ENOMEM, -EMSGSIZE a body over 1 MiB, -EDEADLK a synchronous call in a callback).
 */
#ifndef KEYRACK_KEYRACK_H
#define KEYRACK_KEYRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct keyrack_client;

/* ---- outcomes and codes ---------------------------------------------------------------------- */

/* What a synchronous call returns and every result says. KEYRACK_WOULD_BLOCK: submits only. */
enum keyrack_outcome {
	KEYRACK_RESULT_DONE = 0,
	KEYRACK_RESULT_NOT_DONE = 1,
	KEYRACK_RESULT_UNKNOWN = 2,
	KEYRACK_WOULD_BLOCK = 3, /* the window is full: process, then submit again */
};

/*
 * Why. 1 done; 10..63 a final "no"; 64..95 transient, nothing happened; 96..127 unknown;
 * 128..255 the server rejected the connection; from 1000 on the library's own words. A number that
 * is not listed here comes from a newer server: go by its range, or by keyrack_code_outcome().
 */
enum keyrack_code {
	KEYRACK_CODE_DONE = 1,
	KEYRACK_CODE_SOLD_OUT = 10,
	KEYRACK_CODE_CLOSED = 11,
	KEYRACK_CODE_RATE_CLOSED = 12,
	KEYRACK_CODE_CLOSED_TO_ARRIVAL = 13,
	KEYRACK_CODE_CLOSED_TO_DEPARTURE = 14,
	KEYRACK_CODE_MIN_LOS = 15,
	KEYRACK_CODE_MAX_LOS = 16,
	KEYRACK_CODE_TOO_LATE = 17,
	KEYRACK_CODE_TOO_EARLY = 18,
	KEYRACK_CODE_OVER_OCCUPANCY = 19,
	KEYRACK_CODE_NO_RATE = 20,
	KEYRACK_CODE_PRICE_CHANGED = 21,
	KEYRACK_CODE_PAST_DATE = 22,
	KEYRACK_CODE_OUT_OF_WINDOW = 23,
	KEYRACK_CODE_NOT_LOADED = 24,
	KEYRACK_CODE_NOT_FOUND = 25,
	KEYRACK_CODE_HOLD_EXPIRED = 26,
	KEYRACK_CODE_BAD_STATE = 27,
	KEYRACK_CODE_VERSION_MISMATCH = 28,
	KEYRACK_CODE_COUNTER_FULL = 29,
	KEYRACK_CODE_KEY_REUSED = 30,
	KEYRACK_CODE_KEY_EXPIRED = 31,
	KEYRACK_CODE_INVALID = 32,
	KEYRACK_CODE_FORBIDDEN = 33,
	KEYRACK_CODE_OVERLOADED = 64,
	KEYRACK_CODE_LIMIT_REACHED = 65,
	KEYRACK_CODE_READ_ONLY = 66,
	KEYRACK_CODE_UNAVAILABLE = 67,
	KEYRACK_CODE_MOVED = 68,
	KEYRACK_CODE_RATE_LIMITED = 69,
	KEYRACK_CODE_OUTCOME_UNKNOWN = 96,
	KEYRACK_CODE_REJECT_MAGIC = 128,
	KEYRACK_CODE_REJECT_VERSION = 129,
	KEYRACK_CODE_REJECT_CLUSTER = 130,
	KEYRACK_CODE_REJECT_CHECKSUM = 131,
	KEYRACK_CODE_REJECT_SIZE = 132,
	KEYRACK_CODE_REJECT_TYPE = 133,
	KEYRACK_CODE_REJECT_RESERVED = 134,
	KEYRACK_CODE_REJECT_STATE = 135,
	KEYRACK_CODE_REJECT_TOKEN = 136, /* a token is needed, or the one given is not right */
	/* Never on the wire. The first two: NOT_DONE. The others: UNKNOWN. */
	KEYRACK_CODE_UNREACHABLE = 1000,     /* no router took the connection; never sent */
	KEYRACK_CODE_NOT_SENT = 1001,        /* the deadline passed before it was sent */
	KEYRACK_CODE_DEADLINE = 1002,        /* sent, and no answer before the deadline */
	KEYRACK_CODE_CONNECTION_LOST = 1003, /* sent, and the connection was lost */
	KEYRACK_CODE_BAD_ANSWER = 1004,      /* answered, but the answer cannot be read */
};

/* "SOLD_OUT"; "CODE_FINAL" and the like for a number not known here. */
const char *keyrack_code_name(unsigned code);
/* "no room is left". */
const char *keyrack_code_text(unsigned code);
/* The outcome a code stands for when it ends a call: rejects after sending end as UNKNOWN. */
enum keyrack_outcome keyrack_code_outcome(unsigned code);
/* True for codes worth another try with the same id: TRANSIENT, UNKNOWN, UNREACHABLE. */
bool keyrack_code_may_retry(unsigned code);

/* The rule a refusal speaks of: finer than the code. Units of required and left in brackets. */
enum keyrack_rule {
	KEYRACK_RULE_ID = 1,
	KEYRACK_RULE_HOTEL = 2,
	KEYRACK_RULE_TYPE = 3,
	KEYRACK_RULE_PLAN = 4,
	KEYRACK_RULE_DATES = 5,       /* nights */
	KEYRACK_RULE_MIN_ADVANCE = 6, /* minutes */
	KEYRACK_RULE_MAX_ADVANCE = 7, /* minutes */
	KEYRACK_RULE_OCCUPANCY = 8,   /* guests */
	KEYRACK_RULE_TYPE_CLOSED = 9,
	KEYRACK_RULE_PLAN_CLOSED = 10,
	KEYRACK_RULE_TYPE_CTA = 11,
	KEYRACK_RULE_PLAN_CTA = 12,
	KEYRACK_RULE_TYPE_CTD = 13,
	KEYRACK_RULE_PLAN_CTD = 14,
	KEYRACK_RULE_MIN_ARRIVAL = 15, /* nights */
	KEYRACK_RULE_MAX_ARRIVAL = 16, /* nights */
	KEYRACK_RULE_MIN_THROUGH = 17, /* nights */
	KEYRACK_RULE_MAX_THROUGH = 18, /* nights */
	KEYRACK_RULE_PRICE = 19,       /* minor units */
	KEYRACK_RULE_LOADED = 20,
	KEYRACK_RULE_LIMIT = 21,   /* rooms */
	KEYRACK_RULE_COUNTER = 22, /* rooms */
	KEYRACK_RULE_STATE = 23,
	KEYRACK_RULE_VERSION = 24,
	KEYRACK_RULE_FIELD = 25,
	KEYRACK_RULE_TABLE = 26, /* entries */
	KEYRACK_RULE_EXTERNAL_REF = 27,
	KEYRACK_RULE_PAYMENT_REF = 28,
	KEYRACK_RULE_EXPIRY = 29, /* microseconds, unix */
	KEYRACK_RULE_SOURCE_SEQ = 30,
	KEYRACK_RULE_HOLD_CAP = 31, /* holds */
	KEYRACK_RULE_ARRIVAL = 32,  /* first night: dates */
};

const char *keyrack_rule_name(unsigned rule);
const char *keyrack_rule_text(unsigned rule);

/* ---- ids, slots, dates ----------------------------------------------------------------------- */

/* A reservation id: 128 bits minted by the caller. Print it before you submit it. */
struct keyrack_id {
	uint64_t hi;
	uint64_t lo;
};

#define KEYRACK_SLOT_COUNT 16384u
#define KEYRACK_ID_TEXT_SIZE 37   /* "01890a5d-ac96-8774-b123-456789abcdef" and its NUL */
#define KEYRACK_DATE_TEXT_SIZE 16 /* "2026-01-31" and its NUL, with room for far years */

/* Mints an id for a reservation of that hotel. Random bits come from the client's generator. */
struct keyrack_id keyrack_id_mint(struct keyrack_client *client, uint64_t hotel_id);
/* The same from given parts: unix time in milliseconds, slot, low 60 bits of `random`. */
struct keyrack_id keyrack_id_make(uint64_t unix_ms, uint32_t slot, uint64_t random);
/* Lower case, with hyphens. */
void keyrack_id_format(struct keyrack_id id, char ret_text[KEYRACK_ID_TEXT_SIZE]);
/* 0, or -EINVAL: not 32 hexadecimal digits, with hyphens at the usual places or none. */
int keyrack_id_parse(const char *text, struct keyrack_id *ret_id);
/* True if the id was laid out by mint: it says its slot and time and routes by itself. The other
 * two give 0 if it was not. */
bool keyrack_id_is_native(struct keyrack_id id);
uint32_t keyrack_id_slot(struct keyrack_id id);
uint64_t keyrack_id_unix_ms(struct keyrack_id id);

/* The slot that owns a hotel, and the id of a hotel that is addressed by a text code ("" = 0). */
uint32_t keyrack_slot_of_hotel(uint64_t hotel_id);
uint64_t keyrack_hotel_id_of_code(const char *code);

/* Proleptic Gregorian, years 1 to 9999. Functions that can fail return -EINVAL. */
struct keyrack_date {
	int32_t year;
	uint32_t month; /* 1 to 12 */
	uint32_t day;   /* 1 to 31 */
};
int keyrack_day_from_date(struct keyrack_date date, int32_t *ret_day);
struct keyrack_date keyrack_day_to_date(int32_t day);
int keyrack_day_parse(const char *text, int32_t *ret_day); /* "YYYY-MM-DD" */
void keyrack_day_format(int32_t day, char ret_text[KEYRACK_DATE_TEXT_SIZE]);
uint32_t keyrack_day_weekday(int32_t day); /* 0 Monday to 6 Sunday, as in weekday masks */

/* ---- the client ------------------------------------------------------------------------------ */

/* Zero in any field but `routers` is its default. Strings are copied. */
struct keyrack_config {
	/* "127.0.0.1:7070", "[::1]:7070", "name:7070" or "unix:/path", several separated by commas
	 * (at most 16), tried in turn from the first. Names are looked up once, by
	 * keyrack_client_new(), which may block for it. */
	const char *routers;
	uint64_t cluster;            /* the cluster to insist on; 0 = whichever answers */
	const char *agent;           /* name and version for the operator; at most 64 bytes */
	uint64_t actor;              /* put into requests that say 0 */
	uint32_t source;             /* put into requests that say 0 */
	uint32_t in_flight_max;      /* calls that may be open; default 1024, at most 32768 */
	uint64_t deadline_us;        /* of a call that says 0; default 5 s, at most 1 hour */
	uint64_t connect_timeout_us; /* connect and HELLO, per router; default 1 s */
	uint64_t silence_us;         /* nothing heard for so long with requests open: PING; for as
				      * long again: the connection counts as lost. Default 1 s */
	/* Try n waits for a random time in [b/2, b], b = first x 2^(n-1) but at most max. */
	uint64_t retry_first_us; /* default 5 ms */
	uint64_t retry_max_us;   /* default 500 ms */
	/* Each try after the first costs one token of a bucket that starts full; ten ended calls
	 * give one back. Without a token a call ends with the outcome it has. */
	uint32_t retry_budget; /* size of the bucket; default 2 x in_flight_max */
	uint32_t tries_max;    /* of one call; default 100 */
	bool no_retry;         /* the default of `retry` in calls becomes NONE */
	/* When every router in turn has refused the connection, end the calls that are open
	 * (UNREACHABLE if never sent) rather than try on until their deadlines. */
	bool fail_fast;
	uint64_t random_seed; /* 0 = from the system; else repeatable ids and jitter */
	/* A file with the token to prove where one is wanted: a line `NUMBER HEX`, 64 hexadecimal
	 * digits, readable by its owner alone. Read once, here. NULL = none. */
	const char *token_file;
};

/*
 * 0, or -EINVAL (an address or a value out of range), -ENOMEM, -EHOSTUNREACH (a name that cannot be
 * looked up), -EACCES (token_file cannot be read, or others can read it too), or -EBADMSG (there is
 * no token in it). Connects at the first call, not here.
 */
int keyrack_client_new(const struct keyrack_config *config, struct keyrack_client **ret_client);
/* Closes and frees; returns NULL. Calls still open get no callback: their outcome is unknown. */
struct keyrack_client *keyrack_client_free(struct keyrack_client *client);

/* What a connection has told, and what became of the calls. */
struct keyrack_client_info {
	bool connected;       /* HELLO is done on the present connection */
	const char *router;   /* the address in use or in turn */
	const char *agent;    /* what the router calls itself */
	uint64_t cluster;     /* 0 = not known yet */
	uint32_t version;     /* of the protocol */
	uint64_t features;    /* bits both sides know */
	uint32_t window;      /* requests the router lets one connection have in flight */
	uint32_t shard_count; /* 0 = not known yet */
	uint32_t map_epoch;
	uint32_t open;       /* calls submitted and not ended */
	unsigned last_fault; /* code of the last lost or refused connection; 0 = none */
	uint64_t submitted;
	uint64_t ended;
	uint64_t tries;        /* requests sent */
	uint64_t retries;      /* of them not the first of their call */
	uint64_t connects;     /* connections that got through HELLO */
	uint64_t losses;       /* connections lost after that */
	uint64_t late_answers; /* answers to calls that had ended by their deadline */
	uint64_t bytes_sent;
	uint64_t bytes_received;
};
void keyrack_client_info(const struct keyrack_client *client, struct keyrack_client_info *ret_info);

/* ---- parts of every call --------------------------------------------------------------------- */

enum keyrack_retry {
	KEYRACK_RETRY_DEFAULT = 0, /* TRANSIENT answers; and unknown outcomes where a second try
				    * cannot do harm: reads, calls that carry a reservation id,
				    * updates with a source_seq, snapshots */
	KEYRACK_RETRY_NONE = 1,    /* the first answer is the call's, TRANSIENT ones too */
	KEYRACK_RETRY_ALWAYS = 2,  /* unknown outcomes of any call: doing it twice is fine */
};

/* How to call; first in every request. */
struct keyrack_call {
	uint64_t deadline_us; /* from submission to the end, all tries; 0 = the client's */
	enum keyrack_retry retry;
	bool stale_ok; /* a read may show what is not yet durable */
};

/* Who did it and why, for the audit trail. */
struct keyrack_origin {
	uint64_t actor;
	uint32_t source;
	const char *reason; /* at most 64 bytes */
};

/* Why not. */
struct keyrack_refusal {
	unsigned code;
	unsigned rule; /* enum keyrack_rule, or newer */
	uint32_t line; /* index of the line */
	bool has_day;
	int32_t day;             /* the night; the date for closed to departure */
	int64_t required;        /* what the rule asks for, in its unit */
	int64_t left;            /* what there is, in its unit */
	uint32_t state;          /* BAD_STATE: the present state, enum keyrack_state */
	struct keyrack_id other; /* KEY_REUSED by external_ref: the other reservation */
	const char *text;        /* FIELD and TABLE: its name; "" otherwise */
};

/* The refusal as a sentence; cut to `size`. Returns the length it needs, without the NUL. */
size_t keyrack_refusal_format(const struct keyrack_refusal *refusal, char *ret_text, size_t size);

/* How a call ended; first in every answer. The rest of an answer counts only if DONE, but where
 * its comment says otherwise. */
struct keyrack_result {
	enum keyrack_outcome outcome;
	unsigned code;                         /* enum keyrack_code, or newer */
	uint32_t tries;                        /* times sent */
	uint32_t map_epoch;                    /* the answerer's */
	uint64_t elapsed_us;                   /* from submission */
	const struct keyrack_refusal *refusal; /* NULL unless the answer carried one */
};

/* ---- catalogue ------------------------------------------------------------------------------- */

enum keyrack_status {
	KEYRACK_STATUS_ACTIVE = 1,
	KEYRACK_STATUS_CLOSED = 2,
	KEYRACK_STATUS_RETIRED = 3,
};

/* Bits of keyrack_hotel_put.mask: which settings are given. A new hotel needs ZONE, CURRENCY. */
#define KEYRACK_HOTEL_CODE 0x0001u
#define KEYRACK_HOTEL_ZONE 0x0002u
#define KEYRACK_HOTEL_CURRENCY 0x0004u
#define KEYRACK_HOTEL_CURRENCY_DIGITS 0x0008u
#define KEYRACK_HOTEL_DAY_ROLL_MINUTE 0x0010u
#define KEYRACK_HOTEL_CHECK_IN_MINUTE 0x0020u
#define KEYRACK_HOTEL_NIGHTS_MAX 0x0040u
#define KEYRACK_HOTEL_HOLD_TTL 0x0080u
#define KEYRACK_HOTEL_HOLD_TTL_MAX 0x0100u
#define KEYRACK_HOTEL_HOLD_TOTAL_MAX 0x0200u
#define KEYRACK_HOTEL_HOLDS_MAX 0x0400u
#define KEYRACK_HOTEL_GUEST_HOLDS_MAX 0x0800u
#define KEYRACK_HOTEL_STATUS 0x1000u

struct keyrack_hotel_settings {
	const char *code;           /* unique text code, at most 64 bytes; "" = none */
	const char *zone;           /* tzdata name: "Europe/Paris" */
	const char *currency;       /* ISO 4217: "EUR" */
	uint32_t currency_digits;   /* digits of the minor unit, 0 to 4 */
	uint32_t day_roll_minute;   /* minutes after local midnight; default 240 */
	uint32_t check_in_minute;   /* default 900 */
	uint32_t nights_max;        /* longest stay; default 365 */
	uint64_t hold_ttl_us;       /* default time to live of a hold */
	uint64_t hold_ttl_max_us;   /* cap per request */
	uint64_t hold_total_max_us; /* cap of a hold's whole life */
	uint32_t holds_max;         /* live holds; 0 = no cap */
	uint32_t guest_holds_max;   /* live holds of one guest; 0 = no cap */
	uint32_t status;            /* enum keyrack_status */
};

struct keyrack_hotel {
	uint64_t hotel_id;
	struct keyrack_hotel_settings settings;
	uint64_t ari_version; /* moved by catalogue and calendar changes only */
	uint64_t event_seq;   /* +1 per effect of the hotel */
	int32_t business_day;
	uint32_t window_nights; /* nights that can be sold: [business_day, + window_nights) */
	uint32_t type_count;
	uint64_t reservation_count;
	uint64_t hold_count; /* live holds */
	uint32_t slot;
};

/* Creates the hotel, or changes the settings in `mask`. */
struct keyrack_hotel_put {
	struct keyrack_call call;
	uint64_t hotel_id;
	uint32_t mask;
	struct keyrack_hotel_settings settings;
	bool has_expected_version;
	uint64_t expected_version; /* ari_version; VERSION_MISMATCH if it is another */
	struct keyrack_origin origin;
};
struct keyrack_hotel_get {
	struct keyrack_call call;
	uint64_t hotel_id;
};
struct keyrack_hotel_answer {
	struct keyrack_result result;
	struct keyrack_hotel hotel;
	bool created;
};

/* Hotels of all shards in ascending order of id, in pages: continue with after = the last id while
 * there are more. A page may be shorter than asked for, but with more to come it is never empty. */
struct keyrack_hotel_list {
	struct keyrack_call call;
	bool has_after;
	uint64_t after;
	uint32_t limit; /* 1 to 1000; 0 = 100 */
};
struct keyrack_hotel_list_answer {
	struct keyrack_result result; /* not DONE if any shard did not answer */
	const struct keyrack_hotel *hotels;
	uint32_t hotel_count;
	bool more;
};

/* Bits of keyrack_type_put.mask. The first four marked (c) may be in clear_mask instead. */
#define KEYRACK_TYPE_CODE 0x0001u
#define KEYRACK_TYPE_STATUS 0x0002u
#define KEYRACK_TYPE_PHYSICAL 0x0004u     /* (c) */
#define KEYRACK_TYPE_OUT_OF_ORDER 0x0008u /* (c) */
#define KEYRACK_TYPE_ALLOWANCE 0x0010u    /* (c) */
#define KEYRACK_TYPE_ALLOWANCE_UNIT 0x0020u
#define KEYRACK_TYPE_CAP 0x0040u /* (c) */
#define KEYRACK_TYPE_GUESTS_MAX 0x0080u
#define KEYRACK_TYPE_PLAN_STATUS 0x0100u
#define KEYRACK_TYPE_ADVANCE_MIN 0x0200u
#define KEYRACK_TYPE_ADVANCE_MAX 0x0400u

enum keyrack_allowance_unit {
	KEYRACK_ALLOWANCE_ROOMS = 1,
	KEYRACK_ALLOWANCE_BASIS_POINTS = 2, /* of physical - out of order, rounded down */
};

/* Defaults of the nights of a type; single nights are keyrack_inventory_set()'s. */
struct keyrack_type_settings {
	const char *code;             /* unique in the hotel, at most 32 bytes */
	uint32_t status;              /* enum keyrack_status */
	uint32_t physical;            /* rooms that exist */
	uint32_t out_of_order;        /* rooms off sale */
	int32_t allowance;            /* overbooking */
	uint32_t allowance_unit;      /* enum keyrack_allowance_unit */
	int32_t cap;                  /* explicit limit: overrides the three above */
	uint32_t guests_max;          /* per room; 0 = no limit */
	uint32_t plan_status;         /* of rate plan 0 */
	uint32_t advance_min_minutes; /* before the local check-in time; 0 = none */
	uint32_t advance_max_minutes;
};

struct keyrack_type {
	uint32_t type;
	struct keyrack_type_settings settings;
	uint32_t set_mask; /* which of the (c) settings are set */
};

struct keyrack_type_put {
	struct keyrack_call call;
	uint64_t hotel_id;
	uint32_t type; /* 0 to 65534; creates it and its plan 0 if new */
	uint32_t mask;
	uint32_t clear_mask;
	struct keyrack_type_settings settings;
	bool has_expected_version;
	uint64_t expected_version;
	struct keyrack_origin origin;
};
struct keyrack_type_answer {
	struct keyrack_result result;
	struct keyrack_type type;
	bool created;
	uint64_t ari_version;
};

struct keyrack_type_get {
	struct keyrack_call call;
	uint64_t hotel_id;
	const uint32_t *types; /* none = all */
	uint32_t type_count;
};
struct keyrack_type_list_answer {
	struct keyrack_result result;
	const struct keyrack_type *types;
	uint32_t type_count;
	uint64_t ari_version;
};

/* Bits of keyrack_plan_put.mask. (n): fixed once the plan is there. Plan 0 takes 0x02 to 0x08 and
 * 0x80. */
#define KEYRACK_PLAN_CODE 0x01u
#define KEYRACK_PLAN_STATUS 0x02u
#define KEYRACK_PLAN_ADVANCE_MIN 0x04u
#define KEYRACK_PLAN_ADVANCE_MAX 0x08u
#define KEYRACK_PLAN_PARENT 0x10u     /* (n) */
#define KEYRACK_PLAN_DERIVATION 0x20u /* (n): derived or not */
#define KEYRACK_PLAN_ADJUSTMENT 0x40u
#define KEYRACK_PLAN_TIERS 0x80u

enum keyrack_derivation {
	KEYRACK_DERIVED_NOT = 0,          /* nights of its own */
	KEYRACK_DERIVED_AMOUNT = 1,       /* the parent's price + adjustment minor units */
	KEYRACK_DERIVED_BASIS_POINTS = 2, /* the parent's price + so many basis points of it */
};

#define KEYRACK_TIER_COUNT_MAX 8u
/* Cancelling with `hours` or less to go to the local check-in time costs this. */
struct keyrack_tier {
	uint32_t hours;
	uint32_t nights;       /* the first nights; 0 = basis_points counts */
	uint32_t basis_points; /* of the total */
};

/* A rate plan: a product over the rooms of one type. Plan 0 (BASE) comes with the type. */
struct keyrack_plan_settings {
	const char *code;             /* unique among the type's plans, at most 32 bytes */
	uint32_t status;              /* enum keyrack_status */
	uint32_t advance_min_minutes; /* before the local check-in time; 0 = none */
	uint32_t advance_max_minutes;
	uint32_t parent;     /* of derived plans: a plan of the type that is not derived */
	uint32_t derivation; /* enum keyrack_derivation */
	int64_t adjustment;  /* minor units or basis points; may be negative */
	const struct keyrack_tier *tiers; /* hours descending; none = free at any time */
	uint32_t tier_count;
};

struct keyrack_plan {
	uint32_t type;
	uint32_t plan;
	struct keyrack_plan_settings settings;
};

struct keyrack_plan_put {
	struct keyrack_call call;
	uint64_t hotel_id;
	uint32_t type;
	uint32_t plan; /* 0 to 65534; creates it if new */
	uint32_t mask;
	struct keyrack_plan_settings settings;
	bool has_expected_version;
	uint64_t expected_version;
	struct keyrack_origin origin;
};
struct keyrack_plan_answer {
	struct keyrack_result result;
	struct keyrack_plan plan;
	bool created;
	uint64_t ari_version;
};

/* Plans ascending by type and number: those of from_type from from_plan on, then those of greater
 * types; while there are more, go on behind the last one. */
struct keyrack_plan_list {
	struct keyrack_call call;
	uint64_t hotel_id;
	uint32_t from_type;
	uint32_t from_plan;
	uint32_t limit; /* 1 to 1024; 0 = 1024 */
};
struct keyrack_plan_list_answer {
	struct keyrack_result result;
	const struct keyrack_plan *plans;
	uint32_t plan_count;
	bool more;
	uint64_t ari_version; /* another one than the page before's: begin again */
};

/* ---- inventory ------------------------------------------------------------------------------- */

/* Bits of set_mask, adjust_mask (the ones marked +) and clear_mask. One mask at most each. */
#define KEYRACK_SET_PHYSICAL 0x0001u     /* + */
#define KEYRACK_SET_OUT_OF_ORDER 0x0002u /* + */
#define KEYRACK_SET_ALLOWANCE 0x0004u    /* + */
#define KEYRACK_SET_CAP 0x0008u          /* + */
#define KEYRACK_SET_CLOSED 0x0010u
#define KEYRACK_SET_CTA 0x0020u
#define KEYRACK_SET_CTD 0x0040u
#define KEYRACK_SET_PRICE 0x0080u /* + */
#define KEYRACK_SET_MIN_ARRIVAL 0x0100u
#define KEYRACK_SET_MAX_ARRIVAL 0x0200u
#define KEYRACK_SET_MIN_THROUGH 0x0400u
#define KEYRACK_SET_MAX_THROUGH 0x0800u
#define KEYRACK_SET_PLAN_CLOSED 0x1000u
#define KEYRACK_SET_PLAN_CTA 0x2000u
#define KEYRACK_SET_PLAN_CTD 0x4000u
#define KEYRACK_SET_AVAILABLE 0x8000u /* set only: "n left" sets the cap */

#define KEYRACK_WEEKDAYS_ALL 0x7fu

/* One update over types x nights x weekdays: all of it happens, or nothing. */
struct keyrack_inventory_set {
	struct keyrack_call call;
	uint64_t hotel_id;
	const uint32_t *types; /* none = every type of the hotel that has the plan */
	uint32_t type_count;
	uint32_t plan; /* whose price to plan_ctd it sets; 0 = BASE; not a derived one */
	int32_t first_day;
	int32_t last_day;      /* inclusive */
	uint32_t weekday_mask; /* bit 0 Monday to bit 6 Sunday; 0 = all */
	uint32_t set_mask;
	uint32_t adjust_mask; /* adds the value instead; needs a source_seq */
	uint32_t clear_mask;  /* back to the type's default, or to none */
	int64_t physical;
	int64_t out_of_order;
	int64_t allowance;
	uint32_t allowance_unit;
	int64_t cap;
	int64_t available;
	int64_t price_minor;
	bool closed, cta, ctd;
	bool plan_closed, plan_cta, plan_ctd;
	uint32_t min_arrival, max_arrival; /* nights; 0 = none; read at the arrival date */
	uint32_t min_through, max_through; /* nights; 0 = none; every stayed night */
	uint64_t source_seq;               /* grows per (hotel, source); 0 = not deduplicated */
	bool has_expected_version;
	uint64_t expected_version;
	struct keyrack_origin origin;
};
struct keyrack_inventory_set_answer {
	struct keyrack_result result;
	uint64_t ari_version;
	uint64_t event_seq;
	uint32_t cell_count;       /* nights of types touched */
	uint32_t cells_over_limit; /* of them sold beyond their limit now */
	bool repeated_seq;         /* an older or repeated source_seq: nothing changed */
	uint64_t last_source_seq;
};

/* What is set by date of the stock, as runs ascending by type and night: those of from_type that
 * end at from_day or later, then those of greater types; while there are more, go on behind the
 * last run. Caps by date are in the columns of availability: the limit where the night is capped.
 */
struct keyrack_stock_list {
	struct keyrack_call call;
	uint64_t hotel_id;
	uint32_t from_type;
	int32_t from_day;
	uint32_t limit; /* 1 to 1024; 0 = 1024 */
};
struct keyrack_stock_run {
	uint32_t type;
	int32_t first_day, last_day; /* inclusive */
	uint32_t set_mask;           /* KEYRACK_SET_PHYSICAL, _OUT_OF_ORDER, _ALLOWANCE */
	uint32_t physical;
	uint32_t out_of_order;
	int32_t allowance;
	uint32_t allowance_unit;
};
struct keyrack_stock_list_answer {
	struct keyrack_result result;
	const struct keyrack_stock_run *runs;
	uint32_t run_count;
	bool more;
	uint64_t ari_version; /* another one than the page before's: begin again */
};

/*
 * Nights with their figures: of one hotel ascending by type and night, or of all hotels, those of
 * one shard after those of another, in no useful order. Nights outside a hotel's window are left
 * out. While next_cursor is not 0, give it and next_day back for the next page; a page may be empty
 * although more follow. After a restart of its shard a cursor is VERSION_MISMATCH: begin again.
 */
#define KEYRACK_DAY_MIN (-32768) /* the first day there is, and the last */
#define KEYRACK_DAY_MAX 65535
#define KEYRACK_NIGHTS_OVER_LIMIT 1u /* held + booked > limit */
#define KEYRACK_NIGHTS_WALKS 2u      /* booked > rooms: guests have to be moved */
struct keyrack_night_list {
	struct keyrack_call call;
	uint64_t hotel_id;           /* 0 = every hotel */
	const uint32_t *types;       /* ascending; only with a hotel */
	uint32_t type_count;         /* 0 = all */
	int32_t first_day, last_day; /* inclusive */
	bool relative;    /* counted from each hotel's business date: 0 to 0 is tonight */
	uint32_t filter;  /* nights with any of KEYRACK_NIGHTS_*; 0 = every night */
	uint64_t cursor;  /* 0 = from the start; then next_cursor, */
	int32_t from_day; /* and next_day */
	uint32_t limit;   /* 1 to 2048; 0 = 2048 */
};
struct keyrack_listed_night {
	uint64_t hotel_id;
	uint32_t type;
	int32_t day;
	bool loaded; /* it has a limit */
	int32_t limit;
	uint32_t held, booked;
	bool has_rooms;      /* physical is set */
	uint32_t rooms;      /* physical - out of order, never below 0 */
	uint32_t over_limit; /* held + booked - limit, never below 0 */
	uint32_t walks;      /* booked - rooms, never below 0; 0 where rooms are not known */
};
struct keyrack_night_list_answer {
	struct keyrack_result result;
	const struct keyrack_listed_night *nights;
	uint32_t night_count;
	uint64_t next_cursor; /* 0 = that was all */
	int32_t next_day;
	/* of the hotel, if one was named */
	int32_t business_day;
	int32_t first_day, last_day; /* of the nights asked for, those in its window */
	uint64_t event_seq; /* another one than the page before's: it changed between them */
};

struct keyrack_denial {
	uint64_t hotel_id;
	uint32_t type;
	uint32_t rule;
	int32_t day;
	uint64_t count;
};
/* Demand that was turned away since the shards started, counted by hotel, type, rule and night; in
 * no useful order. Pages as above. */
struct keyrack_denial_list {
	struct keyrack_call call;
	uint64_t hotel_id; /* 0 = every hotel */
	uint32_t rule;     /* 0 = any */
	bool has_nights;
	int32_t first_day, last_day; /* inclusive */
	uint64_t cursor;             /* 0 = from the start; then next_cursor */
	uint32_t limit;              /* 1 to 1024; 0 = 1024 */
};
struct keyrack_denial_list_answer {
	struct keyrack_result result;
	const struct keyrack_denial *denials;
	uint32_t denial_count;
	uint64_t next_cursor; /* 0 = that was all */
	uint32_t shard;       /* whose page it is */
	uint64_t total;       /* all that this shard ever counted */
	uint64_t overflow;    /* of them those that its table had no place for */
};

struct keyrack_availability {
	struct keyrack_call call;
	uint64_t hotel_id;
	const uint32_t *types; /* none = every type that has the plan, ascending */
	uint32_t type_count;
	int32_t first_day;
	uint32_t night_count;
	uint32_t plan; /* whose rates; 0 = BASE */
};

/* Length-of-stay limits in nights; 0 = none. */
struct keyrack_los {
	uint16_t min_arrival;
	uint16_t max_arrival;
	uint16_t min_through;
	uint16_t max_through;
};

/* Columns of nights, type after type: word [i * night_count + n] is night n of types[i]. Read
 * them with keyrack_availability_night(). */
struct keyrack_availability_answer {
	struct keyrack_result result;
	const uint32_t *types;
	uint32_t type_count;
	int32_t first_day;
	uint32_t night_count;
	const uint64_t *counters; /* bits 0..15 limit, 16..31 held, 32..47 booked, flags */
	const uint64_t *rates;    /* bits 0..39 price, 40..55 class, flags */
	const uint64_t *classes;  /* pairs: class number, packed limits */
	uint32_t class_count;     /* pairs */
	uint64_t ari_version;
	int32_t business_day;
};

struct keyrack_night {
	int32_t day;
	int32_t limit;
	uint32_t held;
	uint32_t booked;
	int32_t left;          /* limit - held - booked: negative when over limit */
	bool loaded;           /* false: the night was never loaded and sells nothing */
	bool capped;           /* the limit is an explicit cap of this night */
	bool closed, cta, ctd; /* of the type */
	bool plan_closed, plan_cta, plan_ctd;
	bool priced; /* false: there is no price; 0 is a price */
	uint64_t price_minor;
	struct keyrack_los los;
};
/* type_index < type_count, night_index < night_count. */
struct keyrack_night keyrack_availability_night(const struct keyrack_availability_answer *answer,
	uint32_t type_index, uint32_t night_index);

/* ---- stays ----------------------------------------------------------------------------------- */

enum keyrack_pricing {
	KEYRACK_PRICING_CALENDAR = 0, /* the nights' prices */
	KEYRACK_PRICING_CALLER = 1,   /* the line's own runs */
	KEYRACK_PRICING_NONE = 2,     /* count only */
};

/* `nights` consecutive nights at one price per room and night. */
struct keyrack_price_run {
	uint32_t nights;
	uint64_t price_minor;
};

struct keyrack_line {
	uint32_t type;
	uint32_t plan;
	int32_t check_in_day;
	int32_t check_out_day;
	uint32_t rooms;
	uint32_t guests; /* in all rooms of the line */
	enum keyrack_pricing pricing;
	const struct keyrack_price_run *runs; /* PRICING_CALLER; in answers: the frozen prices */
	uint32_t run_count;
	uint32_t keeps; /* MODIFY: from 1, the line of the reservation whose prices its nights
			   keep; 0 = the one in its own place. Else 0 */
	/* Answers and keyrack_import: terms of cancellation, hours descending. */
	const struct keyrack_tier *tiers;
	uint32_t tier_count; /* 0 = always free */
	uint64_t arrival_us; /* what tiers count from; check-in time on the first night */
};

#define KEYRACK_LINE_COUNT_MAX 16u      /* lines of one request */
#define KEYRACK_STAY_NIGHTS_MAX 2048u   /* nights and price runs of all its lines together */
#define KEYRACK_CELL_COUNT_MAX 16384u   /* nights x types of one availability */
#define KEYRACK_UPDATE_CELLS_MAX 32768u /* nights x types of one range update */

/* "Could this be sold now?" NOT_DONE with the refusal if not. */
struct keyrack_stay {
	struct keyrack_call call;
	uint64_t hotel_id;
	const struct keyrack_line *lines;
	uint32_t line_count;
	bool has_expected_total;
	uint64_t expected_total_minor;
	bool explain; /* every failing rule, at most 64, not only the first */
};
struct keyrack_stay_answer {
	struct keyrack_result result;
	bool has_total; /* false where a line is count only */
	uint64_t total_minor;
	uint32_t rooms_left; /* the fewest left on any night, before this stay */
	const struct keyrack_line *lines;
	uint32_t line_count;
	const struct keyrack_refusal *refusals; /* also if NOT_DONE; the first is the result's */
	uint32_t refusal_count;
	uint64_t ari_version;
	uint64_t free_cancel_until_us; /* of the terms it would be sold under; 0 = always free */
};

/* HOLD and BOOK: all lines or none. The id is the idempotency key. */
struct keyrack_reserve {
	struct keyrack_call call;
	uint64_t hotel_id;
	struct keyrack_id id; /* keyrack_id_mint() */
	const struct keyrack_line *lines;
	uint32_t line_count;
	struct keyrack_id reacquires; /* an expired hold of the hotel whose lines are wanted again,
					 at its prices, if they can still be had; then no lines */
	struct keyrack_id replaces;   /* HOLD: a live hold of the hotel that is released by the same
					 operation, or stands if this is refused */
	bool force;                   /* operators: over restrictions and limits */
	uint64_t ttl_us;              /* HOLD: time to live; 0 = the hotel's default */
	bool has_expected_total;
	uint64_t expected_total_minor;
	struct keyrack_id guest;  /* opaque; zero = none */
	const char *external_ref; /* at most 64 bytes, unique by (hotel, source) */
	const char *payment_ref;  /* at most 64 bytes */
	struct keyrack_origin origin;
};

/*
 * CONFIRM, RELEASE, CANCEL, RESOLVE, CHECK_IN, COMPLETE, NO_SHOW move a reservation to a state (or
 * ask for it); reaching it again is success. EXTEND and ATTACH_PAYMENT change a hold, MODIFY a hold
 * or a booking: they need expected_revision and a change_id of the caller's, not 0, under which a
 * repetition finds the change done. An id of keyrack_id_mint() routes without the hotel.
 */
struct keyrack_transition {
	struct keyrack_call call;
	struct keyrack_id id;
	bool has_hotel;
	uint64_t hotel_id;
	bool has_expected_revision;
	uint32_t expected_revision;
	const char *payment_ref; /* CONFIRM; ATTACH_PAYMENT needs one */
	bool any;                /* CANCEL: a hold or a booking alike */
	uint64_t change_id;      /* EXTEND, ATTACH_PAYMENT, MODIFY */
	uint64_t expires_at_us;  /* EXTEND: the hold is to live until then; the hotel's cap on its
				    whole life may make it less, and the answer says */
	const struct keyrack_line *lines; /* MODIFY: the whole reservation as it is to be */
	uint32_t line_count;
	bool has_expected_total; /* MODIFY */
	uint64_t expected_total_minor;
	bool force; /* MODIFY, operators: over restrictions and limits */
	struct keyrack_origin origin;
};

enum keyrack_state {
	KEYRACK_STATE_HELD = 1,
	KEYRACK_STATE_CONFIRMED = 2,
	KEYRACK_STATE_RELEASED = 3,
	KEYRACK_STATE_EXPIRED = 4,
	KEYRACK_STATE_CANCELLED = 5,
	KEYRACK_STATE_CHECKED_IN = 6,
	KEYRACK_STATE_NO_SHOW = 7,
	KEYRACK_STATE_COMPLETED = 8,
	KEYRACK_STATE_VOID = 9, /* resolved before it was ever sold: it never will be */
};
const char *keyrack_state_name(unsigned state);

/* Whenever `state` is not 0 the reservation is known, and its state is told, whatever the code. */
struct keyrack_reservation_answer {
	struct keyrack_result result;
	uint32_t state; /* enum keyrack_state; 0 = not told */
	uint32_t revision;
	uint64_t expires_at_us; /* of a hold */
	bool has_total;
	uint64_t total_minor;
	uint64_t event_seq; /* of the effect that made the present state */
	bool due;           /* HELD, but past its deadline: never confirmable */
	bool repeated;      /* this id was here already: nothing happened now */
	uint64_t hotel_id;
	unsigned first_code;        /* code of the first HOLD or BOOK of this id; 0 = not told */
	bool has_amounts;           /* CANCELLED and NO_SHOW, where every line has a price: */
	uint64_t penalty_minor;     /* what that cost by the terms it was sold under */
	uint64_t refundable_minor;  /* the total less the penalty */
	uint32_t nights_over_limit; /* IMPORT: that it counts on */
};

struct keyrack_reservation_get {
	struct keyrack_call call;
	struct keyrack_id id;
	bool has_hotel;
	uint64_t hotel_id;
};
struct keyrack_reservation {
	struct keyrack_id id;
	uint64_t hotel_id;
	uint32_t state;
	bool due;
	uint32_t revision;
	uint64_t created_at_us;
	uint64_t changed_at_us;
	uint64_t expires_at_us;
	const struct keyrack_line *lines;
	uint32_t line_count;
	bool has_total;
	uint64_t total_minor;
	struct keyrack_id guest;
	const char *external_ref;
	const char *payment_ref;
	uint32_t source;
	int32_t counted_until_day; /* no line counts a night from here on */
	uint64_t event_seq;
	uint64_t change_id;
	bool was_held;                 /* HOLD first, rather than BOOK */
	bool graced;                   /* given more time once, after a restart */
	uint64_t free_cancel_until_us; /* from then on cancelling costs; 0 = always free */
	bool has_amounts; /* HELD, CONFIRMED: if given back now; CANCELLED, NO_SHOW: what that
			     cost; not where a line is count only, nor in other states */
	uint64_t penalty_minor;
	uint64_t refundable_minor;
};
struct keyrack_reservation_get_answer {
	struct keyrack_result result;
	struct keyrack_reservation reservation;
};

/*
 * A reservation that was made elsewhere comes in as it is, under its id; operators only. Of
 * `reservation` due, amounts and event_seq are not read; lines have their runs, whatever their
 * pricing, but count-only ones. Rooms are counted within the limit, or over it with `force`, and
 * nothing else of admission is asked. Again, it is DONE and `repeated`. A hold that lapsed
 * meanwhile comes in as EXPIRED; what ended too long ago to be kept is KEY_EXPIRED. A refusal is
 * not remembered: asked again it may be done, also by an earlier try that was on its way.
 */
struct keyrack_import {
	struct keyrack_call call;
	struct keyrack_reservation reservation;
	bool has_counted_until; /* NO_SHOW, COMPLETED: counted_until_day is told, else reckoned */
	bool force;
	struct keyrack_origin origin; /* its source is not told: the reservation has its own */
};

/*
 * Reservations that fit every filter given, in no useful order, a page at a time: a page may be
 * empty, and the list ends when next_cursor is 0. One that is there from the first page to the last
 * is told exactly once. After a restart of its shard a cursor is VERSION_MISMATCH: begin again.
 * Days are inclusive.
 */
struct keyrack_reservation_list {
	struct keyrack_call call;
	uint64_t hotel_id;   /* 0 = every hotel, shard after shard */
	uint32_t state_mask; /* bit n: enum keyrack_state n; 0 = any */
	bool has_arrival;    /* the first night of any line */
	int32_t arrival_first_day, arrival_last_day;
	bool has_departure; /* the date after the last night of any line */
	int32_t departure_first_day, departure_last_day;
	bool has_night; /* a night of any line */
	int32_t night_first_day, night_last_day;
	struct keyrack_id guest;    /* zero = any */
	const char *external_ref;   /* NULL or "" = any */
	uint32_t source;            /* 0 = any */
	uint32_t payment;           /* 0 any, 1 with a payment reference, 2 without */
	uint64_t arrives_before_us; /* check-in time of the first night, at the hotel; 0 = any */
	uint64_t cursor;            /* 0 = from the start; then next_cursor */
	uint32_t limit;             /* 1 to 256; 0 = 256 */
};
struct keyrack_reservation_list_answer {
	struct keyrack_result result;
	const struct keyrack_reservation *reservations;
	uint32_t reservation_count;
	uint64_t next_cursor; /* 0 = that was all */
};

/* ---- operation ------------------------------------------------------------------------------- */

#define KEYRACK_ALL_SHARDS UINT32_MAX

/* SNAPSHOT and STATS: of one shard, or of all, answered together. */
struct keyrack_snapshot {
	struct keyrack_call call;
	uint32_t shard; /* or KEYRACK_ALL_SHARDS */
};
struct keyrack_shard_snapshot {
	uint32_t shard;
	unsigned code; /* of this shard */
	bool started;
	bool already_running;
	uint64_t lsn;
};
struct keyrack_snapshot_answer {
	struct keyrack_result result; /* the first shard's that is not DONE, else DONE */
	const struct keyrack_shard_snapshot *shards; /* told in any case; ascending */
	uint32_t shard_count;
};

enum keyrack_stat_kind {
	KEYRACK_STAT_COUNTER = 1,
	KEYRACK_STAT_GAUGE = 2,
};
struct keyrack_stat {
	const char *name;
	int64_t value;
	uint32_t kind; /* enum keyrack_stat_kind */
};
struct keyrack_stats {
	struct keyrack_call call;
	uint32_t shard; /* or KEYRACK_ALL_SHARDS */
	bool denials;   /* also the table of refused demand */
};
struct keyrack_shard_stats {
	uint32_t shard;
	unsigned code;          /* of this shard */
	const char *state;      /* starting, serving, read_only, stopping */
	const char *durability; /* sync, async */
	const struct keyrack_stat *stats;
	uint32_t stat_count;
	const struct keyrack_denial *denials;
	uint32_t denial_count;
	uint64_t denials_overflow; /* denials the table had no place for */
};
struct keyrack_stats_answer {
	struct keyrack_result result; /* the first shard's that is not DONE, else DONE */
	const struct keyrack_shard_stats *shards; /* told in any case; ascending */
	uint32_t shard_count;
	const struct keyrack_stat *totals; /* sums by name over the shards that answered */
	uint32_t total_count;
};

struct keyrack_ping {
	struct keyrack_call call;
	bool to_shard; /* false: the router answers */
	uint32_t shard;
	const void *payload; /* at most 1024 bytes, echoed */
	uint32_t payload_size_bytes;
};
struct keyrack_ping_answer {
	struct keyrack_result result;
	const void *payload;
	uint32_t payload_size_bytes;
	uint64_t time_us; /* the answerer's clock */
};

struct keyrack_router_status {
	struct keyrack_call call;
};
struct keyrack_shard_link {
	uint32_t shard;
	const char *address;
	bool up;
	uint32_t in_flight;
	uint32_t waiting;
	uint64_t forwarded;
	uint64_t answered;
	uint64_t lost; /* in flight when the link was lost */
	uint64_t unavailable;
};
struct keyrack_router_status_answer {
	struct keyrack_result result;
	uint64_t cluster;
	uint64_t uptime_us;
	uint32_t connections;
	uint32_t map_epoch;
	const struct keyrack_shard_link *links;
	uint32_t link_count;
	const struct keyrack_stat *stats;
	uint32_t stat_count;
	const char *version;
};

struct keyrack_router_map {
	struct keyrack_call call;
};
struct keyrack_slot_range {
	uint32_t first;
	uint32_t last; /* inclusive */
	uint32_t shard;
};
struct keyrack_router_map_answer {
	struct keyrack_result result;
	uint32_t epoch;
	uint32_t shard_count;
	const struct keyrack_slot_range *ranges;
	uint32_t range_count;
};

struct keyrack_router_connections {
	struct keyrack_call call;
	uint64_t after; /* number of the last one seen; 0 = from the start */
	uint32_t limit; /* 0 = 100 */
};
struct keyrack_router_connection {
	uint64_t number;
	const char *peer;
	const char *agent;
	uint64_t age_us;
	uint64_t idle_us;
	uint32_t in_flight;
	uint64_t requests;
	uint64_t answers;
	uint64_t queued_bytes;
	const char *principal; /* its role, and who it is as far as the router knows */
};
struct keyrack_router_connections_answer {
	struct keyrack_result result;
	const struct keyrack_router_connection *connections;
	uint32_t connection_count;
	bool more;
};

/* ---- the non-blocking interface -------------------------------------------------------------- */

/* What a callback is given: the member that fits the call; `result` fits all. */
union keyrack_answer {
	struct keyrack_result result;
	struct keyrack_hotel_answer hotel; /* hotel_put, hotel_get */
	struct keyrack_hotel_list_answer hotel_list;
	struct keyrack_type_answer type;           /* type_put */
	struct keyrack_type_list_answer type_list; /* type_get */
	struct keyrack_plan_answer plan;           /* plan_put */
	struct keyrack_plan_list_answer plan_list;
	struct keyrack_inventory_set_answer inventory_set;
	struct keyrack_stock_list_answer stock_list;
	struct keyrack_night_list_answer night_list;
	struct keyrack_denial_list_answer denial_list;
	struct keyrack_availability_answer availability;
	struct keyrack_stay_answer stay;
	struct keyrack_reservation_answer reservation; /* hold to resolve */
	struct keyrack_reservation_get_answer reservation_get;
	struct keyrack_reservation_list_answer reservation_list;
	struct keyrack_snapshot_answer snapshot;
	struct keyrack_stats_answer stats;
	struct keyrack_ping_answer ping;
	struct keyrack_router_status_answer router_status;
	struct keyrack_router_map_answer router_map;
	struct keyrack_router_connections_answer router_connections;
};

/*
 * Runs once for every accepted submit, inside keyrack_client_process() or a synchronous call,
 * never inside the submit. It may submit; it may not process, call synchronously, or free.
 */
typedef void keyrack_callback(void *user, const union keyrack_answer *answer);

#define KEYRACK_WANT_READ 1u
#define KEYRACK_WANT_WRITE 2u

/* The socket to watch, or -1 for now. It changes when a connection is lost: ask again after every
 * call of process, and watch the new one. */
int keyrack_client_fd(const struct keyrack_client *client);
/* KEYRACK_WANT_*: what to watch it for. Ask again after submits and process. */
unsigned keyrack_client_want(const struct keyrack_client *client);
/* Call process no later than in so many microseconds, whatever the socket does: 0 = now,
 * -1 = nothing is due. */
int64_t keyrack_client_timeout_us(const struct keyrack_client *client);
/* Connects, sends what was submitted, reads what came, minds deadlines and retries, runs callbacks.
 * Never waits. Returns the number of callbacks run. Cheap when there is nothing to do. */
int keyrack_client_process(struct keyrack_client *client);
/* Waits in poll() until there is something to do or `timeout_us` passed (-1 = no limit), then
 * processes: the whole event loop of a program that has no other. */
int keyrack_client_wait(struct keyrack_client *client, int64_t timeout_us);

/* Calls submitted and not ended; and how many more would be accepted now. */
uint32_t keyrack_client_open(const struct keyrack_client *client);
uint32_t keyrack_client_room(const struct keyrack_client *client);

/*
 * Each returns 0 (the callback will run once), KEYRACK_WOULD_BLOCK (nothing was taken: the window
 * of the router's HELLO or in_flight_max is full), or a negative errno. Nothing is sent before the
 * next keyrack_client_process(), so that submits between two of them leave in one piece.
 *
 * Order. Requests of one client travel on one connection in the order of submission, and those of
 * one hotel take effect in that order. A second try has lost its place: a request that is sent
 * again after a TRANSIENT or unknown answer comes after those submitted in between. When a
 * connection is lost, the calls on it are sent again on the next one in order of submission and
 * before newer ones; but remains of the old connection may still take effect between them, and a
 * call that is not retried leaves its place empty. Where order matters more than the work of
 * looking at TRANSIENT answers, use KEYRACK_RETRY_NONE, or one open call per hotel.
 */
int keyrack_submit_hotel_put(struct keyrack_client *client, const struct keyrack_hotel_put *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_hotel_get(struct keyrack_client *client, const struct keyrack_hotel_get *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_hotel_list(struct keyrack_client *client,
	const struct keyrack_hotel_list *request, keyrack_callback *callback, void *user);
int keyrack_submit_type_put(struct keyrack_client *client, const struct keyrack_type_put *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_type_get(struct keyrack_client *client, const struct keyrack_type_get *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_plan_put(struct keyrack_client *client, const struct keyrack_plan_put *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_plan_list(struct keyrack_client *client, const struct keyrack_plan_list *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_inventory_set(struct keyrack_client *client,
	const struct keyrack_inventory_set *request, keyrack_callback *callback, void *user);
int keyrack_submit_stock_list(struct keyrack_client *client,
	const struct keyrack_stock_list *request, keyrack_callback *callback, void *user);
int keyrack_submit_night_list(struct keyrack_client *client,
	const struct keyrack_night_list *request, keyrack_callback *callback, void *user);
int keyrack_submit_denial_list(struct keyrack_client *client,
	const struct keyrack_denial_list *request, keyrack_callback *callback, void *user);
int keyrack_submit_availability(struct keyrack_client *client,
	const struct keyrack_availability *request, keyrack_callback *callback, void *user);
int keyrack_submit_stay(struct keyrack_client *client, const struct keyrack_stay *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_hold(struct keyrack_client *client, const struct keyrack_reserve *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_book(struct keyrack_client *client, const struct keyrack_reserve *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_confirm(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_release(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_cancel(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_resolve(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_extend(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_attach_payment(struct keyrack_client *client,
	const struct keyrack_transition *request, keyrack_callback *callback, void *user);
int keyrack_submit_check_in(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_complete(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_no_show(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_modify(struct keyrack_client *client, const struct keyrack_transition *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_import(struct keyrack_client *client, const struct keyrack_import *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_reservation_get(struct keyrack_client *client,
	const struct keyrack_reservation_get *request, keyrack_callback *callback, void *user);
int keyrack_submit_reservation_list(struct keyrack_client *client,
	const struct keyrack_reservation_list *request, keyrack_callback *callback, void *user);
int keyrack_submit_snapshot(struct keyrack_client *client, const struct keyrack_snapshot *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_stats(struct keyrack_client *client, const struct keyrack_stats *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_ping(struct keyrack_client *client, const struct keyrack_ping *request,
	keyrack_callback *callback, void *user);
int keyrack_submit_router_status(struct keyrack_client *client,
	const struct keyrack_router_status *request, keyrack_callback *callback, void *user);
int keyrack_submit_router_map(struct keyrack_client *client,
	const struct keyrack_router_map *request, keyrack_callback *callback, void *user);
int keyrack_submit_router_connections(struct keyrack_client *client,
	const struct keyrack_router_connections *request, keyrack_callback *callback, void *user);

/* ---- the synchronous interface --------------------------------------------------------------- */

/*
 * Each sends, waits and retries within the deadline, and returns an enum keyrack_outcome (the same
 * as ret->result.outcome) or a negative errno, and then leaves *ret alone. Callbacks of calls that
 * were submitted before may run meanwhile.
 */
int keyrack_hotel_put(struct keyrack_client *client, const struct keyrack_hotel_put *request,
	struct keyrack_hotel_answer *ret);
int keyrack_hotel_get(struct keyrack_client *client, const struct keyrack_hotel_get *request,
	struct keyrack_hotel_answer *ret);
int keyrack_hotel_list(struct keyrack_client *client, const struct keyrack_hotel_list *request,
	struct keyrack_hotel_list_answer *ret);
int keyrack_type_put(struct keyrack_client *client, const struct keyrack_type_put *request,
	struct keyrack_type_answer *ret);
int keyrack_type_get(struct keyrack_client *client, const struct keyrack_type_get *request,
	struct keyrack_type_list_answer *ret);
int keyrack_plan_put(struct keyrack_client *client, const struct keyrack_plan_put *request,
	struct keyrack_plan_answer *ret);
int keyrack_plan_list(struct keyrack_client *client, const struct keyrack_plan_list *request,
	struct keyrack_plan_list_answer *ret);
int keyrack_inventory_set(struct keyrack_client *client,
	const struct keyrack_inventory_set *request, struct keyrack_inventory_set_answer *ret);
int keyrack_stock_list(struct keyrack_client *client, const struct keyrack_stock_list *request,
	struct keyrack_stock_list_answer *ret);
int keyrack_night_list(struct keyrack_client *client, const struct keyrack_night_list *request,
	struct keyrack_night_list_answer *ret);
int keyrack_denial_list(struct keyrack_client *client, const struct keyrack_denial_list *request,
	struct keyrack_denial_list_answer *ret);
int keyrack_availability(struct keyrack_client *client, const struct keyrack_availability *request,
	struct keyrack_availability_answer *ret);
int keyrack_stay(struct keyrack_client *client, const struct keyrack_stay *request,
	struct keyrack_stay_answer *ret);
int keyrack_hold(struct keyrack_client *client, const struct keyrack_reserve *request,
	struct keyrack_reservation_answer *ret);
int keyrack_book(struct keyrack_client *client, const struct keyrack_reserve *request,
	struct keyrack_reservation_answer *ret);
int keyrack_confirm(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
int keyrack_release(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
int keyrack_cancel(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
/* What became of an id. NOT_DONE with NOT_FOUND is final: that id can never sell any more. */
int keyrack_resolve(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
/* A later deadline for a hold: at least until expires_at_us, as far as the hotel's cap lets it. */
int keyrack_extend(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
/* So that a crash between payment and CONFIRM can be found. */
int keyrack_attach_payment(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
/* From the hotel's business date of the first night on. COMPLETE before the last night (early
 * departure) and NO_SHOW give back the nights from the business date on. */
int keyrack_check_in(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
int keyrack_complete(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
int keyrack_no_show(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
/*
 * Other lines for a hold or a booking, in one operation; refused, nothing has changed. Its own
 * rooms count as given back, rules ask about what is new, kept nights keep their price, others cost
 * what the calendar says. Fewer rooms, nights or lines are never refused by a restriction: so a
 * part of a booking is cancelled.
 */
int keyrack_modify(struct keyrack_client *client, const struct keyrack_transition *request,
	struct keyrack_reservation_answer *ret);
int keyrack_import(struct keyrack_client *client, const struct keyrack_import *request,
	struct keyrack_reservation_answer *ret);
int keyrack_reservation_get(struct keyrack_client *client,
	const struct keyrack_reservation_get *request, struct keyrack_reservation_get_answer *ret);
int keyrack_reservation_list(struct keyrack_client *client,
	const struct keyrack_reservation_list *request,
	struct keyrack_reservation_list_answer *ret);
int keyrack_snapshot(struct keyrack_client *client, const struct keyrack_snapshot *request,
	struct keyrack_snapshot_answer *ret);
int keyrack_stats(struct keyrack_client *client, const struct keyrack_stats *request,
	struct keyrack_stats_answer *ret);
int keyrack_ping(struct keyrack_client *client, const struct keyrack_ping *request,
	struct keyrack_ping_answer *ret);
int keyrack_router_status(struct keyrack_client *client,
	const struct keyrack_router_status *request, struct keyrack_router_status_answer *ret);
int keyrack_router_map(struct keyrack_client *client, const struct keyrack_router_map *request,
	struct keyrack_router_map_answer *ret);
int keyrack_router_connections(struct keyrack_client *client,
	const struct keyrack_router_connections *request,
	struct keyrack_router_connections_answer *ret);

#ifdef __cplusplus
}
#endif

#endif

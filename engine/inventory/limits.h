/*
 * The engine's bounds, each with its answer when reached. Table sizes (hotels, rows, records,
 * slabs) are options, sized at start; these are the fixed ones.
 */
#ifndef ENGINE_INVENTORY_LIMITS_H
#define ENGINE_INVENTORY_LIMITS_H

#define INV_TEXT_SIZE_MAX 64u /* codes, references, reasons; longer: INVALID */
#define INV_TYPE_CODE_SIZE_MAX 32u
#define INV_TYPE_NUMBER_MAX 65534u
#define INV_PLAN_CODE_SIZE_MAX 32u
#define INV_PLAN_NUMBER_MAX 65534u
#define INV_TYPE_PLANS_MAX 64u    /* beside plan 0: LIMIT_REACHED */
#define INV_HOTEL_TYPES_MAX 1024u /* LIMIT_REACHED */
#define INV_HOTEL_SOURCES_MAX 16u /* LIMIT_REACHED */
#define INV_LINES_MAX 16u         /* INVALID */
#define INV_STAY_NIGHTS_MAX 2048u /* of all lines together: INVALID */
/* Counters an effect tells: of the nights given back, and of those taken. */
#define INV_OLDS_MAX (2 * INV_STAY_NIGHTS_MAX)
#define INV_LINE_ROOMS_MAX 65535u   /* INVALID */
#define INV_UPDATE_CELLS_MAX 32768u /* nights x types of one range update: INVALID */
#define INV_QUERY_CELLS_MAX 16384u  /* nights x types of one availability: INVALID */
#define INV_CLASSES_MAX 65535u      /* LOS classes of a shard: LIMIT_REACHED */
#define INV_EXPLAIN_MAX 64u         /* refusals listed */
#define INV_WINDOW_NIGHTS_MIN 8u
#define INV_WINDOW_NIGHTS_DEFAULT 731u
#define INV_WINDOW_NIGHTS_MAX 4096u
#define INV_DRAIN_MAX 4096u /* due holds of a hotel looked at for one sale */
#define INV_ID_AHEAD_MAX_US UINT64_C(60000000)
#define INV_DAY_MIN (-32768) /* days on the wire outside: INVALID */
#define INV_DAY_MAX 65535

/* Times to live and caps of holds beyond this: INVALID. */
#define INV_HOLD_LIMIT_US (UINT64_C(366) * 24 * 3600 * 1000000)

/* Deadlines stay below this, so that instants can be subtracted. */
#define INV_DEADLINE_MAX_US (UINT64_MAX / 2)

/* Defaults of hotel settings. */
#define INV_DAY_ROLL_MINUTE 240u
#define INV_CHECK_IN_MINUTE 900u
#define INV_NIGHTS_MAX 365u
#define INV_HOLD_TTL_US (UINT64_C(15) * 60 * 1000000)
#define INV_HOLD_TTL_MAX_US (UINT64_C(60) * 60 * 1000000)
#define INV_HOLD_TOTAL_MAX_US (UINT64_C(60) * 60 * 1000000)

/* Defaults of shard options. */
#define INV_RETENTION_US (UINT64_C(24) * 3600 * 1000000)
#define INV_STAY_KEEP_DAYS 7
#define INV_GRACE_US (UINT64_C(2) * 60 * 1000000)
#define INV_REFUSALS_REMEMBERED (UINT32_C(1) << 20)

#endif

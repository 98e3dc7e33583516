/*
 * What an operation costs the pure shard: frames are made before, then given to shard_step 256 at
 * a time, and every append is durable at once. Nothing else runs: no socket, no disk.
 *
 * usage: shard-ops [--hotels N] [--count N] [--rounds N] [--only NAME] [--json]
 *
 * Times are the median of the rounds, each in a shard of its own. Instructions are for callgrind
 * to count: `--toggle-collect=measured*` leaves out everything but the steps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/rng.h"
#include "base/tz_load.h"
#include "engine/shard/replay.h"
#include "engine/shard/shard.h"
#include "proto/keyrack.pb-c.h"

#define CLUSTER UINT64_C(0xbe9c)
#define TYPES 4u
#define NIGHTS 365u
#define STAY_NIGHTS 3u
#define READ_NIGHTS 14u
#define PHYSICAL 29000u
#define TTL_US (UINT64_C(600) * 1000000)
#define WALL_US (UINT64_C(1767225600) * 1000000 + UINT64_C(12) * 3600 * 1000000)
#define TODAY 20454        /* the day of that instant */
#define PAUSE_MAX_US 10000 /* of the clock, between two slices of what is due */
#define FRAMES_A_STEP 256u
#define BODY_SIZE_MAX 256u
#define ROUNDS_MAX 101u
#define BORROWED(text) ((char *)(uintptr_t)(text))

struct bench {
	uint32_t hotels, count, rounds;
	const char *only;
	bool json;

	struct shard_config config;
	struct tz_db tz;
	struct kr_memory memory;
	struct shard *shard;
	struct rng rng;
	uint64_t boot_us;
	uint64_t timer_us;

	struct kr_id *ids; /* of the sales, in the order they were made */
	struct shard_frame *frames;
	uint8_t *bytes; /* a header and a body each */
	uint32_t frame_count;
	uint64_t answered, done, log_bytes;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *make_room(size_t count, size_t size)
{
	void *room = calloc(count, size);
	kr_assert(room != NULL);
	return room;
}

/* ---- the shard's surroundings ---- */

/* Returns the LSN of what is to be appended, or 0. */
static uint64_t step_once(struct bench *b, struct shard_event *event, uint32_t *ret_taken)
{
	struct shard_actions actions;
	struct shard_reply_cursor cursor = {0};
	struct shard_reply reply;
	event->boot_us = ++b->boot_us;
	event->wall_us = WALL_US + b->boot_us;
	const int r = shard_step(b->shard, event, &actions);
	kr_assert(r == 0);
	while (shard_reply_next(&actions, &cursor, &reply)) {
		b->answered++;
		b->done += reply.header->status == KEYRACK_DONE;
	}
	*ret_taken = actions.frames_taken;
	b->timer_us = actions.timer_boot_us;
	if (actions.append.body == NULL)
		return 0;
	b->log_bytes += actions.append.body_size_bytes;
	return actions.append.first_lsn + actions.append.count - 1;
}

static uint32_t step(struct bench *b, struct shard_event event)
{
	uint32_t taken, ignored;
	uint64_t lsn = step_once(b, &event, &taken);
	while (lsn != 0) {
		struct shard_event durable = {.kind = SHARD_PERSISTED, .persisted_lsn = lsn};
		lsn = step_once(b, &durable, &ignored);
	}
	return taken;
}

static void shard_make(struct bench *b)
{
	struct kr_error_text text;
	const uint32_t reservations = b->count * 2;
	b->config = (struct shard_config){
		.inventory = {.hotels_max = b->hotels,
			.rows_max = b->hotels * TYPES,
			.plans_max = 8,
			.window_nights = NIGHTS + 1,
			.reservations_max = reservations,
			.nodes_max = reservations * 2,
			.refusals_max = 1024,
			.denials_max = 1024,
			.stock_runs_max = 1024,
			.retention_us = UINT64_C(24) * 3600 * 1000000,
			.grace_us = INV_GRACE_US},
		.cluster = CLUSTER,
		.shard_count = 1,
		.durability = "sync",
		.agent = "shard-ops",
	};
	const int r = kr_memory_reserve(
		&b->memory, shard_memory_size(&b->config), KR_MEMORY_HUGE, NULL, &text);
	if (r < 0) {
		fprintf(stderr, "shard-ops: %s\n", text.bytes);
		exit(1);
	}
	/* Pages are there before time is taken. */
	memset(b->memory.base, 0, b->memory.size_bytes);
	b->shard = shard_init(&b->config, b->memory.base, &b->tz);
	rng_init(&b->rng, 1);
	b->boot_us = 1000000;
	b->timer_us = UINT64_MAX;
	b->answered = b->done = b->log_bytes = 0;
	b->frame_count = 0;
	(void)step(b, (struct shard_event){.kind = SHARD_START, .epoch = 1});
}

/* ---- frames ---- */

static void frame_add(struct bench *b, unsigned type, unsigned route, uint64_t key,
	const ProtobufCMessage *message)
{
	const size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *at = b->bytes + (size_t)b->frame_count * (FRAME_HEADER_SIZE + BODY_SIZE_MAX);
	kr_assert(size <= BODY_SIZE_MAX && b->frame_count < b->count);
	struct frame_header *header = (struct frame_header *)(void *)at;
	uint8_t *body = at + FRAME_HEADER_SIZE;
	protobuf_c_message_pack(message, body);
	*header = (struct frame_header){
		.type = (uint8_t)type,
		.route = (uint8_t)route,
		.cluster = CLUSTER,
		.routing_key = key,
		.request_id = b->frame_count + 1,
		.remaining_us = UINT32_MAX,
		.principal = 3,
		.via = 9,
	};
	frame_seal(header, body, size);
	b->frames[b->frame_count++] = (struct shard_frame){
		.conn = 5, .received_us = b->boot_us, .header = header, .body = body};
}

static void frames_give(struct bench *b)
{
	for (uint32_t given = 0; given < b->frame_count;) {
		const uint32_t count = KR_MIN(FRAMES_A_STEP, b->frame_count - given);
		given += step(b, (struct shard_event){.kind = SHARD_REQUEST,
					 .frames = b->frames + given,
					 .frame_count = count});
	}
}

static void frames_flush(struct bench *b)
{
	frames_give(b);
	kr_assert(b->done == b->answered);
	b->frame_count = 0;
}

/* callgrind is told its name. */
__attribute__((noinline)) static void measured(struct bench *b)
{
	frames_give(b);
	/* What the clock does, when that is what is measured; its slices keep a distance. */
	while (b->frame_count == 0 && b->timer_us <= b->boot_us + PAUSE_MAX_US) {
		b->boot_us = KR_MAX(b->boot_us, b->timer_us);
		(void)step(b, (struct shard_event){.kind = SHARD_TIMEOUT});
	}
}

static void hotels_put(struct bench *b)
{
	for (uint64_t hotel = 1; hotel <= b->hotels; hotel++) {
		Keyrack__HotelPutRequest put = KEYRACK__HOTEL_PUT_REQUEST__INIT;
		Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
		settings.zone = BORROWED("Europe/Paris");
		settings.currency = BORROWED("EUR");
		put.hotel_id = hotel;
		put.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY;
		put.settings = &settings;
		frame_add(b, FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, hotel, &put.base);
		for (uint32_t type = 0; type < TYPES; type++) {
			Keyrack__TypePutRequest type_put = KEYRACK__TYPE_PUT_REQUEST__INIT;
			Keyrack__TypeSettings type_settings = KEYRACK__TYPE_SETTINGS__INIT;
			char code[] = {'T', (char)('0' + type), 0};
			type_settings.code = code;
			type_settings.physical = PHYSICAL;
			type_put.hotel_id = hotel;
			type_put.type = type;
			type_put.mask = INV_TYPE_CODE | INV_TYPE_PHYSICAL;
			type_put.settings = &type_settings;
			frame_add(b, FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, hotel, &type_put.base);
		}
		frames_flush(b);
	}
}

static uint64_t hotel_draw(struct bench *b, bool is_hot)
{
	return is_hot ? 1 : 1 + rng_below(&b->rng, b->hotels);
}

static void sale_add(struct bench *b, unsigned frame_type, bool is_hot)
{
	Keyrack__ReserveRequest sale = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT, *lines[1] = {&line};
	const uint64_t hotel = hotel_draw(b, is_hot);
	const struct kr_id id = reservation_id_mint((WALL_US + b->boot_us) / 1000,
		slot_of_hotel((struct hotel_id){hotel}), rng_next(&b->rng) >> 4);
	line.type = is_hot ? 0 : (uint32_t)rng_below(&b->rng, TYPES);
	line.check_in = TODAY + 1 + (int32_t)rng_below(&b->rng, NIGHTS - STAY_NIGHTS - 1);
	line.check_out = line.check_in + (int32_t)STAY_NIGHTS;
	line.rooms = line.guests = 1;
	line.pricing = INV_PRICE_NONE;
	sale.hotel_id = hotel;
	sale.id_hi = id.hi;
	sale.id_lo = id.lo;
	sale.lines = lines;
	sale.n_lines = 1;
	sale.ttl_us = frame_type == FRAME_HOLD ? TTL_US : 0;
	sale.source = 1;
	b->ids[b->frame_count] = id;
	frame_add(b, frame_type, FRAME_ROUTE_HOTEL, hotel, &sale.base);
}

static void transition_add(struct bench *b, unsigned frame_type)
{
	Keyrack__TransitionRequest transition = KEYRACK__TRANSITION_REQUEST__INIT;
	const struct kr_id id = b->ids[b->frame_count];
	transition.id_hi = id.hi;
	transition.id_lo = id.lo;
	frame_add(b, frame_type, FRAME_ROUTE_SLOT, reservation_id_slot(id), &transition.base);
}

static void availability_add(struct bench *b)
{
	Keyrack__AvailabilityRequest read = KEYRACK__AVAILABILITY_REQUEST__INIT;
	const uint64_t hotel = hotel_draw(b, false);
	uint32_t type = (uint32_t)rng_below(&b->rng, TYPES);
	read.hotel_id = hotel;
	read.first_day = TODAY + (int32_t)rng_below(&b->rng, NIGHTS - READ_NIGHTS);
	read.night_count = READ_NIGHTS;
	read.types = &type;
	read.n_types = 1;
	frame_add(b, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, hotel, &read.base);
}

/* ---- operations ---- */

static void sales(struct bench *b, unsigned frame_type, bool is_hot)
{
	for (uint32_t i = 0; i < b->count; i++)
		sale_add(b, frame_type, is_hot);
}

static void prepare_book(struct bench *b)
{
	sales(b, FRAME_BOOK, false);
}

static void prepare_book_hot(struct bench *b)
{
	sales(b, FRAME_BOOK, true);
}

static void prepare_hold(struct bench *b)
{
	sales(b, FRAME_HOLD, false);
}

static void transitions(struct bench *b, unsigned made_by, unsigned frame_type)
{
	sales(b, made_by, false);
	frames_flush(b);
	for (uint32_t i = 0; i < b->count; i++)
		transition_add(b, frame_type);
}

static void prepare_confirm(struct bench *b)
{
	transitions(b, FRAME_HOLD, FRAME_CONFIRM);
}

static void prepare_release(struct bench *b)
{
	transitions(b, FRAME_HOLD, FRAME_RELEASE);
}

static void prepare_cancel(struct bench *b)
{
	transitions(b, FRAME_BOOK, FRAME_CANCEL);
}

static void prepare_availability(struct bench *b)
{
	sales(b, FRAME_BOOK, false);
	frames_flush(b);
	for (uint32_t i = 0; i < b->count; i++)
		availability_add(b);
}

static void prepare_expire(struct bench *b)
{
	sales(b, FRAME_HOLD, false);
	frames_flush(b);
	b->boot_us += 2 * TTL_US;
	b->timer_us = 0;
}

static const struct operation {
	const char *name;
	void (*prepare)(struct bench *bench);
} operations[] = {
	{"book", prepare_book},
	{"book-hot", prepare_book_hot},
	{"hold", prepare_hold},
	{"confirm", prepare_confirm},
	{"release", prepare_release},
	{"cancel", prepare_cancel},
	{"availability", prepare_availability},
	{"expire", prepare_expire},
};

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void check(const struct bench *b, const struct operation *operation)
{
	struct inv_counts counts;
	inv_counts_get(shard_inventory(b->shard), &counts);
	if (b->done == b->answered && (operation->prepare != prepare_expire || counts.holds == 0))
		return;
	fprintf(stderr,
		"shard-ops: %s: %" PRIu64 " of %" PRIu64 " were done, %" PRIu64 " holds are left\n",
		operation->name, b->done, b->answered, (uint64_t)counts.holds);
	exit(1);
}

static void run(struct bench *b, const struct operation *operation)
{
	double ns[ROUNDS_MAX];
	double log_bytes = 0;
	for (uint32_t round = 0; round < b->rounds; round++) {
		shard_make(b);
		hotels_put(b);
		operation->prepare(b);
		const uint64_t log_start = b->log_bytes, start = now_ns();
		measured(b);
		ns[round] = (double)(now_ns() - start) / b->count;
		log_bytes = (double)(b->log_bytes - log_start) / b->count;
		check(b, operation);
		kr_memory_release(&b->memory);
	}
	qsort(ns, b->rounds, sizeof(ns[0]), compare);
	if (b->json)
		printf("{\"operation\": \"%s\", \"ns\": %.1f, \"ns_min\": %.1f, \"ns_max\": %.1f, "
		       "\"log_bytes\": %.1f}\n",
			operation->name, ns[b->rounds / 2], ns[0], ns[b->rounds - 1], log_bytes);
	else
		printf("%-14s %8.1f %8.1f %8.1f %8.1f\n", operation->name, ns[b->rounds / 2], ns[0],
			ns[b->rounds - 1], log_bytes);
	fflush(stdout);
}

static const struct option_row rows[] = {
	{OPTION_NAMED("hotels", 'h', "N", "hotels of 4 room types"), OPTION_RANGE(1000, 1, 1000000),
		OPTION_U32(struct bench, hotels)},
	{OPTION_NAMED("count", 'n', "N", "operations a round"), OPTION_RANGE(200000, 1, 10000000),
		OPTION_U32(struct bench, count)},
	{OPTION_NAMED("rounds", 0, "N", "rounds, of which the median counts"),
		OPTION_RANGE(5, 1, ROUNDS_MAX), OPTION_U32(struct bench, rounds)},
	{OPTION_NAMED("only", 0, "NAME", "this operation alone"),
		OPTION_STRING(struct bench, only)},
	{OPTION_NAMED("json", 'j', NULL, "a line of JSON for each"),
		OPTION_SWITCH(struct bench, json)},
};

int main(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "shard-ops",
		.about =
			"What an operation costs the pure shard: nanoseconds (median, least, most) "
			"and bytes of log.",
		.table = rows,
		.count = KR_ARRAY_COUNT(rows),
		.structure_size_bytes = sizeof(struct bench),
	};
	static struct bench bench;
	struct option_set set;
	bool found = false;
	options_start(&set, &program, argc, argv, &bench);
	const size_t frames = KR_MAX(bench.count, bench.hotels * (TYPES + 1));
	if (tz_load(TZ_FOLDER, &bench.tz) != 0) {
		fprintf(stderr, "shard-ops: no time zones in " TZ_FOLDER "\n");
		return 1;
	}
	bench.frames = make_room(frames, sizeof(*bench.frames));
	bench.ids = make_room(frames, sizeof(*bench.ids));
	bench.bytes = make_room(frames, FRAME_HEADER_SIZE + BODY_SIZE_MAX);
	if (!bench.json)
		printf("%-14s %8s %8s %8s %8s\n", "ns", "median", "min", "max", "log B");
	for (size_t i = 0; i < KR_ARRAY_COUNT(operations); i++) {
		if (bench.only != NULL && strcmp(bench.only, operations[i].name) != 0)
			continue;
		found = true;
		run(&bench, &operations[i]);
	}
	if (!found)
		fprintf(stderr, "shard-ops: no operation %s\n", bench.only);
	free(bench.bytes);
	free(bench.ids);
	free(bench.frames);
	tz_free(&bench.tz);
	options_fini(&set);
	return found ? 0 : 2;
}

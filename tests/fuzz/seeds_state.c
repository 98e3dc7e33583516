#include "tests/fuzz/seeds_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/inventory/chunk.h"
#include "tests/fuzz/shard_rig.h"
#include "tests/unit/log/random_effect.h"

#define BYTES_MAX (64u << 10)
#define SMALL_SIZE 300u
#define BEGIN_LSN 1000u
#define RANDOM_STEPS 60u

static uint8_t bytes[BYTES_MAX];

/* One body of each kind, and one of many. */
static void put_records(seeds_put *put)
{
	static struct random_effect random;
	struct record_writer writer;
	struct inv_effect effect;
	char name[32];
	rng_init(&random.rng, 1);
	for (unsigned kind = 1; kind <= INV_EFFECT_LAST; kind++) {
		for (unsigned try = 0; try < 2000; try++) {
			record_writer_init(&writer, bytes + 9, BYTES_MAX - 9);
			random_effect(&random, kind, 1000, &effect);
			int r = record_put(&writer, &effect);
			kr_assert(r == 0 || r == RECORD_FULL);
			if (r == 0 && record_writer_finish(&writer) < SMALL_SIZE)
				break;
		}
		kr_assert(record_writer_finish(&writer) < 2 * SMALL_SIZE);
		bytes[0] = (uint8_t)writer.count;
		kr_store_u64(bytes + 1, writer.base_t_us);
		(void)snprintf(name, sizeof(name), "%s", record_kind_name(kind));
		put("record", name, bytes, 9 + record_writer_finish(&writer));
	}
}

/* The steps of a shard with reservations in every state, as its log and as its chunks. */
static void put_lived(seeds_put *put)
{
	struct world *world = world_serving(4);
	world_random(world, RANDOM_STEPS);
	struct inv *inv = shard_inventory(world->shard);
	struct log_snap_header header = {.cluster = 0xc1,
		.shard_count = 1,
		.slot_count = SLOT_COUNT,
		.epoch = 1,
		.begin_lsn = BEGIN_LSN};
	struct log_snap_footer footer = {.timestamp_us = 1};
	static uint8_t file[BYTES_MAX];
	struct log_snap_sums sums;
	file[0] = 1;
	log_snap_header_encode(&header, &sums, file + 1);
	for (uint32_t c = 0; c < inv_chunk_count(inv); c++) {
		struct kr_writer writer;
		kr_writer_init(&writer, bytes + 1, BYTES_MAX - 1);
		inv_chunk_save(inv, c, &writer);
		kr_assert(!writer.failed);
		bytes[0] = 2;
		put("snapshot", c == 0 ? "chunk_shard" : "chunk_hotel", bytes,
			1 + kr_writer_size(&writer));
		struct log_snap_chunk chunk = {.kind = 1,
			.slot = c,
			.hotel_id = c,
			.lsn = BEGIN_LSN,
			.digest = inv_chunk_digest(inv, c),
			.body_size_bytes = (uint32_t)kr_writer_size(&writer)};
		log_snap_chunk_encode(&chunk, bytes + 1, &sums, file + 1 + sums.size_bytes);
	}
	log_snap_footer_encode(&footer, &header, &sums, file + 1 + sums.size_bytes);
	put("snapshot", "file", file, 1 + sums.size_bytes);
	(void)world_free(world);
}

/* What is queued, as the steps of fuzz_shard; each by itself. */
static size_t steps_of(struct world *world)
{
	size_t size = 0;
	kr_assert(world->frame_count > 0);
	for (uint32_t i = 0; i < world->frame_count; i++) {
		const struct frame_header *header = world->frames[i].header;
		uint8_t *at = bytes + size;
		at[0] = 1;
		at[1] = header->type;
		at[2] = header->route;
		at[3] = header->route == FRAME_ROUTE_HOTEL ? 0 : 1;
		at[4] = 0;
		kr_store_u16(at + 5, (uint16_t)header->body_size_bytes);
		memcpy(at + 7, world->frames[i].body, header->body_size_bytes);
		size += 7 + header->body_size_bytes;
	}
	return size;
}

/* A hold that is confirmed and cancelled, a booking, and what is left. */
static void put_sales(seeds_put *put)
{
	struct world *world = world_serving(4);
	/* The rig's booking has the first id. */
	(void)world_id(world, WORLD_HOTEL);
	struct kr_id hold = world_id(world, WORLD_HOTEL), book = world_id(world, WORLD_HOTEL);
	(void)world_sale(world, FRAME_HOLD, hold, 1, 1, 2, UINT64_C(60000000));
	(void)world_transition(world, FRAME_CONFIRM, hold);
	(void)world_sale(world, FRAME_BOOK, book, 2, 3, 1, 0);
	Keyrack__ReserveRequest *body = (Keyrack__ReserveRequest *)protobuf_c_message_unpack(
		&keyrack__reserve_request__descriptor, NULL,
		world->frames[2].header->body_size_bytes, world->frames[2].body);
	kr_assert(body != NULL);
	body->guest_hi = 1;
	body->guest_lo = 2;
	body->id_lo++;
	(void)world_frame(world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body->base);
	protobuf_c_message_free_unpacked((ProtobufCMessage *)body, NULL);
	(void)world_transition(world, FRAME_CANCEL, hold);
	(void)world_availability(world, 0, 10, false);
	(void)world_get(world, book);
	put("shard", "sales", bytes, steps_of(world));
	(void)world_free(world);
}

void seeds_state_put(seeds_put *put)
{
	/* A whole log; one torn in the middle; a batch of another life behind its end. */
	static const uint8_t whole[] = {2, 0, 1, 2, 0, 8, 2, 0, 0, 2, 64, 0, 0x22, 64, 0};
	static const uint8_t torn[] = {2, 0, 1, 2, 0, 8, 0x42, 0, 4, 9, 1, 1};
	static const uint8_t stale[] = {2, 0, 1, 2, 0, 1, 0, 10, 0, 1, 4, 3};
	kr_assert(put != NULL);
	put("scan", "whole", whole, sizeof(whole));
	put("scan", "torn", torn, sizeof(torn));
	put("scan", "stale", stale, sizeof(stale));
	put_records(put);
	put_lived(put);
	put_sales(put);
}

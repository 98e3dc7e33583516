#include <string.h>

#include "base/text.h"
#include "engine/shard/shard_priv.h"

static int trouble(struct shard_trouble *ret, int condition, const struct inv_contradiction *c)
{
	struct kr_text text;
	char id[KR_ID_TEXT_SIZE];
	kr_assert(condition > 0 && c->what != NULL);
	kr_text_init(&text, ret->text, sizeof(ret->text));
	kr_id_format(c->id, id);
	kr_text_format(&text, "%s: expected %llu, found %llu", c->what,
		(unsigned long long)c->expected, (unsigned long long)c->found);
	if (c->hotel.v != 0)
		kr_text_format(&text, ", hotel %llu", (unsigned long long)c->hotel.v);
	if (!kr_id_is_zero(c->id))
		kr_text_format(&text, ", reservation %s", id);
	if (c->day != 0)
		kr_text_format(&text, ", day %d", c->day);
	ret->lsn = c->lsn;
	return condition;
}

static int trouble_text(struct shard_trouble *ret, int condition, uint64_t lsn, const char *what)
{
	struct kr_text text;
	kr_assert(condition > 0 && what != NULL);
	kr_text_init(&text, ret->text, sizeof(ret->text));
	kr_text_put_string(&text, what);
	ret->lsn = lsn;
	return condition;
}

static int chunk_load(struct shard *shard, const struct log_snap_chunk *chunk, const uint8_t *bytes,
	uint64_t size_bytes, struct shard_trouble *ret_trouble)
{
	struct kr_reader reader;
	struct inv_contradiction contradiction = {.what = "a malformed chunk"};
	kr_reader_init(&reader, bytes, size_bytes);
	int r = inv_chunk_load(shard->inv, &reader, chunk->lsn, chunk->digest, &contradiction);
	if (r == INV_NO_ROOM)
		return trouble_text(ret_trouble, SHARD_NO_ROOM, chunk->lsn,
			"the snapshot does not fit: start with larger sizes");
	if (r == INV_CONTRADICTION)
		return trouble(ret_trouble, SHARD_CONTRADICTION, &contradiction);
	kr_assert(r == 0);
	shard->next_lsn = KR_MAX(shard->next_lsn, chunk->lsn + 1);
	return 0;
}

void shard_sizes_save(const struct shard *shard, struct kr_writer *writer)
{
	struct inv_counts counts;
	inv_counts_get(shard->inv, &counts);
	kr_writer_varint(writer, counts.hotels);
	kr_writer_varint(writer, counts.rows);
	kr_writer_varint(writer, counts.reservations);
	kr_writer_varint(writer, counts.nodes);
	kr_writer_varint(writer, counts.stock_runs);
	kr_writer_varint(writer, shard->config.inventory.window_nights);
	if (counts.plans > 0)
		kr_writer_varint(writer, counts.plans);
	kr_assert(!writer->failed);
}

static int sizes_load(struct shard *shard, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct shard_trouble *ret_trouble)
{
	struct shard_sizes *sizes = &shard->sizes;
	struct kr_reader reader;
	kr_reader_init(&reader, body, chunk->body_size_bytes);
	sizes->hotels = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	sizes->rows = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	sizes->reservations = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	sizes->nodes = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	sizes->stock_runs = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	sizes->window_nights = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	if (!kr_reader_done(&reader))
		sizes->plans = (uint32_t)kr_reader_varint_max(&reader, UINT32_MAX);
	kr_assert(chunk->kind == SHARD_CHUNK_SIZES);
	if (kr_reader_done(&reader) && chunk->digest == 0 && chunk->part == 0)
		return 0;
	return trouble_text(
		ret_trouble, SHARD_CONTRADICTION, chunk->lsn, "the snapshot's sizes are malformed");
}

void shard_sizes_get(const struct shard *shard, struct shard_sizes *ret_sizes)
{
	kr_assert(shard->life == SHARD_LOADING);
	*ret_sizes = shard->sizes;
}

int shard_load_chunk(struct shard *shard, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct shard_trouble *ret_trouble)
{
	struct shard_snapshot *s = &shard->snapshot;
	kr_assert(shard->life == SHARD_LOADING);
	if (chunk->slot != shard_chunk_slot((struct hotel_id){chunk->hotel_id}))
		return trouble_text(ret_trouble, SHARD_CONTRADICTION, chunk->lsn,
			"a chunk names a slot that is not its hotel's");
	if (chunk->kind == SHARD_CHUNK_SIZES)
		return sizes_load(shard, chunk, body, ret_trouble);
	if (chunk->part != shard->load_part ||
		(chunk->kind != SHARD_CHUNK_MORE && chunk->kind != SHARD_CHUNK_WHOLE))
		return trouble_text(ret_trouble, SHARD_CONTRADICTION, chunk->lsn,
			"a piece of a chunk is missing or of an unknown kind");
	if (chunk->kind == SHARD_CHUNK_WHOLE && chunk->part == 0)
		return chunk_load(shard, chunk, body, chunk->body_size_bytes, ret_trouble);
	if (chunk->body_size_bytes > s->size_bytes - shard->load_size_bytes)
		return trouble_text(ret_trouble, SHARD_NO_ROOM, chunk->lsn,
			"a hotel of the snapshot does not fit: start with larger sizes");
	memcpy(s->bytes + shard->load_size_bytes, body, chunk->body_size_bytes);
	shard->load_size_bytes += chunk->body_size_bytes;
	shard->load_part++;
	if (chunk->kind == SHARD_CHUNK_MORE)
		return 0;
	uint64_t size = shard->load_size_bytes;
	shard->load_size_bytes = 0;
	shard->load_part = 0;
	return chunk_load(shard, chunk, s->bytes, size, ret_trouble);
}

static int replay_effect(
	struct shard *shard, const struct inv_effect *effect, struct shard_trouble *ret_trouble)
{
	struct inv_contradiction contradiction;
	if (effect->kind == INV_EFFECT_START)
		shard->sizes.window_nights = effect->u.start.window_nights;
	/* Old values and counts of nights are those of the window they were judged in. */
	if (shard->sizes.window_nights > shard->config.inventory.window_nights &&
		effect->hotel.v != 0)
		return trouble_text(ret_trouble, SHARD_NO_ROOM, effect->lsn,
			"the log was written with a longer window: start with as many nights, stop "
			"cleanly, then shorten it");
	int r = inv_apply(shard->inv, effect, &contradiction);
	kr_assert(effect->lsn > 0);
	if (r == INV_NO_ROOM)
		return trouble_text(ret_trouble, SHARD_NO_ROOM, effect->lsn,
			"a table is too small for the log: start with larger sizes");
	if (r == INV_CONTRADICTION && effect->kind == INV_EFFECT_DIGEST)
		return trouble(ret_trouble, SHARD_DIGEST_DIFFERS, &contradiction);
	if (r == INV_CONTRADICTION)
		return trouble(ret_trouble, SHARD_CONTRADICTION, &contradiction);
	kr_assert(r == 0);
	return 0;
}

static int replay_watched(struct shard *shard, const struct inv_effect *effect,
	const struct shard_watch *watch, struct shard_trouble *ret_trouble)
{
	bool is_watched = watch->on_effect != NULL;
	if (is_watched)
		watch->on_effect(watch->context, effect, false);
	int r = replay_effect(shard, effect, ret_trouble);
	kr_assert(r >= 0);
	if (r == 0 && is_watched)
		watch->on_effect(watch->context, effect, true);
	return r;
}

/*
 * A window over the effects of one body. They are read once, some way ahead of where they are
 * applied, so that the memory each of them needs can be hinted at in three stages, as for judging;
 * applied they are one after the other, in the log's order.
 */
struct ahead {
	struct shard *shard;
	struct record_reader reader;
	uint64_t end_lsn;       /* effects from here on are not wanted */
	uint64_t read, done;    /* effects of the body, so far */
	uint64_t hinted[3];     /* the same, by stage */
	int end;                /* 0: there are more to read; RECORD_END, RECORD_MALFORMED */
	bool is_scratch_in_use; /* by an UPDATE, the last one that was read */
};

/* How many effects before it is applied an effect comes to each stage. */
static const uint32_t ahead_stages[3] = {
	4 * SHARD_AHEAD_GROUP, 3 * SHARD_AHEAD_GROUP, 2 * SHARD_AHEAD_GROUP};

static struct shard_ahead *ahead_slot(const struct ahead *ahead, uint64_t index)
{
	kr_assert(index >= ahead->done && index < ahead->done + SHARD_AHEAD_COUNT);
	return &ahead->shard->ahead[index % SHARD_AHEAD_COUNT];
}

static void ahead_read(struct ahead *ahead)
{
	while (ahead->end == 0 && !ahead->is_scratch_in_use &&
		ahead->read - ahead->done < SHARD_AHEAD_COUNT) {
		struct shard_ahead *slot = ahead_slot(ahead, ahead->read);
		ahead->reader.arrays = &slot->arrays;
		ahead->end = record_next(&ahead->reader, &slot->effect);
		if (ahead->end == 0 && slot->effect.lsn >= ahead->end_lsn)
			ahead->end = RECORD_END;
		if (ahead->end != 0)
			return;
		ahead->is_scratch_in_use = slot->effect.kind == INV_EFFECT_UPDATE;
		ahead->read++;
	}
	kr_assert(ahead->read >= ahead->done);
}

static void ahead_hint(struct ahead *ahead)
{
	for (unsigned stage = 0; stage < KR_ARRAY_COUNT(ahead_stages); stage++) {
		uint64_t end = KR_MIN(ahead->read, ahead->done + ahead_stages[stage]);
		for (; ahead->hinted[stage] < end; ahead->hinted[stage]++)
			inv_effect_prefetch(ahead->shard->inv,
				&ahead_slot(ahead, ahead->hinted[stage])->effect, stage);
	}
	kr_assert(ahead->hinted[2] > ahead->done || ahead->read == ahead->done);
}

/* The next one, or NULL. It stays until ahead_pop(). */
static const struct inv_effect *ahead_first(struct ahead *ahead)
{
	if (ahead->done % SHARD_AHEAD_GROUP == 0 || ahead->done == ahead->read) {
		ahead_read(ahead);
		ahead_hint(ahead);
	}
	return ahead->done == ahead->read ? NULL : &ahead_slot(ahead, ahead->done)->effect;
}

static void ahead_pop(struct ahead *ahead)
{
	kr_assert(ahead->done < ahead->read);
	ahead->done++;
	/* Behind an UPDATE nothing is read before it is applied. */
	if (ahead->done == ahead->read)
		ahead->is_scratch_in_use = false;
}

int shard_replay_watched(struct shard *shard, const struct record_body *body,
	const struct shard_watch *watch, struct shard_trouble *ret_trouble)
{
	struct ahead ahead = {.shard = shard, .end_lsn = body->first_lsn + body->count};
	if (watch->to_lsn != 0)
		ahead.end_lsn = KR_MIN(ahead.end_lsn, watch->to_lsn + 1);
	kr_assert(shard->life == SHARD_LOADING);
	record_reader_init(&ahead.reader, body, shard->record_scratch);
	const struct inv_effect *effect;
	for (; (effect = ahead_first(&ahead)) != NULL; ahead_pop(&ahead)) {
		if (watch->wants != NULL && !watch->wants(watch->context, effect))
			continue;
		int r = replay_watched(shard, effect, watch, ret_trouble);
		if (r != 0)
			return r;
	}
	if (ahead.end == RECORD_MALFORMED)
		return trouble_text(ret_trouble, SHARD_CONTRADICTION, ahead.reader.lsn,
			"a record is malformed behind a valid checksum");
	kr_assert(ahead.end == RECORD_END);
	const uint64_t end_lsn = ahead.end_lsn;
	shard->next_lsn = KR_MAX(shard->next_lsn, end_lsn);
	/* A long replay brings the next snapshot nearer. */
	shard->snapshot.effects += body->count;
	return 0;
}

int shard_replay(
	struct shard *shard, const struct record_body *body, struct shard_trouble *ret_trouble)
{
	const struct shard_watch nothing = {0};
	kr_assert(shard->inv != NULL);
	return shard_replay_watched(shard, body, &nothing, ret_trouble);
}

uint64_t shard_digest(const struct shard *shard)
{
	kr_assert(shard->inv != NULL);
	return inv_digest(shard->inv);
}

struct inv *shard_inventory(struct shard *shard)
{
	kr_assert(shard->inv != NULL);
	return shard->inv;
}

uint64_t shard_last_lsn(const struct shard *shard)
{
	kr_assert(shard->next_lsn > 0);
	return shard->next_lsn - 1;
}

#include "engine/inventory/records.h"

/*
 * Kept with every record and compared for as long as it lives, across restarts and upgrades: the
 * words, their order and the hash are part of the log's format. Every count and size goes before
 * what it counts, so that no two payloads give the same words.
 */
#define INV_FINGERPRINT_WORDS_MAX 16u

static uint64_t inv_fingerprint_words(uint64_t previous, const uint64_t *words, uint32_t count)
{
	uint8_t bytes[INV_FINGERPRINT_WORDS_MAX * 8];
	kr_assert(words != NULL);
	kr_assert(count <= INV_FINGERPRINT_WORDS_MAX);
	for (uint32_t i = 0; i < count; i++)
		kr_store_u64(bytes + i * 8, words[i]);
	return hash_64_seeded(bytes, count * 8, previous);
}

/* Only what is imported brings terms. */
static uint64_t inv_fingerprint_terms(uint64_t sum, const struct inv_line *line)
{
	uint64_t words[1 + INV_TIERS_MAX] = {line->arrival_us};
	kr_assert(line->tier_count == 0 || line->tiers != NULL);
	if (line->tier_count == 0 || line->tier_count > INV_TIERS_MAX)
		return sum;
	for (uint32_t i = 0; i < line->tier_count; i++)
		words[1 + i] = (uint64_t)line->tiers[i].hours << 32 |
			       (uint64_t)line->tiers[i].nights << 16 | line->tiers[i].basis_points;
	kr_assert(KR_ARRAY_COUNT(words) <= INV_FINGERPRINT_WORDS_MAX);
	return inv_fingerprint_words(sum, words, 1u + line->tier_count);
}

static uint64_t inv_fingerprint_line(uint64_t sum, const struct inv_line *line)
{
	const uint64_t words[] = {
		(uint64_t)line->type << 48 | (uint64_t)line->plan << 32 |
			(uint64_t)line->rooms << 16 | line->guests,
		(uint64_t)(uint32_t)line->check_in << 32 | (uint32_t)line->check_out,
		(uint64_t)line->pricing << 32 | line->run_count,
	};
	kr_assert(line->run_count == 0 || line->runs != NULL);
	kr_assert(KR_ARRAY_COUNT(words) <= INV_FINGERPRINT_WORDS_MAX);
	sum = inv_fingerprint_words(sum, words, KR_ARRAY_COUNT(words));
	sum = inv_fingerprint_terms(sum, line);
	for (uint32_t i = 0; i < line->run_count; i++) {
		const uint64_t run[] = {line->runs[i].nights, line->runs[i].price_minor};
		sum = inv_fingerprint_words(sum, run, KR_ARRAY_COUNT(run));
	}
	return sum;
}

static uint64_t inv_fingerprint_text(uint64_t sum, struct inv_text text)
{
	kr_assert(text.size_bytes == 0 || text.bytes != NULL);
	if (text.size_bytes == 0)
		return sum;
	return hash_64_seeded(text.bytes, text.size_bytes, sum);
}

uint64_t inv_reserve_fingerprint(const struct inv_reserve_op *op)
{
	const uint64_t words[] = {
		op->book,
		op->hotel.v,
		op->id.hi,
		op->id.lo,
		op->ttl_us,
		op->has_expected_total,
		op->expected_total_minor,
		op->guest.hi,
		op->guest.lo,
		op->reacquires.hi,
		op->reacquires.lo,
		op->replaces.hi,
		op->replaces.lo,
		op->force,
		op->line_count,
		(uint64_t)op->external_ref.size_bytes << 32 | op->payment_ref.size_bytes,
	};
	kr_assert(op->line_count == 0 || op->lines != NULL);
	kr_assert(KR_ARRAY_COUNT(words) == INV_FINGERPRINT_WORDS_MAX);
	uint64_t sum = inv_fingerprint_words(0, words, KR_ARRAY_COUNT(words));
	for (uint32_t i = 0; i < op->line_count; i++)
		sum = inv_fingerprint_line(sum, &op->lines[i]);
	sum = inv_fingerprint_text(sum, op->external_ref);
	return inv_fingerprint_text(sum, op->payment_ref);
}

uint64_t inv_import_fingerprint(const struct inv_import_op *op)
{
	const uint64_t words[] = {
		op->hotel.v,
		op->id.hi,
		op->id.lo,
		(uint64_t)op->state << 32 | op->revision,
		(uint64_t)op->was_held << 33 | (uint64_t)op->graced << 32 | op->source,
		(uint64_t)op->has_counted_until << 32 | (uint32_t)op->counted_until,
		op->created_at_us,
		op->changed_at_us,
		op->expires_at_us,
		op->change_id,
		op->guest.hi,
		op->guest.lo,
		op->line_count,
		(uint64_t)op->external_ref.size_bytes << 32 | op->payment_ref.size_bytes,
	};
	kr_assert(op->line_count == 0 || op->lines != NULL);
	kr_assert(KR_ARRAY_COUNT(words) <= INV_FINGERPRINT_WORDS_MAX);
	uint64_t sum = inv_fingerprint_words(0, words, KR_ARRAY_COUNT(words));
	for (uint32_t i = 0; i < op->line_count; i++)
		sum = inv_fingerprint_line(sum, &op->lines[i]);
	sum = inv_fingerprint_text(sum, op->external_ref);
	return inv_fingerprint_text(sum, op->payment_ref);
}

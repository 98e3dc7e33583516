/*
 * What `keyrack-recover dump --log` prints of effects: every field that a record holds. A byte of a
 * record is changed; where that is another effect it has to be another line, as JSON and in words,
 * and the line of JSON, read back, is that effect in every field.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log/random_effect.h"
#include "tests/unit/tools/recover_json.h"
#include "tools/keyrack-recover.h"

#define BODY_SIZE (2u << 20)
#define RECORDS 4 /* of each kind */
#define SIZE_MAX_BYTES 3000u
#define BYTES_MAX 100 /* that are changed in a record, spread over it */

struct bench {
	struct random_effect random;
	struct record_scratch scratch, changed_scratch, dump_scratch;
	uint8_t bytes[BODY_SIZE], changed[BODY_SIZE], again[BODY_SIZE];
	struct recover_json json;
	uint64_t changes, same, read_back;
};

/* The rest of the program, which this test does without. */
int recover_ignore_reset(void *context)
{
	return 0;
}

int recover_ignore_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	return 0;
}

const char *recover_state_name(unsigned state)
{
	static char names[256][12];
	snprintf(names[state % 256], sizeof(names[0]), "STATE_%u", state % 256);
	return names[state % 256];
}

static bool read_one(const uint8_t *bytes, size_t size, struct record_scratch *scratch,
	struct inv_effect *ret_effect)
{
	const struct record_body body = {
		.bytes = bytes, .size_bytes = size, .first_lsn = 9, .count = 1, .t_us = 1000};
	struct record_reader reader;
	struct inv_effect none;
	static struct record_scratch rest;
	record_reader_init(&reader, &body, scratch);
	if (record_next(&reader, ret_effect) != 0)
		return false;
	/* Nothing behind it, so that it is one effect alone. */
	struct record_reader end = reader;
	end.scratch = &rest;
	return record_next(&end, &none) == RECORD_END;
}

static char *dumped(struct bench *b, const uint8_t *bytes, size_t size, bool is_json)
{
	char *text = NULL;
	size_t text_size = 0;
	FILE *out = open_memstream(&text, &text_size);
	cr_assert_not_null(out);
	struct recover_log_dump dump = {
		.out = out, .is_json = is_json, .scratch = &b->dump_scratch};
	struct log_applier applier;
	struct log_trouble trouble;
	const struct log_batch_header header = {.body_size_bytes = (uint32_t)size,
		.first_lsn = 9,
		.count = 1,
		.timestamp_us = 1000};
	recover_log_applier(&dump, &applier);
	cr_assert_eq(applier.on_batch(applier.context, &header, bytes, &trouble), 0);
	fclose(out);
	return text;
}

/* What a record has room for and no request says: a plan with prices of its own has no parent,
 * and what an update does not set has no value. */
static void unsaid_forget(const struct inv_effect *effect, struct inv_effect *other)
{
	const struct inv_plan_settings *plan = &effect->u.plan_put.settings;
	struct inv_plan_settings *other_plan = &other->u.plan_put.settings;
	const struct inv_update *u = &effect->u.update.update;
	struct inv_update *v = &other->u.update.update;
	if (other->kind == INV_EFFECT_PLAN && plan->derivation == 0 &&
		other_plan->derivation == 0) {
		other_plan->parent = plan->parent;
		other_plan->adjustment = plan->adjustment;
	}
	if (other->kind != INV_EFFECT_UPDATE)
		return;
	v->source = u->source; /* the actor's, which is told */
#define FORGET(mask, field)                                                                        \
	if (!((u->set_mask | v->set_mask |                                                         \
		      ((u->adjust_mask | v->adjust_mask) & INV_UPDATE_ADJUSTABLE)) &               \
		    (mask)))                                                                       \
		v->field = u->field;
	FORGET(INV_UPDATE_CLOSED, closed)
	FORGET(INV_UPDATE_CTA, cta)
	FORGET(INV_UPDATE_CTD, ctd)
	FORGET(INV_UPDATE_PLAN_CLOSED, plan_closed)
	FORGET(INV_UPDATE_PLAN_CTA, plan_cta)
	FORGET(INV_UPDATE_PLAN_CTD, plan_ctd)
	FORGET(INV_UPDATE_ALLOWANCE, allowance_unit)
#undef FORGET
}

/* What the line says, by itself, is the effect. */
static void json_check(struct bench *b, const char *line, const struct inv_effect *effect)
{
	struct inv_line lines[INV_LINES_MAX];
	struct inv_effect told = *effect, read;
	cr_assert(recover_json_read(&b->json, line, &read), "not read: %s", line);
	recover_json_as_told(&told, lines);
	unsaid_forget(&told, &read);
	cr_assert_eq(read.lsn, told.lsn);
	cr_assert(effects_equal(&told, &read), "another effect: %s", line);
}

static void change_one(struct bench *b, size_t size, size_t at, const struct inv_effect *effect)
{
	struct inv_effect other;
	memcpy(b->changed, b->bytes, size);
	b->changed[at] ^= (uint8_t)(1u << rng_below(&b->random.rng, 8));
	if (!read_one(b->changed, size, &b->changed_scratch, &other))
		return;
	/* Not every number is somebody: who it is, and that all are told apart, unit/proto/access.
	 */
	const uint32_t principal = other.actor.principal;
	other.actor.principal = effect->actor.principal;
	unsaid_forget(effect, &other);
	if (effects_equal(effect, &other)) {
		b->same++;
		return;
	}
	for (int is_json = 0; is_json < 2; is_json++) {
		char *before = dumped(b, b->bytes, size, is_json);
		char *after = dumped(b, b->changed, size, is_json);
		cr_assert_str_neq(before, after, "byte %zu of a %s changes nothing: %s", at,
			record_kind_name(effect->kind), before);
		/* Text that is none in UTF-8 is INVALID in requests. */
		if (is_json && strstr(after, "(not UTF-8)") == NULL) {
			struct inv_effect whole = other;
			whole.actor.principal = principal;
			json_check(b, after, &whole);
			b->read_back++;
		}
		free(before);
		free(after);
	}
	b->changes++;
}

static size_t one_record(struct bench *b, unsigned kind)
{
	struct inv_effect effect;
	struct record_writer writer;
	random_effect(&b->random, kind, 1000, &effect);
	/* As requests bring it: text that is none in UTF-8 is INVALID there. */
	for (uint32_t i = 0; i < b->random.text_count; i++)
		for (size_t k = 0; k < INV_TEXT_SIZE_MAX; k++)
			b->random.texts[i][k] = (char)('a' + (uint8_t)b->random.texts[i][k] % 26);
	record_writer_init(&writer, b->bytes, sizeof(b->bytes));
	cr_assert_eq(record_put(&writer, &effect), 0);
	return record_writer_finish(&writer);
}

Test(recover_log, a_changed_field_is_a_changed_line)
{
	struct bench *b = calloc(1, sizeof(*b));
	cr_assert_not_null(b);
	rng_init(&b->random.rng, 7);
	for (unsigned kind = 1; kind <= INV_EFFECT_LAST; kind++) {
		for (int i = 0; i < RECORDS; i++) {
			struct inv_effect effect;
			size_t size = one_record(b, kind);
			while (size > SIZE_MAX_BYTES) /* of thousands of nights alike */
				size = one_record(b, kind);
			const size_t step = size / BYTES_MAX + 1;
			cr_assert(read_one(b->bytes, size, &b->scratch, &effect));
			for (size_t at = 1; at < size; at += step)
				change_one(b, size, at, &effect);
		}
	}
	cr_log_info("%llu changes of effects, %llu bytes that mean the same",
		(unsigned long long)b->changes, (unsigned long long)b->same);
	cr_assert_gt(b->changes, 1000);
	cr_assert_gt(b->read_back, b->changes / 2);
	recover_json_fini(&b->json);
	free(b);
}

Test(recover_log, a_line_of_json_is_read_back_as_the_same_effect)
{
	struct bench *b = calloc(1, sizeof(*b));
	cr_assert_not_null(b);
	rng_init(&b->random.rng, 9);
	for (int i = 0; i < 1000; i++) {
		struct inv_effect effect;
		const size_t size = one_record(b, 1 + (unsigned)i % INV_EFFECT_LAST);
		cr_assert(read_one(b->bytes, size, &b->scratch, &effect));
		char *line = dumped(b, b->bytes, size, true);
		json_check(b, line, &effect);
		free(line);
	}
	recover_json_fini(&b->json);
	free(b);
}

Test(recover_log, what_is_read_back_is_written_as_the_same_bytes)
{
	struct bench *b = calloc(1, sizeof(*b));
	cr_assert_not_null(b);
	rng_init(&b->random.rng, 8);
	for (int i = 0; i < 4000; i++) {
		struct inv_effect effect;
		struct record_writer writer;
		const size_t size = one_record(b, 1 + (unsigned)i % INV_EFFECT_LAST);
		cr_assert(read_one(b->bytes, size, &b->scratch, &effect));
		record_writer_init(&writer, b->again, sizeof(b->again));
		cr_assert_eq(record_put(&writer, &effect), 0);
		cr_assert_eq(record_writer_finish(&writer), size);
		cr_assert_arr_eq(b->again, b->bytes, size);
	}
	free(b);
}

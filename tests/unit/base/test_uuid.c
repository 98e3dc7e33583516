#include <criterion/criterion.h>

#include <string.h>

#include "base/rng.h"
#include "base/uuid.h"

Test(uuid, goes_to_text_and_bytes_and_back_in_one_order)
{
	struct rng rng;
	struct kr_id previous = {0, 0};
	char before[KR_ID_TEXT_SIZE];
	rng_init(&rng, 11);
	kr_id_format(previous, before);
	cr_assert_str_eq(before, "00000000-0000-0000-0000-000000000000");
	cr_assert(kr_id_is_zero(previous));
	for (uint32_t i = 0; i < 20000; i++) {
		struct kr_id id = {rng_next(&rng), rng_next(&rng)}, back;
		if (i % 3 == 0)
			id.hi = previous.hi;
		char text[KR_ID_TEXT_SIZE];
		uint8_t bytes[KR_ID_SIZE], old[KR_ID_SIZE];
		kr_id_format(id, text);
		cr_assert_eq(kr_id_parse(text, strlen(text), &back), 0);
		cr_assert(kr_id_equal(id, back));
		kr_id_store(bytes, id);
		cr_assert(kr_id_equal(kr_id_load(bytes), id));
		kr_id_store(old, previous);
		int order = kr_id_compare(id, previous);
		cr_assert_eq(order < 0, memcmp(bytes, old, KR_ID_SIZE) < 0);
		cr_assert_eq(order < 0, strcmp(text, before) < 0);
		cr_assert_eq(order == 0, kr_id_equal(id, previous));
		previous = id;
		memcpy(before, text, sizeof(before));
	}
	struct kr_id id;
	const char *text = "01234567-89aB-cDef-0123-456789abcdef";
	cr_assert_eq(kr_id_parse(text, 36, &id), 0);
	cr_assert_eq(id.hi, UINT64_C(0x0123456789abcdef));
	cr_assert_eq(id.lo, UINT64_C(0x0123456789abcdef));
}

Test(uuid, refuses_other_texts)
{
	static const char *const texts[] = {"", "0", "01234567-89ab-cdef-0123-456789abcde",
		"01234567-89ab-cdef-0123-456789abcdef0", "01234567089ab-cdef-0123-456789abcdef",
		"0123456-789ab-cdef-0123-456789abcdef", "g1234567-89ab-cdef-0123-456789abcdef",
		"{1234567-89ab-cdef-0123-456789abcde}"};
	struct kr_id id = {7, 7};
	for (size_t i = 0; i < KR_ARRAY_COUNT(texts); i++)
		cr_assert_eq(kr_id_parse(texts[i], strlen(texts[i]), &id), KR_ID_MALFORMED);
	cr_assert_eq(id.hi, 7);
}

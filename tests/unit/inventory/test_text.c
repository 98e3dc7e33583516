/* Which characters a text may have: every edge of UTF-8, and its neighbours. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine/inventory/actor.h"
#include "engine/inventory/limits.h"

static bool takes(const char *bytes, size_t size)
{
	return inv_text_is_valid(
		(struct inv_text){.bytes = bytes, .size_bytes = (uint32_t)size}, INV_TEXT_SIZE_MAX);
}

Test(text, has_every_character_but_control_characters_and_surrogates)
{
	/* By the form of so many bytes, whether or not it is the shortest. */
	static const struct {
		const char *bytes;
		bool is_taken;
	} edges[] = {{"\x1f", false}, {"\x20", true}, {"\x7e", true}, {"\x7f", false},
		{"\xc2\x9f", false}, {"\xc2\xa0", true}, {"\xdf\xbf", true},
		{"\xe0\x9f\xbf", false}, {"\xe0\xa0\x80", true}, {"\xed\x9f\xbf", true},
		{"\xed\xa0\x80", false}, {"\xed\xbf\xbf", false}, {"\xee\x80\x80", true},
		{"\xef\xbf\xbf", true}, {"\xf0\x8f\xbf\xbf", false}, {"\xf0\x90\x80\x80", true},
		{"\xf4\x8f\xbf\xbf", true}, {"\xf4\x90\x80\x80", false},
		{"\xf8\x88\x80\x80", false}, {"\x80", false}, {"\xbf", false}, {"\xc1\xbf", false},
		{"\xff", false}};
	char between[8];
	for (size_t i = 0; i < KR_ARRAY_COUNT(edges); i++) {
		const size_t size = strlen(edges[i].bytes);
		cr_assert_eq(takes(edges[i].bytes, size), edges[i].is_taken, "%zu", i);
		for (size_t cut = 1; cut < size; cut++)
			cr_assert_not(takes(edges[i].bytes, cut), "%zu, cut", i);
		between[0] = 'a';
		memcpy(between + 1, edges[i].bytes, size);
		between[1 + size] = 'z';
		cr_assert_eq(takes(between, size + 2), edges[i].is_taken, "%zu, between", i);
	}
	cr_assert(takes("", 0));
	cr_assert_not(takes("", 1), "a zero byte");
}

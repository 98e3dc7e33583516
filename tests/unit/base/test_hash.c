#include <criterion/criterion.h>

#include "base/hash.h"

Test(hash, is_the_xxh3_that_formats_rely_on)
{
	cr_assert_eq(hash_64("", 0), UINT64_C(0x2d06800538d394c2));
	cr_assert_eq(hash_64(NULL, 0), hash_64("", 0));
	cr_assert_eq(hash_64("keyrack", 7), hash_64_seeded("keyrack", 7, 0));
	cr_assert_neq(hash_64_seeded("keyrack", 7, 0), hash_64_seeded("keyrack", 7, 1));
	static const uint8_t one[8] = {1};
	cr_assert_eq(hash_64_of_u64(1), hash_64(one, 8));
}

Test(hash, a_chain_sees_order_and_borders)
{
	uint64_t ab_c = hash_chain(hash_chain(0, "ab", 2), "c", 1);
	uint64_t a_bc = hash_chain(hash_chain(0, "a", 1), "bc", 2);
	uint64_t c_ab = hash_chain(hash_chain(0, "c", 1), "ab", 2);
	cr_assert_neq(ab_c, a_bc);
	cr_assert_neq(ab_c, c_ab);
	cr_assert_neq(hash_chain(0, "", 0), 0);
	cr_assert_eq(ab_c, hash_chain(hash_chain(0, "ab", 2), "c", 1));
}

Test(hash, the_mix_is_a_bijection_on_what_it_is_shown)
{
	static uint64_t seen[1u << 16];
	for (uint32_t i = 0; i < (1u << 16); i++)
		seen[hash_mix(i) & 0xffff]++;
	uint64_t most = 0;
	for (uint32_t i = 0; i < (1u << 16); i++)
		most = KR_MAX(most, seen[i]);
	/* Small numbers spread like random ones over a table. */
	cr_assert(most < 12);
}

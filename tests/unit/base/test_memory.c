#include <criterion/criterion.h>

#include <string.h>

#include "base/memory.h"

Test(memory, is_zero_aligned_lazy_and_given_back)
{
	struct kr_memory memory;
	struct kr_error_text text;
	size_t size = (size_t)4 << 30;
	size_t before = kr_memory_resident_bytes();
	cr_assert(before > 0);
	cr_assert_eq(kr_memory_reserve(&memory, size, KR_MEMORY_HUGE, NULL, &text), 0);
	cr_assert(memory.size_bytes >= size);
	cr_assert_eq((uintptr_t)memory.base % (2u << 20), 0);
	uint8_t *bytes = memory.base;
	cr_assert_eq(bytes[0] | bytes[size / 2] | bytes[size - 1], 0);
	bytes[size - 1] = 1;
	cr_assert(kr_memory_resident_bytes() < before + ((size_t)64 << 20));
	kr_memory_release(&memory);
	cr_assert_null(memory.base);
	kr_memory_release(&memory);
	cr_assert_eq(kr_memory_reserve(&memory, 1, 0, NULL, &text), 0);
	cr_assert_eq(memory.size_bytes % 4096, 0);
	kr_memory_release(&memory);
}

Test(memory, a_part_that_is_populated_is_there_and_zero)
{
	struct kr_memory memory;
	struct kr_error_text text;
	const size_t part = (size_t)16 << 20;
	const unsigned flags[] = {0, KR_MEMORY_HUGE};
	for (size_t i = 0; i < KR_ARRAY_COUNT(flags); i++) {
		cr_assert_eq(kr_memory_reserve(&memory, 8 * part, flags[i], NULL, &text), 0);
		uint8_t *bytes = memory.base;
		bytes[2 * part] = 7;
		const size_t before = kr_memory_resident_bytes();
		cr_assert_eq(kr_memory_populate(&memory, 2 * part, part, &text), 0);
		const size_t taken = kr_memory_resident_bytes() - before;
		cr_assert(taken >= part - ((size_t)4 << 20) && taken < 2 * part);
		cr_assert_eq(bytes[2 * part], 7, "what was there stays");
		cr_assert_eq(bytes[3 * part - 1], 0);
		kr_memory_release(&memory);
	}
}

Test(memory, a_fault_point_lets_it_run_out)
{
	struct kr_memory memory = {0};
	struct kr_error_text text;
	struct fault_set faults;
	fault_set_init(&faults);
	fault_arm(&faults, FAULT_MEMORY_RESERVE, 2, false);
	cr_assert_eq(kr_memory_reserve(&memory, 4096, 0, &faults, &text), 0);
	kr_memory_release(&memory);
	cr_assert_eq(kr_memory_reserve(&memory, 4096, 0, &faults, &text), -KR_E_NOMEM);
	cr_assert_not_null(strstr(text.bytes, "reserving 4096 bytes of memory"));
	cr_assert_null(memory.base);
	cr_assert_eq(kr_memory_reserve(&memory, 4096, 0, &faults, &text), 0);
	kr_memory_release(&memory);
}

Test(memory, too_much_is_refused_with_advice)
{
	struct kr_memory memory;
	struct kr_error_text text;
	cr_assert_eq(kr_memory_reserve(&memory, SIZE_MAX / 2 + 1, 0, NULL, &text), -KR_E_NOMEM);
	cr_assert_eq(kr_memory_reserve(&memory, SIZE_MAX / 4, 0, NULL, &text), -KR_E_NOMEM);
	cr_assert_not_null(strstr(text.bytes, "lower the sizing options"));
}

/*
 * The gate's own target: it reads one byte beyond its input where that begins as few inputs do,
 * which libFuzzer has to find by what it covers, and its sanitizers have to say.
 */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	uint8_t *exact = fuzz_copy(data, size_bytes);
	volatile uint8_t beyond = 0;
	if (size_bytes >= 3 && exact[0] == 'K' && exact[1] == 'R' && exact[2] == 0xff)
		beyond = exact[size_bytes];
	free(exact);
	return beyond & 0;
}

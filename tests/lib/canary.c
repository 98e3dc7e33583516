/*
 * Mistakes on purpose, inside a test of the framework that the real tests use, so that it is shown
 * that the gates bite. Which one is chosen by KEYRACK_CANARY. Alone, it passes: the framework hides
 * what the sanitizers say, which is why the test command looks at their reports itself.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;
static volatile int large = 0x7fffffff;

static void leak(void)
{
	sink = malloc(123);
	sink = NULL;
}

static void overflow(void)
{
	char *bytes = malloc(8);
	volatile size_t at = 8;
	sink = bytes;
	bytes[at] = 1;
	free(bytes);
}

static void undefined(void)
{
	large = large + 1;
}

static void uninitialised(void)
{
	volatile char *bytes = malloc(16);
	sink = (void *)(size_t)bytes;
	if (bytes[7] == 3)
		large = 7;
	free((void *)(size_t)bytes);
}

Test(canary, makes_the_mistake_it_is_told_to)
{
	const char *which = getenv("KEYRACK_CANARY");
	cr_assert_not_null(which);
	if (strcmp(which, "leak") == 0)
		leak();
	else if (strcmp(which, "overflow") == 0)
		overflow();
	else if (strcmp(which, "undefined") == 0)
		undefined();
	else if (strcmp(which, "uninitialised") == 0)
		uninitialised();
	else
		cr_assert_fail("no such canary");
}

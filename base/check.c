#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One write a piece: stdio may hold a lock or half a buffer when the state is already wrong. */
static void put(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written;
}

static void put_number(int number)
{
	char digits[12];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0 && at > 0);
	put(&digits[at]);
}

void kr_assert_failed(const char *expression, const char *file, int line, const char *function)
{
	put(file);
	put(":");
	put_number(line);
	put(": ");
	put(function);
	put(": assertion failed: ");
	put(expression);
	put("\n");
	abort();
}

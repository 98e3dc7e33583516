/*
 * Preloaded under a program it moves its wall clock by KEYRACK_CLOCK_SHIFT_S seconds, so that what
 * was recorded on one day can be said to it on another. The monotonic clock stays as it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	static long shift_s;
	static int is_known;

	if (!is_known) {
		const char *text = getenv("KEYRACK_CLOCK_SHIFT_S");
		shift_s = text != NULL ? strtol(text, NULL, 10) : 0;
		is_known = 1;
	}
	long r = syscall(SYS_clock_gettime, clock, ret_time);
	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += shift_s;
	return (int)r;
}

/*
 * A wall clock that can be stepped, for one process: preloaded, clock_gettime(CLOCK_REALTIME) is
 * off by the microseconds that stand in the file KEYRACK_CLOCK_FILE, 8 bytes in the machine's
 * order, at every call anew. Time since boot is left alone, as a step leaves it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

enum { SECOND_NS = 1000000000 };

static int (*next_clock_gettime)(clockid_t, struct timespec *);
static const volatile int64_t *step_us;
static const int64_t no_step_us;

__attribute__((constructor)) static void clockstep_init(void)
{
	const char *path = getenv("KEYRACK_CLOCK_FILE");
	void *function = dlsym(RTLD_NEXT, "clock_gettime");
	kr_assert(function != NULL);
	memcpy(&next_clock_gettime, &function, sizeof(function));
	step_us = &no_step_us;
	if (path == NULL)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	kr_assert(fd >= 0);
	void *map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	kr_assert(map != MAP_FAILED);
	step_us = map;
	close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (next_clock_gettime == NULL)
		clockstep_init();
	int r = next_clock_gettime(clock, now);
	if (r != 0 || clock != CLOCK_REALTIME)
		return r;
	int64_t ns = now->tv_nsec + *step_us % 1000000 * 1000;
	now->tv_sec += *step_us / 1000000;
	if (ns < 0 || ns >= SECOND_NS) {
		now->tv_sec += ns < 0 ? -1 : 1;
		ns += ns < 0 ? SECOND_NS : -SECOND_NS;
	}
	now->tv_nsec = ns;
	return 0;
}

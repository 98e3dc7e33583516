#include "bench/give_way.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

void give_way(void)
{
	struct sched_attr attributes = {.size = sizeof(attributes)};
	kr_static_assert(GIVE_WAY_SLICE_NS <= 100000000u, "what the kernel takes");
	/* Its priority stays. Where nothing comes of it the driver is in the way as others are. */
	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0)
		return;
	attributes.sched_runtime = GIVE_WAY_SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

#include <criterion/criterion.h>

#include <linux/sched/types.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/give_way.h"

static struct sched_attr attributes_now(void)
{
	struct sched_attr attributes = {.size = sizeof(attributes)};
	cr_assert_eq(syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0), 0);
	return attributes;
}

/* Linux 6.12 and later. */
static bool kernel_has_slices(void)
{
	struct utsname name;
	unsigned major, minor;
	cr_assert_eq(uname(&name), 0);
	cr_assert_eq(sscanf(name.release, "%u.%u", &major, &minor), 2, "%s", name.release);
	return major > 6 || (major == 6 && minor >= 12);
}

Test(give_way, asks_for_long_slices_and_for_nothing_else)
{
	const struct sched_attr before = attributes_now();
	give_way();
	const struct sched_attr after = attributes_now();
	cr_assert_eq(after.sched_policy, before.sched_policy);
	cr_assert_eq(after.sched_nice, before.sched_nice);
	cr_assert_eq(after.sched_priority, before.sched_priority);
	if (!kernel_has_slices())
		cr_skip_test("this kernel knows no slices of a thread's own");
	cr_assert_neq(before.sched_runtime, GIVE_WAY_SLICE_NS);
	cr_assert_eq(after.sched_runtime, GIVE_WAY_SLICE_NS);
	/* And what comes of it, as a thread would. */
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(attributes_now().sched_runtime == GIVE_WAY_SLICE_NS ? 0 : 1);
	cr_assert_gt(child, 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

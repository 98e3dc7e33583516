/*
 * A driver that shares the machine with what it measures stands for programs elsewhere, which would
 * not keep a server, or the kernel's workers of its disk, from a core. Here it would: whoever wakes
 * waits until the slice of who runs is over, unless that one's slices are longer than its own. So a
 * driver asks for the longest there are (bench/PERFORMANCE.md has what that changes, for each
 * system of the comparison). Linux 6.12; an older one takes no notice.
 */
#ifndef BENCH_GIVE_WAY_H
#define BENCH_GIVE_WAY_H

#define GIVE_WAY_SLICE_NS 100000000u /* the kernel takes 0.1 to 100 ms */

/* Of this thread, and of those that it starts. */
void give_way(void);

#endif

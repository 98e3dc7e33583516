/*
 * Rows of the table in proto/stat.h that tell what a process's loop and disk had to do. A budget of
 * a request, and the cause of a slow answer, are read from these.
 */
#ifndef PROTO_STAT_LOOP_H
#define PROTO_STAT_LOOP_H

/* Of a shard and of a router. */
#define STAT_LOOP_TABLE(X)                                                                         \
	X(turns, COUNTER, "turns", "turns of the loop")                                            \
	X(turns_slow, COUNTER, "turns", "turns of more than 5 ms, waiting not counted")            \
	X(turn_time, COUNTER, "microseconds", "in turns of the loop, waiting not counted")         \
	X(turn_max_us, GAUGE, "us", "the longest turn since the start")                            \
	X(waits, COUNTER, "waits", "calls of the kernel that may have slept")                      \
	X(receives, COUNTER, "receives", "receives that brought bytes")

/* Of a shard. */
#define STAT_DISK_TABLE(X)                                                                         \
	X(received_bytes, COUNTER, "bytes", "bytes received")                                      \
	X(sends, COUNTER, "sends", "sends handed to the kernel")                                   \
	X(sent_bytes, COUNTER, "bytes", "bytes sent")                                              \
	X(appends_slow, COUNTER, "batches", "batches that took more than 5 ms to be acknowledged") \
	X(append_time, COUNTER, "microseconds", "from handing a batch to the log to its word")     \
	X(append_max_us, GAUGE, "us", "the longest such time since the start")                     \
	X(segments, COUNTER, "segments", "segments of the log begun since the start")

#endif

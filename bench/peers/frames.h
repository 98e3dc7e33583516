/* The head of a frame that means nothing: 16 bytes, as the machine lays them out. */
#ifndef BENCH_PEERS_FRAMES_H
#define BENCH_PEERS_FRAMES_H

#include <stdint.h>

#include "base/check.h"

struct frames_head {
	uint32_t size; /* of the whole frame */
	uint32_t tag;  /* a forwarder's own, echoed */
	uint32_t slot; /* the driver's own, echoed */
	uint32_t answer_size;
};
kr_static_assert(sizeof(struct frames_head) == 16, "a head is 16 bytes");

#endif

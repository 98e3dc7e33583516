/*
 * Large zeroed regions straight from the system, touched lazily: reserving costs nothing until a
 * page is written. Not pure: used at start only.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#include "base/check.h"
#include "base/error.h"
#include "base/fault.h"

struct kr_memory {
	void *base; /* at a multiple of 2 MiB when huge pages were asked for, else of a page */
	size_t size_bytes;
	/* the mapping itself, which may begin earlier */
	void *mapping;
	size_t mapping_size_bytes;
};

#define KR_MEMORY_HUGE 1u   /* advise transparent huge pages */
#define KR_MEMORY_SHARED 2u /* shared with other processes through a descriptor: no huge pages */

/* 0 or -KR_E_NOMEM with a text. size_bytes > 0; rounded up to whole pages. `faults` may be NULL. */
KR_MUST_CHECK int kr_memory_reserve(struct kr_memory *memory, size_t size_bytes, unsigned flags,
	struct fault_set *faults, struct kr_error_text *text);
/* Takes a part of the region from the system now: later nothing of it waits for a page. 0, or
 * -KR_E_NOMEM with a text. Whole pages. */
KR_MUST_CHECK int kr_memory_populate(const struct kr_memory *memory, size_t offset_bytes,
	size_t size_bytes, struct kr_error_text *text);
void kr_memory_release(struct kr_memory *memory);

/* Bytes of the process in physical memory now, 0 when unknown. */
size_t kr_memory_resident_bytes(void);

#endif

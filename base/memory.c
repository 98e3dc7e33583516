#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE_SIZE ((size_t)2 << 20)

static size_t round_up(size_t value, size_t align)
{
	kr_assert((align & (align - 1)) == 0);
	kr_assert(value <= SIZE_MAX - align);
	return (value + align - 1) & ~(align - 1);
}

static int no_memory(size_t size_bytes, int number, struct kr_error_text *text)
{
	kr_assert(number > 0);
	return kr_error_text_set(text, -KR_E_NOMEM, number,
		"reserving %zu bytes of memory: lower the sizing options, or raise ulimit "
		"-v or vm.overcommit_memory",
		size_bytes);
}

int kr_memory_reserve(struct kr_memory *memory, size_t size_bytes, unsigned flags,
	struct fault_set *faults, struct kr_error_text *text)
{
	kr_assert(size_bytes > 0);
	kr_assert((flags & ~(KR_MEMORY_HUGE | KR_MEMORY_SHARED)) == 0);
	size_t align = flags & KR_MEMORY_HUGE ? HUGE_PAGE_SIZE : (size_t)sysconf(_SC_PAGESIZE);
	if (size_bytes > SIZE_MAX / 2)
		return kr_error_text_set(text, -KR_E_NOMEM, 0,
			"reserving %zu bytes of memory: more than there are addresses", size_bytes);
	if (fault_fires(faults, FAULT_MEMORY_RESERVE))
		return no_memory(size_bytes, ENOMEM, text);
	size_t size = round_up(size_bytes, align);
	size_t mapping_size = size + (flags & KR_MEMORY_HUGE ? align : 0);
	int share = flags & KR_MEMORY_SHARED ? MAP_SHARED : MAP_PRIVATE;
	/* NORESERVE: the region is sized for the worst case and mostly never touched. */
	void *mapping = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE,
		share | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapping == MAP_FAILED)
		return no_memory(size_bytes, errno, text);
	memory->mapping = mapping;
	memory->mapping_size_bytes = mapping_size;
	memory->base = (void *)round_up((uintptr_t)mapping, align);
	memory->size_bytes = size;
	if (flags & KR_MEMORY_HUGE) {
		/* Advice only: a kernel without it gives small pages. */
		(void)madvise(memory->base, size, MADV_HUGEPAGE);
	}
	return 0;
}

int kr_memory_populate(const struct kr_memory *memory, size_t offset_bytes, size_t size_bytes,
	struct kr_error_text *text)
{
	kr_assert(memory->base != NULL && size_bytes > 0);
	kr_assert(offset_bytes < memory->size_bytes);
	kr_assert(size_bytes <= memory->size_bytes - offset_bytes);
	if (madvise((uint8_t *)memory->base + offset_bytes, size_bytes, MADV_POPULATE_WRITE) == 0)
		return 0;
	return kr_error_text_set(text, -KR_E_NOMEM, errno,
		"taking %zu bytes of memory at once: lower the sizing options, or start without "
		"--prefault",
		size_bytes);
}

void kr_memory_release(struct kr_memory *memory)
{
	if (memory->mapping == NULL)
		return;
	int r = munmap(memory->mapping, memory->mapping_size_bytes);
	kr_assert(r == 0);
	*memory = (struct kr_memory){0};
}

size_t kr_memory_resident_bytes(void)
{
	char line[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	line[length] = '\0';
	char *at = line;
	(void)strtoull(at, &at, 10);
	return (size_t)strtoull(at, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

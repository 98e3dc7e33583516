#include "bench/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

#define BUFFER_SIZE (1u << 20)
#define TICK_US 1000000

struct journal {
	FILE *file;
	uint64_t flushed_us;
	char buffer[BUFFER_SIZE];
};

struct journal *journal_open(const char *path)
{
	struct journal *journal = bench_alloc(1, sizeof(*journal));
	journal->file = fopen(path, "ae");
	if (journal->file == NULL)
		bench_fail(BENCH_USAGE, "--journal %s: %s", path, strerror(errno));
	(void)setvbuf(journal->file, journal->buffer, _IOFBF, sizeof(journal->buffer));
	journal->flushed_us = bench_now_us();
	return journal;
}

struct journal *journal_close(struct journal *journal)
{
	if (journal != NULL && fclose(journal->file) != 0)
		bench_fail(BENCH_ABORTED, "the journal cannot be written: %s", strerror(errno));
	free(journal);
	return NULL;
}

static uint64_t wall_us(void)
{
	struct timespec now;
	const int r = clock_gettime(CLOCK_REALTIME, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void journal_put(struct journal *journal, const struct journal_entry *e)
{
	char id[KEYRACK_ID_TEXT_SIZE];
	kr_assert(journal != NULL);
	keyrack_id_format(e->id, id);
	const int r = fprintf(journal->file,
		"{\"id\":\"%s\",\"op\":\"%s\",\"hotel\":%" PRIu64 ",\"type\":%u,"
		"\"check_in\":%d,\"check_out\":%d,\"rooms\":%u,\"code\":\"%s\",\"t_us\":%" PRIu64
		"}\n",
		id, e->op, e->hotel_id, e->type, e->check_in, e->check_out, e->rooms, e->code,
		wall_us());
	if (r < 0)
		bench_fail(BENCH_ABORTED, "the journal cannot be written: %s", strerror(errno));
}

void journal_tick(struct journal *journal)
{
	const uint64_t now = bench_now_us();
	if (journal == NULL || now - journal->flushed_us < TICK_US)
		return;
	journal->flushed_us = now;
	if (fflush(journal->file) != 0)
		bench_fail(BENCH_ABORTED, "the journal cannot be written: %s", strerror(errno));
}

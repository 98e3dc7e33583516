#include "tools/keyrack/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US UINT64_C(1000000)
#define TELL_US (SECOND_US / 4)
#define REST_MAX_S (UINT64_C(100) * 3600)

uint64_t progress_now_us(void)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_MONOTONIC, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress, const char *noun, uint64_t total)
{
	kr_assert(noun != NULL);
	*progress = (struct progress){.is_shown = isatty(STDERR_FILENO) == 1,
		.noun = noun,
		.total = total,
		.begun_us = progress_now_us()};
}

void progress_format(const struct progress *progress, uint64_t done, uint64_t count,
	uint64_t elapsed_us, char ret_text[static PROGRESS_TEXT_SIZE])
{
	double seconds = (double)(elapsed_us + 1) / (double)SECOND_US;
	double bytes = (double)(done - KR_MIN(done, progress->first_done)) / seconds;
	uint64_t rest_s = REST_MAX_S;
	char share[16] = "", rest[32] = "";
	if (progress->total > 0) {
		uint64_t left = progress->total - KR_MIN(done, progress->total);
		if (bytes > 0)
			rest_s = (uint64_t)KR_MIN((double)left / bytes, (double)REST_MAX_S);
		(void)snprintf(share, sizeof(share), "%u %%, ",
			(unsigned)(100.0 * (double)KR_MIN(done, progress->total) /
				   (double)progress->total));
	}
	if (progress->total > 0 && rest_s < REST_MAX_S)
		(void)snprintf(rest, sizeof(rest), ", %" PRIu64 ":%02" PRIu64 " left", rest_s / 60,
			rest_s % 60);
	(void)snprintf(ret_text, PROGRESS_TEXT_SIZE, "%s%" PRIu64 " %s, %.0f/s%s", share, count,
		progress->noun, (double)count / seconds, rest);
	kr_assert(ret_text[0] != '\0');
}

void progress_show(struct progress *progress, uint64_t done, uint64_t count)
{
	char text[PROGRESS_TEXT_SIZE];
	uint64_t now_us;
	if (!progress->is_shown)
		return;
	now_us = progress_now_us();
	if (now_us - progress->told_us < TELL_US)
		return;
	progress->told_us = now_us;
	progress_format(progress, done, count, now_us - progress->begun_us, text);
	fprintf(stderr, "\r%s\033[K", text);
	kr_assert(progress->told_us >= progress->begun_us);
}

void progress_clear(struct progress *progress)
{
	if (progress->is_shown && progress->told_us != 0)
		fputs("\r\033[K", stderr);
	kr_assert(progress->noun != NULL || !progress->is_shown);
}

void progress_end(struct progress *progress)
{
	progress_clear(progress);
	progress->is_shown = false;
	kr_assert(!progress->is_shown);
}

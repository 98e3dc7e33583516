#include "tests/property/shrink.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define PLACE_SIZE 128u

/* "world.c:30" of what was said: the check that failed. */
static void place_find(const char *said, char place[static PLACE_SIZE])
{
	place[0] = 0;
	for (const char *at = said; (at = strstr(at, ".c:")) != NULL; at++) {
		const char *begin = at, *end = at + 3;
		if (!isdigit((unsigned char)*end))
			continue;
		while (begin > said && !isspace((unsigned char)begin[-1]))
			begin--;
		while (isdigit((unsigned char)*end))
			end++;
		if ((size_t)(end - begin) >= PLACE_SIZE)
			continue;
		memcpy(place, begin, (size_t)(end - begin));
		place[end - begin] = 0;
		return;
	}
}

static void child(struct shrink *s, FILE *out, const uint32_t *steps, uint32_t count)
{
	const int fd = fileno(out);
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(2);
	s->run(s->context, steps, count);
	exit(0);
}

/* True: it fails, and `place` is where. What it says is in s->said. */
static bool fails(struct shrink *s, const uint32_t *steps, uint32_t count, char *place)
{
	int status = 0;
	FILE *out = tmpfile();
	kr_assert(out != NULL);
	s->tries++;
	fflush(NULL);
	const pid_t pid = fork();
	kr_assert(pid >= 0);
	if (pid == 0)
		child(s, out, steps, count);
	const pid_t ended = waitpid(pid, &status, 0);
	kr_assert(ended == pid);
	/* The end of it: what failed is said last. */
	const long size_all = fseek(out, 0, SEEK_END) == 0 ? ftell(out) : 0;
	const long room = (long)sizeof(s->said) - 1;
	fseek(out, size_all > room ? size_all - room : 0, SEEK_SET);
	const size_t size = fread(s->said, 1, sizeof(s->said) - 1, out);
	s->said[size] = 0;
	fclose(out);
	place_find(s->said, place);
	return status != 0;
}

static bool still_fails(struct shrink *s, const uint32_t *steps, uint32_t count, const char *place)
{
	char now[PLACE_SIZE];
	return fails(s, steps, count, now) && strcmp(now, place) == 0;
}

/* Without steps[from .. to). */
static uint32_t without(
	const uint32_t *steps, uint32_t count, uint32_t from, uint32_t to, uint32_t *rest)
{
	kr_assert(from < to && to <= count);
	memcpy(rest, steps, from * sizeof(*steps));
	memcpy(rest + from, steps + to, (count - to) * sizeof(*steps));
	return count - (to - from);
}

static uint64_t seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

uint32_t shrink_steps(struct shrink *s, uint32_t *steps, uint32_t count)
{
	char place[PLACE_SIZE];
	const uint64_t end = seconds() + s->seconds_max;
	uint32_t *rest = malloc(count * sizeof(*rest));
	kr_assert(rest != NULL && count > 0);
	s->tries = 0;
	if (!fails(s, steps, count, place))
		count = 0;
	for (uint32_t part = (count + 1) / 2; part > 0 && count > 0 && seconds() < end;) {
		bool is_smaller = false;
		/* From the end on: what comes last is seldom what a failure stands on. */
		for (uint32_t to = count; to > 0 && seconds() < end;) {
			const uint32_t from = to > part ? to - part : 0;
			const uint32_t left = without(steps, count, from, to, rest);
			if (left > 0 && still_fails(s, rest, left, place)) {
				memcpy(steps, rest, left * sizeof(*steps));
				count = left;
				is_smaller = true;
			}
			to = from;
		}
		if (part == 1 && !is_smaller)
			break;
		part = is_smaller && part == 1 ? 1 : part / 2 > 0 ? part / 2 : 1;
	}
	if (count > 0)
		(void)fails(s, steps, count, place);
	free(rest);
	return count;
}

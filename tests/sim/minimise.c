#include "tests/sim/minimise.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STIRS 4u
#define ROUNDS_MAX 4u
#define SECONDS_MAX 120u /* of one world */

static struct minimise_end *shared; /* with the process that runs a world */

/* Words without their numbers: equal for failures that differ in numbers alone. */
static void kind_of(const char *text, char *ret, size_t size_bytes)
{
	size_t at = 0;
	kr_assert(size_bytes > 0);
	for (; *text != '\0' && *text != '\n' && at + 1 < size_bytes; text++) {
		const bool is_digit = isdigit((unsigned char)*text) != 0;
		if (is_digit && at > 0 && ret[at - 1] == '#')
			continue;
		ret[at++] = *text;
		if (is_digit)
			ret[at - 1] = '#';
	}
	ret[at] = '\0';
}

static void on_fail(struct cluster *c, const char *text)
{
	kr_assert(shared != NULL);
	shared->has_failed = true;
	kind_of(text, shared->kind, sizeof(shared->kind));
	shared->operations = c->operation_count;
	shared->crashes = c->crash_count;
	shared->now_us = sim_world_now_us(c->world);
}

/* An assertion or a sanitizer: its first line is what it is known by. */
static void kind_of_output(FILE *output, int status)
{
	char line[MINIMISE_TEXT_SIZE];
	shared->has_failed = true;
	snprintf(line, sizeof(line), "ended with %d", status);
	rewind(output);
	while (fgets(line, sizeof(line), output) != NULL)
		if (strstr(line, "assertion failed") != NULL || strstr(line, "ERROR:") != NULL)
			break;
	kind_of(line, shared->kind, sizeof(shared->kind));
}

static void child(struct minimise *m, const struct trim *trim, FILE *output)
{
	const struct rlimit no_core = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)alarm(SECONDS_MAX);
	if (output != NULL) {
		(void)dup2(fileno(output), STDOUT_FILENO);
		(void)dup2(fileno(output), STDERR_FILENO);
	}
	m->run(m, trim, output == NULL, on_fail);
	fflush(stdout);
	_exit(0);
}

/* In a process of its own; without output its story is told. */
static void attempt(struct minimise *m, const struct trim *trim, bool is_told)
{
	FILE *output = is_told ? NULL : tmpfile();
	int status = 0;
	kr_assert(is_told || output != NULL);
	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	m->try_count++;
	const pid_t pid = fork();
	kr_assert(pid >= 0);
	if (pid == 0)
		child(m, trim, output);
	while (waitpid(pid, &status, 0) != pid)
		;
	if (status != 0 && !shared->has_failed && output != NULL)
		kind_of_output(output, status);
	if (output != NULL)
		fclose(output);
}

static bool is_same_failure(const struct minimise *m)
{
	return shared->has_failed && strcmp(shared->kind, m->end.kind) == 0;
}

/* What had not happened when it failed is not needed. */
static void take(struct minimise *m, const struct trim *trim)
{
	m->trim = *trim;
	m->end = *shared;
	if (m->end.now_us == 0)
		return;
	uint64_t *n = m->trim.numbers;
	n[TRIM_OPERATIONS] = KR_MIN(n[TRIM_OPERATIONS], m->end.operations);
	n[TRIM_CRASHES] = KR_MIN(n[TRIM_CRASHES], m->end.crashes);
}

static bool try(struct minimise *m, struct trim trim)
{
	const uint32_t before = trim.stir;
	for (uint32_t i = 0; i < STIRS && m->try_count < MINIMISE_TRIES_MAX; i++) {
		trim.stir = i == 0 ? before : i - 1 + (i - 1 >= before);
		attempt(m, &trim, false);
		if (is_same_failure(m)) {
			take(m, &trim);
			return true;
		}
	}
	return false;
}

/* ---- what is taken away ---- */

/* All at once, then halves, quarters, at last one by one. */
static bool fewer_faults(struct minimise *m)
{
	const uint32_t count = trim_fault_count();
	bool is_smaller = false;
	for (uint32_t part = count; part > 0; part = part == 1 ? 0 : (part + 1) / 2)
		for (uint32_t from = 0; from < count; from += part) {
			struct trim trim = m->trim;
			for (uint32_t i = from; i < KR_MIN(count, from + part); i++)
				trim.faults_off |= UINT64_C(1) << i;
			if (trim.faults_off != m->trim.faults_off)
				is_smaller |= try(m, trim);
		}
	return is_smaller;
}

/* The least first, then between what is not enough and what is. */
static bool smaller(struct minimise *m, enum trim_number number)
{
	uint64_t least = number <= TRIM_HOTELS;
	uint64_t *now = &m->trim.numbers[number];
	const uint64_t before = *now;
	for (uint64_t next = least; least < *now; next = least + (*now - least) / 2) {
		struct trim trim = m->trim;
		trim.numbers[number] = next;
		if (!try(m, trim))
			least = next + 1;
	}
	return *now < before;
}

static uint64_t on_count(const struct minimise *m, uint64_t drawn)
{
	return (uint64_t)__builtin_popcountll(drawn & ~m->trim.faults_off);
}

static void tell(const struct minimise *m, const char *when, uint64_t drawn)
{
	printf("%s: %llu faults", when, (unsigned long long)on_count(m, drawn));
	for (unsigned i = 0; i < TRIM_NUMBERS; i++)
		printf(", %s %llu", trim_number_name((enum trim_number)i),
			(unsigned long long)m->trim.numbers[i]);
	putchar('\n');
}

/* Every number as it is now, and the faults that were never on are off. */
static void begin(struct minimise *m, const struct cluster_plan *plan)
{
	const uint64_t drawn[TRIM_NUMBERS] = {
		[TRIM_SHARDS] = plan->shard_count,
		[TRIM_ROUTERS] = plan->router_count,
		[TRIM_CLIENTS] = plan->client_count,
		[TRIM_HOTELS] = plan->hotel_count,
		[TRIM_OPERATIONS] = shared->operations,
		[TRIM_CRASHES] = shared->crashes,
		[TRIM_SAFETY_MS] = plan->safety_us / 1000,
	};
	m->end = *shared;
	/* An assertion does not tell how far it was. */
	for (unsigned i = 0; i < TRIM_NUMBERS; i++)
		if (shared->now_us != 0 || (i != TRIM_OPERATIONS && i != TRIM_CRASHES))
			m->trim.numbers[i] = KR_MIN(m->trim.numbers[i], drawn[i]);
}

int minimise(struct minimise *m, const struct cluster_plan *plan)
{
	const uint64_t drawn = trim_faults_of(plan);
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kr_assert(shared != MAP_FAILED);
	attempt(m, &m->trim, false);
	if (!shared->has_failed)
		return MINIMISE_NOTHING_FAILS;
	begin(m, plan);
	tell(m, "drawn", drawn);
	bool is_smaller = true;
	for (uint32_t round = 0; is_smaller && round < ROUNDS_MAX; round++) {
		is_smaller = fewer_faults(m);
		for (unsigned i = 0; i < TRIM_NUMBERS; i++)
			is_smaller |= smaller(m, (enum trim_number)i);
	}
	m->trim.faults_off |= ~drawn & ((UINT64_C(1) << trim_fault_count()) - 1);
	tell(m, "needed", drawn);
	printf("fails, after %u tries: %s\n", m->try_count, m->end.kind);
	return 0;
}

int minimise_tell(struct minimise *m)
{
	attempt(m, &m->trim, true);
	return is_same_failure(m) ? 0 : 1;
}

#include "io_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_US 2000u

void io_fixture_init(struct io_fixture *fixture, const struct io_config *config)
{
	struct io_config own;
	struct kr_error_text text;
	memset(fixture, 0, sizeof(*fixture));
	fault_set_init(&fixture->faults);
	io_config_default(&own);
	if (config != NULL)
		own = *config;
	own.faults = &fixture->faults;
	for (uint32_t i = 0; i < FIXTURE_LOOP_COUNT; i++) {
		int r = io_loop_new(&own, &fixture->loops[i], &text);
		cr_assert_eq(r, 0, "%s", text.bytes);
	}
	/* Not in /tmp, which may be in memory. */
	memcpy(fixture->path, "/var/tmp/keyrack-io-XXXXXX", sizeof("/var/tmp/keyrack-io-XXXXXX"));
	cr_assert_not_null(mkdtemp(fixture->path));
}

static void remove_one(void *context, const char *name)
{
	int r = io_directory_unlink_now(context, name);
	cr_assert_eq(r, 0);
}

void io_fixture_fini(struct io_fixture *fixture)
{
	struct io_directory directory;
	int r = io_directory_open(fixture->loops[0], &directory, fixture->path, 0, NULL);
	cr_assert_eq(r, 0);
	fault_set_init(&fixture->faults);
	r = io_directory_list(&directory, remove_one, &directory);
	cr_assert_eq(r, 0);
	io_directory_close(&directory);
	cr_assert_eq(rmdir(fixture->path), 0);
	for (uint32_t i = 0; i < FIXTURE_LOOP_COUNT; i++)
		fixture->loops[i] = io_loop_free(fixture->loops[i]);
}

void io_fixture_step(struct io_fixture *fixture)
{
	for (uint32_t i = 0; i < FIXTURE_LOOP_COUNT; i++) {
		/* One of them may sleep a little, so that a quiet test does not burn a core. */
		int r = io_loop_tick(fixture->loops[i], i == 0 ? 0 : STEP_US / 20);
		cr_assert_eq(r, 0);
	}
}

struct io_address io_fixture_tcp(const struct io_fixture *fixture)
{
	struct io_address address;
	int r = io_address_parse("127.0.0.1:0", 11, &address);
	cr_assert_eq(r, 0);
	return address;
}

struct io_address io_fixture_unix(const struct io_fixture *fixture)
{
	struct io_address address = {.kind = IO_ADDRESS_UNIX};
	snprintf(address.path, sizeof(address.path), "%s/socket", fixture->path);
	return address;
}

bool io_fixture_is_real(void)
{
	return true;
}

void io_fixture_signal(struct io_fixture *fixture, int number)
{
	cr_assert_eq(kill(getpid(), number), 0);
}

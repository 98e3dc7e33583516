#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/service.h"

static char path[108];

/* A manager's socket; '@' for the kernel's own space. */
static int listen_at(char first)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(path, sizeof(path), "%ctmp/keyrack-service-%ld", first, (long)getpid());
	memcpy(address.sun_path, path, strlen(path));
	if (first == '@')
		address.sun_path[0] = 0;
	else
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size_bytes), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

Test(service, tells_the_manager_in_one_datagram)
{
	for (int i = 0; i < 2; i++) {
		char bytes[64] = {0};
		int fd = listen_at(i == 0 ? '/' : '@');
		cr_assert_eq(service_notify("READY=%u\nSTATUS=%s", 1, "up"), 0);
		cr_assert_eq(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 17);
		cr_assert_str_eq(bytes, "READY=1\nSTATUS=up");
		cr_assert_lt(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
		close(fd);
		if (i == 0)
			unlink(path);
	}
}

Test(service, tells_nobody_where_nobody_asked)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(service_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	cr_assert_eq(service_notify("READY=1"), 0);
}

Test(service, says_when_the_manager_cannot_be_told)
{
	char longer[200];
	memset(longer, '/', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_eq(service_notify("READY=1"), -KR_E_INVALID);
	setenv("NOTIFY_SOCKET", longer, 1);
	cr_assert_eq(service_notify("READY=1"), -KR_E_INVALID);
	setenv("NOTIFY_SOCKET", "/nonexistent/keyrack", 1);
	cr_assert_lt(service_notify("READY=1"), 0);
}

/* A stuck manager must not hold the process for ever. */
Test(service, gives_up_on_a_manager_that_does_not_read, .timeout = 60)
{
	int fd = listen_at('@');
	int r = 0;
	for (int i = 0; i < 10000 && r == 0; i++)
		r = service_notify("STATUS=%d", i);
	cr_assert_lt(r, 0);
	close(fd);
}

Test(service, writes_the_process_number_and_the_line_of_readiness)
{
	char name[] = "/tmp/keyrack-pid-XXXXXX";
	char bytes[64] = {0}, wanted[64];
	struct kr_error_text text;
	int ends[2], fd = mkstemp(name);
	cr_assert_eq(service_pid_write(name, &text), 0);
	(void)snprintf(wanted, sizeof(wanted), "%ld\n", (long)getpid());
	cr_assert_eq(read(fd, bytes, sizeof(bytes)), (ssize_t)strlen(wanted));
	cr_assert_str_eq(bytes, wanted);
	close(fd);
	unlink(name);
	cr_assert_lt(service_pid_write("/nonexistent/pid", &text), 0);
	cr_assert_not_null(strstr(text.bytes, "--pid-file /nonexistent/pid"));
	memset(bytes, 0, sizeof(bytes));
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(service_ready_write(ends[1], "ready on x"), 0);
	cr_assert_eq(read(ends[0], bytes, sizeof(bytes)), 11);
	cr_assert_str_eq(bytes, "ready on x\n");
	cr_assert_eq(read(ends[0], bytes, sizeof(bytes)), 0, "closed");
	cr_assert_lt(service_ready_write(ends[1], "again"), 0);
}

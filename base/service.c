#include "base/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int service_address(const char *path, struct sockaddr_un *ret_address, socklen_t *ret_size_bytes)
{
	size_t length = strlen(path);
	kr_assert(ret_address != NULL);
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(ret_address->sun_path))
		return -KR_E_INVALID;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, path, length);
	if (path[0] == '@')
		ret_address->sun_path[0] = 0;
	*ret_size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static int datagram_send(const char *path, const char *bytes, size_t size_bytes)
{
	const struct timeval wait = {.tv_sec = SERVICE_WAIT_US / 1000000};
	struct sockaddr_un address;
	socklen_t address_size_bytes;
	int r = service_address(path, &address, &address_size_bytes);
	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	kr_assert(size_bytes > 0);
	if (fd < 0)
		return kr_error_from_errno(errno);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
		sendto(fd, bytes, size_bytes, MSG_NOSIGNAL, (const struct sockaddr *)&address,
			address_size_bytes) < 0)
		r = kr_error_from_errno(errno);
	close(fd);
	return r;
}

int service_notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char bytes[SERVICE_MESSAGE_SIZE];
	struct kr_text text;
	va_list list;
	kr_assert(format != NULL);
	if (path == NULL || *path == 0)
		return 0;
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	return datagram_send(path, bytes, text.length);
}

uint64_t service_monotonic_us(void)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_MONOTONIC, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What the limit is now. */
static uint64_t descriptors_raise(uint64_t wanted_count)
{
	struct rlimit limit;
	int r = getrlimit(RLIMIT_NOFILE, &limit);
	kr_assert(r == 0);
	if (limit.rlim_cur >= wanted_count)
		return limit.rlim_cur;
	struct rlimit raised = {
		.rlim_cur = KR_MIN(limit.rlim_max, wanted_count), .rlim_max = limit.rlim_max};
	return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

uint32_t service_connections_fit(uint32_t wanted_count, uint32_t own_count, struct kr_text *line)
{
	uint64_t all_count = (uint64_t)wanted_count + own_count;
	uint64_t count = descriptors_raise(all_count);
	kr_assert(wanted_count > 0);
	if (count >= all_count)
		return wanted_count;
	uint32_t fit_count = count > own_count ? (uint32_t)(count - own_count) : 1;
	kr_text_format(line,
		"the system allows %llu open files, which is room for %u connections, not %u: for "
		"more raise it (ulimit -Hn, or LimitNOFILE= of a unit)",
		(unsigned long long)count, fit_count, wanted_count);
	kr_assert(!line->is_cut && fit_count <= wanted_count);
	return fit_count;
}

static int write_close(int fd, const char *line)
{
	char bytes[256];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_format(&text, "%s\n", line);
	kr_assert(!text.is_cut);
	bool is_written = write(fd, bytes, text.length) == (ssize_t)text.length;
	int number = is_written ? 0 : errno;
	if (close(fd) < 0 && number == 0)
		number = errno;
	return number == 0 ? 0 : kr_error_from_errno(number);
}

int service_pid_write(const char *path, struct kr_error_text *text)
{
	char line[24];
	struct kr_text number;
	kr_assert(path != NULL);
	kr_text_init(&number, line, sizeof(line));
	kr_text_put_i64(&number, getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = fd < 0 ? kr_error_from_errno(errno) : write_close(fd, line);
	if (r < 0)
		return kr_error_text_set(text, r, 0, "--pid-file %s cannot be written", path);
	return 0;
}

int service_ready_write(int fd, const char *line)
{
	kr_assert(fd > 0);
	return write_close(fd, line);
}

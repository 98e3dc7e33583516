#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/tcp.h"

#define ACCEPT_RETRY_US 100000u

socklen_t uring_sockaddr(const struct io_address *address, struct sockaddr_storage *ret_storage)
{
	kr_assert(ret_storage != NULL);
	memset(ret_storage, 0, sizeof(*ret_storage));
	switch (address->kind) {
	case IO_ADDRESS_IP4: {
		struct sockaddr_in *in = (struct sockaddr_in *)ret_storage;
		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	case IO_ADDRESS_IP6: {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_storage;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(address->port);
		memcpy(&in6->sin6_addr, address->bytes, sizeof(in6->sin6_addr));
		return sizeof(*in6);
	}
	case IO_ADDRESS_UNIX: {
		struct sockaddr_un *un = (struct sockaddr_un *)ret_storage;
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, address->path, sizeof(un->sun_path));
		return sizeof(*un);
	}
	default:
		kr_unreachable();
	}
}

void uring_address(const struct sockaddr_storage *storage, struct io_address *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	if (storage->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
		ret_address->kind = IO_ADDRESS_IP4;
		ret_address->port = ntohs(in->sin_port);
		memcpy(ret_address->bytes, &in->sin_addr, sizeof(in->sin_addr));
	} else if (storage->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
		ret_address->kind = IO_ADDRESS_IP6;
		ret_address->port = ntohs(in6->sin6_port);
		memcpy(ret_address->bytes, &in6->sin6_addr, sizeof(in6->sin6_addr));
	} else {
		const struct sockaddr_un *un = (const struct sockaddr_un *)storage;
		kr_assert(storage->ss_family == AF_UNIX);
		ret_address->kind = IO_ADDRESS_UNIX;
		memcpy(ret_address->path, un->sun_path, IO_ADDRESS_PATH_MAX);
	}
}

static void accept_start(struct io_listener *listener)
{
	kr_assert(!(listener->flags & (LISTENER_ACCEPTING | LISTENER_CLOSING)));
	struct io_uring_sqe *sqe = uring_sqe(listener->loop, URING_ACCEPT, listener);
	io_uring_prep_multishot_accept(sqe, listener->fd, NULL, NULL, SOCK_CLOEXEC);
	listener->flags |= LISTENER_ACCEPTING;
	listener->in_flight_count++;
}

static void accept_retry(struct io_timer *timer)
{
	struct io_listener *listener = kr_container_of(timer, struct io_listener, retry);
	kr_assert(!(listener->flags & LISTENER_CLOSING));
	if (!(listener->flags & LISTENER_ACCEPTING))
		accept_start(listener);
}

/* Nobody answers on the path of a dead process: then it may be removed. */
static bool unix_path_is_dead(const struct sockaddr_storage *storage, socklen_t length)
{
	kr_assert(storage->ss_family == AF_UNIX);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	int r = connect(fd, (const struct sockaddr *)storage, length);
	bool is_dead = r < 0 && errno == ECONNREFUSED;
	close(fd);
	return is_dead;
}

/* Before it listens: until then whoever comes through a wider mode is refused. */
static int guard_set(const struct io_listener *listener, const struct io_address *address)
{
	const struct io_socket_guard *guard = &listener->guard;
	kr_assert((guard->mode & ~0777u) == 0);
	if (address->kind != IO_ADDRESS_UNIX)
		return 0;
	if ((guard->uid != IO_NOBODY || guard->gid != IO_NOBODY) &&
		lchown(address->path, guard->uid, guard->gid) < 0)
		return -1;
	return chmod(address->path, guard->mode);
}

static int bind_and_listen(
	const struct io_listener *listener, int fd, const struct io_address *address)
{
	kr_assert(fd >= 0);
	struct sockaddr_storage storage;
	socklen_t length = uring_sockaddr(address, &storage);
	int one = 1;
	if (address->kind != IO_ADDRESS_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	kr_tcp_tune(fd, (const struct sockaddr *)&storage);
	int r = bind(fd, (struct sockaddr *)&storage, length);
	if (r < 0 && errno == EADDRINUSE && address->kind == IO_ADDRESS_UNIX) {
		if (!unix_path_is_dead(&storage, length)) {
			errno = EADDRINUSE;
			return -1;
		}
		(void)unlink(address->path);
		r = bind(fd, (struct sockaddr *)&storage, length);
	}
	if (r == 0)
		r = guard_set(listener, address);
	return r < 0 ? r : listen(fd, IO_LISTEN_BACKLOG);
}

static int start_failed(const struct io_address *address, int number, struct kr_error_text *text)
{
	kr_assert(number > 0);
	char where[IO_ADDRESS_TEXT_SIZE];
	io_address_format(address, where);
	int error = kr_error_from_errno(number);
	if (error == -KR_E_ADDRESS_IN_USE)
		return kr_error_text_set(text, error, number,
			"listening on %s: another process is there; stop it or choose another "
			"address",
			where);
	return kr_error_text_set(text, error, number, "listening on %s", where);
}

static void port_read(struct io_listener *listener)
{
	struct sockaddr_storage storage = {0};
	socklen_t length = sizeof(storage);
	if (listener->address.kind == IO_ADDRESS_UNIX)
		return;
	int r = getsockname(listener->fd, (struct sockaddr *)&storage, &length);
	kr_assert(r == 0);
	uring_address(&storage, &listener->address);
}

static void attach(struct io_loop *loop, struct io_listener *listener,
	const struct io_address *address, int fd)
{
	kr_assert(listener->flags == 0);
	listener->loop = loop;
	listener->fd = fd;
	listener->address = *address;
	listener->flags = LISTENER_STARTED;
	io_timer_init(&listener->retry, accept_retry, NULL);
	loop->open_count++;
}

static int inproc_start(struct io_loop *loop, struct io_listener *listener,
	const struct io_address *address, struct kr_error_text *text)
{
	kr_assert(address->kind == IO_ADDRESS_INPROC);
	if (inproc_listen(loop, listener, address->port) < 0)
		return start_failed(address, EADDRINUSE, text);
	attach(loop, listener, address, -1);
	return 0;
}

int io_listener_start(struct io_loop *loop, struct io_listener *listener,
	const struct io_address *address, struct kr_error_text *text)
{
	struct sockaddr_storage storage;
	kr_assert(listener->flags == 0);
	if (fault_fires(loop->config.faults, FAULT_LISTENER_BIND))
		return start_failed(address, EADDRINUSE, text);
	if (address->kind == IO_ADDRESS_INPROC)
		return inproc_start(loop, listener, address, text);
	(void)uring_sockaddr(address, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return start_failed(address, errno, text);
	if (bind_and_listen(listener, fd, address) < 0) {
		int number = errno;
		close(fd);
		return start_failed(address, number, text);
	}
	attach(loop, listener, address, fd);
	port_read(listener);
	accept_start(listener);
	return 0;
}

const struct io_address *io_listener_address(const struct io_listener *listener)
{
	kr_assert(listener->flags & LISTENER_STARTED);
	return &listener->address;
}

static void close_when_idle(struct io_listener *listener)
{
	if (!(listener->flags & LISTENER_CLOSING) || listener->in_flight_count > 0)
		return;
	kr_list_push_back(&listener->loop->listeners_closing, &listener->link);
}

static void submission_ended(struct io_listener *listener)
{
	kr_assert(listener->in_flight_count > 0);
	listener->in_flight_count--;
	close_when_idle(listener);
}

static uint32_t peer_uid(const struct io_listener *listener, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	kr_assert(fd >= 0);
	if (listener->address.kind != IO_ADDRESS_UNIX ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return IO_NOBODY;
	return peer.uid;
}

static void accepted(struct io_listener *listener, int fd)
{
	kr_assert(fd >= 0);
	struct io_stream *stream = NULL;
	listener->peer_uid = peer_uid(listener, fd);
	if (!(listener->flags & LISTENER_CLOSING))
		stream = listener->on_accept(listener);
	if (stream == NULL) {
		close(fd);
		return;
	}
	listener->loop->stats.accept_count++;
	uring_stream_attach(listener->loop, stream, fd);
}

void uring_listener_accepted(struct io_listener *listener, int result, uint32_t cqe_flags)
{
	kr_assert(listener->flags & LISTENER_ACCEPTING);
	struct io_loop *loop = listener->loop;
	bool is_last = !(cqe_flags & IORING_CQE_F_MORE);
	if (is_last)
		listener->flags &= (uint16_t)~LISTENER_ACCEPTING;
	if (result >= 0 && fault_fires(loop->config.faults, FAULT_STREAM_ACCEPT)) {
		close(result);
		result = -EMFILE;
	}
	if (result >= 0)
		accepted(listener, result);
	bool is_closing = (listener->flags & LISTENER_CLOSING) != 0;
	bool has_failed = result < 0 && result != -ECANCELED && result != -ECONNABORTED;
	loop->stats.accept_error_count += has_failed;
	if (is_last && !is_closing) {
		/* Out of descriptors or memory: at once it would only fail again. */
		if (has_failed)
			io_timer_start(
				loop, &listener->retry, io_clock_boot_us(loop) + ACCEPT_RETRY_US);
		else
			accept_start(listener);
	}
	if (is_last)
		submission_ended(listener);
}

void uring_listener_cancelled(struct io_listener *listener)
{
	submission_ended(listener);
}

void io_listener_close(struct io_listener *listener)
{
	kr_assert(listener->flags & LISTENER_STARTED);
	kr_assert(!(listener->flags & LISTENER_CLOSING));
	listener->flags |= LISTENER_CLOSING;
	io_timer_stop(listener->loop, &listener->retry);
	if (listener->address.kind == IO_ADDRESS_INPROC)
		inproc_listen_end(listener);
	if (listener->in_flight_count > 0) {
		struct io_uring_sqe *sqe =
			uring_sqe(listener->loop, URING_LISTENER_CANCEL, listener);
		io_uring_prep_cancel_fd(sqe, listener->fd, IORING_ASYNC_CANCEL_ALL);
		listener->in_flight_count++;
	}
	close_when_idle(listener);
}

uint32_t uring_listeners_closing_run(struct io_loop *loop)
{
	struct kr_list batch;
	struct kr_list *node;
	uint32_t count = 0;
	kr_list_init(&batch);
	kr_list_splice_back(&batch, &loop->listeners_closing);
	while ((node = kr_list_pop_front(&batch)) != NULL) {
		struct io_listener *listener = kr_container_of(node, struct io_listener, link);
		kr_assert(listener->in_flight_count == 0);
		if (listener->address.kind == IO_ADDRESS_UNIX)
			(void)unlink(listener->address.path);
		if (listener->fd >= 0)
			close(listener->fd);
		listener->fd = -1;
		listener->flags = 0;
		loop->open_count--;
		listener->on_closed(listener);
		count++;
	}
	return count;
}

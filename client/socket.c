#include "client/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/tcp.h"

static int client_address_unix(const char *path, size_t length, struct client_address *ret)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&ret->address;
	kr_assert(path != NULL);
	if (length == 0 || length >= sizeof(un->sun_path))
		return -EINVAL;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, length);
	ret->size_bytes = (socklen_t)sizeof(*un);
	return 0;
}

/* Splits "HOST:PORT" and "[V6]:PORT" in place; false when it is neither. */
static bool client_address_split(char *text, char **ret_host, char **ret_port)
{
	char *colon = strrchr(text, ':');
	if (colon == NULL || colon == text || colon[1] == 0)
		return false;
	char *host = text;
	*colon = 0;
	if (host[0] == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = 0;
		host++;
	} else if (strchr(host, ':') != NULL) {
		return false;
	}
	*ret_host = host;
	*ret_port = colon + 1;
	return strspn(*ret_port, "0123456789") == strlen(*ret_port);
}

static int client_address_inet(const char *address, struct client_address *ret)
{
	char text[CLIENT_ADDRESS_TEXT_SIZE];
	char *host, *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
	struct addrinfo *found;
	kr_assert(strlen(address) < sizeof(text));
	memcpy(text, address, strlen(address) + 1);
	if (!client_address_split(text, &host, &port))
		return -EINVAL;
	hints.ai_flags = AI_NUMERICSERV;
	int r = getaddrinfo(host, port, &hints, &found);
	if (r == EAI_MEMORY)
		return -ENOMEM;
	if (r != 0)
		return -EHOSTUNREACH;
	kr_assert(found->ai_addrlen <= sizeof(ret->address));
	memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
	ret->size_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int client_address_parse_one(const char *text, size_t length, struct client_address *ret)
{
	static const char unix_prefix[] = "unix:";
	size_t prefix_length = sizeof(unix_prefix) - 1;
	if (length == 0 || length >= sizeof(ret->text))
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->text, text, length);
	kr_assert(ret->text[length] == 0);
	if (strncmp(ret->text, unix_prefix, prefix_length) == 0)
		return client_address_unix(ret->text + prefix_length, length - prefix_length, ret);
	return client_address_inet(ret->text, ret);
}

int client_address_parse(const char *list, struct client_address *ret_addresses, uint32_t count_max,
	uint32_t *ret_count)
{
	uint32_t count = 0;
	kr_assert(list != NULL);
	kr_assert(count_max > 0);
	for (;;) {
		size_t length = strcspn(list, ",");
		if (count == count_max)
			return -EINVAL;
		int r = client_address_parse_one(list, length, &ret_addresses[count]);
		if (r != 0)
			return r;
		count++;
		if (list[length] == 0)
			break;
		list += length + 1;
	}
	*ret_count = count;
	return 0;
}

void client_socket_init(struct client_socket *socket)
{
	*socket = (struct client_socket){.fd = -1};
}

void client_socket_close(struct client_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	client_socket_init(socket);
	kr_assert(socket->fd == -1);
}

int client_socket_connect(struct client_socket *s, const struct client_address *address)
{
	const struct sockaddr *peer = (const struct sockaddr *)(const void *)&address->address;
	kr_assert(s->fd == -1);
	kr_assert(address->size_bytes > 0);
	s->fd = socket(peer->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return CLIENT_SOCKET_LOST;
	kr_tcp_tune(s->fd, peer);
	int r = connect(s->fd, peer, address->size_bytes);
	if (r == 0)
		return 0;
	/* A Unix socket whose backlog is full says EAGAIN and will never say more. */
	if (errno != EINPROGRESS && errno != EINTR) {
		client_socket_close(s);
		return CLIENT_SOCKET_LOST;
	}
	s->is_connecting = true;
	return CLIENT_SOCKET_WAIT;
}

int client_socket_finish(struct client_socket *s)
{
	int error = 0;
	socklen_t size = sizeof(error);
	struct pollfd pfd = {.fd = s->fd, .events = POLLOUT};
	kr_assert(s->fd >= 0);
	kr_assert(s->is_connecting);
	if (poll(&pfd, 1, 0) <= 0)
		return CLIENT_SOCKET_WAIT;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
		return CLIENT_SOCKET_LOST;
	s->is_connecting = false;
	return 0;
}

static int client_socket_result(ssize_t count, size_t *ret_count)
{
	if (count > 0) {
		*ret_count = (size_t)count;
		return 0;
	}
	if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return CLIENT_SOCKET_WAIT;
	return CLIENT_SOCKET_LOST;
}

int client_socket_receive(
	struct client_socket *s, void *bytes, size_t size_bytes, size_t *ret_count)
{
	kr_assert(s->fd >= 0 && !s->is_connecting);
	kr_assert(size_bytes > 0);
	return client_socket_result(recv(s->fd, bytes, size_bytes, MSG_DONTWAIT), ret_count);
}

int client_socket_send(
	struct client_socket *s, const void *bytes, size_t size_bytes, size_t *ret_count)
{
	kr_assert(s->fd >= 0 && !s->is_connecting);
	kr_assert(size_bytes > 0);
	ssize_t count = send(s->fd, bytes, size_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	s->is_blocked = count < (ssize_t)size_bytes;
	return client_socket_result(count, ret_count);
}

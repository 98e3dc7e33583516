/*
 * The client's socket: one non-blocking stream, TCP or Unix, and the addresses it can go to.
 */
#ifndef CLIENT_SOCKET_H
#define CLIENT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/check.h"

#define CLIENT_ADDRESS_TEXT_SIZE 256u

struct client_address {
	struct sockaddr_storage address;
	socklen_t size_bytes;
	char text[CLIENT_ADDRESS_TEXT_SIZE];
};

/*
 * Parses "HOST:PORT", "[V6]:PORT" and "unix:PATH", separated by commas, looking names up.
 * 0, -EINVAL (not an address, too many, none), or -EHOSTUNREACH (a name is not known).
 */
KR_MUST_CHECK int client_address_parse(const char *list, struct client_address *ret_addresses,
	uint32_t count_max, uint32_t *ret_count);

struct client_socket {
	int fd; /* -1: none */
	bool is_connecting;
	bool is_blocked; /* the last send did not take everything */
};

enum {
	CLIENT_SOCKET_WAIT = 1, /* not now: try again when the socket is ready */
	CLIENT_SOCKET_LOST = 2, /* refused, ended or failed */
};

void client_socket_init(struct client_socket *socket);
/* 0 connected, CLIENT_SOCKET_WAIT or CLIENT_SOCKET_LOST. */
KR_MUST_CHECK int client_socket_connect(
	struct client_socket *socket, const struct client_address *address);
/* Whether the connection that was begun stands: the same results. */
KR_MUST_CHECK int client_socket_finish(struct client_socket *socket);
/* 0 with a count above 0, CLIENT_SOCKET_WAIT or CLIENT_SOCKET_LOST. */
KR_MUST_CHECK int client_socket_receive(
	struct client_socket *socket, void *bytes, size_t size_bytes, size_t *ret_count);
KR_MUST_CHECK int client_socket_send(
	struct client_socket *socket, const void *bytes, size_t size_bytes, size_t *ret_count);
void client_socket_close(struct client_socket *socket);

#endif

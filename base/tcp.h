/* What Keyrack asks of a TCP socket, on either side. */
#ifndef BASE_TCP_H
#define BASE_TCP_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/check.h"

static inline bool kr_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/*
 * For the address it is connected or bound to; what a listener accepts inherits it. Frames are
 * coalesced by who sends them, so that nothing is held back for more. Nothing can be congested
 * over the loopback: pacing there (bbr, by default on some systems) is timers for nothing.
 * Whatever the system refuses, the socket works without.
 */
static inline void kr_tcp_tune(int fd, const struct sockaddr *address)
{
	static const char unpaced[] = "reno"; /* in every kernel, allowed to everybody */
	const int one = 1;
	kr_assert(fd >= 0);
	if (address->sa_family == AF_UNIX)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (kr_is_loopback(address))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, unpaced, sizeof(unpaced) - 1);
}

#endif

/*
 * What a process owes to whoever started it: word to a service manager, a file with its number, a
 * line on a descriptor. Not pure: system calls that may wait for a moment, so for rare events.
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

#define SERVICE_MESSAGE_SIZE 1024u
#define SERVICE_WAIT_US 1000000 /* for a manager whose queue is full */

/* Of an absolute path, or @ and a name in the kernel's own space. -KR_E_INVALID. */
KR_MUST_CHECK int service_address(
	const char *path, struct sockaddr_un *ret_address, socklen_t *ret_size_bytes);

/*
 * Lines NAME=value with newlines between, as sd_notify(3) describes them: READY=1, STATUS=...,
 * STOPPING=1. They go to $NOTIFY_SOCKET as one datagram; where there is none, nothing happens.
 * 0 or -KR_E_*.
 */
KR_MUST_CHECK int service_notify(const char *format, ...) KR_PRINTF(1, 2);
/* For RELOADING=1: MONOTONIC_USEC. */
uint64_t service_monotonic_us(void);

/*
 * Raises the process's limit of open files to `wanted_count` connections and `own_count` others, as
 * far as the system allows, and gives for how many connections that is room: 1 to wanted_count.
 * Where that is fewer than wanted `line` gets a sentence. More connections than that must not be
 * taken: then a file of the process's own could not be opened.
 */
uint32_t service_connections_fit(uint32_t wanted_count, uint32_t own_count, struct kr_text *line);

KR_MUST_CHECK int service_pid_write(const char *path, struct kr_error_text *text);
/* The line and a newline; the descriptor is closed. 0 or -KR_E_*: nobody reads it. */
KR_MUST_CHECK int service_ready_write(int fd, const char *line);

#endif

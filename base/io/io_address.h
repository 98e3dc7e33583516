/*
 * Where to listen or connect: "127.0.0.1:7070", "[::1]:7070", "unix:/path". Numbers only: names
 * would need a resolver, which blocks. "inproc:1" is within one loop: a program makes such an
 * address itself and writes it, but reads none. Pure.
 */
#ifndef BASE_IO_IO_ADDRESS_H
#define BASE_IO_IO_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define IO_ADDRESS_PATH_MAX 107u /* of sun_path, without its final zero */
#define IO_ADDRESS_TEXT_SIZE 128u

enum io_address_kind { IO_ADDRESS_IP4 = 1, IO_ADDRESS_IP6, IO_ADDRESS_UNIX, IO_ADDRESS_INPROC };

struct io_address {
	enum io_address_kind kind;
	uint16_t port;     /* 0 when listening: any free one, but for INPROC */
	uint8_t bytes[16]; /* 4 of them for IP4, most significant first */
	char path[IO_ADDRESS_PATH_MAX + 1];
};

#define IO_ADDRESS_MALFORMED 1
#define IO_ADDRESS_PATH_TOO_LONG 2

/* 0, IO_ADDRESS_MALFORMED or IO_ADDRESS_PATH_TOO_LONG. */
KR_MUST_CHECK int io_address_parse(const char *text, size_t length, struct io_address *ret_address);
void io_address_format(
	const struct io_address *address, char ret_text[static IO_ADDRESS_TEXT_SIZE]);
int io_address_compare(const struct io_address *a, const struct io_address *b);

#endif

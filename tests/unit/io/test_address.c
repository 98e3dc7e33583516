#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/io/io_address.h"
#include "base/rng.h"

static int parse(const char *text, struct io_address *address)
{
	return io_address_parse(text, strlen(text), address);
}

Test(address, reads_and_writes_the_three_kinds)
{
	static const char *const texts[] = {"127.0.0.1:7070", "0.0.0.0:0", "255.255.255.255:65535",
		"[::1]:7070", "[::]:1", "[2001:db8::1:0:0:1]:443", "[fe80::1:2]:9",
		"[1:2:3:4:5:6:7:8]:80", "[1:0:3:4:5:6:7:8]:80", "unix:/run/keyrack.sock",
		"unix:relative"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(texts); i++) {
		struct io_address address;
		char text[IO_ADDRESS_TEXT_SIZE];
		cr_assert_eq(parse(texts[i], &address), 0, "%s", texts[i]);
		io_address_format(&address, text);
		cr_assert_str_eq(text, texts[i]);
		cr_assert_eq(io_address_compare(&address, &address), 0);
	}
}

Test(address, refuses_everything_else)
{
	static const char *const texts[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":7070",
		"127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:7070x", "127.0.0:7070",
		"127.0.0.1.2:7070", "127.0.0.256:7070", "127.0.0.01:7070", "127.0.0.:7070",
		"localhost:7070", "::1:7070", "[::1]", "[::1]7070", "[::1:7070", "[]:1", "[:]:1",
		"[:::]:1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1",
		"[1:2:3:4:5:6:7:8::]:1", "[12345::]:1", "[g::]:1", "[::1%eth0]:1",
		"unix:", "127.0.0.1:000001", " 127.0.0.1:1", "[1:]:1", "[:1]:1",
		"[1:2:3:4:5:6:7:]:1"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(texts); i++) {
		struct io_address address = {.port = 77};
		cr_assert_eq(parse(texts[i], &address), IO_ADDRESS_MALFORMED, "\"%s\"", texts[i]);
		cr_assert_eq(address.port, 77, "written without success");
	}
}

Test(address, a_unix_path_has_an_end)
{
	char text[6 + IO_ADDRESS_PATH_MAX + 1] = "unix:";
	struct io_address address;
	memset(text + 5, 'x', IO_ADDRESS_PATH_MAX);
	cr_assert_eq(parse(text, &address), 0);
	cr_assert_eq(strlen(address.path), IO_ADDRESS_PATH_MAX);
	text[5 + IO_ADDRESS_PATH_MAX] = 'x';
	cr_assert_eq(io_address_parse(text, 6 + IO_ADDRESS_PATH_MAX, &address),
		IO_ADDRESS_PATH_TOO_LONG);
}

Test(address, agrees_with_the_c_library_on_random_ip6)
{
	struct rng rng;
	rng_init(&rng, 9);
	for (uint32_t i = 0; i < 20000; i++) {
		uint8_t bytes[16];
		char theirs[INET6_ADDRSTRLEN], text[IO_ADDRESS_TEXT_SIZE];
		rng_fill(&rng, bytes, sizeof(bytes));
		/* Plenty of zero groups; not the forms that the library writes as IPv4. */
		for (uint32_t g = 2; g < 16; g += 2) {
			if (rng_chance(&rng, 600000))
				bytes[g] = bytes[g + 1] = 0;
		}
		bytes[0] = 0x20;
		cr_assert_not_null(inet_ntop(AF_INET6, bytes, theirs, sizeof(theirs)));
		snprintf(text, sizeof(text), "[%s]:%u", theirs, (unsigned)(i & 0xffff));
		struct io_address address;
		cr_assert_eq(parse(text, &address), 0, "%s", text);
		cr_assert_arr_eq(address.bytes, bytes, 16);
		char back[IO_ADDRESS_TEXT_SIZE];
		io_address_format(&address, back);
		cr_assert_str_eq(back, text);
	}
}

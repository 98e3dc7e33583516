/*
 * Addresses as options (base/option.h): a list, given one by one or with commas between; and who
 * may connect to those that are unix sockets.
 */
#ifndef BASE_IO_IO_OPTION_H
#define BASE_IO_IO_OPTION_H

#include "base/io/io_address.h"
#include "base/io/io_stream.h"
#include "base/option.h"

#define IO_ADDRESS_LIST_MAX 64u

struct io_address_list {
	uint32_t count;
	struct io_address items[IO_ADDRESS_LIST_MAX];
};

/* The row's `max` is how many there may be; none may stand there twice. */
extern const struct option_type io_option_addresses;
#define IO_OPTION_ADDRESSES(structure, field)                                                      \
	OPTION_FIELD(io_option_addresses, structure, field, struct io_address_list)

/* A uint32_t: permission bits, octal. `preset` is what they are by default. */
extern const struct option_type io_option_mode;
#define IO_OPTION_MODE(structure, field) OPTION_FIELD(io_option_mode, structure, field, uint32_t)

/* "USER", "USER:GROUP" or ":GROUP", names or numbers; IO_NOBODY for what is not given. */
struct io_owner {
	bool is_given; /* else uid and gid mean nothing */
	uint32_t uid, gid;
};
extern const struct option_type io_option_owner;
#define IO_OPTION_OWNER(structure, field)                                                          \
	OPTION_FIELD(io_option_owner, structure, field, struct io_owner)

/* The guard of a listener with that mode and owner. */
struct io_socket_guard io_option_guard(uint32_t mode, const struct io_owner *owner);

bool io_address_is_local(const struct io_address *address);

/*
 * For a finish() (base/options.h): complains of option `name` for each address that other machines
 * can reach. `remedy` ends the sentence: what to do.
 */
struct option_set;
void io_option_check_local(struct option_set *set, const char *name,
	const struct io_address_list *list, const char *remedy);

#endif

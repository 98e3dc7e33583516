/*
 * Addresses as options (base/option.h): a list, given one by one or with commas between.
 */
#ifndef BASE_IO_IO_OPTION_H
#define BASE_IO_IO_OPTION_H

#include "base/io/io_address.h"
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

/*
 * For a finish() (base/options.h) without --allow-remote: complains of option `name` for each
 * address that other machines can reach.
 */
struct option_set;
void io_option_check_local(
	struct option_set *set, const char *name, const struct io_address_list *list);

#endif

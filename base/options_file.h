/*
 * A configuration file: one YAML mapping of names to values or lists of values. Says where things
 * stand; what they mean is the caller's. Part of base/options.h.
 */
#ifndef BASE_OPTIONS_FILE_H
#define BASE_OPTIONS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct option_file;

struct option_file_handler {
	void *context;
	/* `item` counts the values of one key from 0. The texts stay until option_file_free(). */
	void (*on_value)(
		void *context, unsigned line, const char *key, const char *value, uint32_t item);
	/* line 0: of no line */
	void (*on_wrong)(void *context, unsigned line, const char *sentence);
};

/* NULL when it could not be read at all; on_wrong says why. */
struct option_file *option_file_read(
	const char *path, size_t size_max_bytes, const struct option_file_handler *handler);
/* NULL is allowed; returns NULL. */
struct option_file *option_file_free(struct option_file *file);

#endif

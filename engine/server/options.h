/*
 * The command line of keyrack-shard.
 */
#ifndef ENGINE_SERVER_OPTIONS_H
#define ENGINE_SERVER_OPTIONS_H

#include "engine/server/server.h"

#define OPTIONS_EXIT_USAGE 2

struct options {
	struct server_config server; /* tz and handler are still to be set */
	const char *pid_file;
	int ready_fd; /* -1: none */
	uint32_t spin_us;
	bool allow_remote;
};

/* Ends the process with a message and status 2 when the command line is wrong. */
void options_parse(int argc, char **argv, struct options *ret_options);

/* What the sizes mean in memory: lines into `text`. */
struct kr_text;
void options_describe(const struct options *options, struct kr_text *text);

#endif

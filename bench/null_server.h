/*
 * A server that decides nothing: HELLO gets its answer, a sale and a query a body such as a cluster
 * gives, each at once. What keyrack-bench reaches in front of it is its own ceiling.
 *
 * It runs in a process of its own, as a cluster does, and ends with the one that started it.
 */
#ifndef BENCH_NULL_SERVER_H
#define BENCH_NULL_SERVER_H

#include <stdint.h>

#include "base/check.h"

/* Whoever listens needs no more: "127.0.0.1:65535" and its end. */
#define NULL_SERVER_ADDRESS_SIZE 24u

/* Starts it. The address to connect to; the program ends where none is to be had. */
void null_server_start(uint32_t query_nights, char ret_address[NULL_SERVER_ADDRESS_SIZE]);

#endif

/* From an answer's frame to what it says. */
#ifndef TESTS_SIM_HEAR_H
#define TESTS_SIM_HEAR_H

#include "tests/sim/client.h"
#include "tests/sim/witness.h"

/* False when the body cannot be read. */
bool hear_reply(uint8_t type, const struct client_end *end, struct witness_reply *ret);

#endif

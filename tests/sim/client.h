/*
 * A client in the simulated world: a load drawn from the seed, and what each reservation may have
 * become by what was answered.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "tests/sim/caller.h"

#define CLIENT_TRACKS_MAX 4096u
#define CLIENT_CALLS 64u
#define CLIENT_BODY_SIZE 512u

/* States a reservation may be in, as bits 1 << enum inv_state; bit 0: there is none. */
#define STATE_ABSENT 1u
#define STATE(name) (1u << INV_##name)
#define STATE_LIVE_HOLD (STATE(HELD) | STATE(EXPIRED))

struct track {
	struct kr_id id;
	uint64_t hotel;
	uint32_t type;
	int32_t check_in, nights;
	uint32_t rooms;
	bool book;
	bool is_busy; /* a call of it is open */
	bool is_found;
	uint32_t may_be;  /* states */
	uint32_t pending; /* operations whose outcome nobody told: oracle.c */
};

struct open_call {
	bool is_used;
	uint8_t type;
	uint32_t track;
	uint8_t body[CLIENT_BODY_SIZE];
};

struct client {
	struct cluster *cluster;
	uint32_t number;
	struct caller caller;
	struct io_timer load;
	struct track tracks[CLIENT_TRACKS_MAX];
	uint32_t track_count;
	struct open_call calls[CLIENT_CALLS];
	bool is_loading;
	uint64_t ops_done, ops_refused, ops_transient, ops_unknown;
	uint64_t codes[256];
	int32_t today;
};

#define SIM_HOTELS 3u
#define SIM_TYPES 2u

struct client *client_new(struct cluster *cluster, uint32_t number);
struct client *client_free(struct client *client);
/* Creates the hotels and their stock; until all of it is there. */
void client_prepare(struct client *client);
void client_load(struct client *client, bool is_on);
/* Asks for the outcome of everything that is in doubt. */
void client_settle(struct client *client);
bool client_is_idle(const struct client *client);
uint64_t client_hotel(uint32_t number);

#endif

/*
 * A client in the simulated world: a load drawn from the seed, and what each reservation may have
 * become by what was answered.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "proto/keyrack.pb-c.h"
#include "tests/property/model/model.h"
#include "tests/sim/caller.h"
#include "tests/sim/lists.h"

#define CLIENT_TRACKS_MAX 2048u
#define CLIENT_CALLS 64u
#define CLIENT_BODY_SIZE 1024u
#define CLIENT_NO_TRACK UINT32_MAX

#define SIM_HOTELS 3u
#define SIM_TYPES 2u
#define SIM_PLANS 4u /* beside plan 0; type 0 has 1 and 2 */
#define SIM_RESTRICTED_NIGHTS 10u

/* States a reservation may be in, as bits 1 << enum inv_state; bit 0: there is none. */
#define STATE_ABSENT 1u
#define STATE(name) (1u << INV_##name)

struct track {
	struct m_reserve asked;
	bool is_busy; /* a call of it is open */
	bool is_found;
	uint32_t may_be;  /* states */
	uint32_t pending; /* operations whose outcome nobody told: oracle.c */
	uint32_t revision;
	unsigned refused; /* what a sale under its id was answered, 0: it was not refused */
	uint64_t expires_us;
	uint32_t replaces; /* the track of the hold that it replaces, CLIENT_NO_TRACK: of none */
	int last_day;      /* the earliest check-out date that it was asked to have */
	bool is_modified;  /* other lines were asked for */
	bool is_imported;  /* made elsewhere: `asked` is what came in */
	struct m_import import;
	bool has_change;
	bool is_change_open; /* nobody told its outcome: it is asked again */
	struct m_transition change;
};

struct open_call {
	bool is_used, is_setup;
	bool is_beyond; /* what its client may do */
	uint8_t type;
	uint32_t track; /* CLIENT_NO_TRACK: of none */
	uint64_t key, at_us;
	uint64_t hotel; /* that it goes to, or 0 */
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
	uint32_t storm_count; /* so many of its next sales come many times */
	uint64_t source_seq[SIM_HOTELS], version[SIM_HOTELS];
	struct m_update last_update;
	struct client_walk walk;
	uint64_t ops_done, ops_refused, ops_transient, ops_unknown;
	uint64_t codes[256];
	uint64_t done_by_type[64], asked_by_type[64];
};

struct client_zone {
	const char *name;
	int offset_s;
};
extern const struct client_zone client_zones[SIM_HOTELS];

struct client *client_new(struct cluster *cluster, uint32_t number);
struct client *client_free(struct client *client);
/* Creates the hotels and their stock; until all of it is there. */
void client_prepare(struct client *client);
void client_load(struct client *client, bool is_on);
/* Asks for the outcome of everything that is in doubt. */
void client_settle(struct client *client);
bool client_is_idle(const struct client *client);
uint64_t client_hotel(uint32_t number);
/* About the business date of its hotels. */
int client_today(const struct client *client);
/* Something drawn: load.c */
void client_do_something(struct client *client);
/* In worlds where instants coincide: holds about to expire are asked for. */
void client_ask_due(struct client *client);

/* Asking, in the model's words: false when there is no room for a call. */
bool ask_reserve(struct client *client, uint32_t track);
/* The same as another call asks, of no track of its own. */
bool ask_echo(struct client *client, const struct m_reserve *reserve);
bool ask_transition(struct client *client, const struct m_transition *transition, uint32_t track);
bool ask_import(struct client *client, const struct m_import *import, uint32_t track);
bool ask_update(struct client *client, const struct m_update *update, bool is_setup);
bool ask_hotel(struct client *client, uint32_t hotel, const struct m_hotel_settings *settings,
	bool is_setup);
bool ask_type(struct client *client, uint32_t hotel, int type,
	const struct m_type_settings *settings, bool is_setup);
bool ask_plan(struct client *client, const struct m_plan_put *put, bool is_setup);
bool ask_plans(struct client *client, uint64_t hotel, int from_type, int from_plan, uint32_t limit);
/* type < 0: every type that has the plan */
bool ask_nights(struct client *client, uint64_t hotel, int type, int plan, int first_day,
	uint32_t night_count);
/* A page of a list. */
bool ask_page(struct client *client, const struct list_query *query, uint32_t limit);
bool ask_stay(struct client *client, const struct m_reserve *reserve, bool explain);
/* hotel 0: an id that leads there by itself */
bool ask_get(struct client *client, uint64_t hotel, struct m_id id);
bool ask_hotel_get(struct client *client, uint64_t hotel);
uint8_t transition_frame(int what);
int transition_of_frame(uint8_t type);

/* What a request is known by, to the client and to the witness. */
bool client_id_is_foreign(struct m_id id);
uint64_t client_key_reserve(const struct m_reserve *reserve);
uint64_t client_key_import(const struct m_import *import);
uint64_t client_key_transition(const struct m_transition *transition);
uint64_t client_key_update(const struct m_update *update);
uint64_t client_key_hotel(uint64_t hotel, const struct m_hotel_settings *settings);
uint64_t client_key_type(uint64_t hotel, int type, const struct m_type_settings *settings);
uint64_t client_key_plan(const struct m_plan_put *put);
uint64_t client_key_plans(uint64_t hotel, int from_type, int from_plan, uint32_t limit);
uint64_t client_key_nights(uint64_t hotel, int plan, int first_day, uint32_t night_count);
uint64_t client_key_page(const struct list_query *query);
uint64_t client_key_cursor(uint64_t cursor); /* one that is not taken */
uint64_t client_key_stay(const struct m_reserve *reserve, bool explain);
uint64_t client_key_get(struct kr_id id);
uint64_t client_key_hotel_get(uint64_t hotel);
uint64_t client_key_no_hotel(uint64_t hotel); /* whatever was to be read of it */

#endif

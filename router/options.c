#include "router/options.h"

#include <stdarg.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

#define U32(field) OPTION_U32(struct router_options, field)
#define ADDRESSES(field) IO_OPTION_ADDRESSES(struct router_options, field)
#define MODE(field) IO_OPTION_MODE(struct router_options, field)
#define OWNER(field) IO_OPTION_OWNER(struct router_options, field)

static const struct option_row table[] = {
	{OPTION_NAMED("listen", 'l', "ADDR[,ADDR]",
		 "where operators connect: HOST:PORT, [V6]:PORT or unix:PATH"),
		OPTION_RANGE(0, 0, CONN_LISTEN_MAX), .preset_text = "127.0.0.1:7070",
		ADDRESSES(listen)},
	{OPTION_NAMED("booking-listen", 'b', "ADDR[,ADDR]",
		 "where those connect who may sell and ask, but not set what is sold"),
		OPTION_RANGE(0, 0, CONN_LISTEN_MAX), ADDRESSES(booking_listen)},
	{OPTION_NAMED("listen-mode", 0, "OCTAL", "permissions of operators' unix sockets"),
		.preset_text = "0600", MODE(listen_mode)},
	{OPTION_NAMED("listen-owner", 0, "USER[:GROUP]", "whose those sockets are"),
		OWNER(listen_owner)},
	{OPTION_NAMED("booking-mode", 0, "OCTAL", "permissions of booking unix sockets"),
		.preset_text = "0660", MODE(booking_mode)},
	{OPTION_NAMED("booking-owner", 0, "USER[:GROUP]", "whose those sockets are"),
		OWNER(booking_owner)},
	{OPTION_NAMED("operator-token-file", 0, "PATH",
		 "tokens of operators; with any token, TCP asks for one"),
		OPTION_STRING(struct router_options, operator_token_file)},
	{OPTION_NAMED("booking-token-file", 0, "PATH", "tokens that give the booking role"),
		OPTION_STRING(struct router_options, booking_token_file)},
	{OPTION_NAMED("shard-token-file", 0, "PATH", "the token to prove to shards that want one"),
		OPTION_STRING(struct router_options, shard_token_file)},
	{OPTION_NAMED("cluster", 'c', "ID", "the cluster's number, decimal or 0x and hexadecimal"),
		OPTION_RANGE(0, 1, UINT64_MAX), .flags = OPTION_OF_PROCESS,
		.needed = "the number that the shards were made with",
		OPTION_U64(struct router_options, router.cluster)},
	{OPTION_NAMED("shard", 's', "ADDR[,ADDR]",
		 "the shards' addresses, in the order of their numbers; may be repeated"),
		OPTION_RANGE(0, 0, SHARD_COUNT_MAX), .needed = "the address of each shard",
		ADDRESSES(shards)},
	{OPTION_NAMED("max-connections", 0, "COUNT", "clients at a time"),
		OPTION_RANGE(ROUTER_CONNECTION_MAX_DEFAULT, 1, ROUTER_CONNECTION_MAX),
		.flags = OPTION_LIVE, U32(router.connection_max_count)},
	{OPTION_NAMED("window", 0, "COUNT", "requests in flight of one client"),
		OPTION_RANGE(ROUTE_WINDOW_DEFAULT, 1, ROUTE_FLIGHT_MAX), U32(router.window)},
	{OPTION_NAMED("idle-timeout", 0, "SECONDS",
		 "close clients that say nothing for so long; 0 = never"),
		OPTION_RANGE(ROUTER_IDLE_US_DEFAULT / SECOND_US, 0, 31536000), .unit = SECOND_US,
		.flags = OPTION_LIVE, OPTION_U64(struct router_options, router.idle_timeout_us)},
	{OPTION_NAMED("spin-us", 0, "MICROSECONDS",
		 "look for work this long before sleeping, where few are asking: less "
		 "latency, more CPU; 0 = never"),
		OPTION_RANGE(IO_SPIN_US_DEFAULT, 0, 1000000),
		.flags = OPTION_LIVE | OPTION_OF_PROCESS, U32(spin_us)},
	{OPTION_NAMED("pid-file", 0, "PATH", "write the process id there"),
		.flags = OPTION_OF_PROCESS, OPTION_STRING(struct router_options, pid_file)},
	{OPTION_NAMED("ready-fd", 0, "NUMBER",
		 "write a line to that descriptor once clients can connect"),
		OPTION_RANGE(0, 1, INT32_MAX), .flags = OPTION_FLAG_ONLY | OPTION_OF_PROCESS,
		U32(ready_fd)},
};

kr_static_assert(KR_ARRAY_COUNT(table) <= ROUTER_OPTION_MAX, "a place for each row elsewhere");

/* ---- in another program ---- */

uint32_t router_options_embed(struct option_row rows[static ROUTER_OPTION_MAX], size_t offset)
{
	static char names[ROUTER_OPTION_MAX][OPTION_NAME_SIZE];
	uint32_t count = 0;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(table); i++) {
		struct option_row *row = &rows[count];
		struct kr_text name;
		if (table[i].flags & OPTION_OF_PROCESS)
			continue;
		*row = table[i];
		kr_text_init(&name, names[count], sizeof(names[count]));
		kr_text_format(&name, ROUTER_OPTION_PREFIX "%s", table[i].name);
		kr_assert(!name.is_cut);
		row->name = names[count++];
		row->letter = 0;
		row->offset += offset;
		row->needed = NULL;
		if (row->offset == offset + offsetof(struct router_options, listen))
			row->preset_text = NULL;
	}
	return count;
}

static void name_whole(const struct router_options *options, const char *name,
	char ret_name[static OPTION_NAME_SIZE])
{
	struct kr_text text;
	kr_assert(options->prefix != NULL);
	kr_text_init(&text, ret_name, OPTION_NAME_SIZE);
	kr_text_format(&text, "%s%s", options->prefix, name);
	kr_assert(!text.is_cut);
}

KR_PRINTF(4, 5)
static void complain(struct option_set *set, const struct router_options *options, const char *name,
	const char *format, ...)
{
	char whole[OPTION_NAME_SIZE], bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	va_list list;
	name_whole(options, name, whole);
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	options_complain(set, whole, "%s", bytes);
}

/* ---- what rows cannot say ---- */

static void listen_add(struct option_set *set, const char *name, struct router_options *options,
	const struct io_address_list *list, const struct conn_guard *guard)
{
	struct router_config *router = &options->router;
	kr_assert(router->listen_count <= CONN_LISTEN_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t j = 0; j < router->listen_count; j++) {
			if (io_address_compare(&router->listen[j], &list->items[i]) == 0) {
				complain(set, options, name,
					"has an address that --%slisten has as well: what connects "
					"there is one or the other",
					options->prefix);
				return;
			}
		}
		if (router->listen_count == CONN_LISTEN_MAX) {
			complain(set, options, name, "makes more than %u listeners together",
				CONN_LISTEN_MAX);
			return;
		}
		router->guards[router->listen_count] = *guard;
		router->listen[router->listen_count++] = list->items[i];
	}
}

/* TCP asks for a token as soon as there is one; a unix socket is guarded by its mode. */
static void listen_all(struct option_set *set, struct router_options *options)
{
	struct router_config *router = &options->router;
	const struct conn_guard operator= {.role = ACCESS_OPERATOR,
		.socket = io_option_guard(options->listen_mode, &options->listen_owner)};
	const struct conn_guard booking = {.role = ACCESS_BOOKING,
		.socket = io_option_guard(options->booking_mode, &options->booking_owner)};
	kr_assert(options->listen.count > 0);
	router->listen_count = 0;
	listen_add(set, "listen", options, &options->listen, &operator);
	listen_add(set, "booking-listen", options, &options->booking_listen, &booking);
	for (uint32_t i = 0; i < router->listen_count; i++)
		router->guards[i].wants_token =
			router->tokens.count > 0 && router->listen[i].kind != IO_ADDRESS_UNIX;
}

/* Two roles are told apart only where nobody walks past: an open port would be such a way. */
static void check_separated(struct option_set *set, const struct router_options *options)
{
	kr_assert(options->router.tokens.count == 0);
	if (options->booking_listen.count == 0)
		return;
	for (uint32_t i = 0; i < options->listen.count; i++) {
		char address[IO_ADDRESS_TEXT_SIZE];
		if (options->listen.items[i].kind == IO_ADDRESS_UNIX)
			continue;
		io_address_format(&options->listen.items[i], address);
		complain(set, options, "listen",
			"has %s, where every process of this machine is an operator, so that "
			"--%sbooking-listen keeps nobody from anything: make it unix:PATH, or give "
			"--%soperator-token-file",
			address, options->prefix, options->prefix);
	}
}

static void tokens_read(struct option_set *set, const struct router_options *options,
	struct token_set *tokens, enum access_role role, const char *name, const char *path)
{
	struct kr_error_text text;
	kr_assert(tokens != NULL);
	if (path == NULL)
		return;
	if (token_set_read(tokens, role, path, &text) < 0)
		complain(set, options, name, "cannot be used: %s", text.bytes);
}

static void tokens_read_all(struct option_set *set, struct router_options *options)
{
	struct router_config *router = &options->router;
	struct token_set mine = {.count = 0};
	router->tokens.count = 0;
	tokens_read(set, options, &router->tokens, ACCESS_OPERATOR, "operator-token-file",
		options->operator_token_file);
	tokens_read(set, options, &router->tokens, ACCESS_BOOKING, "booking-token-file",
		options->booking_token_file);
	tokens_read(set, options, &mine, ACCESS_OPERATOR, "shard-token-file",
		options->shard_token_file);
	router->shard_token = mine.items[0];
	token_set_clear(&mine);
	kr_assert(router->tokens.count <= TOKEN_COUNT_MAX);
}

#define REMEDY                                                                                     \
	"give --%soperator-token-file or --%sbooking-token-file (see ACCESS in "                   \
	"keyrack-router(8)), or an address of this machine alone, such as 127.0.0.1:7070 or "      \
	"unix:/path"

void router_options_check_behind(struct option_set *set, const struct router_options *options,
	const char *name, const struct io_address_list *list, const char *remedy)
{
	bool has_roles = options->booking_listen.count > 0 ||
			 options->operator_token_file != NULL ||
			 options->booking_token_file != NULL;
	for (uint32_t i = 0; has_roles && i < list->count; i++) {
		char address[IO_ADDRESS_TEXT_SIZE];
		if (list->items[i].kind == IO_ADDRESS_UNIX)
			continue;
		io_address_format(&list->items[i], address);
		options_complain(set, name,
			"has %s, where whoever reaches it passes by the rights that the router "
			"asks for: make it unix:PATH, or give %s",
			address, remedy);
	}
}

static void check_shards(struct option_set *set, const struct router_options *options)
{
	char whole[OPTION_NAME_SIZE], remedy[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	if (options->shard_token_file != NULL)
		return;
	name_whole(options, "shard", whole);
	kr_text_init(&text, remedy, sizeof(remedy));
	kr_text_format(
		&text, "--%sshard-token-file and, to the shard, --token-file", options->prefix);
	kr_assert(!text.is_cut);
	router_options_check_behind(set, options, whole, &options->shards, remedy);
}

static void local_check(struct option_set *set, const struct router_options *options,
	const char *name, const struct io_address_list *list)
{
	char whole[OPTION_NAME_SIZE], remedy[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	name_whole(options, name, whole);
	kr_text_init(&text, remedy, sizeof(remedy));
	kr_text_format(&text, REMEDY, options->prefix, options->prefix);
	kr_assert(!text.is_cut);
	io_option_check_local(set, whole, list, remedy);
}

/* Only when the token files were read as meant: a wrong one is no reason to speak of another. */
static void check_open(struct option_set *set, const struct router_options *options)
{
	bool has_file = options->operator_token_file != NULL || options->booking_token_file != NULL;
	kr_assert(options->listen.count > 0);
	if (has_file)
		return;
	check_separated(set, options);
	local_check(set, options, "listen", &options->listen);
	local_check(set, options, "booking-listen", &options->booking_listen);
}

void router_options_finish(struct option_set *set, struct router_options *options)
{
	struct router_config *router = &options->router;
	kr_assert(options->prefix != NULL && options->listen.count > 0);
	tokens_read_all(set, options);
	listen_all(set, options);
	check_open(set, options);
	check_shards(set, options);
	router->shard_count = options->shards.count;
	kr_assert(router->shard_count <= SHARD_COUNT_MAX);
	memcpy(router->shards, options->shards.items,
		router->shard_count * sizeof(router->shards[0]));
}

static void finish(struct option_set *set, void *structure)
{
	struct router_options *options = structure;
	kr_assert(options->shards.count > 0);
	router_options_finish(set, options);
}

static int tokens_reread(const struct router_options *options, struct token_set *tokens,
	struct token_set *mine, struct kr_error_text *text)
{
	int r = 0;
	kr_assert(tokens->count == 0 && mine->count == 0);
	if (options->operator_token_file != NULL)
		r = token_set_read(tokens, ACCESS_OPERATOR, options->operator_token_file, text);
	if (r == 0 && options->booking_token_file != NULL)
		r = token_set_read(tokens, ACCESS_BOOKING, options->booking_token_file, text);
	if (r == 0 && options->shard_token_file != NULL)
		r = token_set_read(mine, ACCESS_OPERATOR, options->shard_token_file, text);
	return r;
}

bool router_options_reread_tokens(struct router_options *options,
	void (*say)(void *context, const char *sentence), void *context)
{
	struct token_set tokens = {.count = 0}, mine = {.count = 0};
	struct kr_error_text text;
	int r = tokens_reread(options, &tokens, &mine, &text);
	bool has_any = r == 0 && tokens.count + mine.count > 0;
	kr_assert(say != NULL);
	if (r < 0) {
		say(context, text.bytes);
		say(context, "the tokens stay as they were");
	}
	if (has_any) {
		options->router.tokens = tokens;
		options->router.shard_token = mine.items[0];
	}
	token_set_clear(&tokens);
	token_set_clear(&mine);
	return has_any;
}

void router_options_init(struct router_options *ret_options, const char *prefix)
{
	kr_assert(prefix != NULL);
	memset(ret_options, 0, sizeof(*ret_options));
	router_config_default(&ret_options->router);
	ret_options->prefix = prefix;
}

void router_options_start(struct option_set *set, int argc, char **argv,
	void (*say)(const char *sentence), struct router_options *ret_options)
{
	static struct option_program program = {
		.name = "keyrack-router",
		.environment = "KEYRACK_ROUTER_",
		.about = "Forwards the requests of Keyrack clients to the shards of one cluster.\v"
			 "Stops on SIGTERM or SIGINT: what was forwarded is answered first. Exits "
			 "0 when stopped so, 1 on a failure, 2 on a wrong configuration.",
		.table = table,
		.count = KR_ARRAY_COUNT(table),
		.structure_size_bytes = sizeof(struct router_options),
		.finish = finish,
	};
	router_options_init(ret_options, "");
	program.say = say;
	options_start(set, &program, argc, argv, ret_options);
	kr_assert(ret_options->router.cluster != 0 && ret_options->router.shard_count > 0);
}

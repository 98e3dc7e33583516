/* keyrack: the operator's command line. One command, one file; this one finds it. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/command_table.h"
#include "tools/keyrack/commands.h"

static const struct command commands[] = {
	{"cluster", "start", cluster_start_run, "start a local cluster, or what is missing of it"},
	{"cluster", "stop", cluster_stop_run, "stop it: nothing accepted is lost"},
	{"cluster", "status", cluster_status_run, "which of its processes run"},
	{"hotel", "put", hotel_put_run, "create a hotel or change its settings"},
	{"hotel", "get", hotel_get_run, "show a hotel"},
	{"hotel", "list", hotel_list_run, "list the hotels"},
	{"type", "put", type_put_run, "create a room type or change its settings"},
	{"type", "get", type_get_run, "show the room types of a hotel"},
	{"plan", "put", plan_put_run, "create a rate plan or change its settings"},
	{"plan", "get", plan_get_run, "show a rate plan"},
	{"plan", "list", plan_list_run, "list the rate plans of a hotel or a room type"},
	{"inventory", "set", inventory_set_run,
		"set, adjust or clear stock, prices and restrictions over nights"},
	{"", "availability", availability_run, "what can be sold, night by night or for a stay"},
	{"", "overbooked", overbooked_run, "nights over their limit, guests who have to be moved"},
	{"", "occupancy", occupancy_run, "rooms, bookings and per cent over nights of a hotel"},
	{"", "denials", denials_run, "demand that was turned away, by rule and night"},
	{"", "hold", hold_run, "hold rooms for some minutes"},
	{"", "book", book_run, "book rooms"},
	{"", "confirm", confirm_run, "turn a hold into a booking"},
	{"", "release", release_run, "give a hold back"},
	{"", "cancel", cancel_run, "cancel a booking (--any: or give a hold back)"},
	{"", "extend", extend_run, "let a hold live longer"},
	{"", "attach-payment", attach_payment_run, "keep a payment's reference with a hold"},
	{"", "check-in", check_in_run, "the guest is there"},
	{"", "complete", complete_run, "the stay is over"},
	{"", "no-show", no_show_run, "the guest did not come"},
	{"", "modify", modify_run, "change dates, rooms, types or lines of a hold or a booking"},
	{"", "resolve", resolve_run, "what became of an id whose outcome is unknown"},
	{"reservation", "get", reservation_get_run, "show a reservation"},
	{"reservation", "list", reservation_list_run, "who comes, goes, is there, holds"},
	{"reservation", "due", reservation_due_run, "bookings whose money is due"},
	{"reservation", "stuck", reservation_stuck_run, "paid holds that were never confirmed"},
	{"export", "hotels", export_hotels_run, "write the hotels, as CSV or NDJSON"},
	{"export", "types", export_types_run, "write the room types"},
	{"export", "plans", export_plans_run, "write the rate plans"},
	{"export", "calendar", export_calendar_run, "write what is set by date"},
	{"export", "reservations", export_reservations_run, "write the reservations"},
	{"import", "hotels", import_hotels_run, "create or change hotels from a file"},
	{"import", "types", import_types_run, "create or change room types from a file"},
	{"import", "plans", import_plans_run, "create or change rate plans from a file"},
	{"import", "calendar", import_calendar_run, "set nights from a file"},
	{"import", "reservations", import_reservations_run,
		"take in reservations that were made elsewhere"},
	{"", "backup", backup_run, "copy a running local cluster"},
	{"", "restore", restore_run, "make a local cluster of a backup"},
	{"", "snapshot", snapshot_run, "let the shards write a snapshot"},
	{"", "stats", stats_run, "counters and gauges of the shards"},
	{"", "top", top_run, "what the cluster does, live"},
	{"", "ping", ping_run, "is somebody there, and how far away"},
	{"router", "status", router_status_run, "a router's links to its shards"},
	{"router", "map", router_map_run, "which shard owns which slots"},
	{"router", "connections", router_connections_run, "who is connected to a router"},
	{"", "slot", slot_run, "the slot and the shard of a hotel"},
	{"", "token", token_run, "add a token to a file, for routers and for clients"},
	{"", "shell", shell_run, "commands line by line, over one connection"},
	{"", "completion", completion_run, "what lets bash or zsh complete these words"},
};

bool command_is_apart(const struct command *command)
{
	static const char *const words[] = {
		"backup", "cluster", "export", "import", "restore", "top"};
	const char *first = command->group[0] != '\0' ? command->group : command->name;
	for (size_t i = 0; i < KR_ARRAY_COUNT(words); i++)
		if (strcmp(words[i], first) == 0)
			return true;
	return false;
}

const struct command *command_at(size_t i)
{
	return i < KR_ARRAY_COUNT(commands) ? &commands[i] : NULL;
}

void command_list_print(FILE *out, const char *group)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++) {
		const struct command *command = &commands[i];
		char words[32];
		if (group != NULL && strcmp(group, command->group) != 0)
			continue;
		(void)snprintf(words, sizeof(words), "%s%s%s", command->group,
			command->group[0] != '\0' ? " " : "", command->name);
		fprintf(out, "  %-20s  %s\n", words, command->text);
	}
}

static int help(void)
{
	fputs("Usage: keyrack [--router ADDR[,ADDR]] [--token-file FILE] [--json] [--deadline "
	      "TIME] "
	      "COMMAND ...\n\n"
	      "Sells hotel rooms exactly once: talks to a Keyrack cluster, and runs a local "
	      "one.\n\n",
		stdout);
	command_list_print(stdout, NULL);
	fputs("\n`keyrack COMMAND --help` tells the options of a command; keyrack(1) tells all.\n"
	      "KEYRACK_ROUTER names the routers where --router does not; else " CLI_ROUTER_DEFAULT
	      ".\n"
	      "KEYRACK_TOKEN_FILE names the file of the token, where a router wants one.\n"
	      "Exit codes: 0 done, 1 refused, 2 wrong words, 3 unreachable, 4 outcome unknown.\n",
		stdout);
	return CLI_DONE;
}

bool command_is_group(const char *word)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		if (commands[i].group[0] != '\0' && strcmp(commands[i].group, word) == 0)
			return true;
	return false;
}

const struct command *command_find(const char *group, const char *name)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		if (strcmp(commands[i].group, group) == 0 && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool command_is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0 || strcmp(word, "-h") == 0 ||
	       strcmp(word, "help") == 0;
}

const struct command *command_match(int argc, char **argv, int *ret_words)
{
	kr_assert(argc >= 0);
	*ret_words = argc > 0 && command_is_group(argv[0]) ? 2 : 1;
	if (argc < *ret_words)
		return NULL;
	return *ret_words == 2 ? command_find(argv[0], argv[1]) : command_find("", argv[0]);
}

void command_name(const struct command *command, char ret_name[static CLI_NAME_SIZE])
{
	(void)snprintf(ret_name, CLI_NAME_SIZE, "keyrack %s%s%s", command->group,
		command->group[0] != '\0' ? " " : "", command->name);
	kr_assert(strlen(ret_name) > strlen("keyrack "));
}

struct cli_spec command_spec(const struct command *command)
{
	static jmp_buf escape;
	static struct cli_spec spec;
	static struct cli cli;
	static char word[CLI_NAME_SIZE];
	static char *words[] = {word, NULL};
	spec = (struct cli_spec){.arg_max = UINT_MAX};
	cli = (struct cli){
		.program = "keyrack", .name = "keyrack", .escape = &escape, .describes = &spec};
	if (setjmp(escape) == 0)
		(void)command->run(&cli, 1, words);
	/* Each command reads its words before it does anything. */
	kr_assert(spec.arg_max <= CLI_ARGS_MAX);
	return spec;
}

static int group_run(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	const char *group = argv[0];
	if (argc >= 2 && command_is_help(argv[1])) {
		printf("Usage: keyrack %s COMMAND ...\n\n", group);
		command_list_print(stdout, group);
		return CLI_DONE;
	}
	command = argc >= 2 ? command_find(group, argv[1]) : NULL;
	(void)snprintf(cli->name, sizeof(cli->name), "keyrack %.20s", group);
	if (command == NULL) {
		cli_say(cli, argc < 2 ? "one of these is missing:" : "it has only these commands:");
		command_list_print(stderr, group);
		return CLI_USAGE;
	}
	command_name(command, cli->name);
	return command->run(cli, argc - 1, argv + 1);
}

int command_run(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	kr_assert(argc >= 1);
	if (command_is_group(argv[0]))
		return group_run(cli, argc, argv);
	command = command_find("", argv[0]);
	if (command == NULL)
		return cli_wrong(cli, "\"%s\" is no command", argv[0]);
	command_name(command, cli->name);
	return command->run(cli, argc, argv);
}

/* Options before the command whose value may be the next word. */
static bool takes_a_word(const char *word)
{
	return strcmp(word, "--router") == 0 || strcmp(word, "--token-file") == 0 ||
	       strcmp(word, "--deadline") == 0;
}

/* --help and --version before the command are ours. */
static bool asks_for(int argc, char **argv, bool (*is_it)(const char *))
{
	for (int i = 1; i < argc; i++) {
		if (is_it(argv[i]))
			return true;
		if (argv[i][0] != '-')
			return false;
		i += takes_a_word(argv[i]);
	}
	return false;
}

static bool is_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

int main(int argc, char **argv)
{
	struct cli cli;
	int next;
	int code;
	/* A reader that goes away, such as head, is no reason to say anything. */
	(void)signal(SIGPIPE, SIG_DFL);
	/* A note that no reader of a help text needs. */
	(void)setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	cli_init(&cli, argv[0]);
	if (asks_for(argc, argv, command_is_help))
		return help();
	if (asks_for(argc, argv, is_version)) {
		puts(argp_program_version);
		return CLI_DONE;
	}
	cli_words_global(&cli, argc, argv, &next);
	if (next >= argc)
		return cli_wrong(&cli, "which command?");
	code = command_run(&cli, argc - next, argv + next);
	cli_fini(&cli);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cli_say(&cli, "cannot write the output");
		return code == CLI_DONE ? CLI_UNREACHABLE : code;
	}
	return code;
}

/* keyrack completion: a script for bash or zsh, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/complete.h"

/* What is the same for every command: which words before the cursor are no options. */
static const char script_head[] =
	"# written by `keyrack completion`: do not edit\n"
	"_keyrack()\n"
	"{\n"
	"	local word=${COMP_WORDS[COMP_CWORD]} i=1 previous='' first='' second=''\n"
	"	local names='' options='' takes='' paths='' choices=''\n"
	"	COMPREPLY=()\n"
	"	while [ $i -lt $COMP_CWORD ]; do\n"
	"		previous=${COMP_WORDS[$i]}\n"
	"		case $previous in\n"
	"		";
/* Behind the global options that take something. */
static const char script_words[] =
	") i=$((i + 1)) ;;\n"
	"		-*) ;;\n"
	"		*)\n"
	"			if [ -z \"$first\" ]; then first=$previous\n"
	"			elif [ -z \"$second\" ]; then second=$previous; fi ;;\n"
	"		esac\n"
	"		i=$((i + 1))\n"
	"	done\n"
	"	previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"	case $first in\n";

static const char script_tail[] =
	"	esac\n"
	"	case \" $paths \" in *\" $previous \"*)\n"
	"		COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
	"	esac\n"
	"	for i in $choices; do\n"
	"		case $i in \"$previous\"=*)\n"
	"			i=${i#*=}; COMPREPLY=($(compgen -W \"${i//|/ }\" -- \"$word\")); "
	"return ;;\n"
	"		esac\n"
	"	done\n"
	"	case \" $takes \" in *\" $previous \"*) return ;; esac\n"
	"	case $word in\n"
	"	-*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
	"	*) COMPREPLY=($(compgen -W \"$names\" -- \"$word\")) ;;\n"
	"	esac\n"
	"}\n"
	"complete -F _keyrack keyrack\n";

static void candidate_print(void *context, const char *candidate)
{
	bool *is_first = context;
	printf("%s%s", *is_first ? "" : " ", candidate);
	*is_first = false;
}

static void candidate_count(void *context, const char *candidate)
{
	unsigned *count = context;
	kr_assert(candidate[0] != '\0');
	(*count)++;
}

/* NAME='what can be typed there' */
static void list_print(const char *name, unsigned count, char **words, const char *prefix)
{
	bool is_first = true;
	kr_assert(count <= 2);
	printf("%s='", name);
	(void)complete_candidates(count, words, prefix, candidate_print, &is_first);
	fputs("'", stdout);
}

/* Options that take something, or only those that take a path. */
static void takers_print(const struct cli_spec *spec, bool only_paths, const char *separator)
{
	const struct argp_option *lists[CLI_OPTION_LISTS];
	const unsigned count = cli_option_lists(spec, lists);
	const char *before = "";
	for (unsigned i = 0; i < count; i++) {
		for (const struct argp_option *row = lists[i];
			row->name != NULL || row->doc != NULL; row++) {
			if (row->name == NULL || row->arg == NULL ||
				(row->flags & OPTION_ARG_OPTIONAL) != 0 ||
				(only_paths && !complete_option_is_path(row)))
				continue;
			printf("%s--%s", before, row->name);
			before = separator;
			if (row->key > ' ' && row->key < 0x7f)
				printf("%s-%c", separator, row->key);
		}
	}
	kr_assert(separator[0] != '\0');
}

/* --format=table|json for options that take one of some words. */
static void choices_print(const struct cli_spec *spec)
{
	const struct argp_option *lists[CLI_OPTION_LISTS];
	const unsigned count = cli_option_lists(spec, lists);
	const char *before = "";
	for (unsigned i = 0; i < count; i++) {
		for (const struct argp_option *row = lists[i];
			row->name != NULL || row->doc != NULL; row++) {
			unsigned found = 0;
			if (row->name == NULL || row->arg == NULL)
				continue;
			complete_choices(row->arg, "", candidate_count, &found);
			if (found == 0)
				continue;
			printf("%s--%s=%s", before, row->name, row->arg);
			before = " ";
		}
	}
	kr_assert(count <= CLI_OPTION_LISTS);
}

/* takes='...' paths='...' choices='...' */
static void taken_print(const struct cli_spec *spec)
{
	fputs(" takes='", stdout);
	takers_print(spec, false, " ");
	fputs("' paths='", stdout);
	takers_print(spec, true, " ");
	fputs("' choices='", stdout);
	choices_print(spec);
	fputs("'", stdout);
}

static void command_print(const struct command *command)
{
	const struct cli_spec spec = command_spec(command);
	char *words[] = {
		(char *)(uintptr_t)(command->group[0] != '\0' ? command->group : command->name),
		(char *)(uintptr_t)command->name};
	bool is_first = true;
	fputs("names='", stdout);
	if (spec.args != NULL)
		complete_choices(spec.args, "", candidate_print, &is_first);
	fputs("' ", stdout);
	list_print("options", command->group[0] != '\0' ? 2 : 1, words, "--");
	taken_print(&spec);
}

static void group_print(const char *group)
{
	const struct command *command;
	char *words[] = {(char *)(uintptr_t)group};
	printf("	%s)\n		case $second in\n		'') ", group);
	list_print("names", 1, words, "");
	puts(" ;;");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		if (strcmp(command->group, group) != 0)
			continue;
		printf("		%s) ", command->name);
		command_print(command);
		puts(" ;;");
	}
	puts("		esac ;;");
}

static void script_print(void)
{
	/* What every command knows may stand before it. */
	static const struct cli_spec global = {.doc = ""};
	const struct command *command;
	const char *last = "";
	bool is_first = true;
	fputs(script_head, stdout);
	takers_print(&global, false, " | ");
	fputs(script_words, stdout);
	fputs("	'') ", stdout);
	list_print("names", 0, NULL, "");
	fputs(" options='", stdout);
	complete_options(&global, candidate_print, &is_first);
	fputs(" --version'", stdout);
	taken_print(&global);
	puts(" ;;");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		if (command->group[0] != '\0' && strcmp(command->group, last) != 0)
			group_print(command->group);
		last = command->group;
		if (command->group[0] != '\0')
			continue;
		printf("	%s) ", command->name);
		command_print(command);
		puts(" ;;");
	}
	fputs(script_tail, stdout);
}

int completion_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.args = "bash|zsh",
		.doc = "Prints what lets a shell complete commands and options:\v"
		       "bash: source <(keyrack completion bash), or put it into "
		       "/usr/share/bash-completion/completions/keyrack. zsh: source <(keyrack "
		       "completion zsh), after compinit.",
		.arg_min = 1,
		.arg_max = 1,
		.is_local = true,
	};
	const char *args[CLI_ARGS_MAX];
	cli_words(cli, &spec, argc, argv, NULL, args);
	kr_assert(args[0] != NULL);
	if (strcmp(args[0], "bash") != 0 && strcmp(args[0], "zsh") != 0)
		return cli_wrong(
			cli, "\"%s\" is no shell that is known: bash and zsh are", args[0]);
	if (strcmp(args[0], "zsh") == 0)
		puts("autoload -U +X bashcompinit && bashcompinit");
	script_print();
	return CLI_DONE;
}

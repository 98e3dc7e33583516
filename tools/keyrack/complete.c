#include "tools/keyrack/complete.h"

#include <stdio.h>
#include <string.h>

#define CANDIDATE_SIZE 64u

struct completion {
	const char *prefix;
	complete_take *take;
	void *context;
};

static void offer(const struct completion *c, const char *candidate)
{
	kr_assert(candidate != NULL);
	if (strncmp(candidate, c->prefix, strlen(c->prefix)) == 0)
		c->take(c->context, candidate);
}

/* Words that begin a command, each once: groups stand together in the table. */
static void offer_first(const struct completion *c)
{
	const struct command *command;
	const char *last = "";
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		const char *word = command->group[0] != '\0' ? command->group : command->name;
		if (strcmp(word, last) != 0)
			offer(c, word);
		last = word;
	}
	kr_assert(last[0] != '\0');
}

static void offer_second(const struct completion *c, const char *group)
{
	const struct command *command;
	kr_assert(command_is_group(group));
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		if (strcmp(command->group, group) == 0)
			offer(c, command->name);
}

static void offer_options(const struct completion *c, const struct cli_spec *spec)
{
	const struct argp_option *lists[CLI_OPTION_LISTS];
	const unsigned count = cli_option_lists(spec, lists);
	for (unsigned i = 0; i < count; i++) {
		for (const struct argp_option *row = lists[i];
			row->name != NULL || row->doc != NULL; row++) {
			char word[CANDIDATE_SIZE];
			if (row->name == NULL || (row->flags & OPTION_HIDDEN) != 0)
				continue;
			(void)snprintf(word, sizeof(word), "--%s", row->name);
			offer(c, word);
		}
	}
	offer(c, "--help");
}

void complete_options(const struct cli_spec *spec, complete_take *take, void *context)
{
	const struct completion all = {"--", take, context};
	kr_assert(take != NULL);
	offer_options(&all, spec);
}

const struct argp_option *complete_option_find(const struct cli_spec *spec, const char *word)
{
	const struct argp_option *lists[CLI_OPTION_LISTS];
	const unsigned count = cli_option_lists(spec, lists);
	kr_assert(word != NULL);
	for (unsigned i = 0; i < count; i++) {
		for (const struct argp_option *row = lists[i];
			row->name != NULL || row->doc != NULL; row++) {
			if (row->name == NULL)
				continue;
			if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, row->name) == 0)
				return row;
			if (word[0] == '-' && word[1] == row->key && word[2] == '\0')
				return row;
		}
	}
	return NULL;
}

bool complete_option_is_path(const struct argp_option *option)
{
	static const char *const names[] = {"DIR", "FILE", "PATH"};
	for (size_t i = 0; option->arg != NULL && i < KR_ARRAY_COUNT(names); i++)
		if (strcmp(option->arg, names[i]) == 0)
			return true;
	return false;
}

void complete_choices(const char *choices, const char *prefix, complete_take *take, void *context)
{
	const struct completion c = {prefix, take, context};
	kr_assert(choices != NULL);
	if (strchr(choices, '|') == NULL ||
		choices[strspn(choices, "abcdefghijklmnopqrstuvwxyz|")] != '\0')
		return;
	while (*choices != '\0') {
		char word[CANDIDATE_SIZE];
		const size_t length = strcspn(choices, "|");
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, choices);
		offer(&c, word);
		choices += length + (choices[length] == '|');
	}
}

/* How many words before the cursor are arguments, and what the option before it, if any, takes. */
static unsigned arguments_count(const struct cli_spec *spec, unsigned count, char **words,
	const struct argp_option **ret_pending)
{
	unsigned arguments = 0;
	*ret_pending = NULL;
	for (unsigned i = 0; i < count; i++) {
		if (*ret_pending != NULL) {
			*ret_pending = NULL;
			continue;
		}
		if (words[i][0] != '-') {
			arguments++;
			continue;
		}
		const struct argp_option *row = complete_option_find(spec, words[i]);
		if (row != NULL && row->arg != NULL && (row->flags & OPTION_ARG_OPTIONAL) == 0)
			*ret_pending = row;
	}
	kr_assert(arguments <= count);
	return arguments;
}

enum complete_kind complete_candidates(
	unsigned count, char **words, const char *prefix, complete_take *take, void *context)
{
	const struct completion c = {prefix, take, context};
	const struct argp_option *pending;
	int taken = 0;
	if (count == 0) {
		offer_first(&c);
		return COMPLETE_WORDS;
	}
	const struct command *command = command_match((int)count, words, &taken);
	if (command == NULL) {
		if (count == 1 && command_is_group(words[0]))
			offer_second(&c, words[0]);
		return COMPLETE_WORDS;
	}
	const struct cli_spec spec = command_spec(command);
	const unsigned arguments =
		arguments_count(&spec, count - (unsigned)taken, words + taken, &pending);
	if (pending != NULL) {
		complete_choices(pending->arg, prefix, take, context);
		return complete_option_is_path(pending) ? COMPLETE_FILE : COMPLETE_NOTHING;
	}
	if (prefix[0] == '-') {
		offer_options(&c, &spec);
		return COMPLETE_WORDS;
	}
	if (arguments == 0 && spec.args != NULL && strncmp(spec.args, "HOTEL", 5) == 0)
		return COMPLETE_HOTEL;
	if (arguments == 0 && spec.args != NULL)
		complete_choices(spec.args, prefix, take, context);
	if (arguments >= spec.arg_max)
		offer_options(&c, &spec);
	return arguments >= spec.arg_max ? COMPLETE_WORDS : COMPLETE_NOTHING;
}

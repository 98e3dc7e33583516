#include "base/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/options_file.h"

#define KEY_FIRST 256 /* of options without a letter: this and the row */
#define HELP_SIZE 1024u
#define VARIABLE_SIZE 128u
#define VALUE_SHOWN 120 /* bytes of a value in a line about a change */

#define OWN(field) offsetof(struct option_set, own.field)

/* In every program that reads more than flags; kept in the set itself. */
static const struct option_row own_rows[] = {
	{.name = "config",
		.heading = "Configuration:",
		.argument = "FILE",
		.help = "read options from this YAML file too, a line `name: value` for each",
		.flags = OPTION_NOT_IN_FILE,
		.type = &option_string,
		.offset = OWN(config)},
	{.name = "check-config",
		.help = "only read everything and say what is wrong",
		.flags = OPTION_FLAG_ONLY,
		.type = &option_switch,
		.offset = OWN(check)},
	{.name = "print-config",
		.help = "only print what is in effect, as a file for --config",
		.flags = OPTION_FLAG_ONLY,
		.type = &option_switch,
		.offset = OWN(print)},
};

static uint32_t row_count(const struct option_program *program)
{
	uint32_t own_count = program->environment != NULL ? KR_ARRAY_COUNT(own_rows) : 0;
	kr_assert(program->count + own_count <= OPTION_COUNT_MAX);
	return program->count + own_count;
}

static const struct option_row *row_at(const struct option_program *program, uint32_t row)
{
	kr_assert(row < row_count(program));
	return row < program->count ? &program->table[row] : &own_rows[row - program->count];
}

static void *structure_of(struct option_set *set, uint32_t row)
{
	kr_assert(set->structure != NULL);
	return row < set->program->count ? set->structure : set;
}

/* Whether the file may hold it, and so whether it is printed. */
static bool is_in_file(const struct option_row *option)
{
	kr_assert(option->name != NULL);
	return (option->flags & (OPTION_FLAG_ONLY | OPTION_NOT_IN_FILE)) == 0;
}

/* ---- saying what is wrong ---- */

static void variable_put(
	struct kr_text *text, const struct option_program *program, const struct option_row *option)
{
	kr_assert(program->environment != NULL);
	kr_text_put_string(text, program->environment);
	for (const char *at = option->name; *at != 0; at++) {
		bool is_letter = *at >= 'a' && *at <= 'z';
		char byte = *at == '-' ? '_' : (char)(is_letter ? *at - 'a' + 'A' : *at);
		kr_text_put(text, &byte, 1);
	}
	kr_assert(!text->is_cut);
}

/* "--window", "KEYRACK_ROUTER_WINDOW", "router.yaml:7: window", "window". */
static void place_put(struct kr_text *text, const struct option_set *set, uint32_t row)
{
	const struct option_row *option = row_at(set->program, row);
	const struct option_source *source = &set->sources[row];
	kr_assert(source->origin <= OPTION_FLAG);
	if (source->origin == OPTION_ENVIRONMENT)
		variable_put(text, set->program, option);
	else if (source->origin == OPTION_FLAG)
		kr_text_format(text, "--%s", option->name);
	else if (source->origin == OPTION_FILE)
		kr_text_format(text, "%s:%u: %s", set->own.config, source->line, option->name);
	else
		kr_text_put_string(text, option->name);
}

static void complain(struct option_set *set, const char *sentence)
{
	kr_assert(set->say != NULL);
	set->wrong_count++;
	set->say(set->context, sentence);
}

static void complain_of(struct option_set *set, uint32_t row, const char *rest)
{
	char bytes[2 * KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	kr_assert(rest != NULL);
	kr_text_init(&text, bytes, sizeof(bytes));
	place_put(&text, set, row);
	kr_text_format(&text, " %s", rest);
	complain(set, bytes);
}

/* Of an option that the program has. */
static uint32_t row_of(const struct option_program *program, const char *name)
{
	uint32_t row = 0;
	while (strcmp(row_at(program, row)->name, name) != 0)
		row++;
	kr_assert(row < program->count);
	return row;
}

void options_complain(struct option_set *set, const char *name, const char *format, ...)
{
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	va_list list;
	uint32_t row = row_of(set->program, name);
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	complain_of(set, row, bytes);
}

void options_refuse(struct option_set *set)
{
	kr_assert(set->wrong_count > 0);
	fprintf(stderr, "Try `%s --help' for more.\n", set->program->name);
	exit(OPTIONS_EXIT_USAGE);
}

/* ---- taking values ---- */

static void take(
	struct option_set *set, uint32_t row, struct option_source source, const char *text)
{
	const struct option_row *option = row_at(set->program, row);
	struct kr_error_text why = {0};
	kr_assert(source.origin != OPTION_PRESET);
	if (set->sources[row].origin != source.origin)
		option_clear(option, structure_of(set, row));
	set->sources[row] = source;
	if (option_read(option, text, structure_of(set, row), &why) != 0)
		complain_of(set, row, why.bytes);
}

static void take_environment(struct option_set *set, uint32_t row)
{
	const struct option_row *option = row_at(set->program, row);
	char bytes[VARIABLE_SIZE];
	struct kr_text name;
	if (set->program->environment == NULL || (option->flags & OPTION_FLAG_ONLY) != 0)
		return;
	kr_text_init(&name, bytes, sizeof(bytes));
	variable_put(&name, set->program, option);
	const char *text = getenv(bytes);
	kr_assert(name.length > 0);
	if (text != NULL && *text != 0)
		take(set, row, (struct option_source){.origin = OPTION_ENVIRONMENT}, text);
}

static void take_flags(struct option_set *set, uint32_t row)
{
	kr_assert(row < row_count(set->program));
	for (uint32_t i = 0; i < set->flag_count; i++) {
		if (set->flags[i].row == row)
			take(set, row, (struct option_source){.origin = OPTION_FLAG},
				set->flags[i].text);
	}
}

static void on_file_wrong(void *context, unsigned line, const char *sentence)
{
	struct option_set *set = context;
	char bytes[2 * KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	kr_assert(set->own.config != NULL);
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_put_string(&text, set->own.config);
	if (line > 0)
		kr_text_format(&text, ":%u:", line);
	kr_text_format(&text, " %s", sentence);
	complain(set, bytes);
}

static void on_file_value(
	void *context, unsigned line, const char *key, const char *value, uint32_t item)
{
	struct option_set *set = context;
	const struct option_program *program = set->program;
	struct kr_error_text text = {0};
	uint32_t row = 0;
	while (row < program->count &&
		(strcmp(program->table[row].name, key) != 0 || !is_in_file(&program->table[row])))
		row++;
	if (row == program->count)
		(void)kr_error_text_set(&text, -KR_E_INVALID, 0,
			"%s is no option that a file can hold; `%s --help' lists them", key,
			program->name);
	else if (item == 0 && set->sources[row].origin == OPTION_FILE)
		(void)kr_error_text_set(&text, -KR_E_INVALID, 0,
			"%s stands on line %u already: keep one of the two", key,
			set->sources[row].line);
	else if (item > 0 && !program->table[row].type->is_list)
		(void)kr_error_text_set(&text, -KR_E_INVALID, 0, "%s takes one value", key);
	kr_assert(text.error == 0 || text.bytes[0] != 0);
	if (text.error != 0)
		on_file_wrong(set, line, text.bytes);
	else
		take(set, row, (struct option_source){.origin = OPTION_FILE, .line = line}, value);
}

static bool is_set_by_name(const struct option_set *set, const char *name)
{
	uint32_t row = row_of(set->program, name);
	kr_assert(row < set->program->count);
	return option_is_set(&set->program->table[row], set->structure);
}

static void check_needed(struct option_set *set, uint32_t row)
{
	const struct option_row *option = row_at(set->program, row);
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	kr_assert(row < set->program->count);
	if (option->needed == NULL || option_is_set(option, set->structure))
		return;
	if (option->instead != NULL && is_set_by_name(set, option->instead))
		return;
	kr_text_init(&text, bytes, sizeof(bytes));
	kr_text_format(
		&text, "%s is missing, %s: give --%s", option->name, option->needed, option->name);
	if (option->instead != NULL)
		kr_text_format(&text, ", --%s", option->instead);
	if (set->program->environment != NULL) {
		kr_text_put_string(&text, ", or ");
		variable_put(&text, set->program, option);
		kr_text_format(&text, ", or a line `%s: ...` in the file that --config names",
			option->name);
	}
	complain(set, bytes);
}

/* Everything from its default on. */
static void read_all(struct option_set *set)
{
	const struct option_program *program = set->program;
	const struct option_file_handler handler = {
		.context = set, .on_value = on_file_value, .on_wrong = on_file_wrong};
	memset(set->sources, 0, sizeof(set->sources));
	set->wrong_count = 0;
	for (uint32_t row = 0; row < program->count; row++)
		option_preset(&program->table[row], set->structure);
	for (uint32_t row = program->count; row < row_count(program); row++) {
		take_environment(set, row);
		take_flags(set, row);
	}
	if (set->own.config != NULL)
		set->file = option_file_read(set->own.config, OPTIONS_FILE_SIZE_MAX, &handler);
	for (uint32_t row = 0; row < program->count; row++) {
		take_environment(set, row);
		take_flags(set, row);
	}
	bool is_read = set->wrong_count == 0;
	for (uint32_t row = 0; row < program->count && is_read; row++)
		check_needed(set, row);
	if (set->wrong_count == 0 && program->finish != NULL)
		program->finish(set, set->structure);
	kr_assert(set->file == NULL || set->own.config != NULL);
}

/* ---- flags ---- */

static error_t on_flag(int key, char *text, struct argp_state *state)
{
	struct option_set *set = state->input;
	const struct option_program *program = set->program;
	if (key == ARGP_KEY_ARG) {
		argp_error(state, "'%s' is no option", text);
		return 0;
	}
	for (uint32_t row = 0; row < row_count(program); row++) {
		const struct option_row *option = row_at(program, row);
		if (key != (option->letter != 0 ? option->letter : KEY_FIRST + (int)row))
			continue;
		size_t size_bytes = (set->flag_count + 1) * sizeof(*set->flags);
		struct option_flag *flags = realloc(set->flags, size_bytes);
		if (flags == NULL)
			return ENOMEM;
		set->flags = flags;
		set->flags[set->flag_count++] = (struct option_flag){
			row, text != NULL || !option->type->is_switch ? text : "yes"};
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void default_put(struct kr_text *text, struct option_set *set, uint32_t row)
{
	const struct option_row *option = row_at(set->program, row);
	char bytes[HELP_SIZE / 2];
	struct kr_text value;
	kr_assert(!text->is_cut);
	kr_text_init(&value, bytes, sizeof(bytes));
	if (option->preset_note != NULL)
		kr_text_put_string(&value, option->preset_note);
	else if (!option->type->is_switch)
		option_write(option, structure_of(set, row), &value);
	if (value.length > 0)
		kr_text_format(text, " (%s)", bytes);
}

/* argp's: gives help its defaults and its last paragraph. */
static char *on_help(int key, const char *text, void *input)
{
	struct option_set *set = input;
	char bytes[HELP_SIZE];
	struct kr_text help;
	if (set == NULL)
		return (char *)(uintptr_t)text;
	kr_text_init(&help, bytes, sizeof(bytes));
	if (key == ARGP_KEY_HELP_EXTRA && set->program->environment != NULL)
		kr_text_format(&help,
			"A flag may also be given as %sNAME in the environment, in capitals and "
			"with _ for -, or as a line `name: value` of the file that --config names. "
			"A flag counts before the environment, and that before the file.",
			set->program->environment);
	for (uint32_t row = 0; row < row_count(set->program); row++) {
		const struct option_row *option = row_at(set->program, row);
		if (key != (option->letter != 0 ? option->letter : KEY_FIRST + (int)row))
			continue;
		kr_text_put_string(&help, text);
		default_put(&help, set, row);
	}
	return help.length > 0 ? strdup(bytes) : (char *)(uintptr_t)text;
}

static void flags_parse(struct option_set *set, int argc, char **argv)
{
	const struct option_program *program = set->program;
	struct argp_option rows[2 * OPTION_COUNT_MAX + 1] = {0};
	struct argp argp = {
		.options = rows, .parser = on_flag, .doc = program->about, .help_filter = on_help};
	int group = 0;
	uint32_t count = 0;
	for (uint32_t row = 0; row < row_count(program); row++) {
		const struct option_row *option = row_at(program, row);
		bool is_switch = option->type->is_switch;
		if (option->heading != NULL)
			rows[count++] =
				(struct argp_option){.doc = option->heading, .group = ++group};
		rows[count++] = (struct argp_option){.name = option->name,
			.key = option->letter != 0 ? option->letter : KEY_FIRST + (int)row,
			.arg = is_switch ? "yes|no" : option->argument,
			.flags = is_switch ? OPTION_ARG_OPTIONAL : 0,
			.doc = option->help,
			.group = group};
	}
	kr_assert(count < KR_ARRAY_COUNT(rows));
	argp_err_exit_status = OPTIONS_EXIT_USAGE;
	int number = argp_parse(&argp, argc, argv, 0, NULL, set);
	if (number != 0) {
		kr_assert(number == ENOMEM);
		set->say(set->context, "there is no memory to read the options");
		exit(OPTIONS_EXIT_MEMORY);
	}
}

/* ---- the whole ---- */

static void on_start_wrong(void *context, const char *sentence)
{
	const struct option_set *set = context;
	kr_assert(set->program->name != NULL);
	if (set->program->say != NULL)
		set->program->say(sentence);
	else
		fprintf(stderr, "%s: %s\n", set->program->name, sentence);
}

void options_start(struct option_set *set, const struct option_program *program, int argc,
	char **argv, void *structure)
{
	*set = (struct option_set){
		.program = program, .structure = structure, .say = on_start_wrong, .context = set};
	/* --help shows the defaults. */
	for (uint32_t row = 0; row < program->count; row++)
		option_preset(&program->table[row], structure);
	flags_parse(set, argc, argv);
	read_all(set);
	if (set->wrong_count > 0)
		options_refuse(set);
	if (set->own.print)
		options_print(set, stdout);
	else if (set->own.check)
		printf("%s: the configuration is good\n", program->name);
	if (set->own.print || set->own.check)
		exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	kr_assert(set->wrong_count == 0);
}

void options_fini(struct option_set *set)
{
	kr_assert(set->program != NULL);
	free(set->flags);
	set->flags = NULL;
	set->flag_count = 0;
	set->file = option_file_free(set->file);
}

/* ---- reading again ---- */

static void row_text(const struct option_set *set, uint32_t row, char bytes[OPTION_TEXT_SIZE])
{
	struct kr_text text;
	kr_assert(row < set->program->count);
	kr_text_init(&text, bytes, OPTION_TEXT_SIZE);
	option_write(&set->program->table[row], set->structure, &text);
}

static bool take_over(struct option_set *set, const struct option_set *next, uint32_t row)
{
	const struct option_row *option = row_at(set->program, row);
	char before[OPTION_TEXT_SIZE], after[OPTION_TEXT_SIZE], line[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	row_text(set, row, before);
	row_text(next, row, after);
	/* What is about one start has had its effect. */
	if ((option->flags & OPTION_FLAG_ONLY) != 0 || strcmp(before, after) == 0)
		return false;
	bool is_live = (option->flags & OPTION_LIVE) != 0;
	kr_assert(!is_live || option->type->size_bytes <= sizeof(uint64_t));
	kr_assert(!is_live || option->type != &option_string);
	if (is_live) {
		memcpy((uint8_t *)set->structure + option->offset,
			(const uint8_t *)next->structure + option->offset,
			option->type->size_bytes);
		set->sources[row] = next->sources[row];
	}
	kr_text_init(&text, line, sizeof(line));
	kr_text_format(&text, "%s: %.*s instead of %.*s: %s", option->name, VALUE_SHOWN,
		after[0] != 0 ? after : "nothing", VALUE_SHOWN, before[0] != 0 ? before : "nothing",
		is_live ? "holds from now on" : "needs a restart");
	next->say(next->context, line);
	return is_live;
}

bool options_reload(
	struct option_set *set, void (*say)(void *context, const char *sentence), void *context)
{
	const struct option_program *program = set->program;
	struct option_set next = *set;
	bool has_changed = false;
	if (set->own.config == NULL) {
		say(context, "no file was named with --config: there is nothing to read again");
		return false;
	}
	next.structure = calloc(1, program->structure_size_bytes);
	if (next.structure == NULL) {
		say(context, "there is no memory to read the configuration: it stays as it was");
		return false;
	}
	memcpy(next.structure, set->structure, program->structure_size_bytes);
	next.file = NULL;
	next.say = say;
	next.context = context;
	read_all(&next);
	if (next.wrong_count > 0)
		say(context, "the configuration stays as it was");
	else
		for (uint32_t row = 0; row < program->count; row++)
			has_changed |= take_over(set, &next, row);
	/* Live rows are no texts: nothing of the new reading is still pointed at. */
	(void)option_file_free(next.file);
	free(next.structure);
	return has_changed;
}

/* ---- printing ---- */

static void print_quoted(const char *text, size_t length, FILE *out)
{
	kr_assert(text != NULL);
	fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < ' ' || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void print_list(const char *text, FILE *out)
{
	kr_assert(*text != 0);
	for (const char *separator = "[";; separator = ", ") {
		size_t length = strcspn(text, ",");
		fputs(separator, out);
		print_quoted(text, length, out);
		text += length;
		if (*text++ == 0)
			break;
	}
	fputc(']', out);
}

static void print_row(const struct option_set *set, uint32_t row, FILE *out)
{
	const struct option_row *option = row_at(set->program, row);
	char value[OPTION_TEXT_SIZE], place[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	row_text(set, row, value);
	kr_assert(is_in_file(option));
	if (value[0] == 0)
		return;
	fprintf(out, "%s: ", option->name);
	if (option->type->is_list)
		print_list(value, out);
	else if (option->type->is_quoted)
		print_quoted(value, strlen(value), out);
	else
		fputs(value, out);
	kr_text_init(&text, place, sizeof(place));
	if (set->sources[row].origin == OPTION_FILE)
		kr_text_format(&text, "%s:%u", set->own.config, set->sources[row].line);
	else if (set->sources[row].origin != OPTION_PRESET)
		place_put(&text, set, row);
	fprintf(out, "%s%s\n", text.length > 0 ? "  # " : "", place);
}

void options_print(const struct option_set *set, FILE *out)
{
	kr_assert(out != NULL);
	for (uint32_t row = 0; row < set->program->count; row++) {
		if (is_in_file(row_at(set->program, row)))
			print_row(set, row, out);
	}
}

/* The shell on a terminal: libedit's lines, history and completion. */
#include <errno.h>
#include <histedit.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "tools/keyrack/complete.h"
#include "tools/keyrack/shell.h"

#define HISTORY_LINES 1000
#define CANDIDATES_MAX 512u
#define CANDIDATE_SIZE 80u
#define PROMPT_SIZE 32u
#define PATH_SIZE 4096u
/* Who presses Tab does not want to wait. */
#define HOTELS_DEADLINE_US UINT64_C(500000)
#define HOTELS_ASKED 200u

struct edit {
	struct shell *shell;
	EditLine *line;
	History *history;
	char prompt[PROMPT_SIZE];
	char path[PATH_SIZE]; /* of the history; "" = there is no place for it */
	struct {
		char words[CANDIDATES_MAX][CANDIDATE_SIZE];
		unsigned count;
	} found;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static struct edit *edit_of(EditLine *line)
{
	void *data = NULL;
	(void)el_get(line, EL_CLIENTDATA, &data);
	kr_assert(data != NULL);
	return data;
}

static char *prompt_of(EditLine *line)
{
	struct edit *edit = edit_of(line);
	kr_assert(edit->shell != NULL);
	if (edit->shell->last_code == CLI_DONE)
		(void)snprintf(edit->prompt, sizeof(edit->prompt), "keyrack> ");
	else
		(void)snprintf(edit->prompt, sizeof(edit->prompt), "keyrack [%d]> ",
			edit->shell->last_code);
	return edit->prompt;
}

/* ---- history ---- */

/* Makes the folders of the path that are missing; false: one cannot be made. */
static bool folders_make(char *path)
{
	kr_assert(path[0] == '/');
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		int r = mkdir(path, 0700);
		bool is_there = r == 0 || errno == EEXIST;
		*at = '/';
		if (!is_there)
			return false;
	}
	return true;
}

static void history_open(struct edit *edit)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	HistEvent event;
	int length = -1;
	edit->history = history_init();
	kr_assert(edit->history != NULL);
	(void)history(edit->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)history(edit->history, &event, H_SETUNIQUE, 1);
	if (state != NULL && state[0] == '/')
		length = snprintf(edit->path, PATH_SIZE, "%s/keyrack/history", state);
	else if (home != NULL && home[0] == '/')
		length = snprintf(edit->path, PATH_SIZE, "%s/.local/state/keyrack/history", home);
	if (length < 0 || length >= (int)PATH_SIZE || !folders_make(edit->path)) {
		edit->path[0] = '\0';
		return;
	}
	(void)history(edit->history, &event, H_LOAD, edit->path);
}

/* After every line: a shell may end in many ways. */
static void history_keep(struct edit *edit, const char *line)
{
	HistEvent event;
	kr_assert(edit->history != NULL);
	if (line[strspn(line, " \t\r\n")] == '\0')
		return;
	(void)history(edit->history, &event, H_ENTER, line);
	if (edit->path[0] == '\0')
		return;
	const mode_t before = umask(0077);
	(void)history(edit->history, &event, H_SAVE, edit->path);
	(void)umask(before);
	/* One that was there with other rights keeps them otherwise. */
	(void)chmod(edit->path, 0600);
}

/* ---- completion ---- */

static void candidate_take(void *context, const char *candidate)
{
	struct edit *edit = context;
	if (edit->found.count == CANDIDATES_MAX || strlen(candidate) >= CANDIDATE_SIZE)
		return;
	(void)snprintf(edit->found.words[edit->found.count++], CANDIDATE_SIZE, "%s", candidate);
	kr_assert(edit->found.count <= CANDIDATES_MAX);
}

/* The first hotels, by code where they have one, by number else. */
static void hotels_take(struct edit *edit, const char *prefix)
{
	struct cli *session = &edit->shell->session;
	const struct keyrack_hotel_list request = {
		.call = {.deadline_us = HOTELS_DEADLINE_US}, .limit = HOTELS_ASKED};
	struct keyrack_hotel_list_answer answer;
	/* Only over a connection that a command has made. */
	if (session->client == NULL ||
		keyrack_hotel_list(session->client, &request, &answer) != KEYRACK_RESULT_DONE)
		return;
	kr_assert(answer.hotel_count == 0 || answer.hotels != NULL);
	for (uint32_t i = 0; i < answer.hotel_count; i++) {
		const char *code = answer.hotels[i].settings.code;
		char word[CANDIDATE_SIZE];
		if (code != NULL && code[0] != '\0')
			(void)snprintf(word, sizeof(word), "%s", code);
		else
			(void)snprintf(word, sizeof(word), "%" PRIu64, answer.hotels[i].hotel_id);
		if (strncmp(word, prefix, strlen(prefix)) == 0)
			candidate_take(edit, word);
	}
}

static size_t common_length(const struct edit *edit)
{
	size_t length = strlen(edit->found.words[0]);
	kr_assert(edit->found.count > 0);
	for (unsigned i = 1; i < edit->found.count; i++) {
		size_t same = 0;
		while (same < length && edit->found.words[i][same] == edit->found.words[0][same])
			same++;
		length = same;
	}
	return length;
}

/* Types what all candidates have in common; shows them where that is nothing new. */
static unsigned char found_insert(struct edit *edit, const char *prefix)
{
	char rest[CANDIDATE_SIZE + 1];
	if (edit->found.count == 0)
		return CC_ERROR;
	size_t common = common_length(edit);
	const size_t typed = strlen(prefix);
	kr_assert(common >= typed);
	if (edit->found.count == 1 || common > typed) {
		(void)snprintf(rest, sizeof(rest), "%.*s%s", (int)(common - typed),
			edit->found.words[0] + typed, edit->found.count == 1 ? " " : "");
		return el_insertstr(edit->line, rest) == 0 ? CC_REFRESH : CC_ERROR;
	}
	putchar('\n');
	for (unsigned i = 0; i < edit->found.count; i++)
		printf("%s%s", edit->found.words[i], i + 1 < edit->found.count ? "  " : "\n");
	(void)fflush(stdout);
	return CC_REDISPLAY;
}

static unsigned char complete(EditLine *line, int key)
{
	static struct shell_words words;
	struct edit *edit = edit_of(line);
	const LineInfo *info = el_line(line);
	char before[SHELL_LINE_SIZE_MAX];
	const char *prefix = "";
	const int length = (int)(info->cursor - info->buffer);
	if (length >= (int)sizeof(before))
		return CC_ERROR;
	(void)snprintf(before, sizeof(before), "%.*s", length, info->buffer);
	if (shell_words_split(before, &words) != 0)
		return CC_ERROR;
	if (words.is_open)
		prefix = words.words[--words.count];
	kr_assert(words.count < SHELL_WORD_COUNT_MAX);
	edit->found.count = 0;
	switch (complete_candidates(words.count, words.words, prefix, candidate_take, edit)) {
	case COMPLETE_FILE:
		return _el_fn_complete(line, key);
	case COMPLETE_HOTEL:
		hotels_take(edit, prefix);
		break;
	case COMPLETE_WORDS:
	case COMPLETE_NOTHING:
		break;
	}
	return found_insert(edit, prefix);
}

/* ---- keys ---- */

/* Interrupts come only while a key is waited for: libedit's own read passes the first one over. */
static bool key_wait(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	sigset_t none;
	(void)sigemptyset(&none);
	while (ppoll(&input, 1, NULL, &none) < 0)
		if (errno != EINTR || is_interrupted)
			return false;
	kr_assert(input.revents != 0);
	return true;
}

/* libedit's: 1 with a key, 0 at the end, -1 when the line is given up. */
static int key_read(EditLine *line, wchar_t *ret_key)
{
	mbstate_t state = {0};
	(void)line;
	kr_assert(ret_key != NULL);
	for (;;) {
		char byte;
		if (!key_wait())
			return -1;
		const ssize_t count = read(STDIN_FILENO, &byte, 1);
		if (count <= 0)
			return (int)count;
		const size_t taken = mbrtowc(ret_key, &byte, 1, &state);
		if (taken == (size_t)-2)
			continue;
		if (taken == (size_t)-1)
			*ret_key = L'?';
		return 1;
	}
}

/* ---- the loop ---- */

static void edit_open(struct edit *edit)
{
	const struct sigaction action = {.sa_handler = on_interrupt};
	sigset_t interrupt;
	(void)sigemptyset(&interrupt);
	(void)sigaddset(&interrupt, SIGINT);
	int r = sigaction(SIGINT, &action, NULL);
	kr_assert(r == 0);
	r = sigprocmask(SIG_BLOCK, &interrupt, NULL);
	kr_assert(r == 0);
	(void)setlocale(LC_CTYPE, "");
	edit->line = el_init("keyrack", stdin, stdout, stderr);
	kr_assert(edit->line != NULL);
	history_open(edit);
	(void)el_set(edit->line, EL_CLIENTDATA, edit);
	(void)el_set(edit->line, EL_PROMPT, prompt_of);
	(void)el_set(edit->line, EL_GETCFN, key_read);
	(void)el_set(edit->line, EL_EDITOR, "emacs");
	(void)el_set(edit->line, EL_HIST, history, edit->history);
	/* The narrow form copies both texts and never frees them. */
	(void)el_wset(edit->line, EL_ADDFN, L"keyrack-complete", L"complete words", complete);
	(void)el_set(edit->line, EL_BIND, "^I", "keyrack-complete", NULL);
	(void)el_set(edit->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
	/* ~/.editrc, for who likes other keys. */
	(void)el_source(edit->line, NULL);
}

int shell_edit_run(struct shell *shell)
{
	static struct edit edit;
	edit.shell = shell;
	edit_open(&edit);
	while (!shell->wants_end) {
		int count = 0;
		is_interrupted = 0;
		el_resize(edit.line);
		const char *line = el_gets(edit.line, &count);
		if (line == NULL && is_interrupted) {
			putchar('\n');
			el_reset(edit.line);
			continue;
		}
		if (line == NULL || count <= 0)
			break;
		history_keep(&edit, line);
		const int code = shell_line_run(shell, line);
		if (code != CLI_DONE && !shell->wants_end)
			fprintf(stderr, "exit %d: %s\n", code, shell_code_text(code));
	}
	if (!shell->wants_end)
		putchar('\n');
	history_end(edit.history);
	el_end(edit.line);
	kr_assert(shell->last_code >= 0);
	return shell->last_code;
}

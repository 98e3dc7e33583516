#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tools/keyrack/top.h"

#define ENTER "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define LINE_END "\033[K"
#define SCREEN_END "\033[J"

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* One terminal, one program. */
static struct {
	bool is_open;
	bool has_keys; /* standard input is the terminal too */
	struct termios before;
	struct sigaction ends_before[KR_ARRAY_COUNT(ends)];
	struct sigaction resized_before;
	sigset_t blocked_before;
} screen;

static volatile sig_atomic_t wants_end, is_resized;

static void on_signal(int number)
{
	if (number == SIGWINCH)
		is_resized = 1;
	else
		wants_end = 1;
}

/* Signals come only while top_screen_wait() waits, or they could be missed right before it. */
static void signals_take(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < KR_ARRAY_COUNT(ends); i++) {
		int r = sigaction(ends[i], &action, &screen.ends_before[i]);
		kr_assert(r == 0);
		(void)sigaddset(&set, ends[i]);
	}
	int r = sigaction(SIGWINCH, &action, &screen.resized_before);
	kr_assert(r == 0);
	(void)sigaddset(&set, SIGWINCH);
	r = sigprocmask(SIG_BLOCK, &set, &screen.blocked_before);
	kr_assert(r == 0);
}

static void signals_give_back(void)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(ends); i++)
		(void)sigaction(ends[i], &screen.ends_before[i], NULL);
	(void)sigaction(SIGWINCH, &screen.resized_before, NULL);
	int r = sigprocmask(SIG_SETMASK, &screen.blocked_before, NULL);
	kr_assert(r == 0);
}

/* The terminal may be gone; there is nobody to tell then. */
static void put(const char *bytes, size_t size_bytes)
{
	while (size_bytes > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, size_bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		size_bytes -= (size_t)written;
	}
}

bool top_screen_open(void)
{
	struct termios quiet;
	kr_assert(!screen.is_open);
	if (!isatty(STDOUT_FILENO))
		return false;
	screen.is_open = true;
	screen.has_keys = tcgetattr(STDIN_FILENO, &screen.before) == 0;
	if (screen.has_keys) {
		quiet = screen.before;
		quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	}
	signals_take();
	put(ENTER, sizeof(ENTER) - 1);
	return true;
}

void top_screen_close(void)
{
	if (!screen.is_open)
		return;
	put(LEAVE, sizeof(LEAVE) - 1);
	if (screen.has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	signals_give_back();
	screen.is_open = false;
}

static struct winsize size_of_screen(void)
{
	struct winsize size = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	kr_assert(size.ws_row > 0 && size.ws_col > 0);
	return size;
}

/* Texts are ASCII: a byte is a column. */
void top_screen_show(const char *text, size_t size_bytes)
{
	const struct winsize size = size_of_screen();
	const char *end = text + size_bytes;
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);
	kr_assert(screen.is_open && out != NULL);
	fputs(HOME, out);
	for (unsigned row = 0; row < size.ws_row && text < end; row++) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t columns = (size_t)((line_end != NULL ? line_end : end) - text);
		if (row > 0)
			fputs("\r\n", out);
		(void)fwrite(text, 1, KR_MIN(columns, size.ws_col), out);
		fputs(LINE_END, out);
		text = line_end != NULL ? line_end + 1 : end;
	}
	fputs(SCREEN_END, out);
	if (fclose(out) == 0)
		put(bytes, length);
	free(bytes);
}

static bool key_ends(void)
{
	char key = 0;
	kr_assert(screen.has_keys);
	return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q' || key == 4;
}

enum top_wake top_screen_wait(uint64_t timeout_us)
{
	const struct timespec timeout = {
		(time_t)(timeout_us / 1000000), (long)(timeout_us % 1000000) * 1000};
	struct pollfd input = {.fd = screen.has_keys ? STDIN_FILENO : -1, .events = POLLIN};
	/* Without a screen nothing was blocked and nothing changes. */
	int r = ppoll(&input, 1, &timeout, screen.is_open ? &screen.blocked_before : NULL);
	kr_assert(r <= 1);
	if (wants_end)
		return TOP_END;
	if (is_resized) {
		is_resized = 0;
		return TOP_RESIZED;
	}
	if (r > 0)
		return key_ends() ? TOP_END : TOP_RESIZED;
	return TOP_TIME;
}

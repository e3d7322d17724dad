// SPDX-License-Identifier: MIT
#include "screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define OTHER_SCREEN "\x1b[?1049h\x1b[?25l"
#define FIRST_SCREEN "\x1b[?25h\x1b[?1049l"
#define HOME "\x1b[H"
#define CLEAR_LINE "\x1b[K"
#define CLEAR_BELOW "\x1b[J"

static struct termios before;
static bool taken;

bool screen_open(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &before) != 0)
		return false;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
		return false;
	taken = true;
	fputs(OTHER_SCREEN, stdout);
	fflush(stdout);
	return true;
}

void screen_show(const char *text)
{
	struct winsize size = {0};
	unsigned int row = 0;

	/* Each time: the window may have been made another size. */
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	/* A serial line does not know its size. */
	if (size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	fputs(HOME, stdout);
	/* The last row stays free, since an end of line there would move all others. */
	while (*text && row + 1 < size.ws_row) {
		size_t length = strcspn(text, "\n");

		printf("%.*s" CLEAR_LINE "\n", (int)(length < size.ws_col ? length : size.ws_col),
		       text);
		text += length + (text[length] == '\n');
		row++;
	}
	fputs(CLEAR_BELOW, stdout);
}

void screen_close(void)
{
	if (!taken)
		return;
	fputs(FIRST_SCREEN, stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	taken = false;
}

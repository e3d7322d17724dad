// SPDX-License-Identifier: MIT
#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum {
	WHEN_AUTO,
	WHEN_ALWAYS,
	WHEN_NEVER,
} when;

bool colour_choose(const char *text)
{
	static const char *const names[] = {
		[WHEN_AUTO] = "auto",
		[WHEN_ALWAYS] = "always",
		[WHEN_NEVER] = "never",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		when = i;
		return true;
	}
	return false;
}

static bool is_coloured(FILE *stream)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (when != WHEN_AUTO)
		return when == WHEN_ALWAYS;
	return isatty(fileno(stream)) && !(no && no[0] != '\0') && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

const char *colour_start(FILE *stream, enum colour colour)
{
	static const char *const starts[] = {
		[COLOUR_BAD] = "\x1b[1;31m", [COLOUR_WARNING] = "\x1b[33m",
		[COLOUR_GOOD] = "\x1b[32m",  [COLOUR_STRONG] = "\x1b[1m",
		[COLOUR_WEAK] = "\x1b[2m",
	};

	return is_coloured(stream) ? starts[colour] : "";
}

const char *colour_end(FILE *stream)
{
	return is_coloured(stream) ? "\x1b[0m" : "";
}

// SPDX-License-Identifier: MIT
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "colour.h"

#define ERROR_TEXT_MAX 4096

void error_say(const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "%sxvhc:%s ", colour_start(stderr, COLOUR_BAD), colour_end(stderr));
	for (const char *at = text; *at; at++)
		putc(*at < ' ' || *at > '~' ? '?' : *at, stderr);
	putc('\n', stderr);
}

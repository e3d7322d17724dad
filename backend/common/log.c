// SPDX-License-Identifier: MIT
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512
#define PREFIX_MAX_BYTES 32

static const char *process_name = "xvhcd";
static enum log_level level_max = LOG_LEVEL_INFO;
static char prefix[PREFIX_MAX_BYTES];

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error: ",
	[LOG_LEVEL_WARNING] = "warning: ",
	[LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_DEBUG] = "debug: ",
};

void log_init(const char *name, enum log_level level)
{
	process_name = name;
	level_max = level;
}

void log_prefix(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
}

static size_t append(char *line, size_t used, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the length of the text in the line, which always has room for one more character. */
static size_t clamp(size_t used, int added)
{
	if (added < 0)
		return used;
	used += (size_t)added;
	return used < LINE_MAX_BYTES - 1 ? used : LINE_MAX_BYTES - 2;
}

static size_t append(char *line, size_t used, const char *format, ...)
{
	va_list args;
	int added;

	va_start(args, format);
	added = vsnprintf(line + used, LINE_MAX_BYTES - 1 - used, format, args);
	va_end(args);
	return clamp(used, added);
}

static void write_line(enum log_level level, uint32_t dropped, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t used, i;
	ssize_t written;

	used = append(line, 0, "%s: %s%s%s", process_name, prefix, prefix[0] ? ": " : "",
		      level_names[level]);
	if (dropped > 0)
		used = append(line, used, "(%u such lines left out) ", dropped);
	used = clamp(used, vsnprintf(line + used, LINE_MAX_BYTES - 1 - used, format, args));
	for (i = 0; i < used; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[used++] = '\n';
	/* One write for each line, so that lines of several processes do not mix. */
	written = write(STDERR_FILENO, line, used);
	(void)written;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > level_max)
		return;
	va_start(args, format);
	write_line(level, 0, format, args);
	va_end(args);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	uint64_t now = now_ms();
	uint32_t dropped = 0;
	va_list args;

	if (level > level_max)
		return;
	if (limit->since_ms == 0 || now - limit->since_ms >= LOG_LIMIT_MS) {
		limit->since_ms = now;
		limit->lines = 0;
		dropped = limit->dropped;
		limit->dropped = 0;
	}
	if (limit->lines >= LOG_LIMIT_LINES) {
		limit->dropped++;
		return;
	}
	limit->lines++;
	va_start(args, format);
	write_line(level, dropped, format, args);
	va_end(args);
}

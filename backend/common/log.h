/* SPDX-License-Identifier: MIT */
/*
 * Log lines on stderr, for the broker and the workers. Each line carries the name of its process,
 * and what log_prefix() set: a worker's guest.
 */
#ifndef XVHC_BACKEND_LOG_H
#define XVHC_BACKEND_LOG_H

#include <xvhc/types.h>

enum log_level {
	LOG_LEVEL_ERROR = 0, /* something that should work does not */
	LOG_LEVEL_WARNING,   /* a peer's fault, or something out of the ordinary */
	LOG_LEVEL_INFO,      /* what an administrator wants to know */
	LOG_LEVEL_DEBUG,
};

/*
 * Bounds what one cause can make us write: at most LOG_LIMIT_LINES lines in LOG_LIMIT_MS; the first
 * line after that tells how many were left out. Zero-initialised; one for each cause.
 */
#define LOG_LIMIT_LINES 10u
#define LOG_LIMIT_MS 5000u

struct log_limit {
	uint64_t since_ms; /* CLOCK_MONOTONIC */
	uint32_t lines;
	uint32_t dropped;
};

/* Sets the process' name for the log (kept by reference) and the most verbose level written. */
void log_init(const char *name, enum log_level level);

/* Sets what stands in front of each further line, such as "guest 3". Cut at 31 characters. */
void log_prefix(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes one line. A control character in it, such as a peer's text may have, becomes '?'. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As log_line(), unless limit says that there were too many. */
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

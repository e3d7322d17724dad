/* SPDX-License-Identifier: MIT */
/* Text on the guest's console. */
#ifndef BARE_CONSOLE_H
#define BARE_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/* Finds the console's ring. xen_init() has been called. */
void console_init(void);

/* Formats text: %s, %c, %d (int), %u (unsigned int), %x (8 digits), %%. Always ends it with 0. */
void format(char *text, size_t size, const char *pattern, ...)
	__attribute__((format(printf, 3, 4)));

/* The same onto the console, at most 255 characters. Waits for room. */
void print(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* Waits, for 2 s at most, until everything has been taken from the ring. */
void console_flush(void);

/* Prints a sentence and ends the domain. */
_Noreturn void die(const char *why);

#endif

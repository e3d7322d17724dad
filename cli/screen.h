/* SPDX-License-Identifier: MIT */
/* The whole terminal for one text that changes. Plain ANSI, without a library. */
#ifndef XVHC_CLI_SCREEN_H
#define XVHC_CLI_SCREEN_H

#include <stdbool.h>

/*
 * Takes the terminal: keys arrive at once and without an echo, the text before comes back at the
 * end. False, and nothing is done, where standard input and output are not both a terminal.
 */
bool screen_open(void);

/* Shows this text instead of the last one, as far as it fits. */
void screen_show(const char *text);

/* Puts the terminal back as it was. Does nothing where it was not taken. */
void screen_close(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the command says where something is wrong. */
#ifndef XVHC_CLI_ERROR_H
#define XVHC_CLI_ERROR_H

/*
 * Prints "xvhc: ", the sentence, and an end of line on standard error. The sentence says what
 * happened, to which port and guest, and what to do. What a terminal would take for a command is
 * printed as '?'.
 */
void error_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

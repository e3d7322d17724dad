/* SPDX-License-Identifier: MIT */
/* The texts of xvhc help. */
#ifndef XVHC_CLI_HELP_H
#define XVHC_CLI_HELP_H

#include <stdbool.h>

/* Prints the help for a command, or the general one for NULL. False: there is no such command. */
bool help_print(const char *command);

#endif

/* SPDX-License-Identifier: MIT */
/* Prints what xvhc --help and xvhc help print, from the table of commands. */
#ifndef XVHC_CLI_HELP_H
#define XVHC_CLI_HELP_H

#include "command.h"
#include "topic.h"

/* What xvhc is, all commands, and the options of all. */
void help_general(void);

/* All about one command. */
void help_command(const struct command *command);

/* All about one topic. */
void help_topic(const struct topic *topic);

/* Says on standard error which form the command has. Returns EXIT_USAGE. */
int help_wrong_form(const struct command *command);

#define HELP_FORM_MAX 1024u

/* Writes the command as it is typed, such as "xvhc list [--json]". */
void help_form(char *text, size_t size, const struct command *command);

#endif

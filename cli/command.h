/* SPDX-License-Identifier: MIT */
/*
 * What a command of xvhc is: its words, its options, its help, and the function that does it. Each
 * has a file of its own, command_NAME.c. The help is printed from here (help.c), and the man page
 * and the completions are compared with it by a test.
 */
#ifndef XVHC_CLI_COMMAND_H
#define XVHC_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, beside EXIT_SUCCESS (0) and EXIT_FAILURE (1: refused, or it failed). */
#define EXIT_USAGE 2

#define COMMAND_OPTIONS_MAX 8u

struct command_option {
	const char *name;  /* without the dashes */
	char letter;       /* of the short form; 0: there is none */
	const char *value; /* what it takes, such as "FILE"; NULL: nothing */
	const char *text;  /* for the help, one line */
};

/* A command as it was typed. */
struct call {
	const char *socket; /* path of the broker's */
	char **words;       /* those behind the command's name */
	size_t word_count;
	const char *values[COMMAND_OPTIONS_MAX]; /* of the command's options; "": it has none */
};

struct command {
	const char *name;
	const char *form; /* the words, such as "PORT GUEST"; options come from below */
	size_t words_min;
	size_t words_max;
	const char *summary;                                /* for the list of commands */
	struct command_option options[COMMAND_OPTIONS_MAX]; /* until one without a name */
	const char *help;                                   /* paragraphs and examples */
	/* Returns the exit code. What it has to say of a failure, it has said. */
	int (*run)(const struct call *call);
};

extern const struct command command_doctor;
extern const struct command command_capture;
extern const struct command command_give;
extern const struct command command_help;
extern const struct command command_list;
extern const struct command command_monitor;
extern const struct command command_metrics;
extern const struct command command_show;
extern const struct command command_take;
extern const struct command command_top;

/* All of them, in the order of the help; the last is NULL. */
extern const struct command *const commands[];

/* NULL: there is no such command. */
const struct command *command_find(const char *name);

#endif

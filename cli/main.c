// SPDX-License-Identifier: MIT
/* xvhc, the command: finds out which command is meant, and runs it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "command.h"
#include "error.h"
#include "help.h"

#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

/* Options of every command; those of the command itself follow by their numbers. */
enum option_number {
	NUMBER_SOCKET = 256,
	NUMBER_COLOR,
	NUMBER_HELP,
	NUMBER_VERSION,
	NUMBER_OWN,
};

#define COMMON_OPTIONS 4u

static const struct option common[COMMON_OPTIONS] = {
	{"socket", required_argument, NULL, NUMBER_SOCKET},
	{"color", required_argument, NULL, NUMBER_COLOR},
	{"help", no_argument, NULL, NUMBER_HELP},
	{"version", no_argument, NULL, NUMBER_VERSION},
};

/* What getopt_long() wants to know, zeroed at first. */
struct options {
	struct option longs[COMMON_OPTIONS + COMMAND_OPTIONS_MAX + 1];
	char shorts[2 * COMMAND_OPTIONS_MAX + 4];
};

static void options_make(struct options *options, const struct command *command)
{
	char *at = options->shorts;

	memcpy(options->longs, common, sizeof(common));
	*at++ = ':'; /* we say ourselves what is wrong */
	*at++ = 'h';
	for (size_t i = 0; command && i < COMMAND_OPTIONS_MAX && command->options[i].name; i++) {
		const struct command_option *option = &command->options[i];

		options->longs[COMMON_OPTIONS + i] = (struct option){
			.name = option->name,
			.has_arg = option->value ? required_argument : no_argument,
			.val = NUMBER_OWN + (int)i,
		};
		if (option->letter)
			*at++ = option->letter;
		if (option->letter && option->value)
			*at++ = ':';
	}
}

/* The first word: the command, wherever among the options it stands. NULL: there is none. */
static const char *first_word(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--socket") == 0 || strcmp(argv[i], "--color") == 0)
			i++;
		else if (argv[i][0] != '-')
			return argv[i];
	}
	return NULL;
}

static int wrong_option(const struct command *command, char **argv, bool no_value)
{
	const char *text = argv[optind - 1], *name = command ? command->name : "";
	const char *blank = command ? " " : "";

	error_say("%s%sthe option %s %s. xvhc %s%s--help shows what there is.", name,
		  command ? ": " : "", text, no_value ? "needs a value" : "does not exist", name,
		  blank);
	return EXIT_USAGE;
}

/* Takes note of an option of the command's own, by its number or its letter. */
static void own_option(const struct command *command, int number, struct call *call)
{
	for (size_t i = 0; command && i < COMMAND_OPTIONS_MAX && command->options[i].name; i++)
		if (number == NUMBER_OWN + (int)i || number == command->options[i].letter)
			call->values[i] = optarg ? optarg : "";
}

/* Reads all options. Returns -1 to go on, or the exit code. */
static int options_read(int argc, char **argv, const struct command *command, struct call *call)
{
	struct options options = {0};
	bool help = false;
	int number;

	options_make(&options, command);
	opterr = 0;
	while ((number = getopt_long(argc, argv, options.shorts, options.longs, NULL)) != -1) {
		if (number == '?' || number == ':')
			return wrong_option(command, argv, number == ':');
		if (number == NUMBER_SOCKET) {
			call->socket = optarg;
		} else if (number == NUMBER_COLOR) {
			if (!colour_choose(optarg)) {
				error_say("--color takes auto, always or never, and not '%s'.",
					  optarg);
				return EXIT_USAGE;
			}
		} else if (number == NUMBER_HELP || number == 'h') {
			help = true;
		} else if (number == NUMBER_VERSION) {
			puts("xvhc " XVHC_VERSION);
			return EXIT_SUCCESS;
		} else {
			own_option(command, number, call);
		}
	}
	if (!help)
		return -1;
	if (command)
		help_command(command);
	else
		help_general();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct call call = {.socket = "/run/xvhc/control"};
	const char *name = first_word(argc, argv);
	const struct command *command = name ? command_find(name) : NULL;
	int code;

	if (name && !command) {
		error_say("there is no command '%s'. xvhc --help shows the commands.", name);
		return EXIT_USAGE;
	}
	code = options_read(argc, argv, command, &call);
	if (code >= 0)
		return code;
	if (!command) {
		error_say("what shall be done? xvhc --help shows the commands.");
		return EXIT_USAGE;
	}
	call.words = argv + optind + 1;
	call.word_count = (size_t)(argc - optind - 1);
	if (call.word_count >= command->words_min && call.word_count <= command->words_max)
		return command->run(&call);
	return help_wrong_form(command);
}

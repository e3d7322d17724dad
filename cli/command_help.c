// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "help.h"

static int run(const struct call *call)
{
	const struct command *command;

	if (call->word_count == 0) {
		help_general();
		return EXIT_SUCCESS;
	}
	command = command_find(call->words[0]);
	if (command) {
		help_command(command);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "xvhc: there is no command '%s'. xvhc help shows the commands.\n",
		call->words[0]);
	return EXIT_USAGE;
}

const struct command command_help = {
	.name = "help",
	.form = "[COMMAND]",
	.words_max = 1,
	.summary = "show this, or more about a command",
	.help = "Shows what a command does, with examples.\n",
	.run = run,
};

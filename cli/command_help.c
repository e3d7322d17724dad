// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "error.h"
#include "help.h"

static int run(const struct call *call)
{
	const struct command *command;
	const struct topic *topic;

	if (call->word_count == 0) {
		help_general();
		return EXIT_SUCCESS;
	}
	command = command_find(call->words[0]);
	if (command) {
		help_command(command);
		return EXIT_SUCCESS;
	}
	topic = topic_find(call->words[0]);
	if (topic) {
		help_topic(topic);
		return EXIT_SUCCESS;
	}
	error_say("there is no command '%s', and no topic. xvhc help shows them.", call->words[0]);
	return EXIT_USAGE;
}

const struct command command_help = {
	.name = "help",
	.form = "[COMMAND|TOPIC]",
	.words_max = 1,
	.summary = "show this, or more about a command or a topic",
	.help = "Shows what a command does, with examples, or what there is to know about a "
		"topic.\n",
	.run = run,
};

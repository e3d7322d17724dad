// SPDX-License-Identifier: MIT
#include "command.h"

#include <string.h>

const struct command *const commands[] = {
	&command_list,    &command_show,    &command_give, &command_take,
	&command_monitor, &command_capture, &command_top,  &command_doctor,
	&command_metrics, &command_help,    NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* What the commands do. */
#ifndef XVHC_BROKER_COMMAND_RUN_H
#define XVHC_BROKER_COMMAND_RUN_H

#include <broker/broker.h>

/* Does a command, and answers the client: at once, or when what it began has ended. */
void command_run(struct broker *broker, struct client_ref client, const struct command *command);

#endif

/* SPDX-License-Identifier: MIT */
/* The command `show`: all that is known about one port, as JSON. */
#ifndef XVHC_BROKER_COMMAND_SHOW_H
#define XVHC_BROKER_COMMAND_SHOW_H

#include <broker/broker.h>

/* Answers the client. */
void command_show(struct broker *broker, struct client_ref client, const struct command *command);

#endif

/* SPDX-License-Identifier: MIT */
/* The command `list`: all ports, as JSON. */
#ifndef XVHC_BROKER_COMMAND_LIST_H
#define XVHC_BROKER_COMMAND_LIST_H

#include <broker/broker.h>

/* Answers the client. */
void command_list(struct broker *broker, struct client_ref client, const struct command *command);

#endif

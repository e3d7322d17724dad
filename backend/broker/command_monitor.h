/* SPDX-License-Identifier: MIT */
/* The command `monitor`: its client is told events from then on. */
#ifndef XVHC_BROKER_COMMAND_MONITOR_H
#define XVHC_BROKER_COMMAND_MONITOR_H

#include <broker/broker.h>

/* Answers the client, with a line that is no event; events follow. */
void command_monitor(struct broker *broker, struct client_ref client,
		     const struct command *command);

#endif

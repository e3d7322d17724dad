/* SPDX-License-Identifier: MIT */
/* The command `counters`: the figures of all given ports and all controllers, as JSON. */
#ifndef XVHC_BROKER_COMMAND_COUNTERS_H
#define XVHC_BROKER_COMMAND_COUNTERS_H

#include <broker/broker.h>

/* Answers the client. */
void command_counters(struct broker *broker, struct client_ref client,
		      const struct command *command);

#endif

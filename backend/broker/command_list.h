/* SPDX-License-Identifier: MIT */
/* The command `list`: all ports, as JSON. */
#ifndef XVHC_BROKER_COMMAND_LIST_H
#define XVHC_BROKER_COMMAND_LIST_H

#include <broker/broker.h>

struct json_object;

/* Answers the client. */
void command_list(struct broker *broker, struct client_ref client, const struct command *command);

/*
 * One port as `list` shows it: connector NULL where there is no such port now, given NULL where
 * dom0 has it. The caller puts it.
 */
struct json_object *port_json(const struct broker *broker, const struct place *place,
			      const struct connector *connector, const struct given *given);

#endif

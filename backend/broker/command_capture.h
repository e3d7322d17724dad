/* SPDX-License-Identifier: MIT */
/* The command "capture". */
#ifndef XVHC_BROKER_COMMAND_CAPTURE_H
#define XVHC_BROKER_COMMAND_CAPTURE_H

#include <broker/broker.h>

/* Begins a capture on the socket that came with the command, and says what it waits for. */
void command_capture(struct broker *broker, struct client_ref client,
		     const struct command *command);

#endif

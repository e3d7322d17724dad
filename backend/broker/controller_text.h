/* SPDX-License-Identifier: MIT */
/* How a controller is called in a sentence for a person. */
#ifndef XVHC_BROKER_CONTROLLER_TEXT_H
#define XVHC_BROKER_CONTROLLER_TEXT_H

#include <broker/broker.h>

#define CONTROLLER_TEXT_MAX 384u

/*
 * Writes guest, controller and the given ports that are bound to it, such as "guest 7 (web):
 * controller 1000 (port 1-2/2-2)". Where it is too long for a log line the last ports are left out.
 */
void controller_text(const struct broker *broker, const struct controller *controller,
		     char text[CONTROLLER_TEXT_MAX]);

#endif

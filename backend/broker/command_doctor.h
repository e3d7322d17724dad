/* SPDX-License-Identifier: MIT */
/* The command `doctor`: what xvhc doctor cannot find out by itself. */
#ifndef XVHC_BROKER_COMMAND_DOCTOR_H
#define XVHC_BROKER_COMMAND_DOCTOR_H

#include <broker/broker.h>

/*
 * Answers the client: which xvhcd this is ("version", "pid"), its files ("config", null where it
 * reads none, "ports-file", "worker"), whether XenStore answers ("xenstore"), bytes of usbfs'
 * memory ("usbfs-limit", 0: there is none, "usbfs-used"), guests with controllers of QEMU's
 * ("qusb"), and "ports": each given port's "port", "guest", "level", "what" and "do".
 */
void command_doctor(struct broker *broker, struct client_ref client, const struct command *command);

#endif

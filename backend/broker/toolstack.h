/* SPDX-License-Identifier: MIT */
/*
 * The nodes port/<n> of a controller. A toolstack writes the kernel's name of a device there (`xl
 * usbdev-attach`), and we give the port that it is plugged into; it empties the node to take it
 * back. In a controller of ours, we write the place of each port there, so that after a restart of
 * xvhcd each has the same number again.
 */
#ifndef XVHC_BROKER_TOOLSTACK_H
#define XVHC_BROKER_TOOLSTACK_H

#include <broker/broker.h>

/* Binds the ports that a controller of ours had before. */
void toolstack_adopt(struct broker *broker, struct controller *controller);

/* Compares the nodes of a toolstack's controller with what is given, and begins what is missing. */
void toolstack_ports_follow(struct broker *broker, struct controller *controller);

#endif

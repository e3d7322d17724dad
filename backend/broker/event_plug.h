/* SPDX-License-Identifier: MIT */
/*
 * Tells what is plugged in and out, in ports given and not: the devices that were there are kept in
 * mind, and compared with those that a scan of sysfs has found. What a device calls itself is found
 * out by a thread, which takes a moment: so long, PLUGGED waits, unless there is something else to
 * be told of the port.
 */
#ifndef XVHC_BROKER_EVENT_PLUG_H
#define XVHC_BROKER_EVENT_PLUG_H

#include <broker/broker.h>

/* Compares; what is there the first time, is not told. */
void plugs_follow(struct broker *broker);

/* The thread has answered what a device calls itself. */
void plug_named(struct broker *broker, const struct usb_device *device);

/* Tells now what waits to be told of the port with this place, as place_format() has it. */
void plugs_tell(struct broker *broker, const char *place);

void plugs_fini(struct broker *broker);

#endif

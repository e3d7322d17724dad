/* SPDX-License-Identifier: MIT */
/* Tells when USB devices, hubs or host controllers come and go. */
#ifndef XVHC_BROKER_HOTPLUG_H
#define XVHC_BROKER_HOTPLUG_H

#include <xvhc/types.h>

struct udev_monitor;

/* Begins to follow the kernel's events. NULL on failure. */
struct udev_monitor *hotplug_open(void);

int hotplug_fd(struct udev_monitor *monitor);

/* Takes all waiting events. True where there was one, or where some were lost. */
bool hotplug_drain(struct udev_monitor *monitor);

void hotplug_close(struct udev_monitor *monitor);

#endif

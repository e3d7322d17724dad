// SPDX-License-Identifier: MIT
#include <broker/hotplug.h>

#include <errno.h>
#include <stddef.h>

#include <libudev.h>

#define RECEIVE_BYTES (1 << 20)

struct udev_monitor *hotplug_open(void)
{
	struct udev *udev = udev_new();
	struct udev_monitor *monitor;

	if (!udev)
		return NULL;
	/*
	 * The kernel's own events, and not those that udevd passes on: where a hub comes with a
	 * device in a given port, there are some 200 ms to claim that port, and udevd may be busy.
	 */
	monitor = udev_monitor_new_from_netlink(udev, "kernel");
	udev_unref(udev);
	if (!monitor)
		return NULL;
	/*
	 * Interfaces as well as devices: a hub's ports are there only once its interface is bound,
	 * which is after the device's own event.
	 */
	(void)udev_monitor_set_receive_buffer_size(monitor, RECEIVE_BYTES);
	if (udev_monitor_filter_add_match_subsystem_devtype(monitor, "usb", NULL) < 0 ||
	    udev_monitor_enable_receiving(monitor) < 0) {
		udev_monitor_unref(monitor);
		return NULL;
	}
	return monitor;
}

int hotplug_fd(struct udev_monitor *monitor)
{
	return udev_monitor_get_fd(monitor);
}

bool hotplug_drain(struct udev_monitor *monitor)
{
	struct udev_device *device;
	bool any = false;

	for (;;) {
		errno = 0;
		device = udev_monitor_receive_device(monitor);
		if (device) {
			udev_device_unref(device);
			any = true;
		} else if (errno == ENOBUFS) {
			any = true;
		} else {
			return any;
		}
	}
}

void hotplug_close(struct udev_monitor *monitor)
{
	udev_monitor_unref(monitor);
}

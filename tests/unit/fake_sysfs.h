/* SPDX-License-Identifier: MIT */
/* A tree in a temporary directory that has the shape of sysfs, for the broker to read. */
#ifndef XVHC_TESTS_FAKE_SYSFS_H
#define XVHC_TESTS_FAKE_SYSFS_H

#include <limits.h>
#include <stdint.h>

struct fake_sysfs {
	char root[PATH_MAX / 4];
};

void fake_sysfs_open(struct fake_sysfs *sysfs);
void fake_sysfs_close(struct fake_sysfs *sysfs);

/* A root hub with ports; controller is a name such as 0000:00:04.0 of the subsystem pci, or such as
 * platform/vhci_hcd.0. */
void fake_bus(const struct fake_sysfs *sysfs, const char *controller, unsigned int bus,
	      const char *speed, unsigned int ports);

/* A device such as 1-2.3, plugged in; ports: 0, or those of a hub. */
void fake_device(const struct fake_sysfs *sysfs, const char *name, unsigned int number,
		 const char *speed, unsigned int class, unsigned int ports);

/* The hub's driver has been bound anew: its ports are others. */
void fake_ports_anew(const struct fake_sysfs *sysfs, const char *hub, unsigned int ports);

void fake_unplug(const struct fake_sysfs *sysfs, const char *name);

/* Links two ports, such as usb1-port1 and usb2-port1, as one connector. */
void fake_peers(const struct fake_sysfs *sysfs, const char *one, const char *other);

/* Gives a device a disk with one partition: name sda and sda1, numbers 8:0 and 8:1. */
void fake_disk(const struct fake_sysfs *sysfs, const char *device, const char *disk);

/* Writes a file below the root, with the directories above it. */
void fake_file(const struct fake_sysfs *sysfs, const char *text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

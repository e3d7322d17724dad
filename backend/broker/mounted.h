/* SPDX-License-Identifier: MIT */
/*
 * Whether dom0 uses a disk that belongs to a USB device: it, one of its partitions, or what is
 * built on top of one (device mapper, RAID, loop) is mounted, swap, or held open exclusively, as
 * the kernel does for another guest's disk.
 */
#ifndef XVHC_BROKER_MOUNTED_H
#define XVHC_BROKER_MOUNTED_H

#include <xvhc/types.h>

#define IN_USE_TEXT_MAX 512u

struct mounted_paths {
	const char *sysfs;     /* "/sys" */
	const char *mountinfo; /* "/proc/1/mountinfo" */
	const char *swaps;     /* "/proc/swaps" */
	const char *dev;       /* "/dev"; NULL: do not try to open disks */
};

/*
 * Looks through the device whose sysfs directory this is. Returns true where it is in use; then
 * text says what is, and what to do: "/dev/sda1 is mounted on /mnt: unmount it first (umount
 * /mnt)".
 */
XVHC_MUST_CHECK bool device_is_in_use(const struct mounted_paths *paths, const char *directory,
				      char text[IN_USE_TEXT_MAX]);

#endif

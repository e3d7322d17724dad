/* SPDX-License-Identifier: MIT */
/* What the jobs for devices (usb_job.c) and those for hubs (hub_job.c) share. */
#ifndef XVHC_BROKER_USB_JOB_H
#define XVHC_BROKER_USB_JOB_H

#include <limits.h>

#include <broker/job.h>

/* Opens a device's or a hub's node of usbfs; the descriptor is the caller's. Returns it or -errno.
 */
XVHC_MUST_CHECK int usb_node_open(const struct job_paths *paths, struct device_id id, int mode);

/* Finds a device's directory in sysfs. -ENODEV where another one is there by now. */
XVHC_MUST_CHECK int usb_device_directory(const struct job_paths *paths, struct device_id id,
					 const char *name, char directory[PATH_MAX]);

/*
 * Takes the job's device from dom0's drivers, unless dom0 uses it, or one behind it: then
 * job->in_use is set, and job->text says for what. A device that went away is no error. Returns 0
 * or -errno.
 */
XVHC_MUST_CHECK int usb_device_evict(struct job *job, const struct job_paths *paths);

#endif

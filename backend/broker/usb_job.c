// SPDX-License-Identifier: MIT
/*
 * The jobs, for real, as the kernel wants them (its drivers/usb/core):
 *
 * - A claim belongs to an open descriptor of the hub. While it lasts, the kernel chooses no
 *   configuration for a device on that port, and binds no driver of dom0 to its interfaces, even
 *   where somebody else chooses a configuration.
 * - A claim changes nothing for a device that is there already. Writing -1 to bConfigurationValue
 *   removes its interfaces, each driver being unbound in the orderly way before.
 * - Where a device is authorized anew, the kernel chooses a configuration and binds drivers. This
 *   is how a device goes back to dom0. A device that was never authorized (usbcore's
 *   authorized_default=0) can have no configuration either, so it has to be authorized for a guest.
 *
 * Before a device is written to it is looked at again: another one may be there since the scan.
 */
#include <broker/usb_job.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <broker/hub_job.h>
#include <broker/identity.h>
#include <broker/sysfs.h>
#include <broker/usbip_job.h>

int usb_node_open(const struct job_paths *paths, struct device_id id, int mode)
{
	char path[PATH_MAX];
	int fd;

	if (!path_format(path, "%s/%03u/%03u", paths->usb_nodes, id.bus, id.device))
		return -ENAMETOOLONG;
	fd = open(path, mode | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int usb_device_directory(const struct job_paths *paths, struct device_id id, const char *name,
			 char directory[PATH_MAX])
{
	if (id.bus == 0)
		return -ENODEV;
	if (!path_format(directory, "%s/bus/usb/devices/%s", paths->mounted.sysfs, name))
		return -ENAMETOOLONG;
	return sysfs_instance(directory) == id.instance ? 0 : -ENODEV;
}

static int device_directory(const struct job *job, const struct job_paths *paths,
			    char directory[PATH_MAX])
{
	return usb_device_directory(paths, job->device, job->device_name, directory);
}

static int port_claim(struct job_side *side, const struct job_paths *paths)
{
	unsigned int port = side->port;
	int fd;

	if (side->hub.bus == 0 || side->fd >= 0)
		return 0;
	fd = usb_node_open(paths, side->hub, O_RDWR);
	if (fd < 0)
		return fd;
	if (ioctl(fd, USBDEVFS_CLAIM_PORT, &port) != 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	side->fd = fd;
	return 0;
}

static void port_release(struct job_side *side)
{
	unsigned int port = side->port;

	if (side->fd < 0)
		return;
	/* An error means that the hub is gone, and the claim with it. */
	(void)ioctl(side->fd, USBDEVFS_RELEASE_PORT, &port);
	close(side->fd);
	side->fd = -1;
}

/* Whether a program has claimed an interface through usbfs, as QEMU does for its guests. */
static bool program_uses_device(const char *directory)
{
	char path[PATH_MAX], driver[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir(directory);

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = strchr(entry->d_name, ':') &&
			path_format(path, "%s/%s/driver", directory, entry->d_name) &&
			sysfs_link_name(path, driver, sizeof(driver)) &&
			strcmp(driver, "usbfs") == 0;
	closedir(dir);
	return found;
}

/* Whether one does so with the device of this name, or with one behind it. */
static bool program_uses(const struct job_paths *paths, const char *name,
			 char text[IN_USE_TEXT_MAX])
{
	size_t length = strlen(name);
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (!path_format(path, "%s/bus/usb/devices", paths->mounted.sysfs))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = strncmp(entry->d_name, name, length) == 0 &&
			(entry->d_name[length] == '\0' || entry->d_name[length] == '.') &&
			!strchr(entry->d_name, ':') &&
			path_format(path, "%s/bus/usb/devices/%s", paths->mounted.sysfs,
				    entry->d_name) &&
			program_uses_device(path);
	closedir(dir);
	if (found)
		snprintf(text, IN_USE_TEXT_MAX,
			 "a program in dom0 uses its device directly (through usbfs): end that "
			 "first");
	return found;
}

/* Takes one device from dom0's drivers, unless dom0 uses it. One that went away is no error. */
static int evict_one(struct job *job, const struct job_paths *paths, struct device_id id,
		     const char *name)
{
	char directory[PATH_MAX], text[16];
	uint32_t authorized = 1;
	int result;

	if (usb_device_directory(paths, id, name, directory) != 0)
		return 0;
	if (sysfs_read_number(directory, "authorized", 10, 1, &authorized) && !authorized) {
		result = sysfs_write(directory, "authorized", "1");
		if (result != 0)
			return result == -ENOENT || result == -ENODEV ? 0 : result;
	}
	if (!sysfs_read_text(directory, "bConfigurationValue", text, sizeof(text)) ||
	    text[0] == '\0')
		return 0;
	if (device_is_in_use(&paths->mounted, directory, job->text) ||
	    (job->first && program_uses(paths, name, job->text))) {
		job->in_use = true;
		return -EBUSY;
	}
	result = sysfs_write(directory, "bConfigurationValue", "-1");
	/* udev has seen it before it was given: now it takes away what it granted to others. */
	if (result == 0)
		(void)!sysfs_write(directory, "uevent", "change");
	return result == -ENOENT || result == -ENODEV ? 0 : result;
}

int usb_device_evict(struct job *job, const struct job_paths *paths)
{
	int result = evict_one(job, paths, job->device, job->device_name);

	return result == 0 ? evict_one(job, paths, job->other, job->other_name) : result;
}

static void run_claim(struct job *job, const struct job_paths *paths)
{
	for (int i = 0; i < 2 && job->error == 0; i++)
		job->error = port_claim(&job->side[i], paths);
	if (job->error == -EBUSY)
		snprintf(job->text, sizeof(job->text),
			 "another program in dom0 has claimed this port: end it first");
	else if (job->error != 0)
		snprintf(job->text, sizeof(job->text),
			 "claiming it from the kernel failed: %s; xvhc doctor may know why",
			 strerror(-job->error));
}

static void run_evict(struct job *job, const struct job_paths *paths)
{
	job->error = usb_device_evict(job, paths);
	if (job->error != 0 && !job->in_use)
		snprintf(job->text, sizeof(job->text),
			 "taking its device from dom0's drivers failed: %s; unplug it, and try "
			 "again",
			 strerror(-job->error));
}

/*
 * It sleeps when the guest says so: its worker holds it awake until then, and again from when it
 * has woken up, for which it has this time.
 */
static void sleep_allow(const char *directory)
{
	(void)!sysfs_write(directory, "power/autosuspend_delay_ms", "100");
	(void)!sysfs_write(directory, "power/control", "auto");
}

/* As the kernel has it for a new device. */
static void sleep_forbid(const char *directory, const struct job_paths *paths)
{
	char parameters[PATH_MAX], seconds[16], delay[32] = "2000";

	(void)!sysfs_write(directory, "power/control", "on");
	if (path_format(parameters, "%s/module/usbcore/parameters", paths->mounted.sysfs) &&
	    sysfs_read_text(parameters, "autosuspend", seconds, sizeof(seconds)))
		snprintf(delay, sizeof(delay), "%ld", strtol(seconds, NULL, 10) * 1000);
	(void)!sysfs_write(directory, "power/autosuspend_delay_ms", delay);
}

static void run_open(struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX];

	job->error = usb_device_evict(job, paths);
	if (job->error == 0)
		job->error = device_directory(job, paths, directory);
	if (job->error == 0) {
		/* Without the right to write, usbfs lets nobody do anything but read descriptors.
		 */
		job->fd = usb_node_open(paths, job->device, job->describe ? O_RDONLY : O_RDWR);
		if (job->fd < 0)
			job->error = job->fd;
		if (job->fd >= 0 && !job->describe)
			sleep_allow(directory);
	}
	if (job->error != 0 && !job->in_use)
		snprintf(job->text, sizeof(job->text), "opening the device failed: %s",
			 strerror(-job->error));
}

static int device_reset(const struct job_paths *paths, struct device_id id, const char *name)
{
	char directory[PATH_MAX];
	int fd, result;

	result = usb_device_directory(paths, id, name, directory);
	if (result != 0)
		return result;
	fd = usb_node_open(paths, id, O_RDWR);
	if (fd < 0)
		return fd;
	if (ioctl(fd, USBDEVFS_RESET, NULL) != 0)
		result = -errno;
	close(fd);
	return result;
}

static void run_reset(struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX];

	job->error = device_directory(job, paths, directory);
	if (job->error != 0)
		return;
	sleep_forbid(directory, paths);
	/* Unconfigured first: then the reset need not bring a configuration back. */
	job->error = sysfs_write(directory, "bConfigurationValue", "-1");
	if (job->error == 0)
		job->error = device_reset(paths, job->device, job->device_name);
}

/* Whether dom0 lets its drivers have what is plugged into this device's bus. */
static bool bus_authorizes(const struct job_paths *paths, struct device_id id,
			   const char *device_directory)
{
	char directory[PATH_MAX], removable[32] = "";
	uint32_t by_default = 1;

	if (!path_format(directory, "%s/bus/usb/devices/usb%u", paths->mounted.sysfs, id.bus) ||
	    !sysfs_read_number(directory, "authorized_default", 10, 2, &by_default))
		return true;
	if (by_default != 2)
		return by_default == 1;
	/* 2: only what is built in */
	return sysfs_read_text(device_directory, "removable", removable, sizeof(removable)) &&
	       strcmp(removable, "fixed") == 0;
}

static void device_clean(const struct job_paths *paths, struct device_id id, const char *name)
{
	char directory[PATH_MAX];

	if (usb_device_directory(paths, id, name, directory) != 0)
		return;
	(void)!sysfs_write(directory, "bConfigurationValue", "-1");
	(void)!device_reset(paths, id, name);
}

static int device_return(const struct job_paths *paths, struct device_id id, const char *name)
{
	char directory[PATH_MAX];
	int result;

	if (usb_device_directory(paths, id, name, directory) != 0)
		return 0;
	result = sysfs_write(directory, "authorized", "0");
	if (result == 0 && bus_authorizes(paths, id, directory))
		result = sysfs_write(directory, "authorized", "1");
	/* The kernel tells udev of its interfaces only. */
	if (result == 0)
		(void)!sysfs_write(directory, "uevent", "add");
	return result == -ENODEV || result == -ENOENT ? 0 : result;
}

static void run_release(struct job *job, const struct job_paths *paths)
{
	int other;

	device_clean(paths, job->device, job->device_name);
	device_clean(paths, job->other, job->other_name);
	port_release(&job->side[0]);
	port_release(&job->side[1]);
	job->error = device_return(paths, job->device, job->device_name);
	other = device_return(paths, job->other, job->other_name);
	if (job->error == 0)
		job->error = other;
	if (job->error != 0)
		snprintf(job->text, sizeof(job->text), "giving its device back to dom0 failed: %s",
			 strerror(-job->error));
}

static void run_label(struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX], text[512];
	size_t length;

	job->error = device_directory(job, paths, directory);
	if (job->error != 0)
		return;
	if (sysfs_read_text(directory, "serial", text, sizeof(text)))
		identity_serial(text, job->serial);
	if (!sysfs_read_text(directory, "product", text, sizeof(text)) &&
	    !sysfs_read_text(directory, "manufacturer", text, sizeof(text)))
		return;
	/* A device may call itself anything: nothing of it may reach a terminal as a command. */
	for (char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	length = strlen(text);
	while (length > 0 && text[length - 1] == ' ')
		text[--length] = '\0';
	snprintf(job->text, sizeof(job->text), "%.*s", (int)DEVICE_LABEL_MAX - 1, text);
}

void usb_job_run(struct job *job, const struct job_paths *paths)
{
	switch (job->type) {
	case JOB_CLAIM:
		run_claim(job, paths);
		break;
	case JOB_EVICT:
		run_evict(job, paths);
		break;
	case JOB_OPEN:
		run_open(job, paths);
		break;
	case JOB_RESET:
		run_reset(job, paths);
		break;
	case JOB_RELEASE:
		run_release(job, paths);
		break;
	case JOB_LABEL:
		run_label(job, paths);
		break;
	case JOB_HUB:
		hub_job_run(job, paths);
		break;
	case JOB_IMPORT:
	case JOB_DETACH:
		usbip_job_run(job, paths);
		break;
	case JOB_CLOSE:
	case JOB_QUIT:
		break;
	}
}

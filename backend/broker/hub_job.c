// SPDX-License-Identifier: MIT
/*
 * Opening a hub. Only the kernel's hub driver can drive a hub, and it binds to none in a claimed
 * port. So the port's claim has to be let go for a moment, in which a device could be met by other
 * drivers of dom0: one that is behind the hub, one that takes the hub's place, or the hub itself,
 * which may say that it is something for which dom0 has a driver.
 *
 * Therefore the kernel probes no USB driver for as long as that takes: drivers_autoprobe of the
 * bus `usb` is 0, and the hub is bound by name.
 *
 *   1. the hub is unconfigured, as any device in a given port
 *   2. drivers_autoprobe is 0; a note of that is in a file, in case that this is our last word
 *   3. the claim is let go; the hub is authorised anew, so that the kernel chooses its
 *      configuration, and bound to the driver `hub`
 *   4. the hub's own ports are claimed, and its port again
 *   5. drivers_autoprobe is 1 again, and what came meanwhile, anywhere, is probed now. What is in a
 *      claimed port is refused by the kernel then.
 *
 * It takes milliseconds, and seconds where the hub does not answer. given_hub.c sees to it that a
 * port does not have it done too often.
 */
#include <broker/hub_job.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <broker/sysfs.h>
#include <broker/usb_job.h>
#include <common/log.h>

#define ENTRIES_MAX 16384u /* devices and interfaces of all buses */
#define HUB_PORTS_MAX 255u /* bNbrPorts: USB 2.0, 11.23.2.1 */
#define INTERFACE_NAME_MAX (DEVICE_NAME_MAX + 16u)

/* What was there before probing was stopped. */
struct pause {
	bool stopped;
	uint64_t *seen; /* instances of devices and interfaces */
	uint32_t count;
};

static bool bus_directory(const struct job_paths *paths, const char *below, char path[PATH_MAX])
{
	return path_format(path, "%s/bus/usb%s", paths->mounted.sysfs, below);
}

static bool was_seen(const struct pause *pause, uint64_t instance)
{
	for (uint32_t i = 0; i < pause->count; i++)
		if (pause->seen[i] == instance)
			return true;
	return false;
}

/* Calls visit() for each device and interface of the bus, while it returns 0. */
static int entries_visit(const struct job_paths *paths, struct pause *pause,
			 int (*visit)(struct pause *pause, const char *bus, const char *path,
				      const char *name))
{
	char bus[PATH_MAX], devices[PATH_MAX], path[PATH_MAX];
	struct dirent *entry;
	int result = 0;
	DIR *dir;

	if (!bus_directory(paths, "", bus) || !bus_directory(paths, "/devices", devices))
		return -ENAMETOOLONG;
	dir = opendir(devices);
	if (!dir)
		return -errno;
	while (result == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && path_format(path, "%s/%s", devices, entry->d_name))
			result = visit(pause, bus, path, entry->d_name);
	closedir(dir);
	return result;
}

static int entry_note(struct pause *pause, const char *bus, const char *path, const char *name)
{
	(void)bus;
	(void)name;
	if (pause->count == ENTRIES_MAX)
		return -E2BIG;
	pause->seen[pause->count++] = sysfs_instance(path);
	return 0;
}

static int entry_probe(struct pause *pause, const char *bus, const char *path, const char *name)
{
	char driver[PATH_MAX];

	if (!was_seen(pause, sysfs_instance(path)) && path_format(driver, "%s/driver", path) &&
	    access(driver, F_OK) != 0)
		(void)!sysfs_write(bus, "drivers_probe", name);
	return 0;
}

static int note_write(const struct job_paths *paths)
{
	char directory[PATH_MAX];
	int fd;

	/* It is there already where the control socket is where it usually is. */
	if (!path_format(directory, "%s", paths->probing_note))
		return -ENAMETOOLONG;
	(void)mkdir(dirname(directory), 0755);
	fd = open(paths->probing_note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probing_stop(const struct job_paths *paths, struct pause *pause)
{
	char bus[PATH_MAX], value[8];
	int result;

	if (!bus_directory(paths, "", bus))
		return -ENAMETOOLONG;
	/* Where an administrator wants it so, it stays so. */
	if (!sysfs_read_text(bus, "drivers_autoprobe", value, sizeof(value)))
		return -ENOENT;
	if (value[0] == '0')
		return 0;
	pause->seen = calloc(ENTRIES_MAX, sizeof(*pause->seen));
	if (!pause->seen)
		return -ENOMEM;
	/* Before it is stopped: what comes in between is probed twice, and not never. */
	result = entries_visit(paths, pause, entry_note);
	if (result == 0)
		result = note_write(paths);
	if (result != 0)
		return result;
	result = sysfs_write(bus, "drivers_autoprobe", "0");
	if (result != 0)
		(void)unlink(paths->probing_note);
	pause->stopped = result == 0;
	return result;
}

static void probing_resume(const struct job_paths *paths, struct pause *pause)
{
	char bus[PATH_MAX];

	if (pause->stopped && bus_directory(paths, "", bus)) {
		if (sysfs_write(bus, "drivers_autoprobe", "1") == 0)
			(void)unlink(paths->probing_note);
		(void)!entries_visit(paths, pause, entry_probe);
	}
	free(pause->seen);
}

void hub_job_recover(const struct job_paths *paths)
{
	char bus[PATH_MAX];

	if (access(paths->probing_note, F_OK) != 0 || !bus_directory(paths, "", bus))
		return;
	log_line(LOG_LEVEL_WARNING,
		 "xvhcd was ended while it opened a hub: the kernel probes drivers for USB devices "
		 "again from now on. Plug in anew what was plugged into dom0 meanwhile");
	if (sysfs_write(bus, "drivers_autoprobe", "1") == 0)
		(void)unlink(paths->probing_note);
}

/* The port that the hub is in: lets its claim go, or takes it back. Returns 0 or -errno. */
static int own_port(const struct job *job, unsigned long request)
{
	for (int i = 0; i < 2; i++) {
		unsigned int port = job->side[i].port;

		if (job->side[i].fd >= 0 && ioctl(job->side[i].fd, request, &port) != 0)
			return -errno;
	}
	return 0;
}

/* Has the kernel configure the hub, and binds it to dom0's hub driver. */
static int hub_bind(const struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX], driver[PATH_MAX], interface[INTERFACE_NAME_MAX], value[8];
	int result = usb_device_directory(paths, job->device, job->device_name, directory);

	if (result == 0)
		result = sysfs_write(directory, "authorized", "0");
	if (result == 0)
		result = sysfs_write(directory, "authorized", "1");
	if (result != 0)
		return result;
	if (!sysfs_read_text(directory, "bConfigurationValue", value, sizeof(value)) ||
	    value[0] == '\0' || !bus_directory(paths, "/drivers/hub", driver))
		return -ENODEV;
	snprintf(interface, sizeof(interface), "%s:%s.0", job->device_name, value);
	return sysfs_write(driver, "bind", interface);
}

/* Claims each port of the hub. Returns the descriptor that holds the claims, or -errno. */
static int ports_claim(const struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX];
	uint32_t ports = 0;
	int fd, result = 0;

	result = usb_device_directory(paths, job->device, job->device_name, directory);
	if (result != 0)
		return result;
	if (!sysfs_read_number(directory, "maxchild", 10, HUB_PORTS_MAX, &ports) || ports == 0)
		return -ENODEV;
	fd = usb_node_open(paths, job->device, O_RDWR);
	for (unsigned int port = 1; fd >= 0 && result == 0 && port <= ports; port++)
		if (ioctl(fd, USBDEVFS_CLAIM_PORT, &port) != 0)
			result = -errno;
	if (fd >= 0 && result != 0) {
		close(fd);
		return result;
	}
	return fd;
}

static void hub_unbind(const struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX];

	if (usb_device_directory(paths, job->device, job->device_name, directory) == 0)
		(void)!sysfs_write(directory, "bConfigurationValue", "-1");
}

static uint64_t time_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int hub_open(struct job *job, const struct job_paths *paths)
{
	const uint64_t since_ms = time_ms();
	struct pause pause = {0};
	int result, claimed, fd = -1;

	result = probing_stop(paths, &pause);
	if (result == 0)
		result = own_port(job, USBDEVFS_RELEASE_PORT);
	if (result == 0) {
		result = hub_bind(job, paths);
		if (result == 0)
			fd = ports_claim(job, paths);
		claimed = own_port(job, USBDEVFS_CLAIM_PORT);
		job->claim_lost = claimed != 0;
		if (result == 0)
			result = fd < 0 ? fd : claimed;
	}
	if (result != 0) {
		hub_unbind(job, paths);
		if (fd >= 0)
			close(fd);
	}
	probing_resume(paths, &pause);
	job->paused_ms = (uint32_t)(time_ms() - since_ms);
	return result == 0 ? fd : result;
}

void hub_job_run(struct job *job, const struct job_paths *paths)
{
	int fd;

	job->error = usb_device_evict(job, paths);
	if (job->error == 0) {
		fd = hub_open(job, paths);
		job->error = fd < 0 ? fd : 0;
		job->fd = fd < 0 ? -1 : fd;
	}
	if (job->error != 0 && !job->in_use)
		snprintf(job->text, sizeof(job->text), "dom0's hub driver does not take it: %s",
			 strerror(-job->error));
}

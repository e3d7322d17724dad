// SPDX-License-Identifier: MIT
/*
 * The broker without Xen and without devices: its store is in memory, its sysfs a tree in a
 * temporary directory, and its jobs look only whether a disk is mounted. What stands between a
 * command and its answer is the real thing. So is a describer, which is this program again under
 * the worker's name: it reads the file `descriptors` of a device. Arguments: the socket, the ports
 * file and the configuration. It makes
 *
 *   1-1/2-1  empty                      1-5    a hub, with 1-5.1 and 1-5.2
 *   1-2/2-2  a stick                    1-6    a device that answers with nonsense
 *   1-3      a stick, mounted in dom0
 *   1-4      a device whose name would clear the screen
 *
 * and the running guest "web".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <broker/broker.h>
#include <broker/sysfs.h>
#include <broker/usbip_job.h>
#include <worker/describe.h>

#include "../unit/fake_sysfs.h"
#include "../unit/memory_store.h"

/* A stick's, as usbfs has them. */
static const unsigned char descriptors[] = {
	/* of the device */
	18, 1, 0, 2, 0, 0, 0, 64, 0xf4, 0x46, 1, 0, 0, 0, 0, 0, 0, 1,
	/* of its configuration */
	9, 2, 18, 0, 1, 1, 0, 0x80, 50,
	/* of its interface */
	9, 4, 0, 0, 0, 8, 6, 0x50, 0};

static int descriptors_open(const char *root, const char *device, int mode)
{
	char path[PATH_MAX];

	if (!path_format(path, "%s/bus/usb/devices/%s/descriptors", root, device))
		abort();
	return open(path, mode | O_CLOEXEC, 0600);
}

static void job_run(struct job *job, const struct job_paths *paths)
{
	char directory[PATH_MAX];

	if (!path_format(directory, "%s/bus/usb/devices/%s", paths->mounted.sysfs,
			 job->device_name))
		abort();
	if (job->type == JOB_LABEL) {
		usb_job_run(job, paths);
		return;
	}
	/* Only the other machine is asked: no port of vhci_hcd is claimed. */
	if (job->type == JOB_IMPORT) {
		usbip_attach(job, paths);
		if (job->error == 0)
			abort();
	}
	if (job->type == JOB_EVICT && device_is_in_use(&paths->mounted, directory, job->text)) {
		job->error = -EBUSY;
		job->in_use = true;
	}
	if (job->type == JOB_EVICT && strcmp(job->device_name, "1-6") == 0) {
		job->error = -EIO;
		snprintf(job->text, sizeof(job->text), "the device does not answer");
	}
	if (job->type == JOB_OPEN && job->describe) {
		job->fd = descriptors_open(paths->mounted.sysfs, job->device_name, O_RDONLY);
		job->error = job->fd < 0 ? -errno : 0;
	}
	if (job->type == JOB_HUB)
		job->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int side = 0; side < 2; side++) {
		if (job->type == JOB_CLAIM && job->side[side].hub.bus && job->side[side].fd < 0)
			job->side[side].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (job->type == JOB_RELEASE && job->side[side].fd >= 0)
			close(job->side[side].fd);
	}
}

static void machine_make(const struct fake_sysfs *sysfs)
{
	static const char *const sticks[] = {"1-2", "1-3", "1-4", "1-6"};
	int fd;

	fake_bus(sysfs, "0000:00:04.0", 1, "480\n", 6);
	fake_bus(sysfs, "0000:00:04.0", 2, "5000\n", 2);
	fake_peers(sysfs, "usb1-port1", "usb2-port1");
	fake_peers(sysfs, "usb1-port2", "usb2-port2");
	for (unsigned int i = 0; i < sizeof(sticks) / sizeof(sticks[0]); i++) {
		fake_device(sysfs, sticks[i], 10 + i, "480\n", 0, 0);
		fd = descriptors_open(sysfs->root, sticks[i], O_WRONLY | O_CREAT);
		if (write(fd, descriptors, sizeof(descriptors)) != sizeof(descriptors))
			abort();
		close(fd);
	}
	fake_device(sysfs, "1-5", 30, "480\n", 9, 2);
	fake_disk(sysfs, "1-3", "sda");
	fake_file(sysfs, "40 22 8:1 / /media/holiday\\040photos rw - vfat /dev/sda1 rw\n",
		  "mountinfo");
	fake_file(sysfs, "\x1b[2J\x1b[H gone \xff\n", "devices/0000:00:04.0/usb1/1-4/product");
	fake_file(sysfs, "A b\n", "devices/0000:00:04.0/usb1/1-2/serial");
	fake_file(sysfs, "C#\n", "devices/0000:00:04.0/usb1/1-4/serial");
}

int main(int argc, char **argv)
{
	static struct broker broker;
	struct broker_options options = {.worker = "/proc/self/exe"};
	char mountinfo[PATH_MAX], swaps[PATH_MAX], usbip[PATH_MAX];
	struct job_paths paths = {0};
	struct fake_sysfs sysfs;
	struct xenstore *store;
	int code = EXIT_FAILURE;

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return describe_is_wanted(3) ? describe(3, NULL) : EXIT_FAILURE;
	if (argc != 4)
		return EXIT_FAILURE;
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	fake_sysfs_open(&sysfs);
	machine_make(&sysfs);
	if (!path_format(mountinfo, "%s/mountinfo", sysfs.root) ||
	    !path_format(swaps, "%s/swaps", sysfs.root))
		return EXIT_FAILURE;
	paths.mounted.sysfs = sysfs.root;
	paths.mounted.mountinfo = mountinfo;
	paths.mounted.swaps = swaps;
	options.sysfs = sysfs.root;
	options.socket = argv[1];
	options.ports_file = argv[2];
	options.config = argv[3];
	/* What stands there for Debian's program is the test's. */
	if (!path_format(usbip, "%s/../usbip", sysfs.root))
		return EXIT_FAILURE;
	paths.usbip = usbip;
	options.paths = &paths;
	options.run_job = job_run;
	store = memory_store_open();
	memory_store_guest(store, 7, "web");
	if (broker_init(&broker, &options, store) == 0) {
		broker_run(&broker);
		code = EXIT_SUCCESS;
	}
	broker_fini(&broker);
	fake_sysfs_close(&sysfs);
	return code;
}

// SPDX-License-Identifier: MIT
/* What the kernel has for USB, and who else is after the ports. */
#include "doctor.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xvhc/limits.h>

#define DEVICES "/sys/bus/usb/devices"
#define PARAMETERS "/sys/module/usbcore/parameters/"
#define RAISE                                                                                      \
	"Boot dom0 with usbcore.usbfs_memory_mb=64, or for now: echo 64 "                          \
	">" PARAMETERS "usbfs_memory_mb"

/* What a controller of version 2 takes of usbfs' memory: at least, and where there is enough. */
#define CONTROLLER_OVERHEAD ((uint64_t)XVHC_WORKER_TRANSFERS_MAX * XVHC_TRANSFER_OVERHEAD)
#define CONTROLLER_BYTES_MIN (XVHC_WORKER_BYTES_MIN_2 + CONTROLLER_OVERHEAD)
#define CONTROLLER_BYTES_MAX (XVHC_WORKER_BYTES_MAX + CONTROLLER_OVERHEAD)

void check_usb(struct doctor *doctor)
{
	int buses = doctor_count(doctor, DEVICES, "usb");

	if (buses < 0)
		finding_add(doctor, "usb", LEVEL_FAILURE, "Load it: modprobe usbcore.",
			    "the kernel's module usbcore is not there");
	else if (buses == 0)
		finding_add(
			doctor, "usb", LEVEL_FAILURE,
			"Load the driver: modprobe xhci-pci (or ehci-pci). If the controller is "
			"given to a guest by PCI passthrough, its ports are that guest's.",
			"there is no USB host controller here");
	else if (!doctor_has(doctor, "/dev/bus/usb"))
		finding_add(doctor, "usb", LEVEL_FAILURE,
			    "Let udev or devtmpfs make it: systemctl start systemd-udevd.",
			    "there is no /dev/bus/usb, by which devices are used");
	else
		finding_add(doctor, "usb", LEVEL_OK, NULL, "there are %d USB buses", buses);
}

/* A number of the broker's answer; 0: there is none. */
static uint64_t answer_number(const struct doctor *doctor, const char *name)
{
	struct json_object *member;

	if (!doctor->answer || !json_object_object_get_ex(doctor->answer, name, &member))
		return 0;
	return (uint64_t)json_object_get_int64(member);
}

void check_usbfs_memory(struct doctor *doctor)
{
	uint64_t used = answer_number(doctor, "usbfs-used"), limit, left;
	char text[32];

	if (!doctor_read(doctor, PARAMETERS "usbfs_memory_mb", text, sizeof(text)))
		return; /* without usbcore, of which check_usb() has told */
	limit = (uint64_t)strtoul(text, NULL, 10) << 20;
	left = limit > used ? limit - used : 0;
	if (limit == 0)
		finding_add(doctor, "usbfs-memory", LEVEL_OK, NULL,
			    "usbfs may use as much memory as there is (usbfs_memory_mb is 0)");
	else if (limit < CONTROLLER_BYTES_MIN)
		finding_add(doctor, "usbfs-memory", LEVEL_FAILURE, RAISE,
			    "usbfs_memory_mb is %s: that is too little for any guest of version 2",
			    text);
	else if (left < CONTROLLER_BYTES_MIN)
		finding_add(
			doctor, "usbfs-memory", LEVEL_WARNING, RAISE,
			"usbfs_memory_mb is %s, and guests have %llu KiB of it: nothing is left "
			"for one more",
			text, (unsigned long long)(used >> 10));
	else
		finding_add(doctor, "usbfs-memory", LEVEL_OK, NULL,
			    "usbfs_memory_mb is %s: enough for %llu guest controllers more", text,
			    (unsigned long long)(left < CONTROLLER_BYTES_MAX
							 ? 1
							 : left / CONTROLLER_BYTES_MAX));
}

void check_authorization(struct doctor *doctor)
{
	char text[32];

	if (!doctor_read(doctor, PARAMETERS "authorized_default", text, sizeof(text)))
		return;
	if (strcmp(text, "0") == 0)
		finding_add(doctor, "boot", LEVEL_OK, NULL,
			    "dom0's drivers get no device at boot but those that a rule lets in "
			    "(authorized_default is 0)");
	else
		finding_add(doctor, "boot", LEVEL_OK, NULL,
			    "dom0's drivers may have a device in a given port at boot, until xvhcd "
			    "runs (authorized_default is %s; xvhcd(8) tells how to close this gap)",
			    text);
}

static void check_usbip(struct doctor *doctor)
{
	DIR *directory = doctor_open(doctor, "/sys/bus/usb/drivers/usbip-host");
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		finding_add(doctor, "rivals", LEVEL_WARNING,
			    "If a guest is to have it here: usbip unbind -b, and its name.",
			    "USB/IP exports the device %s", entry->d_name);
	}
	closedir(directory);
}

/* The programs that run, by the names that the kernel has for them. */
static void check_programs(struct doctor *doctor)
{
	DIR *directory = doctor_open(doctor, "/proc");
	struct dirent *entry;
	char path[320], name[32];

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (!doctor_read(doctor, path, name, sizeof(name)) ||
		    strncmp(name, "usbguard-daemon", 15) != 0)
			continue;
		finding_add(doctor, "rivals", LEVEL_WARNING,
			    "Allow what is plugged into given ports in its rules (usbguard "
			    "append-rule), or leave the choice to the filters of xvhc.conf.",
			    "USBGuard runs: it may block devices in given ports");
		break;
	}
	closedir(directory);
}

void check_rivals(struct doctor *doctor)
{
	uint32_t before = doctor->counts[LEVEL_OK] + doctor->counts[LEVEL_WARNING];
	struct json_object *qusb = NULL;

	if (doctor_has(doctor, "/sys/bus/usb/drivers/usbback"))
		finding_add(
			doctor, "rivals", LEVEL_WARNING,
			"Unload it: rmmod xen-usbback. Only one can serve a guest's controller.",
			"the kernel's own backend usbback is loaded");
	if (doctor->answer)
		json_object_object_get_ex(doctor->answer, "qusb", &qusb);
	for (size_t i = 0; qusb && i < json_object_array_length(qusb); i++)
		finding_add(doctor, "rivals", LEVEL_WARNING,
			    "Do not give QEMU a device that is in a port of xvhc's. To have xvhcd "
			    "serve the controller, make it of type=pv (xl.md).",
			    "QEMU serves a USB controller of guest %s (type=qusb)",
			    json_object_get_string(json_object_array_get_idx(qusb, i)));
	check_usbip(doctor);
	check_programs(doctor);
	if (doctor->counts[LEVEL_OK] + doctor->counts[LEVEL_WARNING] == before)
		finding_add(doctor, "rivals", LEVEL_OK, NULL,
			    "nobody else is after the ports: no usbback, qusb, USB/IP or USBGuard");
}

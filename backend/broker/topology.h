/* SPDX-License-Identifier: MIT */
/*
 * The USB ports and devices of this machine, as sysfs shows them at one moment. A scan opens no
 * device and reads no attribute for which the kernel takes a device's lock, so it does not wait for
 * a device that does not answer.
 *
 * A connector that is two ports to the kernel, one up to high speed and one of SuperSpeed, linked
 * by `peer` in sysfs, is one struct connector.
 */
#ifndef XVHC_BROKER_TOPOLOGY_H
#define XVHC_BROKER_TOPOLOGY_H

#include <broker/place.h>
#include <message.h>

#define TOPOLOGY_DEVICES_MAX 4096u
#define TOPOLOGY_PORTS_MAX 8192u
#define DEVICE_NAME_MAX 32u  /* bytes of a sysfs name such as 1-2.3, with the NUL */
#define DEVICE_LABEL_MAX 80u /* bytes of what a device calls itself, with the NUL */

/*
 * One enumeration of one device: a replug changes it. bus 0: no device. The kernel gives a number
 * again after a while, and at once where a host controller comes back; it never gives an inode of
 * sysfs again.
 */
struct device_id {
	uint16_t bus;
	uint16_t device;
	uint64_t instance; /* inode of the device's directory */
};

#define CLASS_HUB 9u /* bDeviceClass */

struct usb_device {
	struct device_id id;
	char name[DEVICE_NAME_MAX];
	uint16_t vendor;
	uint16_t product;
	uint16_t version; /* bcdDevice */
	uint8_t class;    /* bDeviceClass */
	enum usb_speed speed;
	bool labelled;                /* label was asked for and has come, or is on its way */
	bool named;                   /* label and serial have come */
	char label[DEVICE_LABEL_MAX]; /* printable characters only */
	char serial[XVHC_SERIAL_MAX]; /* as identity_serial() writes it; empty: none */
};

/* A port as the kernel knows it. */
struct kernel_port {
	struct short_name name;
	struct place place;
	char hub[DEVICE_NAME_MAX]; /* sysfs name of the hub that it belongs to */
	struct device_id hub_id;
	uint64_t instance; /* inode of the port's directory: it is made anew with the port */
	uint8_t number;    /* of that hub */
	bool has_peer;
	struct short_name peer;
	const struct usb_device *device; /* what is plugged into it; NULL: nothing */
};

/* A port as a person knows it. At least one side is there. */
struct connector {
	const struct kernel_port *side[2]; /* 0: up to high speed; 1: SuperSpeed */
};

struct topology {
	struct usb_device *devices;
	uint32_t device_count;
	struct kernel_port *ports;
	uint32_t port_count;
	struct connector *connectors;
	uint32_t connector_count;
	uint64_t scans; /* that went well */
};

/*
 * Reads sysfs, mounted at root ("/sys"). What the scan before it had learnt about a device that is
 * still there is kept. Returns 0 or -errno; then the topology is as before.
 */
XVHC_MUST_CHECK int topology_scan(struct topology *topology, const char *root);

/* Frees what a scan allocated. */
void topology_fini(struct topology *topology);

/* The connector of this place, of either side. NULL: none. */
const struct connector *topology_find_place(const struct topology *topology,
					    const struct place *place);

/* The connector with this name in any of the accepted forms. NULL: none. */
const struct connector *topology_find_name(const struct topology *topology, const char *name);

/* The place by which a connector goes: its USB 2 side's where it has one. */
const struct place *connector_place(const struct connector *connector);

/* The device plugged into a connector, on either side. NULL: none. */
const struct usb_device *connector_device(const struct connector *connector);

/* Writes `1-1`, or `1-1/2-1` for a connector with two sides. */
void connector_names(const struct connector *connector, char text[2 * PLACE_SHORT_MAX]);

bool device_id_equal(struct device_id a, struct device_id b);

/* The device with this id, to be written to. NULL: none. */
struct usb_device *topology_find_device(struct topology *topology, struct device_id id);

/* The words for a speed: "480 Mbit/s". */
const char *speed_text(enum usb_speed speed);

#endif

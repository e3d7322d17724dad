/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A USB bus that is played in dom0's kernel, because none of QEMU's hubs is a high-speed one: a
 * host controller with one port, in it a high-speed hub with two ports, and in these a low-speed
 * keyboard and a full-speed SourceSink. What the kernel makes of them is its own: the hub driver,
 * usbfs, the transaction translator that a device behind such a hub is told by.
 *
 * All of it is under bus->lock.
 */
#ifndef LAB_HSBUS_H
#define LAB_HSBUS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/usb.h>
#include <linux/usb/ch11.h>
#include <linux/usb/hcd.h>
#include <linux/workqueue.h>

#define HUB_PORTS 2

/* Bits of the parameter "plugged". */
#define PLUGGED_HUB 0x1
#define PLUGGED_BEHIND(index) (0x2 << (index))

/* A device that is played. */
struct played {
	enum usb_device_speed speed;
	const struct usb_device_descriptor *device;
	const void *config;
	u16 config_bytes;
	/*
	 * A request that is not answered by the descriptors above. buffer has room for wLength
	 * bytes, and has the data of an OUT request. Returns the bytes of the answer, or -EPIPE.
	 */
	int (*control)(const struct usb_ctrlrequest *setup, u8 *buffer);
	/* Another transfer. Returns its bytes, or -EAGAIN: there is nothing yet. */
	int (*transfer)(struct urb *urb);
	u8 address;
	u8 configuration;
};

/* A port: wPortStatus and wPortChange (USB 2.0, 11.24.2.7). */
struct bus_port {
	u16 status;
	u16 change;
};

struct bus {
	struct usb_hcd *hcd;
	spinlock_t lock; /* of all that this module has */
	struct list_head urbs; /* struct pending */
	struct delayed_work serve;
	struct bus_port root; /* the port that the hub is in */
	struct bus_port behind[HUB_PORTS];
	unsigned long plugged;
};

extern struct bus bus;
extern struct played hub;
extern struct played keyboard;
extern struct played sourcesink;

/* Looks again for transfers that can be answered now. */
void bus_serve(void);

/* The device in a port of the hub. */
struct played *played_behind(int index);

/* As on a bus reset: USB 2.0, 9.1.1.3. */
void played_reset(struct played *played);

/* The host controller's side: one port, as struct hc_driver wants it. */
int roothub_status_data(struct usb_hcd *hcd, char *buffer);
int roothub_control(struct usb_hcd *hcd, u16 type, u16 value, u16 index, char *buffer, u16 length);

/* What is plugged in has changed. */
void roothub_follow(void);
void hub_follow(void);
void hub_reset(void);

/* A key is pressed and released: its usage (HID Usage Tables, page 7). */
int keyboard_press(u8 usage);
extern u8 keyboard_lights;

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* The high-speed hub, with one transaction translator (USB 2.0, chapter 11). */
#include "hsbus.h"

static const struct usb_device_descriptor device = {
	.bLength = USB_DT_DEVICE_SIZE,
	.bDescriptorType = USB_DT_DEVICE,
	.bcdUSB = cpu_to_le16(0x0200),
	.bDeviceClass = USB_CLASS_HUB,
	.bDeviceProtocol = USB_HUB_PR_HS_SINGLE_TT,
	.bMaxPacketSize0 = 64,
	.idVendor = cpu_to_le16(0x1d6b),
	.idProduct = cpu_to_le16(0x0102),
	.bNumConfigurations = 1,
};

static const u8 config[] = {
	9, USB_DT_CONFIG, 25, 0, 1, 1, 0, 0xe0, 0,
	9, USB_DT_INTERFACE, 0, 0, 1, USB_CLASS_HUB, 0, 0, 0,
	7, USB_DT_ENDPOINT, 0x81, USB_ENDPOINT_XFER_INT, 1, 0, 12,
};

/* Ports are powered one by one; power is good after 2 * 50 ms. */
static const u8 hub_descriptor[] = {9, USB_DT_HUB, HUB_PORTS, 0x09, 0x00, 50, 0, 0, 0xff};

struct played *played_behind(int index)
{
	return index == 0 ? &keyboard : &sourcesink;
}

void hub_reset(void)
{
	played_reset(&hub);
	memset(bus.behind, 0, sizeof(bus.behind));
}

void hub_follow(void)
{
	int i;

	for (i = 0; i < HUB_PORTS; i++) {
		struct bus_port *port = &bus.behind[i];
		bool there = (bus.plugged & PLUGGED_BEHIND(i)) &&
			     (port->status & USB_PORT_STAT_POWER);

		if (there == !!(port->status & USB_PORT_STAT_CONNECTION))
			continue;
		port->status &= USB_PORT_STAT_POWER;
		port->change |= USB_PORT_STAT_C_CONNECTION;
		if (there)
			port->status |= USB_PORT_STAT_CONNECTION;
		if (there && played_behind(i)->speed == USB_SPEED_LOW)
			port->status |= USB_PORT_STAT_LOW_SPEED;
	}
}

static int port_set(int index, u16 feature)
{
	struct bus_port *port = &bus.behind[index];

	port->status |= 1 << feature;
	if (feature == USB_PORT_FEAT_RESET) {
		/* Over at once. */
		port->status &= ~USB_PORT_STAT_RESET;
		port->change |= USB_PORT_STAT_C_RESET;
		if (port->status & USB_PORT_STAT_CONNECTION)
			port->status |= USB_PORT_STAT_ENABLE;
		played_reset(played_behind(index));
	}
	hub_follow();
	bus_serve();
	return 0;
}

static int port_clear(int index, u16 feature)
{
	struct bus_port *port = &bus.behind[index];

	if (feature >= USB_PORT_FEAT_C_CONNECTION)
		port->change &= ~(1 << (feature - USB_PORT_FEAT_C_CONNECTION));
	else
		port->status &= ~(1 << feature);
	hub_follow();
	return 0;
}

static int answer(const struct usb_ctrlrequest *setup, u8 *buffer, const void *data, u16 length)
{
	length = min_t(u16, length, le16_to_cpu(setup->wLength));
	memcpy(buffer, data, length);
	return length;
}

/* USB 2.0, table 11-16. */
static int hub_control(const struct usb_ctrlrequest *setup, u8 *buffer)
{
	u16 feature = le16_to_cpu(setup->wValue);
	int index = (le16_to_cpu(setup->wIndex) & 0xff) - 1;
	bool of_port = (setup->bRequestType & USB_RECIP_MASK) == USB_RECIP_OTHER;
	__le16 status[2] = {};

	if ((setup->bRequestType & USB_TYPE_MASK) != USB_TYPE_CLASS)
		return -EPIPE;
	if (of_port && (index < 0 || index >= HUB_PORTS || feature >= 32))
		return -EPIPE;
	switch (setup->bRequest) {
	case USB_REQ_GET_DESCRIPTOR:
		return answer(setup, buffer, hub_descriptor, sizeof(hub_descriptor));
	case USB_REQ_GET_STATUS:
		if (of_port) {
			status[0] = cpu_to_le16(bus.behind[index].status);
			status[1] = cpu_to_le16(bus.behind[index].change);
		}
		return answer(setup, buffer, status, sizeof(status));
	case USB_REQ_SET_FEATURE:
		return of_port ? port_set(index, feature) : 0;
	case USB_REQ_CLEAR_FEATURE:
		return of_port ? port_clear(index, feature) : 0;
	case HUB_CLEAR_TT_BUFFER:
	case HUB_RESET_TT:
		return 0;
	default:
		return -EPIPE;
	}
}

/* Which ports have changed. */
static int hub_transfer(struct urb *urb)
{
	u8 *bits = urb->transfer_buffer;
	u8 changed = 0;
	int i;

	for (i = 0; i < HUB_PORTS; i++)
		if (bus.behind[i].change)
			changed |= 2 << i;
	if (!changed)
		return -EAGAIN;
	bits[0] = changed;
	return 1;
}

struct played hub = {
	.speed = USB_SPEED_HIGH,
	.device = &device,
	.config = config,
	.config_bytes = sizeof(config),
	.control = hub_control,
	.transfer = hub_transfer,
};

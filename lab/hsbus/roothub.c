// SPDX-License-Identifier: GPL-2.0-only
/* The host controller's one port, in which the hub is, or nothing. */
#include "hsbus.h"

void roothub_follow(void)
{
	bool there = bus.plugged & PLUGGED_HUB;

	if (there == !!(bus.root.status & USB_PORT_STAT_CONNECTION))
		return;
	bus.root.status &= USB_PORT_STAT_POWER;
	if (there)
		bus.root.status |= USB_PORT_STAT_CONNECTION;
	bus.root.change |= USB_PORT_STAT_C_CONNECTION;
	hub_reset();
}

static void port_set(u16 feature)
{
	bus.root.status |= 1 << feature;
	if (feature != USB_PORT_FEAT_RESET)
		return;
	/* Over at once. */
	bus.root.status &= ~USB_PORT_STAT_RESET;
	if (!(bus.root.status & USB_PORT_STAT_CONNECTION))
		return;
	bus.root.status |= USB_PORT_STAT_ENABLE | USB_PORT_STAT_HIGH_SPEED;
	bus.root.change |= USB_PORT_STAT_C_RESET;
	hub_reset();
}

static void port_clear(u16 feature)
{
	if (feature >= USB_PORT_FEAT_C_CONNECTION)
		bus.root.change &= ~(1 << (feature - USB_PORT_FEAT_C_CONNECTION));
	else
		bus.root.status &= ~(1 << feature);
}

static void descriptor_write(struct usb_hub_descriptor *descriptor)
{
	memset(descriptor, 0, USB_DT_HUB_NONVAR_SIZE + 2);
	descriptor->bDescLength = USB_DT_HUB_NONVAR_SIZE + 2;
	descriptor->bDescriptorType = USB_DT_HUB;
	descriptor->bNbrPorts = 1;
	descriptor->u.hs.DeviceRemovable[1] = 0xff;
}

int roothub_status_data(struct usb_hcd *hcd, char *buffer)
{
	unsigned long saved;

	spin_lock_irqsave(&bus.lock, saved);
	buffer[0] = bus.root.change ? 1 << 1 : 0;
	spin_unlock_irqrestore(&bus.lock, saved);
	return buffer[0] ? 1 : 0;
}

int roothub_control(struct usb_hcd *hcd, u16 type, u16 value, u16 index, char *buffer, u16 length)
{
	__le16 status[2] = {};
	unsigned long saved;
	int rc = 0;

	spin_lock_irqsave(&bus.lock, saved);
	switch (type) {
	case GetHubDescriptor:
		descriptor_write((void *)buffer);
		break;
	case GetHubStatus:
		memcpy(buffer, status, sizeof(status));
		break;
	case GetPortStatus:
		status[0] = cpu_to_le16(bus.root.status);
		status[1] = cpu_to_le16(bus.root.change);
		memcpy(buffer, status, sizeof(status));
		break;
	case SetPortFeature:
		port_set(value);
		break;
	case ClearPortFeature:
		port_clear(value);
		break;
	case SetHubFeature:
	case ClearHubFeature:
		break;
	default:
		rc = -EPIPE;
	}
	spin_unlock_irqrestore(&bus.lock, saved);
	return rc;
}

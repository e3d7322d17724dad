// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root hub for devices up to high speed, as the hub driver sees it (USB 2.0, 11.24), and what
 * both root hubs have in common.
 */
#include "xvhc.h"

/* The rest of struct usb_port_status is of USB 3.1. */
#define USB_PORT_STATUS_BYTES 4

static u16 speed_status(u8 speed)
{
	switch (speed) {
	case XVHCIF_SPEED_LOW:
		return USB_PORT_STAT_LOW_SPEED;
	case XVHCIF_SPEED_HIGH:
		return USB_PORT_STAT_HIGH_SPEED;
	default:
		return 0;
	}
}

static void high_disable(struct port *port)
{
	port->status = port->powered ? USB_PORT_STAT_POWER : 0;
}

static void high_connect(struct port *port)
{
	port->status |= USB_PORT_STAT_CONNECTION;
	/* That a device is of high speed shows in its reset; that it is of low speed, at once. */
	if (port->speed == XVHCIF_SPEED_LOW)
		port->status |= USB_PORT_STAT_LOW_SPEED;
	port->change |= USB_PORT_STAT_C_CONNECTION;
}

static void high_reset_end(struct port *port)
{
	port->status &= ~USB_PORT_STAT_RESET;
	port->change |= USB_PORT_STAT_C_RESET;
	if (port->status & USB_PORT_STAT_CONNECTION)
		port->status |= USB_PORT_STAT_ENABLE | speed_status(port->speed);
}

static void high_resume_end(struct port *port)
{
	port->status &= ~USB_PORT_STAT_SUSPEND;
	port->change |= USB_PORT_STAT_C_SUSPEND;
}

static bool high_wake(struct port *port)
{
	if (!(port->status & USB_PORT_STAT_SUSPEND))
		return false;
	high_resume_end(port);
	return true;
}

static void high_overcurrent(struct port *port)
{
	port->status |= USB_PORT_STAT_OVERCURRENT;
	port->change |= USB_PORT_STAT_C_OVERCURRENT;
}

const struct side_ops roothub_ops = {
	.disable = high_disable,
	.connect = high_connect,
	.reset_end = high_reset_end,
	.resume_end = high_resume_end,
	.wake = high_wake,
	.overcurrent = high_overcurrent,
};

void roothubs_notify(struct controller *controller)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		struct usb_hcd *hcd = controller->hcds[side];

		if (!hcd)
			continue;
		if (hcd->state == HC_STATE_SUSPENDED)
			usb_hcd_resume_root_hub(hcd);
		usb_hcd_poll_rh_status(hcd);
	}
}

int roothub_status(struct usb_hcd *hcd, char *buffer)
{
	struct controller *controller = hcd_controller(hcd);
	const struct port *ports = controller->ports[hcd_root_hub(hcd)->side];
	u32 bitmap = 0;
	unsigned long flags;
	int length = 1 + controller->port_count / 8;
	int i;

	spin_lock_irqsave(&controller->lock, flags);
	for (i = 0; i < controller->port_count; i++)
		if (ports[i].change)
			bitmap |= BIT(i + 1);
	spin_unlock_irqrestore(&controller->lock, flags);

	for (i = 0; i < length; i++)
		buffer[i] = bitmap >> 8 * i;
	return bitmap ? length : 0;
}

int roothub_suspend(struct usb_hcd *hcd)
{
	return 0;
}

int roothub_resume(struct usb_hcd *hcd)
{
	return 0;
}

static int high_feature_set(struct port *port, u16 feature)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		port_power(port, true);
		return 0;
	case USB_PORT_FEAT_RESET:
		if (!port->powered)
			return -EPIPE;
		port->status &= ~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
		port->status |= USB_PORT_STAT_RESET;
		port_reset(port, false);
		return 0;
	case USB_PORT_FEAT_SUSPEND:
		if (!(port->status & USB_PORT_STAT_ENABLE))
			return -EPIPE;
		port->status |= USB_PORT_STAT_SUSPEND;
		port_suspend(port);
		return 0;
	default:
		return -EPIPE;
	}
}

static int high_feature_clear(struct port *port, u16 feature)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		port_power(port, false);
		return 0;
	case USB_PORT_FEAT_ENABLE:
		port->status &= ~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
		port->phase = PORT_STEADY;
		return 0;
	case USB_PORT_FEAT_SUSPEND:
		if (port->status & USB_PORT_STAT_SUSPEND)
			port_resume(port);
		return 0;
	case USB_PORT_FEAT_C_CONNECTION:
		port_change_seen(port);
		return 0;
	case USB_PORT_FEAT_C_ENABLE:
	case USB_PORT_FEAT_C_SUSPEND:
	case USB_PORT_FEAT_C_OVER_CURRENT:
	case USB_PORT_FEAT_C_RESET:
		port->change &= ~BIT(feature - USB_PORT_FEAT_C_CONNECTION);
		return 0;
	default:
		return -EPIPE;
	}
}

static void hub_describe(const struct controller *controller, struct usb_hub_descriptor *hub)
{
	u8 *bitmaps = (u8 *)hub + USB_DT_HUB_NONVAR_SIZE;
	u8 bytes = 1 + controller->port_count / 8;

	hub->bDescLength = USB_DT_HUB_NONVAR_SIZE + 2 * bytes;
	hub->bDescriptorType = USB_DT_HUB;
	hub->bNbrPorts = controller->port_count;
	hub->wHubCharacteristics = cpu_to_le16(HUB_CHAR_INDV_PORT_LPSM | HUB_CHAR_NO_OCPM);
	hub->bPwrOn2PwrGood = 0;
	hub->bHubContrCurrent = 0;
	/* DeviceRemovable, then PortPwrCtrlMask, which USB 1.1 wants set. */
	memset(bitmaps, 0, bytes);
	memset(bitmaps + bytes, 0xff, bytes);
}

void roothub_port_status(struct port *port, char *buffer)
{
	struct usb_port_status status;

	port_look(port);
	status.wPortStatus = cpu_to_le16(port->status);
	status.wPortChange = cpu_to_le16(port->change);
	memcpy(buffer, &status, USB_PORT_STATUS_BYTES);
}

static int high_port_control(struct port *port, u16 type_request, u16 value, char *buffer)
{
	switch (type_request) {
	case GetPortStatus:
		roothub_port_status(port, buffer);
		return 0;
	case SetPortFeature:
		return high_feature_set(port, value);
	default:
		return high_feature_clear(port, value);
	}
}

static int hub_control(struct usb_hcd *hcd, u16 type_request, u16 value, char *buffer, u16 length)
{
	struct controller *controller = hcd_controller(hcd);

	switch (type_request) {
	case GetHubDescriptor:
		if (hcd_root_hub(hcd)->side == SIDE_SUPER)
			return roothub_super_describe(controller, value, buffer);
		hub_describe(controller, (struct usb_hub_descriptor *)buffer);
		return 0;
	case DeviceRequest | USB_REQ_GET_DESCRIPTOR:
		if (hcd_root_hub(hcd)->side == SIDE_SUPER)
			return roothub_super_capabilities(value, buffer, length);
		return -EPIPE;
	case GetHubStatus:
		memset(buffer, 0, sizeof(struct usb_hub_status));
		return 0;
	case SetHubDepth:
	case ClearHubFeature:
		return 0;
	default:
		return -EPIPE;
	}
}

static bool is_reset(u16 feature)
{
	return feature == USB_PORT_FEAT_RESET || feature == USB_PORT_FEAT_BH_PORT_RESET;
}

/* In process context, and with locks of the hub driver: port_await() sleeps. */
int roothub_control(struct usb_hcd *hcd, u16 type_request, u16 value, u16 index, char *buffer,
		    u16 length)
{
	struct controller *controller = hcd_controller(hcd);
	enum side side = hcd_root_hub(hcd)->side;
	/* The high byte is a parameter of the feature. */
	u8 portnum = index & 0xff;
	unsigned long flags;
	struct port *port;
	int rc;

	switch (type_request) {
	case GetPortStatus:
	case SetPortFeature:
	case ClearPortFeature:
		break;
	default:
		return hub_control(hcd, type_request, value, buffer, length);
	}
	if (portnum == 0 || portnum > controller->port_count)
		return -EPIPE;
	port = &controller->ports[side][portnum - 1];
	if (type_request == SetPortFeature && is_reset(value))
		port_await(port);
	spin_lock_irqsave(&controller->lock, flags);
	if (side == SIDE_SUPER)
		rc = roothub_super_port_control(port, type_request, value, index >> 8, buffer);
	else
		rc = high_port_control(port, type_request, value, buffer);
	spin_unlock_irqrestore(&controller->lock, flags);
	/* Power brings up devices that were there before; the other one, those that came next. */
	if ((type_request == SetPortFeature && value == USB_PORT_FEAT_POWER) ||
	    (type_request == ClearPortFeature && value == USB_PORT_FEAT_C_CONNECTION))
		usb_hcd_poll_rh_status(hcd);
	return rc;
}

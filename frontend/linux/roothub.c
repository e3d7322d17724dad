// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ports, as the hub driver sees them (USB 2.0, 11.24).
 *
 * Version 1 of the wire tells when a device comes and goes, and nothing else. Reset, suspend and
 * resume of a port are played here: they take the time that they take on a bus, and succeed when
 * the hub driver next asks. The backend learns of a reset by a request to address 0.
 */
#include "xvhc.h"

#include <linux/jiffies.h>
#include <linux/usb/ch11.h>

/* USB 2.0, 7.1.7.5 (TDRSTR) and 7.1.7.7 (TDRSMDN). */
#define RESET_TIME_MS 50
#define RESUME_TIME_MS 20

/* The rest of struct usb_port_status is of USB 3.1. */
#define USB_PORT_STATUS_BYTES 4

static u16 speed_status(u8 speed)
{
	switch (speed) {
	case USBIF_SPEED_LOW:
		return USB_PORT_STAT_LOW_SPEED;
	case USBIF_SPEED_HIGH:
		return USB_PORT_STAT_HIGH_SPEED;
	default:
		return 0;
	}
}

static void port_disable(struct port *port)
{
	port->status &= USB_PORT_STAT_POWER;
	port->phase = PORT_STEADY;
}

static void port_connect(struct port *port)
{
	port->status |= USB_PORT_STAT_CONNECTION;
	/* That a device is of high speed shows in its reset; that it is of low speed, at once. */
	if (port->speed == USBIF_SPEED_LOW)
		port->status |= USB_PORT_STAT_LOW_SPEED;
}

void port_change(struct controller *controller, u8 portnum, u8 speed)
{
	struct port *port = &controller->ports[portnum - 1];

	lockdep_assert_held(&controller->lock);

	/* Some backends tell twice of a device that was there when they connected. */
	if (port->speed == speed)
		return;
	port->speed = speed;
	if (!(port->status & USB_PORT_STAT_POWER))
		return;
	port_disable(port);
	if (speed != USBIF_SPEED_NONE)
		port_connect(port);
	port->change |= USB_PORT_STAT_C_CONNECTION;
}

void roothub_notify(struct controller *controller)
{
	struct usb_hcd *hcd = controller_hcd(controller);

	if (hcd->state == HC_STATE_SUSPENDED)
		usb_hcd_resume_root_hub(hcd);
	usb_hcd_poll_rh_status(hcd);
}

int roothub_status(struct usb_hcd *hcd, char *buffer)
{
	struct controller *controller = hcd_controller(hcd);
	u32 bitmap = 0;
	unsigned long flags;
	int length = 1 + controller->port_count / 8;
	int i;

	spin_lock_irqsave(&controller->lock, flags);
	for (i = 0; i < controller->port_count; i++)
		if (controller->ports[i].change)
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

static void reset_finish(struct port *port)
{
	port->status &= ~USB_PORT_STAT_RESET;
	port->change |= USB_PORT_STAT_C_RESET;
	if (port->status & USB_PORT_STAT_CONNECTION)
		port->status |= USB_PORT_STAT_ENABLE | speed_status(port->speed);
}

static void resume_finish(struct port *port)
{
	port->status &= ~USB_PORT_STAT_SUSPEND;
	port->change |= USB_PORT_STAT_C_SUSPEND;
}

static void phase_start(struct port *port, enum port_phase phase, unsigned int time_ms)
{
	port->phase = phase;
	port->phase_end = jiffies + msecs_to_jiffies(time_ms);
}

static void phase_finish(struct port *port)
{
	if (port->phase == PORT_STEADY || time_before(jiffies, port->phase_end))
		return;
	if (port->phase == PORT_RESETTING)
		reset_finish(port);
	else
		resume_finish(port);
	port->phase = PORT_STEADY;
}

static int port_feature_set(struct port *port, u16 feature)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		if (port->status & USB_PORT_STAT_POWER)
			return 0;
		port->status = USB_PORT_STAT_POWER;
		if (port->speed != USBIF_SPEED_NONE) {
			port_connect(port);
			port->change |= USB_PORT_STAT_C_CONNECTION;
		}
		return 0;
	case USB_PORT_FEAT_RESET:
		if (!(port->status & USB_PORT_STAT_POWER))
			return -EPIPE;
		port->status &= ~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
		port->status |= USB_PORT_STAT_RESET;
		phase_start(port, PORT_RESETTING, RESET_TIME_MS);
		return 0;
	case USB_PORT_FEAT_SUSPEND:
		if (!(port->status & USB_PORT_STAT_ENABLE))
			return -EPIPE;
		port->status |= USB_PORT_STAT_SUSPEND;
		return 0;
	default:
		return -EPIPE;
	}
}

static int port_feature_clear(struct port *port, u16 feature)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		port_disable(port);
		port->status = 0;
		return 0;
	case USB_PORT_FEAT_ENABLE:
		port->status &= ~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
		port->phase = PORT_STEADY;
		return 0;
	case USB_PORT_FEAT_SUSPEND:
		if (port->status & USB_PORT_STAT_SUSPEND)
			phase_start(port, PORT_RESUMING, RESUME_TIME_MS);
		return 0;
	case USB_PORT_FEAT_C_CONNECTION:
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

static int port_control(struct controller *controller, u16 type_request, u16 value, u16 index,
			char *buffer)
{
	struct usb_port_status status;
	struct port *port;

	if (index == 0 || index > controller->port_count)
		return -EPIPE;
	port = &controller->ports[index - 1];
	switch (type_request) {
	case GetPortStatus:
		phase_finish(port);
		status.wPortStatus = cpu_to_le16(port->status);
		status.wPortChange = cpu_to_le16(port->change);
		memcpy(buffer, &status, USB_PORT_STATUS_BYTES);
		return 0;
	case SetPortFeature:
		return port_feature_set(port, value);
	default:
		return port_feature_clear(port, value);
	}
}

int roothub_control(struct usb_hcd *hcd, u16 type_request, u16 value, u16 index, char *buffer,
		    u16 length)
{
	struct controller *controller = hcd_controller(hcd);
	unsigned long flags;
	int rc;

	switch (type_request) {
	case GetHubDescriptor:
		hub_describe(controller, (struct usb_hub_descriptor *)buffer);
		return 0;
	case GetHubStatus:
		memset(buffer, 0, sizeof(struct usb_hub_status));
		return 0;
	case ClearHubFeature:
		return 0;
	case GetPortStatus:
	case SetPortFeature:
	case ClearPortFeature:
		spin_lock_irqsave(&controller->lock, flags);
		rc = port_control(controller, type_request, value, index, buffer);
		spin_unlock_irqrestore(&controller->lock, flags);
		/* Power brings up devices that were there before. */
		if (type_request == SetPortFeature && value == USB_PORT_FEAT_POWER)
			usb_hcd_poll_rh_status(hcd);
		return rc;
	default:
		return -EPIPE;
	}
}

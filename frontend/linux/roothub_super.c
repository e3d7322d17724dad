// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root hub for SuperSpeed, as the hub driver sees it (USB 3.2, 10.14 and 10.16). A port trains
 * its link by itself: what is connected is in U0 at once.
 */
#include "xvhc.h"

/* bHubHdrDecLat: as short as can be. */
#define HEADER_DECODE_LATENCY 0

/* Link power is not the guest's: no transition of its own is offered. */
#define U1_EXIT_LATENCY 0
#define U2_EXIT_LATENCY 0

static void link_set(struct port *port, u16 state)
{
	port->status = (port->status & ~USB_PORT_STAT_LINK_STATE) | state;
}

static u16 link_of(const struct port *port)
{
	return port->status & USB_PORT_STAT_LINK_STATE;
}

static void super_disable(struct port *port)
{
	if (port->powered)
		port->status = USB_SS_PORT_STAT_POWER | USB_SS_PORT_LS_RX_DETECT;
	else
		port->status = USB_SS_PORT_LS_SS_DISABLED;
}

static void super_connect(struct port *port)
{
	port->status |= USB_PORT_STAT_CONNECTION | USB_PORT_STAT_ENABLE;
	link_set(port, USB_SS_PORT_LS_U0);
	port->change |= USB_PORT_STAT_C_CONNECTION;
}

static void super_reset_end(struct port *port)
{
	port->status &= ~USB_PORT_STAT_RESET;
	port->change |= USB_PORT_STAT_C_RESET;
	if (port->warm)
		port->change |= USB_PORT_STAT_C_BH_RESET;
	if (!(port->status & USB_PORT_STAT_CONNECTION))
		return;
	port->status |= USB_PORT_STAT_ENABLE;
	link_set(port, USB_SS_PORT_LS_U0);
}

static void super_resume_end(struct port *port)
{
	link_set(port, USB_SS_PORT_LS_U0);
	port->change |= USB_PORT_STAT_C_LINK_STATE;
}

static bool super_wake(struct port *port)
{
	if (link_of(port) != USB_SS_PORT_LS_U3)
		return false;
	super_resume_end(port);
	return true;
}

static void super_overcurrent(struct port *port)
{
	port->status |= USB_PORT_STAT_OVERCURRENT;
	port->change |= USB_PORT_STAT_C_OVERCURRENT;
}

const struct side_ops roothub_super_ops = {
	.disable = super_disable,
	.connect = super_connect,
	.reset_end = super_reset_end,
	.resume_end = super_resume_end,
	.wake = super_wake,
	.overcurrent = super_overcurrent,
};

int roothub_super_describe(const struct controller *controller, u16 value, char *buffer)
{
	struct usb_hub_descriptor *hub = (struct usb_hub_descriptor *)buffer;

	if (value >> 8 != USB_DT_SS_HUB)
		return -EPIPE;
	memset(hub, 0, USB_DT_SS_HUB_SIZE);
	hub->bDescLength = USB_DT_SS_HUB_SIZE;
	hub->bDescriptorType = USB_DT_SS_HUB;
	hub->bNbrPorts = controller->port_count;
	hub->wHubCharacteristics = cpu_to_le16(HUB_CHAR_INDV_PORT_LPSM | HUB_CHAR_NO_OCPM);
	hub->u.ss.bHubHdrDecLat = HEADER_DECODE_LATENCY;
	return 0;
}

int roothub_super_capabilities(u16 value, char *buffer, u16 length)
{
	struct {
		struct usb_bos_descriptor bos;
		struct usb_ss_cap_descriptor super;
	} __packed capabilities = {
		.bos = {
			.bLength = USB_DT_BOS_SIZE,
			.bDescriptorType = USB_DT_BOS,
			.wTotalLength = cpu_to_le16(sizeof(capabilities)),
			.bNumDeviceCaps = 1,
		},
		.super = {
			.bLength = USB_DT_USB_SS_CAP_SIZE,
			.bDescriptorType = USB_DT_DEVICE_CAPABILITY,
			.bDevCapabilityType = USB_SS_CAP_TYPE,
			.wSpeedSupported = cpu_to_le16(USB_5GBPS_OPERATION),
			.bFunctionalitySupport = ilog2(USB_5GBPS_OPERATION),
			.bU1devExitLat = U1_EXIT_LATENCY,
			.bU2DevExitLat = cpu_to_le16(U2_EXIT_LATENCY),
		},
	};

	if (value >> 8 != USB_DT_BOS)
		return -EPIPE;
	length = min_t(u16, length, sizeof(capabilities));
	memcpy(buffer, &capabilities, length);
	return length;
}

static int link_state_set(struct port *port, u8 state)
{
	switch (state << 5) {
	case USB_SS_PORT_LS_U3:
		if (!(port->status & USB_PORT_STAT_ENABLE))
			return -EPIPE;
		link_set(port, USB_SS_PORT_LS_U3);
		port_suspend(port);
		return 0;
	case USB_SS_PORT_LS_U0:
		if (link_of(port) == USB_SS_PORT_LS_U3)
			port_resume(port);
		return 0;
	case USB_SS_PORT_LS_SS_DISABLED:
		port->status &= ~USB_PORT_STAT_ENABLE;
		link_set(port, USB_SS_PORT_LS_SS_DISABLED);
		return 0;
	case USB_SS_PORT_LS_RX_DETECT:
		/* From there a link trains by itself. */
		super_disable(port);
		if (port->speed != XVHCIF_SPEED_NONE)
			super_connect(port);
		return 0;
	default:
		return -EPIPE;
	}
}

static int super_feature_set(struct port *port, u16 feature, u8 parameter)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		port_power(port, true);
		return 0;
	case USB_PORT_FEAT_RESET:
	case USB_PORT_FEAT_BH_PORT_RESET:
		if (!port->powered)
			return -EPIPE;
		port->status &= ~USB_PORT_STAT_ENABLE;
		port->status |= USB_PORT_STAT_RESET;
		port_reset(port, feature == USB_PORT_FEAT_BH_PORT_RESET);
		return 0;
	case USB_PORT_FEAT_LINK_STATE:
		return link_state_set(port, parameter);
	case USB_PORT_FEAT_U1_TIMEOUT:
	case USB_PORT_FEAT_U2_TIMEOUT:
	case USB_PORT_FEAT_REMOTE_WAKE_MASK:
		return 0;
	default:
		return -EPIPE;
	}
}

static int super_feature_clear(struct port *port, u16 feature)
{
	switch (feature) {
	case USB_PORT_FEAT_POWER:
		port_power(port, false);
		return 0;
	case USB_PORT_FEAT_C_CONNECTION:
		port_change_seen(port);
		return 0;
	case USB_PORT_FEAT_C_OVER_CURRENT:
		port->change &= ~USB_PORT_STAT_C_OVERCURRENT;
		return 0;
	case USB_PORT_FEAT_C_RESET:
		port->change &= ~USB_PORT_STAT_C_RESET;
		return 0;
	case USB_PORT_FEAT_C_BH_PORT_RESET:
		port->change &= ~USB_PORT_STAT_C_BH_RESET;
		return 0;
	case USB_PORT_FEAT_C_PORT_LINK_STATE:
		port->change &= ~USB_PORT_STAT_C_LINK_STATE;
		return 0;
	case USB_PORT_FEAT_C_PORT_CONFIG_ERROR:
		port->change &= ~USB_PORT_STAT_C_CONFIG_ERROR;
		return 0;
	default:
		return -EPIPE;
	}
}

int roothub_super_port_control(struct port *port, u16 type_request, u16 value, u8 parameter,
			       char *buffer)
{
	switch (type_request) {
	case GetPortStatus:
		roothub_port_status(port, buffer);
		return 0;
	case SetPortFeature:
		return super_feature_set(port, value, parameter);
	default:
		return super_feature_clear(port, value);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* What is behind the hub: a low-speed keyboard, and a full-speed SourceSink for usbtest. */
#include "hsbus.h"

#include <linux/hid.h>

#define REPORT_BYTES 8
#define REPORTS_MAX 64

static const struct usb_device_descriptor keyboard_device = {
	.bLength = USB_DT_DEVICE_SIZE,
	.bDescriptorType = USB_DT_DEVICE,
	.bcdUSB = cpu_to_le16(0x0110),
	.bMaxPacketSize0 = 8,
	.idVendor = cpu_to_le16(0x1209),
	.idProduct = cpu_to_le16(0x0001),
	.bNumConfigurations = 1,
};

/* The keyboard that HID 1.11, appendix B.1, describes: eight modifiers, five lights, six keys. */
static const u8 report_descriptor[] = {
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25,
	0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05,
	0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91,
	0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65,
	0x81, 0x00, 0xc0,
};

static const u8 keyboard_config[] = {
	9, USB_DT_CONFIG, 34, 0, 1, 1, 0, 0x80, 50,
	9, USB_DT_INTERFACE, 0, 0, 1, USB_CLASS_HID, 1, 1, 0,
	9, HID_DT_HID, 0x11, 0x01, 0, 1, HID_DT_REPORT, sizeof(report_descriptor), 0,
	7, USB_DT_ENDPOINT, 0x81, USB_ENDPOINT_XFER_INT, REPORT_BYTES, 0, 10,
};

static u8 reports[REPORTS_MAX];
static unsigned int reports_made, reports_taken;
u8 keyboard_lights;

int keyboard_press(u8 usage)
{
	if (reports_made - reports_taken > REPORTS_MAX - 2)
		return -EBUSY;
	reports[reports_made++ % REPORTS_MAX] = usage;
	reports[reports_made++ % REPORTS_MAX] = 0;
	return 0;
}

static int keyboard_control(const struct usb_ctrlrequest *setup, u8 *buffer)
{
	u16 value = le16_to_cpu(setup->wValue), length = le16_to_cpu(setup->wLength);

	if (setup->bRequestType == (USB_DIR_IN | USB_RECIP_INTERFACE) &&
	    setup->bRequest == USB_REQ_GET_DESCRIPTOR && value == HID_DT_REPORT << 8) {
		length = min_t(u16, length, sizeof(report_descriptor));
		memcpy(buffer, report_descriptor, length);
		return length;
	}
	if (setup->bRequestType != (USB_DIR_OUT | USB_TYPE_CLASS | USB_RECIP_INTERFACE))
		return -EPIPE;
	if (setup->bRequest == HID_REQ_SET_REPORT && length == 1)
		keyboard_lights = buffer[0];
	return 0;
}

static int keyboard_transfer(struct urb *urb)
{
	u8 *report = urb->transfer_buffer;

	if (reports_taken == reports_made)
		return -EAGAIN;
	if (urb->transfer_buffer_length < REPORT_BYTES)
		return -EOVERFLOW;
	memset(report, 0, REPORT_BYTES);
	report[2] = reports[reports_taken++ % REPORTS_MAX];
	return REPORT_BYTES;
}

struct played keyboard = {
	.speed = USB_SPEED_LOW,
	.device = &keyboard_device,
	.config = keyboard_config,
	.config_bytes = sizeof(keyboard_config),
	.control = keyboard_control,
	.transfer = keyboard_transfer,
};

static const struct usb_device_descriptor sourcesink_device = {
	.bLength = USB_DT_DEVICE_SIZE,
	.bDescriptorType = USB_DT_DEVICE,
	.bcdUSB = cpu_to_le16(0x0200),
	.bDeviceClass = USB_CLASS_VENDOR_SPEC,
	.bMaxPacketSize0 = 64,
	.idVendor = cpu_to_le16(0x0525),
	.idProduct = cpu_to_le16(0xa4a0),
	.bNumConfigurations = 1,
};

static const u8 sourcesink_config[] = {
	9, USB_DT_CONFIG, 32, 0, 1, 1, 0, 0x80, 50,
	9, USB_DT_INTERFACE, 0, 0, 2, USB_CLASS_VENDOR_SPEC, 0, 0, 0,
	7, USB_DT_ENDPOINT, 0x81, USB_ENDPOINT_XFER_BULK, 64, 0, 0,
	7, USB_DT_ENDPOINT, 0x01, USB_ENDPOINT_XFER_BULK, 64, 0, 0,
};

static int sourcesink_control(const struct usb_ctrlrequest *setup, u8 *buffer)
{
	return -EPIPE;
}

/* A source of zeroes, and a sink. */
static int sourcesink_transfer(struct urb *urb)
{
	if (usb_pipein(urb->pipe))
		memset(urb->transfer_buffer, 0, urb->transfer_buffer_length);
	return urb->transfer_buffer_length;
}

struct played sourcesink = {
	.speed = USB_SPEED_FULL,
	.device = &sourcesink_device,
	.config = sourcesink_config,
	.config_bytes = sizeof(sourcesink_config),
	.control = sourcesink_control,
	.transfer = sourcesink_transfer,
};

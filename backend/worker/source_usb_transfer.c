// SPDX-License-Identifier: MIT
/*
 * Transfers through usbfs: one URB for each slot, in memory that is there from the start. The
 * kernel has an URB from when it was submitted until it was reaped, and then tells its address.
 *
 * When a device has gone, usbfs ends all URBs of it; they are reaped as ever, and then reaping
 * fails.
 */
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include <error.h>

#include "source_usb.h"

/* A transfer as usbfs has it. usbfs' structure ends in a list of packets. */
struct usb_urb {
	struct usb_device_place *place;
	struct source_transfer *transfer; /* NULL: not under way */
	bool cancelled;
	struct usbdevfs_urb usbfs;
};

/* One for each slot, with room for the longest list. */
static union urb_room {
	struct usb_urb urb;
	uint8_t bytes[sizeof(struct usb_urb) +
		      XVHC_ISOC_PACKETS_MAX * sizeof(struct usbdevfs_iso_packet_desc)];
} rooms[SOURCE_SLOTS];

/* The enum xvhc_error of an URB's or a packet's status. */
static int32_t status_error(int status, bool cancelled)
{
	switch (status) {
	case 0:
		return XVHC_OK;
	case -EPIPE:
		return XVHC_ESTALL;
	case -EOVERFLOW:
		return XVHC_EBABBLE;
	case -ENODEV:
	case -ESHUTDOWN:
		return XVHC_ENODEV;
	case -ENOENT:
	case -ECONNRESET:
		/* usbfs ends URBs by itself when their device goes. */
		return cancelled ? XVHC_ECANCEL : XVHC_ENODEV;
	default:
		return XVHC_EIO;
	}
}

static int submit_error(int number)
{
	switch (number) {
	case ENODEV:
		return XVHC_ENODEV;
	case ENOMEM:
		return XVHC_ELIMIT;
	case EINVAL:
	case EMSGSIZE:
		return XVHC_EINVAL;
	default:
		return XVHC_EIO;
	}
}

static void fill(struct usb_urb *urb, const struct source_transfer *transfer)
{
	static const uint8_t types[] = {
		[TRANSFER_CONTROL] = USBDEVFS_URB_TYPE_CONTROL,
		[TRANSFER_ISOC] = USBDEVFS_URB_TYPE_ISO,
		[TRANSFER_BULK] = USBDEVFS_URB_TYPE_BULK,
		[TRANSFER_INTERRUPT] = USBDEVFS_URB_TYPE_INTERRUPT,
	};
	struct usbdevfs_urb *usbfs = &urb->usbfs;
	uint32_t i;

	memset(usbfs, 0, sizeof(*usbfs));
	usbfs->type = types[transfer->type];
	usbfs->endpoint = transfer->endpoint;
	usbfs->buffer = transfer->buffer;
	usbfs->buffer_length = (int)transfer->length;
	if (transfer->zero_packet)
		usbfs->flags |= USBDEVFS_URB_ZERO_PACKET;
	if (transfer->type == TRANSFER_CONTROL)
		usbfs->buffer_length += (int)SOURCE_SETUP_BYTES;
	if (transfer->type == TRANSFER_ISOC) {
		usbfs->flags |= USBDEVFS_URB_ISO_ASAP;
		usbfs->number_of_packets = (int)transfer->packets;
	} else {
		usbfs->stream_id = transfer->stream;
	}
	for (i = 0; i < transfer->packets; i++) {
		usbfs->iso_frame_desc[i].length = transfer->packet[i].length;
		usbfs->iso_frame_desc[i].actual_length = 0;
		usbfs->iso_frame_desc[i].status = 0;
	}
}

int source_usb_submit(struct source_device *device, struct source_transfer *transfer)
{
	struct usb_device_place *place = &source_usb_places[device->port - 1];
	struct usb_urb *urb = &rooms[transfer->slot].urb;

	if (!place->handle)
		return XVHC_ENODEV;
	fill(urb, transfer);
	if (ioctl(place->fd, USBDEVFS_SUBMITURB, &urb->usbfs) < 0)
		return submit_error(errno);
	urb->place = place;
	urb->transfer = transfer;
	urb->cancelled = false;
	place->flying++;
	return XVHC_OK;
}

void source_usb_cancel(struct source_device *device, struct source_transfer *transfer)
{
	struct usb_urb *urb = &rooms[transfer->slot].urb;

	(void)device;
	urb->cancelled = true;
	/* Where it fails, the transfer has ended, and is reaped. */
	(void)ioctl(urb->place->fd, USBDEVFS_DISCARDURB, &urb->usbfs);
}

static void take_packets(const struct usb_urb *urb, struct source_transfer *transfer)
{
	const struct usbdevfs_iso_packet_desc *packet = urb->usbfs.iso_frame_desc;
	uint32_t i;

	for (i = 0; i < transfer->packets; i++) {
		transfer->packet[i].actual = packet[i].actual_length;
		transfer->packet[i].result = status_error((int)packet[i].status, urb->cancelled);
	}
}

static void complete(struct usb_urb *urb, const struct source_calls *calls)
{
	struct source_transfer *transfer = urb->transfer;
	struct usb_device_place *place = urb->place;

	transfer->error = status_error(urb->usbfs.status, urb->cancelled);
	transfer->actual = urb->usbfs.actual_length > 0 ? (uint32_t)urb->usbfs.actual_length : 0;
	if (transfer->type == TRANSFER_ISOC)
		take_packets(urb, transfer);
	urb->transfer = NULL;
	place->flying--;
	calls->transfer_done(place->device, transfer);
}

/* What the kernel hands out is an address that it was given. */
static struct usb_urb *urb_of(const void *address)
{
	uintptr_t at = (uintptr_t)address - (uintptr_t)&rooms[0].urb.usbfs;
	struct usb_urb *urb;

	if (at >= sizeof(rooms) || at % sizeof(rooms[0]) != 0)
		return NULL;
	urb = &rooms[at / sizeof(rooms[0])].urb;
	return urb->transfer ? urb : NULL;
}

/* The device has gone, and usbfs hands out nothing of it any more. */
static void end_all(struct usb_device_place *place, const struct source_calls *calls)
{
	uint32_t i;

	for (i = 0; i < SOURCE_SLOTS && place->flying > 0; i++) {
		struct usb_urb *urb = &rooms[i].urb;

		if (!urb->transfer || urb->place != place)
			continue;
		urb->usbfs.status = -ENODEV;
		urb->usbfs.actual_length = 0;
		complete(urb, calls);
	}
}

bool source_usb_reap(struct usb_device_place *place, const struct source_calls *calls)
{
	/* When all that was under way has ended, usbfs need not be asked whether there is more. */
	uint32_t left = place->flying;
	struct usb_urb *urb;
	void *address;

	do {
		address = NULL;
		if (ioctl(place->fd, USBDEVFS_REAPURBNDELAY, &address) < 0) {
			if (errno != ENODEV)
				return true;
			end_all(place, calls);
			return false;
		}
		urb = urb_of(address);
		if (urb)
			complete(urb, calls);
	} while (left-- > 1);
	return true;
}

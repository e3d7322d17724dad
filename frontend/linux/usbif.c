// SPDX-License-Identifier: GPL-2.0-only
#include "xvhc.h"

static u32 pipe_type(const struct urb *urb)
{
	switch (usb_endpoint_type(&urb->ep->desc)) {
	case USB_ENDPOINT_XFER_CONTROL:
		return USBIF_PIPE_TYPE_CONTROL;
	case USB_ENDPOINT_XFER_ISOC:
		return USBIF_PIPE_TYPE_ISOC;
	case USB_ENDPOINT_XFER_BULK:
		return USBIF_PIPE_TYPE_BULK;
	default:
		return USBIF_PIPE_TYPE_INTERRUPT;
	}
}

static u32 pipe_encode(const struct transfer *transfer)
{
	struct urb *urb = transfer->urb;
	u32 pipe = transfer->port;

	/* The device's own number is wrong while its address is being set: take the URB's. */
	pipe |= usb_pipedevice(urb->pipe) << USBIF_PIPE_ADDRESS_SHIFT;
	pipe |= usb_pipeendpoint(urb->pipe) << USBIF_PIPE_ENDPOINT_SHIFT;
	pipe |= pipe_type(urb) << USBIF_PIPE_TYPE_SHIFT;
	if (usb_urb_dir_in(urb))
		pipe |= USBIF_PIPE_IN;
	return pipe;
}

/* Segments for length bytes in the slot's pages from the first one on. Returns their number. */
static u16 segments_encode(const struct slot *slot, u32 page, u32 length,
			   struct usbif_segment *segments)
{
	u16 count = 0;

	while (length) {
		u32 bytes = min_t(u32, length, USBIF_PAGE_SIZE);

		segments[count].gref = slot->pages[page].ref;
		segments[count].offset = 0;
		segments[count].length = bytes;
		length -= bytes;
		page++;
		count++;
	}
	return count;
}

/* The packets of a part lie in its data without gaps, wherever they lie in the URB's buffer. */
static void packets_encode(struct slot *slot, struct usbif_urb_request *request)
{
	struct usbif_isoc_packet *list = page_address(slot->pages[SLOT_LIST_PAGE].page);
	const struct urb *urb = slot->transfer->urb;
	u32 at = 0;
	u32 i;

	for (i = 0; i < slot->packet_count; i++) {
		list[i].offset = at;
		list[i].length = urb->iso_frame_desc[slot->packet_first + i].length;
		list[i].actual_length = 0;
		list[i].status = 0;
		at += urb->iso_frame_desc[slot->packet_first + i].length;
	}
	request->u.isoc.interval = min_t(int, urb->interval, U16_MAX);
	request->u.isoc.number_of_packets = slot->packet_count;
	request->u.isoc.nr_frame_desc_segs =
		segments_encode(slot, SLOT_LIST_PAGE, slot->packet_count * sizeof(*list),
				&request->seg[request->nr_buffer_segs]);
}

void usbif_submit_encode(struct slot *slot, u16 id, struct usbif_urb_request *request)
{
	const struct urb *urb = slot->transfer->urb;

	memset(request, 0, sizeof(*request));
	slot->pipe = pipe_encode(slot->transfer);
	request->id = id;
	request->pipe = slot->pipe;
	request->buffer_length = slot->length;
	request->nr_buffer_segs = segments_encode(slot, 0, slot->length, request->seg);
	if (urb->transfer_flags & URB_SHORT_NOT_OK)
		request->transfer_flags |= USBIF_FLAG_SHORT_NOT_OK;

	switch (slot->pipe >> USBIF_PIPE_TYPE_SHIFT) {
	case USBIF_PIPE_TYPE_CONTROL:
		memcpy(request->u.setup, urb->setup_packet, sizeof(request->u.setup));
		break;
	case USBIF_PIPE_TYPE_INTERRUPT:
		request->u.interrupt.interval = min_t(int, urb->interval, U16_MAX);
		break;
	case USBIF_PIPE_TYPE_ISOC:
		packets_encode(slot, request);
		break;
	default:
		break;
	}
}

void usbif_cancel_encode(const struct slot *slot, u16 id, struct usbif_urb_request *request)
{
	memset(request, 0, sizeof(*request));
	request->id = id;
	request->pipe = slot->pipe | USBIF_PIPE_UNLINK;
	request->u.unlink.unlink_id = slot->target;
}

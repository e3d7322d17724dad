// SPDX-License-Identifier: GPL-2.0-only
/* Version 1 of the wire (docs/protocol.md): all that is particular to it. */
#include "xvhc.h"

#include <xen/interface/io/protocols.h>

#include "barrier.h"
#include "usbif_response.h"

/*
 * The last page of a request has the packet list where it is isochronous. Control transfers, which
 * cannot be parted, use it too: that is as much as a setup packet can ask for.
 */
#define PART_BYTES_MAX ((USBIF_SEGMENTS_MAX - 1) * USBIF_PAGE_SIZE)

/* There is a request for each event that fits: a backend may look only for as many as it needs. */
static void usbif_rings_init(struct link *link)
{
	struct usbif_conn_request request;

	front_ring_init(&link->requests,
			ring_page_usbif((void *)link->ring_memory, sizeof(union usbif_urb_slot),
					USBIF_URB_RING_SLOTS));
	front_ring_init(&link->events,
			ring_page_usbif(page_address(link->event_page.page),
					sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS));
	for (request.id = 0; request.id < USBIF_CONN_RING_SLOTS; request.id++)
		front_ring_put(&link->events, &request, sizeof(request));
}

static int usbif_nodes_write(const struct link *link, struct xenbus_transaction transaction)
{
	const char *dir = link->dev->nodename;
	int rc;

	rc = xenbus_printf(transaction, dir, "urb-ring-ref", "%u", link->ring_pages[0].ref);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "conn-ring-ref", "%u", link->event_page.ref);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "protocol", "%s", XEN_IO_PROTO_ABI_NATIVE);
	return rc;
}

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

static u32 pipe_place(const struct slot *slot)
{
	return slot->portnum | slot->address << USBIF_PIPE_ADDRESS_SHIFT;
}

static u32 pipe_encode(const struct slot *slot, const struct urb *urb)
{
	u32 pipe = pipe_place(slot);

	pipe |= usb_pipeendpoint(urb->pipe) << USBIF_PIPE_ENDPOINT_SHIFT;
	pipe |= pipe_type(urb) << USBIF_PIPE_TYPE_SHIFT;
	if (urb_is_in(urb))
		pipe |= USBIF_PIPE_IN;
	return pipe;
}

static void segment_encode(const struct link *link, u16 place, u32 length,
			   struct usbif_segment *segment)
{
	segment->gref = link->pool->pages[place].ref;
	segment->offset = 0;
	segment->length = length;
}

/* Segments for the slot's data, in its pages. Returns their number. */
static u16 segments_encode(const struct link *link, const struct slot *slot,
			   struct usbif_segment *segments)
{
	u32 length = slot->length;
	u16 i;

	for (i = 0; length; i++) {
		u32 bytes = min_t(u32, length, USBIF_PAGE_SIZE);

		segment_encode(link, slot->pages[i], bytes, &segments[i]);
		length -= bytes;
	}
	return i;
}

/* The packets of a part lie in its data without gaps, wherever they lie in the URB's buffer. */
static void packets_encode(struct link *link, const struct slot *slot, const struct urb *urb,
			   struct usbif_urb_request *request)
{
	struct usbif_isoc_packet *list = pool_address(link->pool, slot->list);
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
	request->u.isoc.nr_frame_desc_segs = 1;
	segment_encode(link, slot->list, slot->packet_count * sizeof(*list),
		       &request->seg[request->nr_buffer_segs]);
}

static void submit_encode(struct link *link, const struct slot *slot,
			  struct usbif_urb_request *request)
{
	const struct urb *urb = slot->transfer->urb;

	request->pipe = pipe_encode(slot, urb);
	request->buffer_length = slot->length;
	request->nr_buffer_segs = segments_encode(link, slot, request->seg);
	if (urb->transfer_flags & URB_SHORT_NOT_OK)
		request->transfer_flags |= USBIF_FLAG_SHORT_NOT_OK;

	switch (pipe_type(urb)) {
	case USBIF_PIPE_TYPE_CONTROL:
		memcpy(request->u.setup, urb->setup_packet, sizeof(request->u.setup));
		break;
	case USBIF_PIPE_TYPE_INTERRUPT:
		request->u.interrupt.interval = min_t(int, urb->interval, U16_MAX);
		break;
	case USBIF_PIPE_TYPE_ISOC:
		packets_encode(link, slot, urb, request);
		break;
	default:
		break;
	}
}

static void usbif_put(struct link *link, u16 id)
{
	const struct slot *slot = &link->slots[id];
	struct usbif_urb_request request;

	memset(&request, 0, sizeof(request));
	request.id = id;
	if (slot->use == SLOT_TRANSFER) {
		submit_encode(link, slot, &request);
	} else {
		request.pipe = pipe_place(slot) | USBIF_PIPE_UNLINK;
		request.u.unlink.unlink_id = slot->target;
	}
	front_ring_put(&link->requests, &request, sizeof(request));
}

static int usbif_take(struct link *link, struct response *response)
{
	struct usbif_urb_response wire;
	int rc = front_ring_take(&link->requests, &wire, sizeof(wire));

	if (rc < 0)
		link_fail(link, "the URB ring has an impossible index");
	if (rc <= 0)
		return rc;
	if (usbif_response_check(&wire, U32_MAX)) {
		link_fail(link, "a response has an impossible id or length");
		return XVHC_EPROTO;
	}
	response->id = wire.id;
	response->error = usbif_status_decode(wire.status);
	response->actual = wire.actual_length;
	response->start_frame = wire.start_frame;
	return 1;
}

static int usbif_packet_read(struct link *link, const struct slot *slot, u32 index, u32 length,
			     struct response *packet)
{
	const struct usbif_isoc_packet *list = pool_address(link->pool, slot->list);
	struct usbif_isoc_packet entry;

	shared_copy(&entry, &list[index], sizeof(entry));
	packet->error = usbif_status_decode(entry.status);
	packet->actual = entry.actual_length;
	return usbif_packet_check(&entry, length);
}

static int usbif_event_take(struct link *link, struct port_event *event)
{
	struct controller *controller = link->controller;
	u8 speed_max = min_t(u8, controller->speed_max, USBIF_SPEED_HIGH);
	struct usbif_conn_response wire;
	struct usbif_conn_request request;
	int rc = front_ring_take(&link->events, &wire, sizeof(wire));

	if (rc < 0)
		link_fail(link, "the connection ring has an impossible index");
	if (rc <= 0)
		return rc;
	if (usbif_event_check(&wire, controller->port_count, speed_max)) {
		link_fail(link, "a port event has an impossible id, port or speed");
		return XVHC_EPROTO;
	}
	event->port = wire.portnum;
	event->speed = wire.speed;
	event->event = wire.speed == USBIF_SPEED_NONE ? XVHCIF_EVENT_DISCONNECT
						      : XVHCIF_EVENT_CONNECT;
	event->device = 0;
	request.id = wire.id;
	front_ring_put(&link->events, &request, sizeof(request));
	return 1;
}

const struct wire_ops wire_usbif = {
	.version = 1,
	.slots = USBIF_URB_RING_SLOTS,
	.part_bytes_max = PART_BYTES_MAX,
	.rings_init = usbif_rings_init,
	.nodes_write = usbif_nodes_write,
	.put = usbif_put,
	.take = usbif_take,
	.packet_read = usbif_packet_read,
	.event_take = usbif_event_take,
};

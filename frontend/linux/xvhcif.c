// SPDX-License-Identifier: GPL-2.0-only
/* Version 2 of the wire (docs/protocol.md, "Version 2"): all that is particular to it. */
#include "xvhc.h"

#include "barrier.h"
#include "byte_order.h"

static void xvhcif_rings_init(struct link *link)
{
	void *head = page_address(link->event_page.page);
	u16 id;

	front_ring_init(&link->requests,
			ring_page_requests(head, (void *)link->ring_memory, link->slot_count));
	front_ring_init(&link->events, ring_page_events(head));
	for (id = 0; id < XVHCIF_EVENT_SLOTS; id++) {
		struct xvhcif_event_request request = { .id = le16(id) };

		front_ring_put(&link->events, &request, sizeof(request));
	}
}

/* How many pages the pool has, and the pages that tell which. 0: it is not for the backend. */
static int pool_nodes_write(const struct link *link, struct xenbus_transaction transaction)
{
	const struct pool *pool = link->pool;
	const char *dir = link->dev->nodename;
	char name[16];
	int rc;
	int i;

	rc = xenbus_printf(transaction, dir, "pool-pages", "%u", pool->mapped ? pool->count : 0);
	for (i = 0; i < XVHCIF_POOL_DIRECTORY_MAX && pool->directory[i].page && !rc; i++) {
		snprintf(name, sizeof(name), "pool-ref%d", i);
		rc = xenbus_printf(transaction, dir, name, "%u", pool->directory[i].ref);
	}
	return rc;
}

static int xvhcif_nodes_write(const struct link *link, struct xenbus_transaction transaction)
{
	const char *dir = link->dev->nodename;
	char name[16];
	int rc;
	int i;

	rc = xenbus_printf(transaction, dir, "wire-version", "%u", 2);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "ring-page-order", "%u", RING_ORDER);
	if (!rc)
		rc = xenbus_printf(transaction, dir, "head-ref", "%u", link->event_page.ref);
	for (i = 0; i < RING_PAGES && !rc; i++) {
		snprintf(name, sizeof(name), "ring-ref%d", i);
		rc = xenbus_printf(transaction, dir, name, "%u", link->ring_pages[i].ref);
	}
	return rc ? rc : pool_nodes_write(link, transaction);
}

static u32 pool_offset(u16 place)
{
	return place * XVHCIF_PAGE_SIZE;
}

/* Segments for the slot's data, in its pages. */
static void segments_encode(const struct link *link, const struct slot *slot,
			    struct xvhcif_segment *segments)
{
	u32 length = slot->length;
	u16 i;

	for (i = 0; length; i++) {
		u32 bytes = min_t(u32, length, XVHCIF_PAGE_SIZE);

		segments[i].gref = le32(link->pool->pages[slot->pages[i]].ref);
		segments[i].offset = 0;
		segments[i].length = le16(bytes);
		length -= bytes;
	}
}

/* The packets of a part lie in its data without gaps, wherever they lie in the URB's buffer. */
static void packets_encode(struct link *link, const struct slot *slot, const struct urb *urb,
			   struct xvhcif_request *request)
{
	struct xvhcif_packet *list = pool_address(link->pool, slot->list);
	u32 at = 0;
	u32 i;

	for (i = 0; i < slot->packet_count; i++) {
		u32 length = urb->iso_frame_desc[slot->packet_first + i].length;

		list[i].offset = le32(at);
		list[i].length = le32(length);
		list[i].actual = 0;
		list[i].status = 0;
		at += length;
	}
	request->packets = le16(slot->packet_count);
	request->u.isoc.interval = le16(min_t(int, urb->interval, U16_MAX));
	request->u.isoc.packet_list = le32(slot->in_pool ? pool_offset(slot->list)
							  : link->pool->pages[slot->list].ref);
}

static u8 flags_of(const struct slot *slot, const struct urb *urb)
{
	const struct transfer *transfer = slot->transfer;
	u8 flags = 0;

	if (urb->transfer_flags & URB_SHORT_NOT_OK)
		flags |= XVHCIF_FLAG_SHORT_NOT_OK;
	/* It comes behind the last part. */
	if (urb->transfer_flags & URB_ZERO_PACKET && !urb_is_in(urb) &&
	    transfer->bytes_sent == urb->transfer_buffer_length)
		flags |= XVHCIF_FLAG_ZERO_PACKET;
	if (slot->has_indirect)
		flags |= XVHCIF_FLAG_INDIRECT;
	if (slot->in_pool)
		flags |= XVHCIF_FLAG_POOL;
	return flags;
}

/* Where the data lies. */
static void place_encode(struct link *link, const struct slot *slot, struct xvhcif_request *request)
{
	struct xvhcif_segment *segments = request->data.segment;

	if (slot->in_pool) {
		request->data.pool = le32(slot->page_count ? pool_offset(slot->pages[0]) : 0);
		return;
	}
	request->segments = le16(slot->page_count);
	if (slot->has_indirect) {
		segments = pool_address(link->pool, slot->indirect);
		request->data.indirect = le32(link->pool->pages[slot->indirect].ref);
	}
	segments_encode(link, slot, segments);
}

static void submit_encode(struct link *link, const struct slot *slot,
			  struct xvhcif_request *request)
{
	const struct urb *urb = slot->transfer->urb;

	request->operation = XVHCIF_SUBMIT;
	request->endpoint = usb_pipeendpoint(urb->pipe) |
			    (urb_is_in(urb) ? USB_DIR_IN : USB_DIR_OUT);
	request->type = usb_endpoint_type(&urb->ep->desc);
	request->length = le32(slot->length);
	place_encode(link, slot, request);

	switch (usb_endpoint_type(&urb->ep->desc)) {
	case USB_ENDPOINT_XFER_CONTROL:
		memcpy(request->u.setup, urb->setup_packet, sizeof(request->u.setup));
		break;
	case USB_ENDPOINT_XFER_INT:
		request->u.interrupt.interval = le16(min_t(int, urb->interval, U16_MAX));
		break;
	case USB_ENDPOINT_XFER_ISOC:
		packets_encode(link, slot, urb, request);
		break;
	default:
		request->stream = le16(urb->stream_id);
		break;
	}
	request->flags = flags_of(slot, urb);
}

static void xvhcif_put(struct link *link, u16 id)
{
	const struct slot *slot = &link->slots[id];
	struct xvhcif_request request;

	memset(&request, 0, sizeof(request));
	request.id = le16(id);
	request.port = slot->portnum;
	request.address = slot->address;
	switch (slot->use) {
	case SLOT_TRANSFER:
		submit_encode(link, slot, &request);
		break;
	case SLOT_CANCEL:
		request.operation = XVHCIF_CANCEL;
		request.u.cancel.id = le16(slot->target);
		break;
	case SLOT_STREAMS:
		request.operation = slot->operation;
		request.u.streams.endpoints = le32(slot->streams->endpoints);
		request.u.streams.count = le16(slot->streams->count);
		break;
	default:
		request.operation = slot->operation;
		break;
	}
	front_ring_put(&link->requests, &request, sizeof(request));
}

static int xvhcif_take(struct link *link, struct response *response)
{
	struct xvhcif_response wire;
	int rc = front_ring_take(&link->requests, &wire, sizeof(wire));

	if (rc < 0)
		link_fail(link, "the request ring has an impossible index");
	if (rc <= 0)
		return rc;
	if (xvhcif_response_decode(&wire, link->slot_count, response)) {
		link_fail(link, "a response has an impossible id or length");
		return XVHC_EPROTO;
	}
	return 1;
}

static int xvhcif_packet_read(struct link *link, const struct slot *slot, u32 index, u32 length,
			      struct response *packet)
{
	const struct xvhcif_packet *list = pool_address(link->pool, slot->list);
	struct xvhcif_packet entry;

	shared_copy(&entry, &list[index], sizeof(entry));
	return xvhcif_packet_decode(&entry, length, packet);
}

static int xvhcif_event_take(struct link *link, struct port_event *event)
{
	struct xvhcif_event_request request;
	struct xvhcif_event wire;
	int rc = front_ring_take(&link->events, &wire, sizeof(wire));

	if (rc < 0)
		link_fail(link, "the event ring has an impossible index");
	if (rc <= 0)
		return rc;
	if (xvhcif_event_decode(&wire, link->controller->port_count, event) ||
	    (event->event == XVHCIF_EVENT_CONNECT &&
	     min_t(u8, event->speed, XVHCIF_SPEED_SUPER) > link->controller->speed_max)) {
		link_fail(link, "a port event has an impossible id, port or speed");
		return XVHC_EPROTO;
	}
	request.id = le16(event->id);
	front_ring_put(&link->events, &request, sizeof(request));
	return 1;
}

const struct wire_ops wire_xvhcif = {
	.version = 2,
	.slots = SLOTS_MAX,
	.part_bytes_max = XVHCIF_LENGTH_MAX,
	.has_zero_packet = true,
	.rings_init = xvhcif_rings_init,
	.nodes_write = xvhcif_nodes_write,
	.put = xvhcif_put,
	.take = xvhcif_take,
	.packet_read = xvhcif_packet_read,
	.event_take = xvhcif_event_take,
};

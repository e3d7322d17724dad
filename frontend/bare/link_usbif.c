// SPDX-License-Identifier: MIT
#include "link_usbif.h"

#include <error.h>
#include <string.h>
#include <transfer.h>
#include <usbif_response.h>

#define RING_PAGES 2u
#define LENGTH_MAX 32768u

static uint32_t usbif_ring_pages(const struct link *link)
{
	(void)link;
	return RING_PAGES;
}

static void usbif_lay_rings(struct link *link, uint8_t (*page)[PAGE_BYTES])
{
	front_ring_init(&link->requests, ring_page_usbif(page[0], sizeof(union usbif_urb_slot),
							 USBIF_URB_RING_SLOTS));
	front_ring_init(&link->events, ring_page_usbif(page[1], sizeof(union usbif_conn_slot),
						       USBIF_CONN_RING_SLOTS));
}

void usbif_offer(const struct link *link, uint32_t urb, uint32_t conn, uint32_t event,
		 enum link_state state)
{
	const struct link_node nodes[] = {
		{"protocol", "x86_64-abi", 0},  {"urb-ring-ref", NULL, urb},
		{"conn-ring-ref", NULL, conn},  {"event-channel", NULL, event},
		{"feature-reconnect", NULL, 1}, {"state", NULL, state},
	};

	link_write_nodes(link, nodes, sizeof(nodes) / sizeof(nodes[0]));
}

static void offer_own(const struct link *link)
{
	usbif_offer(link, link->ring_reference[0], link->ring_reference[1], link->event,
		    STATE_INITIALISED);
}

static int usbif_take_event(struct link *link)
{
	struct usbif_conn_response event;
	int got = front_ring_take(&link->events, &event, sizeof(event));

	if (got <= 0)
		return got;
	if (usbif_event_check(&event, link->ports, USBIF_SPEED_HIGH) != XVHC_OK)
		return XVHC_EPROTO;
	link->speed[event.portnum] = event.speed;
	return 1;
}

/* A request to address 0 is all that there is, and the next one goes there anyway. */
static int usbif_reset(struct link *link, uint8_t port)
{
	(void)link;
	(void)port;
	return 0;
}

void usbif_request_begin(struct usbif_urb_request *request, const struct link_request *asked)
{
	static const uint8_t types[] = {
		[TRANSFER_CONTROL] = USBIF_PIPE_TYPE_CONTROL,
		[TRANSFER_ISOC] = USBIF_PIPE_TYPE_ISOC,
		[TRANSFER_BULK] = USBIF_PIPE_TYPE_BULK,
		[TRANSFER_INTERRUPT] = USBIF_PIPE_TYPE_INTERRUPT,
	};

	memset(request, 0, sizeof(*request));
	request->pipe = asked->port | (asked->endpoint & 0x80 ? USBIF_PIPE_IN : 0) |
			(uint32_t)asked->address << USBIF_PIPE_ADDRESS_SHIFT |
			(asked->endpoint & 0x0fu) << USBIF_PIPE_ENDPOINT_SHIFT |
			(uint32_t)types[asked->type] << USBIF_PIPE_TYPE_SHIFT;
	memcpy(request->u.setup, asked->setup, sizeof(asked->setup));
}

void usbif_set_data(const struct link *link, struct usbif_urb_request *request, uint32_t page,
		    uint32_t length)
{
	request->buffer_length = (uint16_t)length;
	request->nr_buffer_segs = 0;
	while (length > 0) {
		struct usbif_segment *segment = &request->seg[request->nr_buffer_segs++];

		segment->gref = link->data_reference[page++];
		segment->offset = 0;
		segment->length = (uint16_t)(length < PAGE_BYTES ? length : PAGE_BYTES);
		length -= segment->length;
	}
}

static int usbif_exchange(struct link *link, const struct link_request *asked)
{
	struct usbif_urb_request request;
	struct usbif_urb_response response;
	int result;

	usbif_request_begin(&request, asked);
	usbif_set_data(link, &request, 0, asked->length);
	result = link_exchange_slots(link, &request, sizeof(request), &response, sizeof(response));
	if (result < 0)
		return result;
	if (response.id != request.id || usbif_response_check(&response, asked->length) != XVHC_OK)
		return LINK_WRONG;
	result = usbif_status_decode(response.status);
	return result == XVHC_OK ? response.actual_length : result;
}

const struct link_wire link_wire_usbif = {
	.version = 1,
	.length_max = LENGTH_MAX,
	.ring_pages = usbif_ring_pages,
	.lay_rings = usbif_lay_rings,
	.offer = offer_own,
	.take_event = usbif_take_event,
	.reset = usbif_reset,
	.exchange = usbif_exchange,
};

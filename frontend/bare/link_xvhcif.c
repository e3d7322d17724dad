// SPDX-License-Identifier: MIT
/*
 * The first ring page is the head page; the others are the slots of the request ring. One request
 * is under way at a time, so that one page is enough for indirect segments.
 */
#include "link_xvhcif.h"

#include <byte_order.h>
#include <error.h>
#include <string.h>
#include <xvhcif_response.h>

#include "console.h"
#include "store.h"

#define VERSION 2u
#define NODES_MAX (5u + XVHCIF_RING_PAGES_MAX)

static struct {
	_Alignas(PAGE_BYTES) struct xvhcif_segment segment[XVHCIF_SEGMENTS_MAX];
	uint32_t reference; /* its grant, for as long as we live; 0: none yet */
} indirect;

static uint32_t xvhcif_ring_pages(const struct link *link)
{
	uint32_t version = link_read_backend(link, "max-wire-version");
	uint32_t order = link_read_backend(link, "max-ring-page-order");

	if (version == STORE_NOT_A_NUMBER || version < VERSION)
		return 0;
	if (order == STORE_NOT_A_NUMBER)
		order = 0;
	return 1 + (1u << (order < XVHCIF_RING_ORDER_MAX ? order : XVHCIF_RING_ORDER_MAX));
}

static void xvhcif_lay_rings(struct link *link, uint8_t (*page)[PAGE_BYTES])
{
	uint32_t slots = (link->ring_pages - 1) * XVHCIF_SLOTS_OF_A_PAGE;

	front_ring_init(&link->requests, ring_page_requests(page[0], page[1], slots));
	front_ring_init(&link->events, ring_page_events(page[0]));
	if (indirect.reference == 0)
		indirect.reference = grant_page(link->domain, indirect.segment, false);
}

static void xvhcif_offer(const struct link *link)
{
	uint32_t pages = link->ring_pages - 1, order = (uint32_t)__builtin_ctz(pages), i;
	char names[XVHCIF_RING_PAGES_MAX][16];
	struct link_node nodes[NODES_MAX] = {
		{"wire-version", NULL, VERSION},
		{"ring-page-order", NULL, order},
		{"head-ref", NULL, link->ring_reference[0]},
		{"event-channel", NULL, link->event},
		{"state", NULL, STATE_INITIALISED},
	};

	for (i = 0; i < pages; i++) {
		format(names[i], sizeof(names[i]), "ring-ref%u", i);
		nodes[NODES_MAX - XVHCIF_RING_PAGES_MAX + i] =
			(struct link_node){names[i], NULL, link->ring_reference[1 + i]};
	}
	link_write_nodes(link, nodes, NODES_MAX - XVHCIF_RING_PAGES_MAX + pages);
}

static void xvhcif_withdraw(const struct link *link)
{
	char path[2 * LINK_PATH_MAX];

	format(path, sizeof(path), "%s/wire-version", link->frontend);
	store_remove(path);
}

static int xvhcif_take_event(struct link *link)
{
	struct xvhcif_event wire;
	struct port_event event;
	int got = front_ring_take(&link->events, &wire, sizeof(wire));

	if (got <= 0)
		return got;
	if (xvhcif_event_decode(&wire, link->ports, &event) != XVHC_OK)
		return XVHC_EPROTO;
	/* We let no device sleep, and an overcurrent tells of no device. */
	if (event.event == XVHCIF_EVENT_CONNECT) {
		link->speed[event.port] = event.speed;
		link->number[event.port] = event.device;
	} else if (event.event == XVHCIF_EVENT_DISCONNECT) {
		link->speed[event.port] = XVHCIF_SPEED_NONE;
	}
	return 1;
}

/* Names the first bytes of link_data: in the request itself where they are on a few pages. */
static void set_data(const struct link *link, struct xvhcif_request *request, uint32_t length)
{
	uint32_t count = (length + PAGE_BYTES - 1) / PAGE_BYTES, i;
	struct xvhcif_segment *segments = request->data.segment;

	request->length = le32(length);
	request->segments = le16((uint16_t)count);
	if (count > XVHCIF_SEGMENTS_DIRECT) {
		request->flags = XVHCIF_FLAG_INDIRECT;
		request->data.indirect = le32(indirect.reference);
		segments = indirect.segment;
	}
	for (i = 0; i < count; i++, length -= PAGE_BYTES) {
		segments[i].gref = le32(link->data_reference[i]);
		segments[i].offset = 0;
		segments[i].length = le16((uint16_t)(length < PAGE_BYTES ? length : PAGE_BYTES));
	}
}

/* Returns what the response says was transferred, or what is negative. */
static int send(struct link *link, const struct xvhcif_request *request)
{
	struct xvhcif_response wire;
	struct response response;
	int result = link_exchange_slots(link, request, sizeof(*request), &wire, sizeof(wire));

	if (result < 0)
		return result;
	if (xvhcif_response_decode(&wire, link->requests.page.slot_count, &response) != XVHC_OK ||
	    response.id != le16(request->id) || response.actual > le32(request->length))
		return LINK_WRONG;
	return response.error == XVHC_OK ? (int)response.actual : response.error;
}

static int xvhcif_reset(struct link *link, uint8_t port)
{
	const struct xvhcif_request request = {.operation = XVHCIF_PORT_RESET, .port = port};

	return send(link, &request);
}

/* The numbers of types are those of the wire. */
static int xvhcif_exchange(struct link *link, const struct link_request *asked)
{
	struct xvhcif_request request = {
		.operation = XVHCIF_SUBMIT,
		.port = asked->port,
		.address = asked->address,
		.endpoint = asked->endpoint,
		.type = asked->type,
	};

	memcpy(request.u.setup, asked->setup, sizeof(asked->setup));
	set_data(link, &request, asked->length);
	return send(link, &request);
}

const struct link_wire link_wire_xvhcif = {
	.version = VERSION,
	.length_max = XVHCIF_LENGTH_MAX,
	.ring_pages = xvhcif_ring_pages,
	.lay_rings = xvhcif_lay_rings,
	.offer = xvhcif_offer,
	.withdraw = xvhcif_withdraw,
	.take_event = xvhcif_take_event,
	.reset = xvhcif_reset,
	.exchange = xvhcif_exchange,
};

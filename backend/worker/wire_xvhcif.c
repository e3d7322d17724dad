// SPDX-License-Identifier: MIT
/* Version 2 of the wire (docs/protocol.md, "Version 2"). */
#include "wire.h"

#include <string.h>

#include <byte_order.h>
#include <xvhcif_decode.h>

#include "buffer.h"

static_assert((int)XVHCIF_SPEED_LOW == (int)USB_SPEED_LOW &&
		      (int)XVHCIF_SPEED_SUPER_PLUS == (int)USB_SPEED_SUPER_PLUS,
	      "both count speeds in the same way");

static int xvhcif_open(struct worker *worker, const struct transport_rings *rings,
		       uint32_t ring_pages)
{
	struct connection *connection = &worker->connection;
	int error;

	connection->slots = ring_pages * XVHCIF_SLOTS_OF_A_PAGE;
	error = back_ring_init(
		&connection->requests,
		ring_page_requests(rings->events, rings->requests, connection->slots));
	if (error != XVHC_OK)
		return error;
	return back_ring_init(&connection->events, ring_page_events(rings->events));
}

static int xvhcif_take(struct worker *worker, struct transfer_request *request, int *error)
{
	struct xvhcif_request wire;
	int got = back_ring_take(&worker->connection.requests, &wire, sizeof(wire));

	if (got < 0)
		return wire_fault(worker, "the request ring's index ran past the ring");
	if (got == 0)
		return 0;
	*error = xvhcif_decode(&wire, worker->connection.slots, worker->connection.pool_bytes,
			       request);
	if (*error == XVHC_EPROTO)
		return wire_fault(worker, "a request has an id that there is not");
	if (*error != XVHC_OK)
		worker->captures.verdict = xvhcif_verdict(&wire);
	return 1;
}

static void xvhcif_respond(struct worker *worker, const struct transfer_result *result)
{
	struct xvhcif_response wire;

	xvhcif_encode(result, &wire);
	back_ring_put(&worker->connection.requests, &wire, sizeof(wire));
}

static int fetch_segments(struct worker *worker, struct transfer_request *request)
{
	struct xvhcif_segment segments[XVHCIF_SEGMENTS_MAX];
	const struct transport_copy copy = {
		.gref = request->indirect_gref,
		.length = (uint16_t)(request->data_segments * sizeof(segments[0])),
		.local = segments,
	};

	if (copy.length > 0)
		counter_add(&worker->counters->connection.copies, 1);
	if (copy.length > 0 && worker->transport->copy(&copy, 1, TRANSPORT_FROM_GUEST) != XVHC_OK)
		return XVHC_EINVAL;
	return xvhcif_decode_segments(segments, request);
}

static int xvhcif_fetch(struct worker *worker, struct slot *slot)
{
	struct xvhcif_packet list[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request *request = &slot->request;

	if (request->indirect && fetch_segments(worker, request) != XVHC_OK)
		return XVHC_EINVAL;
	if (request->type != TRANSFER_ISOC)
		return XVHC_OK;
	if (buffer_copy_list(worker, request, list, TRANSPORT_FROM_GUEST) != XVHC_OK)
		return XVHC_EINVAL;
	return xvhcif_decode_packets(request, list, slot->packet);
}

static int xvhcif_store_packets(struct worker *worker, const struct slot *slot)
{
	struct xvhcif_packet list[XVHC_ISOC_PACKETS_MAX];

	xvhcif_encode_packets(slot->packet, slot->request.packets, list);
	return buffer_copy_list(worker, &slot->request, list, TRANSPORT_TO_GUEST);
}

static int xvhcif_put_event(struct worker *worker, const struct port *port, uint8_t event)
{
	struct xvhcif_event_request request;
	struct xvhcif_event wire;
	int got = wire_take_event_room(worker, &request, sizeof(request));

	if (got <= 0)
		return got;
	memset(&wire, 0, sizeof(wire));
	wire.id = request.id;
	wire.port = (uint8_t)port->number;
	wire.event = event;
	if (event == XVHCIF_EVENT_CONNECT) {
		wire.speed = (uint8_t)port->device.speed;
		wire.device = le64(port->instance);
	}
	back_ring_put(&worker->connection.events, &wire, sizeof(wire));
	return 1;
}

const struct wire_ops wire_xvhcif = {
	.open = xvhcif_open,
	.take = xvhcif_take,
	.respond = xvhcif_respond,
	.fetch = xvhcif_fetch,
	.store_packets = xvhcif_store_packets,
	.put_event = xvhcif_put_event,
	.resets_ports = true,
	.tells_superspeed = true,
	.tells_wakeup = true,
	.keeps_devices = true,
};

// SPDX-License-Identifier: MIT
/*
 * Version 1 of the wire (docs/protocol.md). It has no word for a device of SuperSpeed, for the
 * reset of a port, or for a wake-up.
 */
#include "wire.h"

#include <string.h>

#include <usbif_decode.h>

#include "buffer.h"

static int usbif_open(struct worker *worker, const struct transport_rings *rings,
		      uint32_t ring_pages)
{
	struct connection *connection = &worker->connection;
	int error;

	(void)ring_pages;
	connection->slots = USBIF_URB_RING_SLOTS;
	error = back_ring_init(&connection->requests,
			       ring_page_usbif(rings->requests, sizeof(union usbif_urb_slot),
					       USBIF_URB_RING_SLOTS));
	if (error != XVHC_OK)
		return error;
	return back_ring_init(&connection->events,
			      ring_page_usbif(rings->events, sizeof(union usbif_conn_slot),
					      USBIF_CONN_RING_SLOTS));
}

static int usbif_take(struct worker *worker, struct transfer_request *request, int *error)
{
	struct usbif_urb_request wire;
	int got = back_ring_take(&worker->connection.requests, &wire, sizeof(wire));

	if (got < 0)
		return wire_fault(worker, "the URB ring's index ran past the ring");
	if (got == 0)
		return 0;
	*error = usbif_decode(&wire, request);
	if (*error == XVHC_EPROTO)
		return wire_fault(worker, "a request has more segments than there are");
	if (*error != XVHC_OK)
		worker->captures.verdict = usbif_verdict(&wire);
	return 1;
}

static void usbif_respond(struct worker *worker, const struct transfer_result *result)
{
	struct usbif_urb_response wire;

	usbif_encode(result, &wire);
	back_ring_put(&worker->connection.requests, &wire, sizeof(wire));
}

static int usbif_fetch(struct worker *worker, struct slot *slot)
{
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];

	if (slot->request.type != TRANSFER_ISOC)
		return XVHC_OK;
	if (buffer_copy_list(worker, &slot->request, list, TRANSPORT_FROM_GUEST) != XVHC_OK)
		return XVHC_EINVAL;
	return usbif_decode_packets(&slot->request, list, slot->packet);
}

static int usbif_store_packets(struct worker *worker, const struct slot *slot)
{
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];

	usbif_encode_packets(slot->packet, slot->request.packets, list);
	return buffer_copy_list(worker, &slot->request, list, TRANSPORT_TO_GUEST);
}

static uint8_t speed_of(const struct port *port)
{
	static const uint8_t speeds[] = {
		[USB_SPEED_NONE] = USBIF_SPEED_NONE,       [USB_SPEED_LOW] = USBIF_SPEED_LOW,
		[USB_SPEED_FULL] = USBIF_SPEED_FULL,       [USB_SPEED_HIGH] = USBIF_SPEED_HIGH,
		[USB_SPEED_SUPER] = USBIF_SPEED_HIGH, /* this wire knows no other */
		[USB_SPEED_SUPER_PLUS] = USBIF_SPEED_HIGH,
	};

	assert(port->device.speed <= USB_SPEED_SUPER_PLUS);
	return speeds[port->device.speed];
}

static int usbif_put_event(struct worker *worker, const struct port *port, uint8_t event)
{
	struct usbif_conn_request request;
	struct usbif_conn_response wire;
	int got = wire_take_event_room(worker, &request, sizeof(request));

	if (got <= 0)
		return got;
	memset(&wire, 0, sizeof(wire));
	wire.id = request.id;
	wire.portnum = (uint8_t)port->number;
	wire.speed = event == XVHCIF_EVENT_CONNECT ? speed_of(port) : USBIF_SPEED_NONE;
	back_ring_put(&worker->connection.events, &wire, sizeof(wire));
	return 1;
}

const struct wire_ops wire_usbif = {
	.open = usbif_open,
	.take = usbif_take,
	.respond = usbif_respond,
	.fetch = usbif_fetch,
	.store_packets = usbif_store_packets,
	.put_event = usbif_put_event,
};

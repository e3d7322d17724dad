// SPDX-License-Identifier: MIT
/*
 * The guest's two rings.
 *
 * The URB ring: at most as many requests are under way as it has slots, since each response is put
 * in the place of a request that was taken. So a free slot of the worker's table is always there
 * for a request that was taken, and a free place in the ring for each response.
 *
 * A wake-up takes at most BATCH requests, so that a guest that never stops leaves time for the
 * broker and for devices. What was put is published once for each round of the loop.
 *
 * The connection ring: each port remembers what the guest was told of it last, and whether the
 * device has been replaced since. From this follow the events that are due. They are put as far as
 * the guest has left empty requests there; the rest waits.
 */
#include "connection.h"

#include <string.h>
#include <sys/epoll.h>

#include <usbif_decode.h>

#include "broker_link.h"
#include "buffer.h"
#include "request.h"

#define BATCH 32

static int fault(struct worker *worker, const char *text)
{
	worker->connection.fault = text;
	return XVHC_EPROTO;
}

int connection_open(struct worker *worker, const struct message_connect *connect,
		    struct message_fds *fds, const char **problem)
{
	struct connection *connection = &worker->connection;
	struct transport_rings rings;
	int error;

	error = worker->transport->connect(connect, fds, &rings, problem);
	if (error != XVHC_OK)
		return error;
	error = back_ring_init(&connection->urb, rings.urb, sizeof(union usbif_urb_slot),
			       USBIF_URB_RING_SLOTS);
	if (error == XVHC_OK)
		error = back_ring_init(&connection->conn, rings.conn, sizeof(union usbif_conn_slot),
				       USBIF_CONN_RING_SLOTS);
	if (error != XVHC_OK) {
		*problem = "the indices found in a ring cannot be true";
		return error;
	}
	if (loop_add(&worker->loop, rings.event, EPOLLIN, LOOP_GUEST) < 0) {
		*problem = "cannot wait for the guest's notifications";
		return XVHC_ELIMIT;
	}
	/* Requests may have been put before we came. */
	connection->more = true;
	return XVHC_OK;
}

void connection_accept(struct worker *worker)
{
	worker->transport->accept();
	worker->connection.accepted = true;
	worker->connection.more = true;
}

int connection_serve(struct worker *worker)
{
	struct connection *connection = &worker->connection;
	struct usbif_urb_request wire;
	uint32_t i;

	if (!connection->more)
		return XVHC_OK;
	for (i = 0; i < BATCH; i++) {
		int got = back_ring_take(&connection->urb, &wire, sizeof(wire));

		if (got < 0)
			return fault(worker, "the URB ring's index ran past the ring");
		if (got == 0)
			break;
		if (request_accept(worker, &wire) != XVHC_OK)
			return fault(worker, "a request has more segments than there are");
	}
	if (i < BATCH)
		connection->more = back_ring_recheck(&connection->urb);
	return XVHC_OK;
}

void connection_respond(struct worker *worker, const struct transfer_result *result)
{
	struct usbif_urb_response wire;

	usbif_encode(result, &wire);
	back_ring_put(&worker->connection.urb, &wire, sizeof(wire));
	worker->connection.urb_notify = true;
}

void connection_announce(struct worker *worker)
{
	worker->connection.event_due = true;
}

/* Returns 1 where the event was put, 0 where the guest has left no room, or XVHC_EPROTO. */
static int put_event(struct worker *worker, const struct port *port, uint8_t speed)
{
	struct back_ring *ring = &worker->connection.conn;
	struct usbif_conn_request request;
	struct usbif_conn_response event;
	int got;

	got = back_ring_take(ring, &request, sizeof(request));
	if (got == 0 && back_ring_recheck(ring))
		got = back_ring_take(ring, &request, sizeof(request));
	if (got <= 0)
		return got;
	memset(&event, 0, sizeof(event));
	event.id = request.id;
	event.portnum = (uint8_t)port->number;
	event.speed = speed;
	back_ring_put(ring, &event, sizeof(event));
	return 1;
}

static uint8_t speed_now(const struct port *port)
{
	static const uint8_t speeds[] = {
		[USB_SPEED_NONE] = USBIF_SPEED_NONE,       [USB_SPEED_LOW] = USBIF_SPEED_LOW,
		[USB_SPEED_FULL] = USBIF_SPEED_FULL,       [USB_SPEED_HIGH] = USBIF_SPEED_HIGH,
		[USB_SPEED_SUPER] = USBIF_SPEED_HIGH, /* this wire knows no other */
		[USB_SPEED_SUPER_PLUS] = USBIF_SPEED_HIGH,
	};

	if (port->phase != PHASE_READY || port->device.speed > USB_SPEED_SUPER_PLUS)
		return USBIF_SPEED_NONE;
	return speeds[port->device.speed];
}

static int tell_port(struct worker *worker, struct port *port)
{
	uint8_t speed = speed_now(port);
	int put = 1;

	if (port->told != USBIF_SPEED_NONE && (port->replaced || speed == USBIF_SPEED_NONE)) {
		put = put_event(worker, port, USBIF_SPEED_NONE);
		if (put <= 0)
			return put;
		port->told = USBIF_SPEED_NONE;
	}
	port->replaced = false;
	if (port->told == USBIF_SPEED_NONE && speed != USBIF_SPEED_NONE) {
		put = put_event(worker, port, speed);
		if (put <= 0)
			return put;
		port->told = speed;
		broker_link_report(port, PORT_ATTACHED);
	}
	return put;
}

static int tell_ports(struct worker *worker, bool *notify)
{
	uint32_t i;
	int put = 1;

	for (i = 0; i < worker->ports && put > 0; i++)
		put = tell_port(worker, &worker->port[i]);
	if (put < 0)
		return fault(worker, "the connection ring's index ran past the ring");
	/* Without room the events stay due, and the guest notifies us when there is some. */
	worker->connection.event_due = put == 0;
	if (back_ring_push(&worker->connection.conn))
		*notify = true;
	return XVHC_OK;
}

int connection_flush(struct worker *worker)
{
	struct connection *connection = &worker->connection;
	bool notify = false;
	int error = XVHC_OK;

	if (connection->urb_notify) {
		connection->urb_notify = false;
		notify = back_ring_push(&connection->urb);
	}
	if (connection->event_due)
		error = tell_ports(worker, &notify);
	if (notify)
		worker->transport->notify();
	if (connection->accepted) {
		connection->accepted = false;
		worker->transport->rearm();
	}
	return error;
}

int connection_fetch_packets(struct worker *worker, struct slot *slot)
{
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];
	const struct transfer_request *request = &slot->request;

	if (buffer_copy_list(worker, request, list, TRANSPORT_FROM_GUEST) != XVHC_OK)
		return XVHC_EINVAL;
	return usbif_decode_packets(request, list, slot->packet);
}

int connection_store_packets(struct worker *worker, const struct slot *slot)
{
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];

	usbif_encode_packets(slot->packet, slot->request.packets, list);
	return buffer_copy_list(worker, &slot->request, list, TRANSPORT_TO_GUEST);
}

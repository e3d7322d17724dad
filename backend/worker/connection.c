// SPDX-License-Identifier: MIT
/*
 * The guest's two rings, whatever the version of the wire (wire.h).
 *
 * The request ring: at most as many requests are under way as it has slots, since each response is
 * put in the place of a request that was taken. So a free slot of the worker's table is always
 * there for a request that was taken, and a free place in the ring for each response.
 *
 * A wake-up takes at most BATCH requests, so that a guest that never stops leaves time for the
 * broker and for devices. What was put is published once for each round of the loop.
 *
 * The ring of events: each port remembers what the guest was told of it last, and whether the
 * device has been replaced since. From this follow the events that are due. They are put as far as
 * the guest has left empty requests there; the rest waits.
 */
#include "connection.h"

#include <string.h>
#include <sys/epoll.h>

#include "broker_link.h"
#include "request.h"
#include "wire.h"

#define BATCH 32

int wire_fault(struct worker *worker, const char *text)
{
	worker->connection.fault = text;
	return XVHC_EPROTO;
}

int wire_take_event_room(struct worker *worker, void *request, uint32_t size)
{
	struct back_ring *ring = &worker->connection.events;
	int got = back_ring_take(ring, request, size);

	if (got == 0 && back_ring_recheck(ring))
		got = back_ring_take(ring, request, size);
	if (got < 0)
		return wire_fault(worker, "the index of the ring of events ran past the ring");
	return got;
}

int connection_open(struct worker *worker, const struct message_connect *connect,
		    struct message_fds *fds, const char **problem)
{
	struct connection *connection = &worker->connection;
	struct transport_rings rings = {0};
	int error;

	worker->wire = connect->version == 1 ? &wire_usbif : &wire_xvhcif;
	error = worker->transport->connect(connect, fds, &rings, problem);
	if (error != XVHC_OK)
		return error;
	connection->pool = rings.pool;
	connection->pool_bytes = rings.pool_bytes;
	error = worker->wire->open(worker, &rings, connect->ring_pages);
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
	counter_add(&worker->counters->connection.woken, 1);
	worker->connection.accepted = true;
	worker->connection.more = true;
}

int connection_serve(struct worker *worker)
{
	struct connection *connection = &worker->connection;
	uint32_t i;

	if (!connection->more)
		return XVHC_OK;
	for (i = 0; i < BATCH; i++) {
		int got = request_accept(worker);

		if (got < 0)
			return got;
		if (got == 0)
			break;
	}
	if (i < BATCH)
		connection->more = back_ring_recheck(&connection->requests);
	return XVHC_OK;
}

void connection_respond(struct worker *worker, const struct transfer_result *result)
{
	worker->wire->respond(worker, result);
	worker->connection.notify = true;
}

void connection_announce(struct worker *worker)
{
	worker->connection.event_due = true;
}

static int tell_port(struct worker *worker, struct port *port)
{
	bool there = port->phase == PHASE_READY;
	int put = 1;

	if (port->told && (port->replaced || !there)) {
		put = worker->wire->put_event(worker, port, XVHCIF_EVENT_DISCONNECT);
		if (put <= 0)
			return put;
		port->told = false;
	}
	port->replaced = false;
	if (!port->told && there) {
		put = worker->wire->put_event(worker, port, XVHCIF_EVENT_CONNECT);
		if (put <= 0)
			return put;
		port->told = true;
		port->woke = false;
		broker_link_report(port, PORT_ATTACHED);
	}
	if (port->told && port->woke && worker->wire->tells_wakeup) {
		put = worker->wire->put_event(worker, port, XVHCIF_EVENT_WAKEUP);
		if (put <= 0)
			return put;
	}
	port->woke = false;
	return put;
}

static int tell_ports(struct worker *worker, bool *notify)
{
	uint32_t i;
	int put = 1;

	for (i = 0; i < worker->ports && put > 0; i++)
		put = tell_port(worker, &worker->port[i]);
	if (put < 0)
		return put;
	/* Without room the events stay due, and the guest notifies us when there is some. */
	worker->connection.event_due = put == 0;
	if (back_ring_push(&worker->connection.events))
		*notify = true;
	return XVHC_OK;
}

bool connection_is_silent(const struct worker *worker)
{
	return worker->ending && worker->wire->keeps_devices;
}

int connection_flush(struct worker *worker)
{
	struct connection *connection = &worker->connection;
	bool notify = false;
	int error = XVHC_OK;

	if (connection_is_silent(worker))
		return XVHC_OK;
	if (connection->notify) {
		connection->notify = false;
		notify = back_ring_push(&connection->requests);
	}
	if (connection->event_due)
		error = tell_ports(worker, &notify);
	if (notify) {
		worker->transport->notify();
		counter_add(&worker->counters->connection.notified, 1);
	}
	if (connection->accepted) {
		connection->accepted = false;
		worker->transport->rearm();
	}
	return error;
}

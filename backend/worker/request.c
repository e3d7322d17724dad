// SPDX-License-Identifier: MIT
/*
 * A slot holds a request from when it was taken from the ring until it is answered:
 *
 *   FREE -> WAITING -> TRANSFER  -> FREE      the source had it
 *                   -> OPERATION -> FREE      its port carried it out (setup.c)
 *                   -> FREE                   answered at once: vetted out, or virtual
 *
 * A request that is cancelled while it waits is answered at once. One that the source has is
 * answered when the source has let go of it, since its buffer is in use until then. The slot
 * remembers in its verdict that the guest must be told something else than the outcome. An
 * operation cannot be cancelled.
 */
#include "request.h"

#include <string.h>

#include <control.h>
#include <usbif_decode.h>

#include "buffer.h"
#include "connection.h"
#include "port.h"
#include "setup.h"

static void respond(struct worker *worker, uint32_t id, int error)
{
	struct transfer_result result = {.id = id, .error = error};

	connection_respond(worker, &result);
}

static struct slot *take_slot(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < SOURCE_SLOTS; i++) {
		if (worker->slot[i].state == SLOT_FREE)
			return &worker->slot[i];
	}
	return NULL;
}

static void free_slot(struct slot *slot)
{
	slot->state = SLOT_FREE;
	slot->port = NULL;
	slot->next = NULL;
	slot->verdict = XVHC_OK;
}

static struct slot *find_slot(struct worker *worker, const struct port *port, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < SOURCE_SLOTS; i++) {
		struct slot *slot = &worker->slot[i];

		if (slot->state != SLOT_FREE && slot->port == port && slot->request.id == id)
			return slot;
	}
	return NULL;
}

static void cancel(struct worker *worker, struct port *port, const struct transfer_request *request)
{
	struct slot *slot = find_slot(worker, port, request->cancel_id);

	respond(worker, request->id, slot ? XVHC_OK : XVHC_ENODEV);
	if (!slot)
		return;
	if (slot->state == SLOT_WAITING && port_dequeue(port, slot)) {
		request_answer(slot, XVHC_ECANCEL, 0);
		/* It may have been all that the ones behind it waited for. */
		port_advance(port);
	} else if (slot->state == SLOT_TRANSFER) {
		request_stop(slot, XVHC_ECANCEL);
	}
}

int request_accept(struct worker *worker, const struct usbif_urb_request *wire)
{
	struct transfer_request request;
	struct port *port;
	struct slot *slot;
	int error;

	worker->requests++;
	error = usbif_decode(wire, &request);
	if (error == XVHC_EPROTO)
		return error;
	if (error != XVHC_OK) {
		worker->refused++;
		log_limited(&worker->log, LOG_LEVEL_WARNING,
			    "refused a malformed request: pipe %08x, %u segments, %u bytes",
			    wire->pipe, wire->nr_buffer_segs, wire->buffer_length);
		respond(worker, request.id, error);
		return XVHC_OK;
	}
	if (request.port > worker->ports) {
		worker->refused++;
		respond(worker, request.id, XVHC_ENODEV);
		return XVHC_OK;
	}
	port = &worker->port[request.port - 1];
	if (request.operation == TRANSFER_CANCEL) {
		cancel(worker, port, &request);
		return XVHC_OK;
	}
	slot = take_slot(worker);
	/* The ring has no more places than we have slots (connection.c). */
	assert(slot);
	slot->request = request;
	slot->port = port;
	slot->verdict = XVHC_OK;
	port_enqueue(port, slot);
	port_advance(port);
	return XVHC_OK;
}

static void log_refused(struct slot *slot, int error)
{
	const struct transfer_request *request = &slot->request;

	if (error == XVHC_ENODEV)
		return;
	log_limited(&slot->port->log, LOG_LEVEL_WARNING,
		    "port %u: refused a request: type %u, endpoint %02x, %u bytes, %u packets",
		    slot->port->number, request->type, transfer_endpoint_address(request),
		    request->length, request->packets);
}

void request_run(struct slot *slot)
{
	struct port *port = slot->port;
	int error = XVHC_OK;

	if (slot->request.type == TRANSFER_ISOC)
		error = connection_fetch_packets(port->worker, slot);
	if (error == XVHC_OK)
		error = vet_request(&port->state, &slot->request, slot->packet);
	if (error != XVHC_OK) {
		port->worker->refused++;
		log_refused(slot, error);
		request_answer(slot, error, 0);
	} else if (slot->request.type == TRANSFER_CONTROL) {
		setup_run(slot);
	} else {
		request_submit(slot);
	}
}

static void fill_transfer(struct slot *slot)
{
	const struct transfer_request *request = &slot->request;
	struct source_transfer *transfer = &slot->transfer;
	struct control_setup setup;
	uint32_t i;

	transfer->slot = (uint32_t)(slot - slot->port->worker->slot);
	transfer->type = request->type;
	transfer->endpoint = transfer_endpoint_address(request);
	transfer->in = request->in;
	transfer->buffer = slot->data;
	transfer->length = request->length;
	transfer->packets = request->packets;
	transfer->packet = slot->packet;
	transfer->error = XVHC_OK;
	transfer->actual = 0;
	if (request->type == TRANSFER_CONTROL) {
		control_parse(request->setup, &setup);
		transfer->endpoint = 0;
		transfer->buffer = slot->data - SOURCE_SETUP_BYTES;
		transfer->length = setup.length;
		memcpy(transfer->buffer, request->setup, SOURCE_SETUP_BYTES);
	}
	for (i = 0; i < request->packets; i++)
		slot->packet[i].actual = 0;
}

static void wait_for_host(struct slot *slot)
{
	struct port *port = slot->port;

	log_limited(&port->log, LOG_LEVEL_WARNING,
		    "port %u: the host has no memory for %u bytes now: is usbcore's "
		    "usbfs_memory_mb used up?",
		    port->number, slot->transfer.length);
	quota_pause(&port->worker->quota, loop_now_ms());
	port_enqueue_first(port, slot);
}

void request_submit(struct slot *slot)
{
	struct port *port = slot->port;
	int error = XVHC_OK;

	fill_transfer(slot);
	if (slot->request.type == TRANSFER_CONTROL && slot->transfer.length > SOURCE_CONTROL_MAX)
		error = XVHC_EINVAL;
	if (error == XVHC_OK && !slot->request.in)
		error = buffer_fetch(port->worker, slot);
	if (error != XVHC_OK)
		port->worker->refused++;
	else
		error = port->worker->source->submit(&port->device, &slot->transfer);
	if (error == XVHC_ELIMIT) {
		wait_for_host(slot);
		return;
	}
	if (error != XVHC_OK) {
		request_answer(slot, error, 0);
		if (error == XVHC_ENODEV)
			port_close(port);
		return;
	}
	slot->state = SLOT_TRANSFER;
	quota_take(&port->worker->quota, slot->transfer.length);
}

static uint32_t failed_packets(const struct slot *slot)
{
	uint32_t failed = 0, i;

	for (i = 0; i < slot->request.packets; i++)
		failed += slot->packet[i].result != XVHC_OK;
	return failed;
}

static void answer(struct slot *slot, int error, uint32_t actual, uint32_t failed)
{
	struct transfer_result result = {
		.id = slot->request.id,
		.error = slot->verdict != XVHC_OK ? slot->verdict : error,
		.actual = actual,
		.failed_packets = failed,
	};

	connection_respond(slot->port->worker, &result);
	free_slot(slot);
}

void request_answer(struct slot *slot, int error, uint32_t actual)
{
	answer(slot, error, actual, 0);
}

void request_stop(struct slot *slot, int verdict)
{
	/* The first word stands, except that a device that is gone outweighs a cancellation. */
	if (slot->verdict != XVHC_OK && verdict != XVHC_ENODEV)
		return;
	if (slot->verdict == XVHC_OK)
		slot->port->worker->source->cancel(&slot->port->device, &slot->transfer);
	slot->verdict = verdict;
}

/* Bounds what the source reports by what it was asked for. */
static void bound_results(struct slot *slot)
{
	struct source_transfer *transfer = &slot->transfer;
	uint32_t sum = 0, i;

	for (i = 0; i < transfer->packets; i++) {
		if (slot->packet[i].actual > slot->packet[i].length)
			slot->packet[i].actual = slot->packet[i].length;
		sum += slot->packet[i].actual;
	}
	if (slot->request.type == TRANSFER_ISOC)
		transfer->actual = sum;
	if (transfer->actual > transfer->length)
		transfer->actual = transfer->length;
}

void request_complete(struct slot *slot)
{
	struct source_transfer *transfer = &slot->transfer;
	struct worker *worker = slot->port->worker;
	int error = transfer->error;

	quota_give(&worker->quota, transfer->length);
	bound_results(slot);
	/* A transfer that was faster than its cancellation is told as it ended. */
	if (slot->verdict == XVHC_ECANCEL && error != XVHC_ECANCEL)
		slot->verdict = XVHC_OK;
	if (slot->request.in && transfer->actual > 0 && buffer_store(worker, slot) != XVHC_OK)
		error = XVHC_EIO;
	if (slot->request.type == TRANSFER_ISOC &&
	    connection_store_packets(worker, slot) != XVHC_OK)
		error = XVHC_EIO;
	answer(slot, error, transfer->actual, failed_packets(slot));
}

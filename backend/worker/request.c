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
 *
 * A slot is several KiB, which become memory of this process when they are first touched. So a new
 * one is used only where none has become free, and nobody looks at those that never were.
 */
#include "request.h"

#include <string.h>

#include <control.h>

#include "broker_link.h"
#include "buffer.h"
#include "capture.h"
#include "connection.h"
#include "counted.h"
#include "port.h"
#include "port_request.h"
#include "setup.h"
#include "wire.h"

static void respond(struct worker *worker, uint32_t id, int error)
{
	struct transfer_result result = {.id = id, .error = error};

	connection_respond(worker, &result);
}

static struct slot *take_slot(struct worker *worker)
{
	struct slot *slot = worker->free;

	if (slot) {
		worker->free = slot->next;
	} else {
		/* The ring has fewer places than we have slots (connection.c). */
		assert(worker->slot_count <= worker->connection.slots);
		slot = &worker->slot[worker->slot_count++];
	}
	slot->next = NULL;
	slot->port = NULL;
	slot->verdict = XVHC_OK;
	return slot;
}

static void free_slot(struct worker *worker, struct slot *slot)
{
	buffer_give(slot);
	slot->state = SLOT_FREE;
	slot->port = NULL;
	slot->next = worker->free;
	worker->free = slot;
}

static struct slot *find_slot(struct worker *worker, const struct port *port, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < worker->slot_count; i++) {
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

/* A request that no device will ever see: it is answered at once. */
static void answer_at_once(struct worker *worker, const struct transfer_request *request, int error)
{
	counted_refused(worker, NULL);
	if (error != XVHC_ENODEV)
		log_limited(&worker->log, LOG_LEVEL_WARNING, "refused a malformed request");
	if (captures_are_on(worker))
		capture_malformed(worker, request, error);
	worker->captures.verdict = NULL;
	respond(worker, request->id, error);
}

int request_accept(struct worker *worker)
{
	struct slot *slot;
	struct port *port;
	int error = XVHC_OK, got;

	slot = take_slot(worker);
	got = worker->wire->take(worker, &slot->request, &error);
	if (got > 0)
		counter_add(&worker->counters->connection.requests, 1);
	if (got > 0 && error == XVHC_OK) {
		if (slot->request.in_pool)
			counter_add(&worker->counters->connection.pooled, 1);
		if (slot->request.port > worker->ports)
			error = XVHC_ENODEV;
	}
	if (got > 0 && error != XVHC_OK)
		answer_at_once(worker, &slot->request, error);
	if (got <= 0 || error != XVHC_OK) {
		free_slot(worker, slot);
		return got;
	}
	port = &worker->port[slot->request.port - 1];
	if (slot->request.operation == TRANSFER_CANCEL) {
		cancel(worker, port, &slot->request);
		free_slot(worker, slot);
		return got;
	}
	slot->port = port;
	port_enqueue(port, slot);
	port_advance(port);
	return got;
}

static void log_refused(struct slot *slot, int error)
{
	const struct transfer_request *request = &slot->request;

	if (error == XVHC_ENODEV)
		return;
	broker_link_event(slot->port, PORT_EVENT_BLOCKED, request);
	log_limited(&slot->port->log, LOG_LEVEL_WARNING,
		    "port %u: refused a request: type %u, endpoint %02x, %u bytes, %u packets",
		    slot->port->number, request->type, transfer_endpoint_address(request),
		    request->length, request->packets);
}

static __attribute__((cold)) void refuse(struct slot *slot, int error, bool fetched)
{
	log_refused(slot, error);
	request_refuse(slot, error,
		       fetched ? vet_verdict(&slot->port->state, &slot->request, slot->packet)
			       : "what it names in the guest's memory is no good");
}

/* The host, or this worker, has no room for a transfer at this time. */
static void wait_for_room(struct slot *slot, const char *where)
{
	struct port *port = slot->port;

	log_limited(&port->log, LOG_LEVEL_WARNING, "port %u: %s has no room for %u bytes now",
		    port->number, where, slot->request.length);
	counter_add(&port_sums(port)->host_full, 1);
	buffer_give(slot);
	quota_pause(&port->worker->quota, loop_now_ms());
	port_enqueue_first(port, slot);
}

static void run_transfer(struct slot *slot)
{
	struct port *port = slot->port;
	int error = port->worker->wire->fetch(port->worker, slot);
	bool fetched = error == XVHC_OK;

	if (fetched)
		error = vet_request(&port->state, &slot->request, slot->packet);
	if (error != XVHC_OK) {
		refuse(slot, error, fetched);
	} else if (buffer_take(slot) != XVHC_OK) {
		wait_for_room(slot, "this worker");
	} else if (slot->request.type == TRANSFER_CONTROL) {
		setup_run(slot);
	} else {
		request_submit(slot);
	}
}

void request_run(struct slot *slot)
{
	if (slot->request.operation == TRANSFER_SUBMIT)
		run_transfer(slot);
	else
		port_request_run(slot);
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
	transfer->zero_packet = request->zero_packet;
	transfer->stream = request->stream;
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

void request_submit(struct slot *slot)
{
	struct port *port = slot->port;
	int error;

	fill_transfer(slot);
	if (slot->request.type == TRANSFER_CONTROL && slot->transfer.length > SOURCE_CONTROL_MAX) {
		request_refuse(slot, XVHC_EINVAL, "more data than a control transfer may have");
		return;
	}
	if (!slot->request.in && buffer_fetch(port->worker, slot) != XVHC_OK) {
		request_refuse(slot, XVHC_EINVAL, "its data cannot be copied from the guest");
		return;
	}
	error = port->worker->source->submit(&port->device, &slot->transfer);
	if (error == XVHC_ELIMIT) {
		wait_for_room(slot, "usbfs (usbcore's usbfs_memory_mb)");
		return;
	}
	if (error != XVHC_OK) {
		counted_failed(port, error);
		request_answer_because(slot, error, "the host does not take it");
		if (error == XVHC_ENODEV)
			port_close(port);
		return;
	}
	slot->state = SLOT_TRANSFER;
	port->untouched = false;
	port->controls += slot->request.type == TRANSFER_CONTROL;
	quota_take(&port->worker->quota, &slot->request);
	counted_begun(port);
	if (captures_are_on(port->worker))
		capture_submitted(slot);
}

static uint32_t failed_packets(const struct slot *slot)
{
	uint32_t failed = 0, i;

	for (i = 0; i < slot->request.packets; i++)
		failed += slot->packet[i].result != XVHC_OK;
	return failed;
}

/* What the guest is told of a transfer that ended so. */
static int outcome(const struct slot *slot, int error)
{
	return slot->verdict != XVHC_OK ? slot->verdict : error;
}

static void answer(struct slot *slot, int error, uint32_t actual, uint32_t failed)
{
	struct worker *worker = slot->port->worker;
	const struct transfer_request *request = &slot->request;
	struct transfer_result result = {
		.id = request->id,
		.error = outcome(slot, error),
		.actual = actual,
		.failed_packets = failed,
		.was_short = request->short_not_ok && request->in && actual < request->length,
	};

	if (captures_are_on(worker))
		capture_answered(slot, &result);
	connection_respond(worker, &result);
	free_slot(worker, slot);
}

void request_answer(struct slot *slot, int error, uint32_t actual)
{
	answer(slot, error, actual, 0);
}

void request_answer_because(struct slot *slot, int error, const char *verdict)
{
	struct captures *captures = &slot->port->worker->captures;

	captures->verdict = verdict;
	answer(slot, error, 0, 0);
	captures->verdict = NULL;
}

void request_refuse(struct slot *slot, int error, const char *verdict)
{
	counted_refused(slot->port->worker, slot->port);
	request_answer_because(slot, error, verdict);
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

/* Gives the guest what has come from the device. */
static int results_store(struct slot *slot)
{
	struct worker *worker = slot->port->worker;
	int error = XVHC_OK;

	if (slot->request.in && slot->transfer.actual > 0)
		error = buffer_store(worker, slot);
	if (slot->request.type == TRANSFER_ISOC &&
	    worker->wire->store_packets(worker, slot) != XVHC_OK)
		error = XVHC_EIO;
	return error;
}

void request_complete(struct slot *slot)
{
	struct source_transfer *transfer = &slot->transfer;
	struct worker *worker = slot->port->worker;
	int error = transfer->error;
	uint32_t failed;

	quota_give(&worker->quota, &slot->request);
	slot->port->controls -= slot->request.type == TRANSFER_CONTROL;
	bound_results(slot);
	/* A transfer that was faster than its cancellation is told as it ended. */
	if (slot->verdict == XVHC_ECANCEL && error != XVHC_ECANCEL)
		slot->verdict = XVHC_OK;
	/* What is not told any more is not there, either. */
	if (!connection_is_silent(worker) && results_store(slot) != XVHC_OK)
		error = XVHC_EIO;
	failed = failed_packets(slot);
	counted_ended(slot, outcome(slot, error), failed);
	answer(slot, error, transfer->actual, failed);
}

// SPDX-License-Identifier: MIT
/*
 * Reset, suspend and resume of a port, and streams of bulk endpoints. All are carried out by the
 * USB core behind us, and take their time.
 *
 * A device that was not touched since it came, or since its last reset, need not be reset: Linux
 * resets a new device twice before it gives it an address.
 */
#include "port_request.h"

#include "counted.h"
#include "port.h"
#include "request.h"

static void reset(struct slot *slot)
{
	static const struct source_operation operation = {.kind = SOURCE_RESET};
	struct port *port = slot->port;

	if (port->untouched && port->state.address == 0 && !port->suspended)
		request_answer(slot, XVHC_OK, 0);
	else
		port_operate(port, &operation, slot);
}

static void suspend(struct slot *slot)
{
	static const struct source_operation operation = {.kind = SOURCE_SUSPEND};

	port_operate(slot->port, &operation, slot);
}

static void resume(struct slot *slot)
{
	static const struct source_operation operation = {.kind = SOURCE_RESUME};

	if (slot->port->suspended)
		port_operate(slot->port, &operation, slot);
	else
		request_answer(slot, XVHC_OK, 0);
}

static void streams_allocate(struct slot *slot)
{
	const struct transfer_request *request = &slot->request;
	struct source_operation operation = {
		.kind = SOURCE_STREAMS_ALLOCATE,
		.endpoints = request->endpoints,
		.streams = request->streams,
	};

	if (request->streams > XVHC_STREAMS_MAX)
		operation.streams = XVHC_STREAMS_MAX;
	if (request->streams < 2 ||
	    !device_state_can_stream(&slot->port->state, request->endpoints)) {
		request_refuse(slot, XVHC_EINVAL, "not endpoints that can have streams");
		return;
	}
	port_operate(slot->port, &operation, slot);
}

static void streams_free(struct slot *slot)
{
	struct source_operation operation = {
		.kind = SOURCE_STREAMS_FREE,
		.endpoints = slot->request.endpoints,
	};

	if (!device_state_can_stream(&slot->port->state, slot->request.endpoints)) {
		request_refuse(slot, XVHC_EINVAL, "not endpoints that can have streams");
		return;
	}
	port_operate(slot->port, &operation, slot);
}

static void (*const runs[])(struct slot *slot) = {
	[TRANSFER_PORT_RESET] = reset,          [TRANSFER_PORT_SUSPEND] = suspend,
	[TRANSFER_PORT_RESUME] = resume,        [TRANSFER_STREAMS_ALLOCATE] = streams_allocate,
	[TRANSFER_STREAMS_FREE] = streams_free,
};

void port_request_run(struct slot *slot)
{
	assert(slot->request.operation < sizeof(runs) / sizeof(runs[0]) &&
	       runs[slot->request.operation]);
	runs[slot->request.operation](slot);
}

void port_request_done(struct port *port, int error)
{
	const struct source_operation *operation = &port->operation;

	if (error != XVHC_OK)
		return;
	switch (operation->kind) {
	case SOURCE_SUSPEND:
		port->suspended = true;
		break;
	case SOURCE_RESUME:
		port->suspended = false;
		break;
	case SOURCE_STREAMS_ALLOCATE:
		device_state_set_streams(&port->state, operation->endpoints, port->device.streams);
		break;
	case SOURCE_STREAMS_FREE:
		device_state_set_streams(&port->state, operation->endpoints, 0);
		break;
	default:
		break;
	}
}

// SPDX-License-Identifier: MIT
/*
 * A port and the device on it.
 *
 *   EMPTY -> OPENING -> READY -> CLOSING -> EMPTY
 *                    -> CLOSING (it could not be opened, or was taken back meanwhile)
 *
 * For the guest there is a device in READY only. DETACHED is reported once for each ATTACH, at the
 * return to EMPTY, however that comes about.
 *
 * Requests to an endpoint run in the order in which they came, as far as starting them goes: each
 * joins the queue, and leaves it at once unless an operation is due (next_slot() has the rules).
 * One operation (SET_INTERFACE, a reset and the like) is due at a time. It first drains: transfers
 * that it would disturb are cancelled and awaited. Then it runs, in the source, without making us
 * wait. Later requests to this device stay in the queue; other ports go on. The queue is bounded by
 * the slots. A request that is beyond the guest's quotas stays in the queue until there is room. So
 * does one for which the host has no room, for a moment.
 *
 * Version 1 of the wire has no word for a port reset. A request to address 0 of a device that has
 * an address, or that failed in the default state, means that there was one: the device is reset
 * before that request runs.
 */
#include "port.h"

#include <control.h>
#include <present.h>

#include "broker_link.h"
#include "capture.h"
#include "connection.h"
#include "counted.h"
#include "port_request.h"
#include "request.h"
#include "setup.h"
#include "wire.h"

#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((uint8_t *)(pointer)-offsetof(type, member)))

void port_init(struct port *port, struct worker *worker, uint32_t number)
{
	port->worker = worker;
	port->number = number;
	port->device.port = number;
}

static bool slot_is_mine(const struct slot *slot, const struct port *port)
{
	return slot->state == SLOT_TRANSFER && slot->port == port;
}

void port_enqueue(struct port *port, struct slot *slot)
{
	struct slot **link = &port->queue;

	while (*link)
		link = &(*link)->next;
	slot->state = SLOT_WAITING;
	slot->next = NULL;
	*link = slot;
}

void port_enqueue_first(struct port *port, struct slot *slot)
{
	slot->state = SLOT_WAITING;
	slot->next = port->queue;
	port->queue = slot;
}

bool port_dequeue(struct port *port, struct slot *slot)
{
	struct slot **link = &port->queue;

	while (*link && *link != slot)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = slot->next;
	slot->next = NULL;
	return true;
}

/* Whether the operation that is due would disturb this transfer. */
static bool disturbs(const struct port *port, const struct slot *slot)
{
	const struct source_operation *operation = &port->operation;

	if (!slot_is_mine(slot, port))
		return false;
	switch (operation->kind) {
	case SOURCE_CLEAR_HALT:
		return slot->transfer.endpoint == operation->endpoint;
	case SOURCE_SET_INTERFACE:
		return device_state_owns(&port->state, operation->interface,
					 slot->transfer.endpoint);
	case SOURCE_STREAMS_ALLOCATE:
	case SOURCE_STREAMS_FREE:
		return (operation->endpoints & 1u << ((slot->transfer.endpoint & 0x0f) |
						      (slot->transfer.endpoint & 0x80) >> 3)) != 0;
	case SOURCE_OPEN:
	case SOURCE_RESUME:
		return false;
	default:
		return true;
	}
}

static uint32_t count_disturbed(const struct port *port)
{
	uint32_t count = 0, i;

	for (i = 0; i < port->worker->slot_count; i++)
		count += disturbs(port, &port->worker->slot[i]);
	return count;
}

void port_operate(struct port *port, const struct source_operation *operation, struct slot *slot)
{
	uint32_t i;

	assert(port->operation_phase == OPERATION_NONE);
	port->operation = *operation;
	port->operation_slot = slot;
	port->operation_phase = OPERATION_DRAINING;
	if (slot) {
		slot->state = SLOT_OPERATION;
		if (captures_are_on(port->worker))
			capture_submitted(slot);
	}
	for (i = 0; i < port->worker->slot_count; i++) {
		if (disturbs(port, &port->worker->slot[i]))
			request_stop(&port->worker->slot[i], XVHC_ECANCEL);
	}
}

static bool needs_reset(const struct port *port, const struct slot *slot)
{
	return !port->worker->wire->resets_ports && slot->request.address == 0 &&
	       slot->request.type == TRANSFER_CONTROL && (port->state.address != 0 || port->stale);
}

static bool is_admitted(const struct port *port, const struct slot *slot)
{
	struct quota *quota = &port->worker->quota;
	uint64_t now_ms = quota_needs_time(quota, &slot->request) ? loop_now_ms() : 0;

	return quota_admit(quota, &slot->request, now_ms);
}

static bool is_reset(const struct port *port, const struct slot *slot)
{
	return needs_reset(port, slot) || slot->request.operation == TRANSFER_PORT_RESET;
}

/* Whether it makes a difference to other requests which of them comes first. */
static bool changes_state(const struct port *port, const struct slot *slot)
{
	struct control_setup setup;

	if (slot->request.operation != TRANSFER_SUBMIT || is_reset(port, slot))
		return true;
	if (slot->request.type != TRANSFER_CONTROL)
		return false;
	control_parse(slot->request.setup, &setup);
	switch (control_classify(&setup)) {
	case CONTROL_PASS:
	case CONTROL_GET_DESCRIPTOR:
	case CONTROL_REFUSE:
		return false;
	default:
		return true;
	}
}

/* A bit for each endpoint; all control requests are of endpoint zero. */
static uint32_t endpoint_bit(const struct transfer_request *request)
{
	if (request->type == TRANSFER_CONTROL)
		return 1;
	return 1u << (request->endpoint | (request->in ? 16 : 0));
}

/*
 * Whose turn it is, or NULL. Requests of one endpoint keep their order, and control requests go one
 * by one: some are answered by us, and must not overtake those that the device has. Requests of
 * other endpoints pass those that wait for this. Where one waits for the guest's quotas, control
 * requests alone pass it: they may be what makes others end. Nothing passes what changes the state,
 * nor does that pass anything. What only a reset can end does not hold up a reset.
 *
 * Requests to a port that is empty for the guest are answered, which costs nothing.
 */
static struct slot *next_slot(const struct port *port)
{
	uint32_t passed = 0;
	bool full = false;
	struct slot *slot;

	if (port->phase != PHASE_READY)
		return port->queue;
	for (slot = port->queue; slot; slot = slot->next) {
		bool control = slot->request.type == TRANSFER_CONTROL;
		bool waits = control ? port->controls > 0 && !is_reset(port, slot) : full;

		if (changes_state(port, slot))
			return passed == 0 && !waits && is_admitted(port, slot) ? slot : NULL;
		waits = waits || (passed & endpoint_bit(&slot->request)) != 0;
		if (!waits && is_admitted(port, slot))
			return slot;
		full = full || (!waits && !control);
		passed |= endpoint_bit(&slot->request);
	}
	return NULL;
}

static void run(struct port *port, struct slot *slot)
{
	static const struct source_operation reset = {.kind = SOURCE_RESET};

	if (port->phase == PHASE_READY && needs_reset(port, slot)) {
		port_operate(port, &reset, NULL);
		return;
	}
	(void)port_dequeue(port, slot);
	if (port->phase == PHASE_READY)
		request_run(slot);
	else
		request_answer_because(slot, XVHC_ENODEV, "there is no device in this port");
}

void port_advance(struct port *port)
{
	static const struct source_operation close = {.kind = SOURCE_CLOSE};
	struct slot *slot;

	for (;;) {
		if (port->operation_phase == OPERATION_DRAINING && count_disturbed(port) == 0) {
			port->operation_phase = OPERATION_RUNNING;
			port->worker->source->operate(&port->device, &port->operation);
		}
		/* A port that is empty for the guest answers, whatever its device still does. */
		if (port->operation_phase != OPERATION_NONE && port->phase == PHASE_READY)
			return;
		slot = next_slot(port);
		if (!slot && port->queue)
			return;
		if (slot)
			run(port, slot);
		else if (port->phase == PHASE_CLOSING && port->operation_phase == OPERATION_NONE)
			port_operate(port, &close, NULL);
		else if (port->operation_phase != OPERATION_DRAINING || count_disturbed(port) > 0)
			return;
	}
}

void ports_advance(struct worker *worker)
{
	uint32_t first = worker->turn, i;

	quota_ask_again(&worker->quota);
	/* Each port is the first one in its turn, so that none has all that becomes free. */
	worker->turn = (first + 1) % worker->ports;
	for (i = 0; i < worker->ports; i++)
		port_advance(&worker->port[(first + i) % worker->ports]);
}

int port_attach(struct port *port, const struct message_attach *attach, int fd)
{
	struct source_operation open = {.kind = SOURCE_OPEN, .fd = fd};

	if (port->phase != PHASE_EMPTY || attach->speed == USB_SPEED_NONE ||
	    attach->speed > USB_SPEED_SUPER_PLUS)
		return XVHC_EINVAL;
	port->phase = PHASE_OPENING;
	port->stale = false;
	port->suspended = false;
	port->woke = false;
	port->stirred = false;
	port->instance = (uint64_t)attach->instance[1] << 32 | attach->instance[0];
	port->device.speed = attach->speed;
	port->device.model = attach->model;
	port->allow_dfu = (attach->flags & ATTACH_ALLOW_DFU) != 0;
	port->device.descriptors_length = 0;
	port_operate(port, &open, NULL);
	port_advance(port);
	return XVHC_OK;
}

static void state_init(struct port *port)
{
	device_state_init(&port->state, &port->descriptors);
	port->state.firmware_allowed = port->allow_dfu;
	port->untouched = true;
	port->suspended = false;
}

static void opened(struct port *port, int error)
{
	struct source_device *device = &port->device;

	port->presented = device->speed >= USB_SPEED_SUPER && !port->worker->wire->tells_superspeed;
	if (error == XVHC_OK && port->presented)
		device->descriptors_length = (uint32_t)present_high_speed(
			device->descriptors, device->descriptors_length);
	if (error == XVHC_OK)
		error = descriptor_parse(&port->descriptors, device->descriptors,
					 device->descriptors_length);
	if (port->phase != PHASE_OPENING)
		return;
	if (error != XVHC_OK) {
		log_line(LOG_LEVEL_WARNING, "port %u: the device cannot be opened (error %d)",
			 port->number, error);
		port_close(port);
		return;
	}
	state_init(port);
	port->phase = PHASE_READY;
	log_line(LOG_LEVEL_INFO, "port %u: device %04x:%04x", port->number,
		 port->descriptors.vendor, port->descriptors.product);
	connection_announce(port->worker);
}

static void closed(struct port *port)
{
	log_line(LOG_LEVEL_INFO, "port %u: closed", port->number);
	port->phase = PHASE_EMPTY;
	port->report = PORT_EMPTY;
	broker_link_detached(port);
}

void port_close(struct port *port)
{
	uint32_t i;

	if (port->phase == PHASE_EMPTY || port->phase == PHASE_CLOSING)
		return;
	port->phase = PHASE_CLOSING;
	port->replaced = port->told;
	connection_announce(port->worker);
	if (port->operation_slot)
		request_answer(port->operation_slot, XVHC_ENODEV, 0);
	port->operation_slot = NULL;
	/* An operation that has not begun need not. */
	if (port->operation_phase == OPERATION_DRAINING)
		port->operation_phase = OPERATION_NONE;
	for (i = 0; i < port->worker->slot_count; i++) {
		if (slot_is_mine(&port->worker->slot[i], port))
			request_stop(&port->worker->slot[i], XVHC_ENODEV);
	}
}

static void reset_done(struct port *port, int error)
{
	struct slot *slot = port->queue;
	bool suspended = port->suspended;

	broker_link_event(port, error == XVHC_OK ? PORT_EVENT_RESET : PORT_EVENT_RESET_FAILED,
			  NULL);
	state_init(port);
	port->stale = false;
	if (error == XVHC_OK) {
		counter_add(&port_sums(port)->resets, 1);
	} else {
		port->stale = true;
		port->untouched = false;
		port->suspended = suspended;
	}
	broker_link_report(port, PORT_ATTACHED);
	/*
	 * The request that made us do it must not make us do it again. It may have been cancelled
	 * meanwhile, and another one be the first in the queue.
	 */
	if (error != XVHC_OK && slot && needs_reset(port, slot)) {
		(void)port_dequeue(port, slot);
		request_answer(slot, error, 0);
	}
}

static void woken(struct port *port, int error)
{
	port_request_done(port, error);
	port->woke = error == XVHC_OK;
	connection_announce(port->worker);
}

/* Streams are counted where a transfer's bytes would be. */
static uint32_t answer_of(const struct port *port, int error)
{
	bool streams = port->operation.kind == SOURCE_STREAMS_ALLOCATE && error == XVHC_OK;

	return streams ? port->device.streams : 0;
}

/* What woke up by itself is held awake, once no operation of the guest's is under way. */
static void hold_awake(struct port *port)
{
	static const struct source_operation resume = {.kind = SOURCE_RESUME};

	if (port->operation_phase != OPERATION_NONE)
		return;
	/* Where the guest has resumed it meanwhile, or reset it, that is all there is to it. */
	if (port->stirred && port->suspended && port->phase == PHASE_READY)
		port_operate(port, &resume, NULL);
	port->stirred = false;
}

static void operation_done(struct source_device *device, int error)
{
	struct port *port = container_of(device, struct port, device);
	struct slot *slot = port->operation_slot;

	assert(port->operation_phase == OPERATION_RUNNING);
	port->operation_phase = OPERATION_NONE;
	port->operation_slot = NULL;
	switch (port->operation.kind) {
	case SOURCE_OPEN:
		opened(port, error);
		break;
	case SOURCE_CLOSE:
		closed(port);
		break;
	default:
		if (port->phase != PHASE_READY)
			break; /* the request was answered when the device went */
		if (error != XVHC_OK)
			counted_failed(port, error);
		if (port->operation.kind == SOURCE_RESET)
			reset_done(port, error);
		else if (!slot)
			woken(port, error);
		else if (slot->request.operation != TRANSFER_SUBMIT)
			port_request_done(port, error);
		else
			setup_operation_done(port, error);
		if (slot)
			request_answer(slot, error, answer_of(port, error));
		if (error == XVHC_ENODEV)
			port_close(port);
		break;
	}
	hold_awake(port);
	port_advance(port);
}

static void transfer_done(struct source_device *device, struct source_transfer *transfer)
{
	struct port *port = container_of(device, struct port, device);
	struct slot *slot = container_of(transfer, struct slot, transfer);
	int error = transfer->error;

	assert(slot_is_mine(slot, port));
	if (slot->request.address == 0 && error != XVHC_OK && error != XVHC_ESTALL)
		port->stale = true;
	request_complete(slot);
	if (error == XVHC_ENODEV)
		port_close(port);
	port_advance(port);
}

/* It woke up by itself: it is held awake first, and the guest is told then. */
static void device_woke(struct source_device *device)
{
	struct port *port = container_of(device, struct port, device);

	port->stirred = true;
	hold_awake(port);
	port_advance(port);
}

const struct source_calls port_source_calls = {
	.operation_done = operation_done,
	.transfer_done = transfer_done,
	.device_woke = device_woke,
};

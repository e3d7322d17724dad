// SPDX-License-Identifier: MIT
/*
 * Each device checks what it is asked for by its own table (kind.h) and its own state: what a real
 * one relies on the worker for. A transfer is PENDING until it is finished by command; then it is
 * DONE, and called back for in handle_events().
 */
#include "device.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <usbif_decode.h>
#include <worker/worker.h>

#include "kind.h"
#include "memory.h"
#include "request.h"

struct device {
	struct source_device *device;
	const struct kind *kind;
	uint32_t model;
	bool open, gone;
	bool asleep, woke;
	bool lacks_a_reset;
	uint8_t configuration;
	uint8_t altsetting[32];
	uint16_t streams[32]; /* of each endpoint, by the bits of an operation */
	enum {
		OPERATION_IDLE,
		OPERATION_PENDING,
		OPERATION_DONE
	} phase;
	struct source_operation operation;
	int result;
};

struct pending {
	struct device *device;
	struct source_transfer *transfer;
	struct sim_request *request;
	bool cancelled, done;
};

static const struct source_calls *calls;
static int event = -1;
static bool calm;
static struct device devices[SIM_PORTS];
static struct pending pending[SOURCE_SLOTS];
static uint32_t pending_count;
static uint32_t quota_transfers, quota_bytes;

static int sim_init(struct loop *loop, const struct source_calls *worker_calls)
{
	calls = worker_calls;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return loop_add(loop, event, EPOLLIN, LOOP_SOURCE);
}

static int sim_start(uint32_t ports)
{
	SIM_CHECK(ports == SIM_PORTS, "%u ports", ports);
	return 0;
}

static void wake(void)
{
	uint64_t one = 1;

	SIM_CHECK(write(event, &one, sizeof(one)) == sizeof(one), "eventfd");
}

static struct device *device_of(const struct source_device *device)
{
	SIM_CHECK(device->port >= 1 && device->port <= SIM_PORTS, "port %u", device->port);
	return &devices[device->port - 1];
}

static uint32_t count_pending(const struct device *device, int endpoint)
{
	uint32_t count = 0, i;

	for (i = 0; i < pending_count; i++)
		count += pending[i].device == device &&
			 (endpoint < 0 || pending[i].transfer->endpoint == endpoint);
	return count;
}

/* Submission. */

static uint32_t bit_of(uint8_t endpoint)
{
	return (endpoint & 15u) | (endpoint & 0x80u) >> 3;
}

static void check_stream(const struct device *device, const struct source_transfer *transfer)
{
	uint16_t streams = device->streams[bit_of(transfer->endpoint)];

	SIM_CHECK(streams == 0 ? transfer->stream == 0
			       : transfer->stream >= 1 && transfer->stream <= streams,
		  "stream %u of endpoint %02x, which has %u", transfer->stream, transfer->endpoint,
		  streams);
}

static void check_endpoint(const struct device *device, const struct source_transfer *transfer)
{
	const struct kind_endpoint *endpoint;
	uint32_t i, total = 0;

	if (device->model == KIND_GARBAGE)
		return;
	endpoint = kind_find(device->kind, device->configuration, device->altsetting,
			     transfer->endpoint);
	SIM_CHECK(endpoint, "endpoint %02x is not active in configuration %u", transfer->endpoint,
		  device->configuration);
	SIM_CHECK(endpoint->type == transfer->type, "endpoint %02x has not type %u",
		  transfer->endpoint, transfer->type);
	SIM_CHECK(transfer->in == ((endpoint->address & 0x80) != 0), "wrong direction");
	check_stream(device, transfer);
	for (i = 0; i < transfer->packets; i++) {
		SIM_CHECK(transfer->packet[i].length <= endpoint->payload, "packet too long");
		total += transfer->packet[i].length;
	}
	SIM_CHECK(total <= transfer->length, "packets beyond the buffer");
}

/* What of the guest's memory should have come to the device: length bytes to data. */
static void expected_out(const struct sim_request *request, uint8_t *data)
{
	static uint8_t all[65536];
	uint32_t i;

	memory_gather(request->piece, request->data_pieces, all, request->length);
	if (request->type != TRANSFER_ISOC)
		memcpy(data, all, request->length);
	for (i = 0; i < request->packets; i++) {
		memcpy(data, all + request->list[i].offset, request->list[i].length);
		data += request->list[i].length;
	}
}

static uint32_t bytes_of(const struct source_transfer *transfer)
{
	uint32_t bytes = 0, i;

	if (transfer->type != TRANSFER_ISOC)
		return transfer->length;
	for (i = 0; i < transfer->packets; i++)
		bytes += transfer->packet[i].length;
	return bytes;
}

static void check_data(const struct sim_request *request, const struct source_transfer *transfer)
{
	static uint8_t data[65536];
	const uint8_t *buffer = transfer->buffer;

	SIM_CHECK(request->type == transfer->type, "type %u became %u", request->type,
		  transfer->type);
	SIM_CHECK(request->packets == transfer->packets, "number of packets");
	if (transfer->type == TRANSFER_CONTROL) {
		SIM_CHECK(memcmp(buffer, request->wire.u.setup, 8) == 0, "another setup packet");
		buffer += SOURCE_SETUP_BYTES;
	} else {
		SIM_CHECK(transfer->length == request->length, "length");
		SIM_CHECK(transfer->stream == request->stream, "stream");
	}
	if (request->in)
		return;
	SIM_CHECK(!request->bad_grant, "data came from a page that there is not");
	expected_out(request, data);
	SIM_CHECK(memcmp(buffer, data, bytes_of(transfer)) == 0,
		  "data to the device is not the guest's");
}

static void check_quota(void)
{
	uint32_t bytes = 0, i;

	SIM_CHECK(quota_transfers == 0 || pending_count <= quota_transfers,
		  "%u transfers under way, of %u", pending_count, quota_transfers);
	for (i = 0; i < pending_count; i++)
		bytes += pending[i].transfer->type == TRANSFER_CONTROL
				 ? 0
				 : pending[i].transfer->length;
	SIM_CHECK(quota_bytes == 0 || bytes <= quota_bytes, "%u bytes under way, of %u", bytes,
		  quota_bytes);
}

static int sim_submit(struct source_device *source, struct source_transfer *transfer)
{
	struct device *device = device_of(source);
	const struct slot *slot =
		(const struct slot *)(const void *)((const uint8_t *)transfer -
						    offsetof(struct slot, transfer));
	struct sim_request *request = request_find(slot->request.id);

	SIM_CHECK(device->open, "a transfer for a device that is not open");
	SIM_CHECK(device->phase == OPERATION_IDLE, "a transfer during an operation");
	SIM_CHECK(transfer->slot < SOURCE_SLOTS, "slot %u", transfer->slot);
	SIM_CHECK(request, "no request of the guest is behind a transfer");
	SIM_CHECK(!request->reached, "request %u reached a device twice", request->id);
	if (device->gone)
		return XVHC_ENODEV;
	if (transfer->type != TRANSFER_CONTROL)
		check_endpoint(device, transfer);
	if (request->kind == SIM_SUBMIT)
		check_data(request, transfer);
	request->reached = true;
	SIM_CHECK(pending_count < SOURCE_SLOTS, "more transfers than slots");
	pending[pending_count++] =
		(struct pending){.device = device, .transfer = transfer, .request = request};
	check_quota();
	return XVHC_OK;
}

/* The end of transfers. */

static int32_t random_error(void)
{
	static const int32_t errors[] = {XVHC_OK, XVHC_OK,     XVHC_OK,  XVHC_OK,
					 XVHC_OK, XVHC_ESTALL, XVHC_EIO, XVHC_EBABBLE};

	return errors[random_below(sizeof(errors) / sizeof(errors[0]))];
}

/* All, some, none, or, from a device that lies, more than there is room for. */
static uint32_t random_actual(uint32_t length)
{
	switch (random_below(8)) {
	case 0:
		return 0;
	case 1:
		return length + random_below(100000);
	case 2:
	case 3:
		return random_below(length + 1);
	default:
		return length;
	}
}

static uint32_t bounded(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

static void end_packets(struct pending *entry)
{
	uint32_t i;

	for (i = 0; i < entry->transfer->packets; i++) {
		struct transfer_packet *packet = &entry->transfer->packet[i];

		packet->actual = random_actual(packet->length);
		packet->result = random_one_in(4) ? random_error() : XVHC_OK;
		entry->request->packet_actual[i] = bounded(packet->actual, packet->length);
		entry->request->packet_result[i] = packet->result;
	}
}

/* The device fills the whole buffer, whatever it then says that it sent. */
static void end_transfer(struct pending *entry, int32_t error)
{
	struct source_transfer *transfer = entry->transfer;
	struct sim_request *request = entry->request;
	uint8_t *data =
		transfer->buffer + (transfer->type == TRANSFER_CONTROL ? SOURCE_SETUP_BYTES : 0);

	SIM_CHECK(request->open, "the request was answered while its device had it");
	if (request->in) {
		random_fill(data, bytes_of(transfer));
		memcpy(request->data, data, bytes_of(transfer));
	}
	transfer->error = error;
	transfer->actual = random_actual(transfer->length);
	if (transfer->type == TRANSFER_ISOC)
		end_packets(entry);
	request->error = error;
	request->actual = bounded(transfer->actual, transfer->length);
	request->finished = true;
	entry->done = true;
	wake();
}

bool device_finish_transfer(bool cancelled)
{
	uint32_t at = pending_count ? random_below(pending_count) : 0, i;

	for (i = 0; i < pending_count; i++, at++) {
		struct pending *entry = &pending[at % pending_count];

		if (entry->done || (cancelled && !entry->cancelled))
			continue;
		/* One that was faster than its cancellation ends like any other. */
		end_transfer(entry,
			     entry->cancelled && !random_one_in(4) ? XVHC_ECANCEL : random_error());
		return true;
	}
	return false;
}

static void sim_cancel(struct source_device *source, struct source_transfer *transfer)
{
	struct device *device = device_of(source);
	uint32_t i;

	for (i = 0; i < pending_count; i++) {
		struct pending *entry = &pending[i];

		if (entry->transfer != transfer)
			continue;
		SIM_CHECK(entry->device == device, "cancelled at another device");
		entry->cancelled = true;
		if (calm && !entry->done)
			end_transfer(entry, XVHC_ECANCEL);
		return;
	}
	sim_fail("a transfer was cancelled that no device has");
}

/* Operations. */

static int open_device(struct device *device, struct source_device *source)
{
	uint32_t damage;

	SIM_CHECK(!device->open && device->phase == OPERATION_IDLE, "opened twice");
	memset(device, 0, sizeof(*device));
	device->device = source;
	device->model = source->model;
	device->kind = kind_of(source->model);
	if (source->model == KIND_NO_OPEN)
		return XVHC_EIO;
	device->open = true;
	source->descriptors_length = device->kind->length;
	memcpy(source->descriptors, device->kind->descriptors, device->kind->length);
	if (source->model == KIND_GARBAGE) {
		for (damage = random_below(12); damage > 0; damage--)
			source->descriptors[random_below(device->kind->length)] =
				(uint8_t)random_u64();
		source->descriptors_length = random_below(device->kind->length + 1);
	}
	return XVHC_OK;
}

static void end_all_streams(struct device *device)
{
	memset(device->streams, 0, sizeof(device->streams));
}

static int configure(struct device *device, const struct source_operation *operation)
{
	SIM_CHECK(device->model == KIND_GARBAGE || operation->value == 0 ||
			  kind_has(device->kind, operation->value, 0, 0),
		  "configuration %u", operation->value);
	device->configuration = operation->value;
	end_all_streams(device);
	memset(device->altsetting, 0, sizeof(device->altsetting));
	return XVHC_OK;
}

static int set_interface(struct device *device, const struct source_operation *operation)
{
	uint32_t i;

	SIM_CHECK(device->model == KIND_GARBAGE ||
			  kind_has(device->kind, device->configuration, operation->interface,
				   operation->altsetting),
		  "interface %u, altsetting %u", operation->interface, operation->altsetting);
	if (operation->interface < 32)
		device->altsetting[operation->interface] = operation->altsetting;
	for (i = 0; i < device->kind->count; i++) {
		const struct kind_endpoint *endpoint = &device->kind->endpoints[i];

		if (endpoint->interface == operation->interface)
			device->streams[bit_of(endpoint->address)] = 0;
	}
	return XVHC_OK;
}

uint32_t device_streams_of(uint32_t wanted)
{
	return wanted < 16 ? wanted : 16;
}

static void check_streams(const struct device *device, const struct source_operation *operation)
{
	uint32_t i;

	SIM_CHECK(operation->endpoints != 0, "streams of no endpoint");
	for (i = 0; i < 32; i++) {
		uint8_t address = (uint8_t)((i & 15) | (i & 16) << 3);
		const struct kind_endpoint *endpoint =
			kind_find(device->kind, device->configuration, device->altsetting, address);

		if ((operation->endpoints >> i & 1) == 0)
			continue;
		SIM_CHECK(device->model == KIND_GARBAGE ||
				  (endpoint && endpoint->type == TRANSFER_BULK),
			  "streams of endpoint %02x", address);
		SIM_CHECK(count_pending(device, address) == 0, "streams under transfers");
	}
}

static void set_streams(struct device *device, const struct source_operation *operation)
{
	uint16_t streams = 0;
	uint32_t i;

	if (operation->kind == SOURCE_STREAMS_ALLOCATE) {
		SIM_CHECK(operation->streams >= 2 && operation->streams <= XVHC_STREAMS_MAX,
			  "%u streams", operation->streams);
		streams = (uint16_t)device_streams_of(operation->streams);
		device->device->streams = streams;
	}
	for (i = 0; i < 32; i++) {
		if (operation->endpoints >> i & 1)
			device->streams[i] = streams;
	}
}

/* None of the transfers that it would disturb may be under way. */
static void check_drained(const struct device *device, const struct source_operation *operation)
{
	uint32_t i;

	switch (operation->kind) {
	case SOURCE_OPEN:
	case SOURCE_SET_CONFIGURATION:
	case SOURCE_RESET:
	case SOURCE_SUSPEND:
	case SOURCE_CLOSE:
		SIM_CHECK(count_pending(device, -1) == 0, "operation %u under transfers",
			  operation->kind);
		break;
	case SOURCE_CLEAR_HALT:
		SIM_CHECK(count_pending(device, operation->endpoint) == 0, "halt under transfers");
		break;
	case SOURCE_SET_INTERFACE:
		for (i = 0; device->model != KIND_GARBAGE && i < device->kind->count; i++) {
			const struct kind_endpoint *endpoint = &device->kind->endpoints[i];

			SIM_CHECK(endpoint->configuration != device->configuration ||
					  endpoint->interface != operation->interface ||
					  count_pending(device, endpoint->address) == 0,
				  "altsetting under transfers");
		}
		break;
	case SOURCE_STREAMS_ALLOCATE:
	case SOURCE_STREAMS_FREE:
		check_streams(device, operation);
		break;
	case SOURCE_RESUME:
		break;
	}
	SIM_CHECK(sim_version == 2 || operation->kind < SOURCE_SUSPEND ||
			  operation->kind == SOURCE_CLOSE,
		  "an operation that version 1 has no word for");
}

/* What the device does; it is told to the worker when the operation ends. */
static int carry_out(struct device *device, const struct source_operation *operation)
{
	if (operation->kind == SOURCE_CLOSE)
		return XVHC_OK;
	if (device->gone)
		return XVHC_ENODEV;
	if (random_one_in(8))
		return XVHC_EIO;
	switch (operation->kind) {
	case SOURCE_SET_CONFIGURATION:
		return configure(device, operation);
	case SOURCE_SET_INTERFACE:
		return set_interface(device, operation);
	case SOURCE_RESET:
		device->configuration = 0;
		device->asleep = device->lacks_a_reset = false;
		memset(device->altsetting, 0, sizeof(device->altsetting));
		return XVHC_OK;
	case SOURCE_SUSPEND:
	case SOURCE_RESUME:
		device->asleep = operation->kind == SOURCE_SUSPEND;
		return XVHC_OK;
	case SOURCE_STREAMS_ALLOCATE:
	case SOURCE_STREAMS_FREE:
		set_streams(device, operation);
		return XVHC_OK;
	default:
		return XVHC_OK;
	}
}

static void end_operation(struct device *device)
{
	if (device->operation.kind != SOURCE_OPEN)
		device->result = carry_out(device, &device->operation);
	/* For the worker it has no configuration any more (setup.c), nor after a reset (port.c). */
	if (device->result != XVHC_OK && (device->operation.kind == SOURCE_SET_CONFIGURATION ||
					  device->operation.kind == SOURCE_RESET))
		device->configuration = 0;
	if (device->operation.kind == SOURCE_RESET) {
		device->lacks_a_reset = device->result != XVHC_OK;
		end_all_streams(device);
	}
	if (device->operation.kind == SOURCE_SET_CONFIGURATION)
		end_all_streams(device);
	device->phase = OPERATION_DONE;
	wake();
}

static void sim_operate(struct source_device *source, const struct source_operation *operation)
{
	struct device *device = device_of(source);
	int result = XVHC_OK;

	SIM_CHECK(device->phase == OPERATION_IDLE, "two operations at once");
	check_drained(device, operation);
	if (operation->kind == SOURCE_OPEN)
		result = open_device(device, source);
	else
		SIM_CHECK(device->open || operation->kind == SOURCE_CLOSE, "not open");
	device->operation = *operation;
	device->result = result;
	device->phase = OPERATION_PENDING;
	if (calm)
		end_operation(device);
}

bool device_finish_operation(void)
{
	uint32_t at = random_below(SIM_PORTS), i;

	for (i = 0; i < SIM_PORTS; i++, at++) {
		struct device *device = &devices[at % SIM_PORTS];

		if (device->phase != OPERATION_PENDING)
			continue;
		end_operation(device);
		return true;
	}
	return false;
}

/* The call may begin the next operation. */
static void tell_operations(void)
{
	uint32_t i;

	for (i = 0; i < SIM_PORTS; i++) {
		struct device *device = &devices[i];

		if (device->phase != OPERATION_DONE)
			continue;
		device->phase = OPERATION_IDLE;
		if (device->operation.kind == SOURCE_CLOSE)
			device->open = false;
		calls->operation_done(device->device, device->result);
	}
}

/* A call back may cancel other transfers that are done. */
static void tell_transfers(void)
{
	uint32_t i = 0;

	while (i < pending_count) {
		struct pending entry = pending[i];

		if (!entry.done) {
			i++;
			continue;
		}
		pending_count--;
		memmove(&pending[i], &pending[i + 1], (pending_count - i) * sizeof(pending[0]));
		calls->transfer_done(entry.device->device, entry.transfer);
		i = 0;
	}
}

static void tell_wakeups(void)
{
	uint32_t i;

	for (i = 0; i < SIM_PORTS; i++) {
		if (!devices[i].woke)
			continue;
		devices[i].woke = false;
		calls->device_woke(devices[i].device);
	}
}

bool device_wake_up(void)
{
	uint32_t at = random_below(SIM_PORTS), i;

	for (i = 0; i < SIM_PORTS; i++, at++) {
		struct device *device = &devices[at % SIM_PORTS];

		if (!device->asleep || device->gone || device->phase != OPERATION_IDLE)
			continue;
		device->asleep = false;
		device->woke = true;
		wake();
		return true;
	}
	return false;
}

bool device_sleeps(uint32_t port)
{
	return devices[port - 1].asleep;
}

bool device_lacks_a_reset(uint32_t port)
{
	return devices[port - 1].lacks_a_reset;
}

static void sim_handle_events(void)
{
	uint64_t count;

	SIM_CHECK(read(event, &count, sizeof(count)) == sizeof(count), "woken without a reason");
	tell_wakeups();
	tell_transfers();
	tell_operations();
}

void device_vanish(uint32_t port)
{
	struct device *device = &devices[port - 1];
	uint32_t i;

	if (!device->open)
		return;
	device->gone = true;
	for (i = 0; i < pending_count; i++) {
		if (pending[i].device == device && !pending[i].done)
			end_transfer(&pending[i], XVHC_ENODEV);
	}
}

void device_calm(bool on)
{
	uint32_t i;

	calm = on;
	for (i = 0; calm && i < pending_count; i++) {
		if (pending[i].cancelled && !pending[i].done)
			end_transfer(&pending[i], XVHC_ECANCEL);
	}
	for (i = 0; calm && i < SIM_PORTS; i++) {
		if (devices[i].phase == OPERATION_PENDING)
			end_operation(&devices[i]);
	}
}

bool device_is_open(uint32_t port)
{
	return devices[port - 1].open;
}

uint32_t device_transfers(void)
{
	return pending_count;
}

void device_quota(uint32_t transfers_max, uint32_t bytes_max)
{
	quota_transfers = transfers_max;
	quota_bytes = bytes_max;
}

void device_forget(void)
{
	memset(devices, 0, sizeof(devices));
	pending_count = 0;
	calm = false;
	if (event >= 0)
		close(event);
	event = -1;
}

const struct source_ops sim_source = {
	.init = sim_init,
	.start = sim_start,
	.handle_events = sim_handle_events,
	.operate = sim_operate,
	.submit = sim_submit,
	.cancel = sim_cancel,
};

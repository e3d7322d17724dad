// SPDX-License-Identifier: MIT
#include "view.h"

#include <string.h>

#include <transfer.h>

#include "device.h"
#include "kind.h"
#include "memory.h"

#define CONTROL_BYTES_MAX 4096u

struct view {
	uint32_t kind;
	bool presented;
	bool gone;      /* the device is, whether we were told or not */
	bool connected; /* we were told that there is one */
	bool lost;      /* it may have gone since */
	bool certain;   /* address, configuration and altsettings are known */
	uint32_t changes, open;
	bool spoke; /* something was asked of a device that we have not heard of */
	bool slept; /* it was asked to sleep since it came */
	uint8_t speed;
	uint64_t device;
	uint8_t address, configuration, altsetting[32];
	uint16_t streams[32]; /* of each endpoint, as in a request for them */
};

static struct view views[SIM_PORTS + 1];

void views_reset(void)
{
	memset(views, 0, sizeof(views));
}

void view_doubt(uint32_t port)
{
	views[port].certain = false;
	views[port].spoke = true;
	views[port].slept = true;
}

void view_lost(uint32_t port)
{
	views[port].gone = true;
	views[port].lost = true;
}

void view_given(uint32_t port, const struct message_attach *attach)
{
	struct view *view = &views[port];

	view->kind = attach->model;
	view->presented = sim_version == 1 && attach->speed >= USB_SPEED_SUPER;
	view->speed = (uint8_t)(view->presented ? USB_SPEED_HIGH : attach->speed);
	view->device = (uint64_t)attach->instance[1] << 32 | attach->instance[0];
	view->gone = false;
}

bool view_connected(uint32_t port)
{
	return views[port].connected;
}

uint32_t view_kind(uint32_t port)
{
	return views[port].kind;
}

bool view_presented(uint32_t port)
{
	return views[port].presented;
}

bool view_changes_nothing_else(const struct sim_request *request)
{
	return request->serial && views[request->port].changes == 1;
}

static void at_address_zero(struct view *view)
{
	view->address = 0;
	view->configuration = 0;
	memset(view->altsetting, 0, sizeof(view->altsetting));
	memset(view->streams, 0, sizeof(view->streams));
}

void view_event(const struct sim_event *event)
{
	struct view *view = &views[event->port];
	bool there = event->event == XVHCIF_EVENT_CONNECT;

	SIM_CHECK(event->port >= 1 && event->port <= SIM_PORTS, "an event of port %u", event->port);
	SIM_CHECK(event->event <= XVHCIF_EVENT_WAKEUP, "event %u", event->event);
	if (event->event == XVHCIF_EVENT_WAKEUP) {
		SIM_CHECK(view->connected && view->slept, "port %u never slept", event->port);
		return;
	}
	SIM_CHECK(view->connected != there, "port %u: event %u twice", event->port, event->event);
	SIM_CHECK(!there || event->speed == view->speed, "port %u: speed %u and not %u",
		  event->port, event->speed, view->speed);
	SIM_CHECK(!there || sim_version == 1 || event->device == view->device,
		  "port %u: another device", event->port);
	view->connected = there;
	view->lost = view->gone;
	/* What is still under way was meant for the last device. On version 1 address 0 resets. */
	view->certain = view->open == 0 && (sim_version == 1 || !view->spoke);
	at_address_zero(view);
	if (!there)
		return;
	view->slept = view->spoke;
	view->spoke = false;
}

/* Requests. */

static uint32_t random_length(void)
{
	switch (random_below(16)) {
	case 0:
		return 0;
	case 1:
		return random_below(65537);
	case 2:
		return 1 + random_below(16384);
	default:
		return 1 + random_below(2000);
	}
}

static bool take_data(struct sim_request *request, uint32_t length, uint32_t max)
{
	request->length = length;
	request->data_pieces = memory_take(length, request->piece, max);
	return request->data_pieces > 0 || length == 0;
}

/* Packets of any length up to the endpoint's, in any order, with gaps between them. */
static void place_packets(struct sim_request *request, uint32_t payload)
{
	uint32_t i, at = 0, left = request->length;

	for (i = 0; i < request->packets; i++) {
		uint32_t length = random_below((left < payload ? left : payload) + 1), gap = 0;

		if (random_one_in(4))
			gap = random_below(left - length + 1);
		request->list[i].offset = at + gap;
		request->list[i].length = length;
		at += length + gap;
		left -= length + gap;
	}
	for (i = request->packets; random_one_in(4) && i > 1; i--) {
		uint32_t other = random_below(i);
		struct usbif_isoc_packet packet = request->list[other];

		request->list[other] = request->list[i - 1];
		request->list[i - 1] = packet;
	}
}

static bool take_packets(struct sim_request *request, uint32_t payload)
{
	uint32_t bytes;

	request->packets = 1 + random_below(random_one_in(8) ? XVHC_ISOC_PACKETS_MAX : 8);
	bytes = request->packets * (uint32_t)sizeof(request->list[0]);
	if (sim_version == 1)
		request->list_pieces = memory_take(
			bytes, request->piece + request->data_pieces,
			random_one_in(2) && request->data_pieces < USBIF_SEGMENTS_MAX - 1 ? 2 : 1);
	else
		request->list_pieces =
			memory_take_start(bytes, request->piece + request->data_pieces);
	if (request->list_pieces == 0) {
		memory_give(request->piece, request->data_pieces);
		return false;
	}
	place_packets(request, payload);
	memory_write(request->piece + request->data_pieces, request->list_pieces, request->list,
		     bytes);
	return true;
}

/* Version 2: segments that the request has no room for, or that could as well be elsewhere. */
static bool take_indirect(struct sim_request *request)
{
	struct usbif_segment *piece = &request->piece[request->data_pieces + request->list_pieces];

	if (sim_version == 1 || request->data_pieces == 0 ||
	    (request->data_pieces <= XVHCIF_SEGMENTS_DIRECT && !random_one_in(8)))
		return true;
	request->indirect_pieces = memory_take_start(
		request->data_pieces * (uint32_t)sizeof(struct xvhcif_segment), piece);
	if (request->indirect_pieces == 0)
		memory_give(request->piece, request_pieces(request));
	return request->indirect_pieces > 0;
}

/* What the wire says of it. Returns false where there is no memory for that. */
static bool fill_wire(struct sim_request *request, uint8_t address, uint8_t endpoint)
{
	if (!take_indirect(request))
		return false;
	request->operation = XVHCIF_SUBMIT;
	request->address = address;
	request->endpoint = endpoint;
	request->short_not_ok = random_one_in(2);
	memcpy(request->told, request->piece, sizeof(request->told));
	if (!request->in)
		memory_scribble(request->piece, request->data_pieces);
	if (random_one_in(32) && request_pieces(request) > 0) {
		uint32_t bad = random_below(request_pieces(request));

		request->told[bad].gref = MEMORY_PAGES + random_below(1u << 31);
		request->bad_grant = true;
	}
	return true;
}

/* Where nothing changes under way, and the device is where we believe it to be. */
static bool is_reachable(const struct view *view, uint8_t address)
{
	return view->connected && !view->lost && view->certain && view->changes == 0 &&
	       view->kind != KIND_GARBAGE && address == view->address;
}

/* Mostly one that is active. */
static const struct kind_endpoint *pick_endpoint(const struct view *view, const struct kind *kind)
{
	const struct kind_endpoint *endpoint;
	uint32_t tries = random_one_in(8) ? 1 : 6;

	do {
		endpoint = &kind->endpoints[random_below(kind->count)];
	} while (--tries > 0 && kind_find(kind, view->configuration, view->altsetting,
					  endpoint->address) != endpoint);
	return endpoint;
}

static uint32_t bit_of(uint8_t endpoint)
{
	return (endpoint & 15u) | (endpoint & 0x80u) >> 3;
}

static uint32_t pieces_max(uint32_t type)
{
	if (sim_version == 2)
		return random_one_in(2) ? XVHCIF_SEGMENTS_DIRECT : SIM_PIECES;
	return type == TRANSFER_ISOC ? USBIF_SEGMENTS_MAX - 1 : USBIF_SEGMENTS_MAX;
}

static bool fill_endpoint(struct sim_request *request, const struct view *view)
{
	const struct kind *kind = kind_of(view->kind ? view->kind : KIND_ALL_TYPES);
	const struct kind_endpoint *endpoint = pick_endpoint(view, kind), *active;
	uint8_t address = random_one_in(32) ? (uint8_t)random_below(128) : view->address;
	uint8_t number = endpoint->address;
	uint16_t streams;

	if (random_one_in(32))
		number = (uint8_t)((1 + random_below(15)) | random_below(2) << 7);
	request->type = random_one_in(32) ? 1 + random_below(3) : endpoint->type;
	request->in = (number & 0x80) != 0;
	if (!take_data(request, random_length(), pieces_max(request->type)))
		return false;
	if (request->type == TRANSFER_ISOC && !take_packets(request, endpoint->payload))
		return false;
	streams = view->streams[bit_of(number)];
	if (sim_version == 2 && streams > 0)
		request->stream = (uint16_t)(1 + random_below(streams));
	if (sim_version == 2 && random_one_in(64))
		request->stream = (uint16_t)random_below(20);
	if (!fill_wire(request, address, number))
		return false;
	active = kind_find(kind, view->configuration, view->altsetting, number);
	request->legitimate = address != 0 && is_reachable(view, address) && active &&
			      active->type == request->type && !request->bad_grant &&
			      request->stream <= streams && (request->stream > 0) == (streams > 0);
	/* The packets have lengths that suit the endpoint that was meant. */
	if (request->type == TRANSFER_ISOC && active != endpoint)
		request->legitimate = false;
	return true;
}

/* Standard and other requests. Values of 0xffff are random ones. */
static const struct {
	uint8_t request_type, request;
	uint16_t value, index, length;
	enum sim_change change;
} setups[] = {
	{0x00, 5, 0xffff, 0, 0, CHANGE_ADDRESS},
	{0x00, 5, 0xffff, 0, 0, CHANGE_ADDRESS},
	{0x00, 9, 1, 0, 0, CHANGE_CONFIGURATION},
	{0x00, 9, 1, 0, 0, CHANGE_CONFIGURATION},
	{0x00, 9, 2, 0, 0, CHANGE_CONFIGURATION},
	{0x00, 9, 0xffff, 0, 0, CHANGE_CONFIGURATION},
	{0x01, 11, 0, 0, 0, CHANGE_INTERFACE},
	{0x01, 11, 1, 0, 0, CHANGE_INTERFACE},
	{0x01, 11, 1, 0, 0, CHANGE_INTERFACE},
	{0x01, 11, 0xffff, 0xffff, 0, CHANGE_INTERFACE},
	{0x02, 1, 0, 0x81, 0, CHANGE_HALT},
	{0x02, 1, 0, 0xffff, 0, CHANGE_HALT},
	{0x80, 6, 0x0100, 0, 18, CHANGE_NONE},
	{0x80, 6, 0x0200, 0, 0xffff, CHANGE_NONE},
	{0x80, 6, 0xffff, 0, 0xffff, CHANGE_NONE},
	{0x80, 0, 0, 0, 2, CHANGE_NONE},
	{0x00, 3, 2, 0, 0, CHANGE_NONE}, /* a test mode: refused */
	{0xc0, 0xff, 0xffff, 0xffff, 0xffff, CHANGE_NONE},
	{0x40, 0xff, 0xffff, 0xffff, 0xffff, CHANGE_NONE},
	{0x40, 0xff, 0xffff, 0xffff, 0xffff, CHANGE_NONE},
};

static uint16_t value_or_random(uint16_t value, uint32_t limit)
{
	return value == 0xffff ? (uint16_t)random_below(limit) : value;
}

static void put_u16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

enum {
	SETUP_ADDRESS = 0,
	SETUP_CONFIGURATION = 2,
	SETUP_DESCRIPTOR = 12
};

/* Mostly what a driver would do next, so that devices come to be in use. */
static uint32_t pick_setup(const struct view *view)
{
	if (view->connected && !random_one_in(4)) {
		if (!view->certain)
			return SETUP_DESCRIPTOR;
		if (view->address == 0)
			return SETUP_ADDRESS;
		if (view->configuration == 0)
			return SETUP_CONFIGURATION;
	}
	return random_below(sizeof(setups) / sizeof(setups[0]));
}

/* Fills in the setup packet. Returns wLength. */
static uint32_t fill_setup(struct sim_request *request, const struct view *view)
{
	uint32_t at = pick_setup(view);
	uint8_t *setup = request->wire.u.setup;
	uint16_t length = value_or_random(setups[at].length, CONTROL_BYTES_MAX + 1);
	bool small = setups[at].change == CHANGE_CONFIGURATION;

	setup[0] = setups[at].request_type;
	setup[1] = setups[at].request;
	put_u16(setup + 2, value_or_random(setups[at].value, small ? 4 : 128));
	put_u16(setup + 4, value_or_random(setups[at].index, 256));
	put_u16(setup + 6, length);
	request->change = setups[at].change;
	return length;
}

static bool fill_control(struct sim_request *request, const struct view *view)
{
	uint8_t address = view->address;
	uint32_t length = fill_setup(request, view);

	if (sim_version == 1 && !view->certain && !random_one_in(4))
		address = 0;
	else if (random_one_in(32))
		address = random_one_in(2) ? 0 : (uint8_t)random_below(128);
	request->type = TRANSFER_CONTROL;
	request->in = (request->wire.u.setup[0] & 0x80) != 0;
	/* There may be more room than is asked for. */
	if (random_one_in(8))
		length += random_below(1000);
	if (!take_data(request, length, pieces_max(TRANSFER_CONTROL)))
		return false;
	if (!fill_wire(request, address, 0))
		return false;
	if (sim_version == 1 && address == 0 && request->change != CHANGE_ADDRESS)
		request->change = CHANGE_RESET;
	request->legitimate = ((sim_version == 1 && address == 0) || address == view->address) &&
			      is_reachable(view, view->address) && !request->bad_grant;
	return true;
}

/* Version 2. */

static const struct {
	uint8_t operation;
	enum sim_change change;
} operations[] = {
	{XVHCIF_PORT_RESET, CHANGE_RESET},         {XVHCIF_PORT_SUSPEND, CHANGE_SLEEP},
	{XVHCIF_PORT_RESUME, CHANGE_WAKE},         {XVHCIF_PORT_RESUME, CHANGE_WAKE},
	{XVHCIF_STREAMS_ALLOCATE, CHANGE_STREAMS}, {XVHCIF_STREAMS_ALLOCATE, CHANGE_STREAMS},
	{XVHCIF_STREAMS_FREE, CHANGE_STREAMS},
};

/* Mostly of endpoints that can have them. */
static void fill_streams(struct sim_request *request, const struct view *view)
{
	const struct kind *kind = kind_of(view->kind ? view->kind : KIND_ALL_TYPES);
	const struct kind_endpoint *endpoint;
	uint32_t count = 1 + random_below(3);
	bool good = true;

	for (; count > 0; count--) {
		endpoint = pick_endpoint(view, kind);
		request->endpoints |= 1u << bit_of(endpoint->address);
		good &= endpoint->type == TRANSFER_BULK &&
			kind_find(kind, view->configuration, view->altsetting, endpoint->address) ==
				endpoint;
	}
	if (random_one_in(32)) {
		request->endpoints = (uint32_t)random_u64();
		good = false;
	}
	request->streams = (uint16_t)random_below(random_one_in(8) ? 65536 : 20);
	if (request->operation == XVHCIF_STREAMS_ALLOCATE && request->streams < 2)
		good = false;
	request->legitimate = good && is_reachable(view, view->address);
}

static void fill_operation(struct sim_request *request, struct view *view)
{
	uint32_t at = random_below(sizeof(operations) / sizeof(operations[0]));

	if (!view->certain && !random_one_in(4))
		at = 0;
	request->kind = SIM_OPERATION;
	request->operation = operations[at].operation;
	request->change = operations[at].change;
	request->address = random_one_in(8) ? (uint8_t)random_below(128) : 0;
	view->slept |= request->change == CHANGE_SLEEP;
	if (request->change == CHANGE_STREAMS)
		fill_streams(request, view);
	else
		request->legitimate = is_reachable(view, view->address);
}

static bool fill(struct sim_request *request, struct view *view)
{
	bool control = view->configuration == 0 ? !random_one_in(8) : random_one_in(6);

	if (sim_version == 2 && random_one_in(view->certain ? 20 : 2)) {
		fill_operation(request, view);
		return true;
	}
	return control ? fill_control(request, view) : fill_endpoint(request, view);
}

bool view_fill(struct sim_request *request)
{
	struct view *view = &views[request->port];

	/* Most drivers change one thing at a time. */
	if ((view->changes > 0 || (!view->certain && view->open > 0)) && !random_one_in(16))
		return false;
	if (!view->connected && !random_one_in(16))
		return false;
	if (!fill(request, view))
		return false;
	view->open++;
	view->spoke |= !view->connected || view->lost;
	if (request->change == CHANGE_NONE)
		return true;
	/* A request to address 0 with others under way may reset the device under them. */
	request->serial = view->changes == 0;
	if (!request->serial)
		view->certain = false;
	view->changes++;
	return true;
}

static uint8_t value_of(const struct sim_request *request)
{
	return request->wire.u.setup[2];
}

/* The streams of an interface end, or those of a request change. */
static void interface_changed(struct view *view, uint8_t interface)
{
	const struct kind *kind = kind_of(view->kind);
	uint32_t i;

	for (i = 0; i < kind->count; i++) {
		if (kind->endpoints[i].interface == interface)
			view->streams[bit_of(kind->endpoints[i].address)] = 0;
	}
}

static void streams_changed(struct view *view, const struct sim_request *request)
{
	uint32_t i;

	for (i = 0; i < 32; i++) {
		if (request->endpoints >> i & 1)
			view->streams[i] = request->operation == XVHCIF_STREAMS_ALLOCATE
						   ? (uint16_t)device_streams_of(request->streams)
						   : 0;
	}
}

static void changed(struct view *view, const struct sim_request *request, uint32_t status)
{
	bool ok = status == XVHCIF_STATUS_OK;

	switch (request->change) {
	case CHANGE_RESET:
		at_address_zero(view);
		/* Alone on its way, it tells the state for sure. */
		if (view->open == 0 && !request->cancelled && view->connected)
			view->certain = true;
		break;
	case CHANGE_ADDRESS:
		if (sim_version == 1 && request->address == 0)
			at_address_zero(view);
		if (ok)
			view->address = value_of(request) & 127;
		break;
	case CHANGE_CONFIGURATION:
		if (status == XVHCIF_STATUS_STALL)
			break; /* refused: nothing has happened */
		view->configuration = ok ? value_of(request) : 0;
		memset(view->altsetting, 0, sizeof(view->altsetting));
		memset(view->streams, 0, sizeof(view->streams));
		break;
	case CHANGE_INTERFACE:
		if (ok && request->wire.u.setup[4] < 32)
			view->altsetting[request->wire.u.setup[4]] = value_of(request);
		if (ok)
			interface_changed(view, request->wire.u.setup[4]);
		break;
	case CHANGE_STREAMS:
		if (ok)
			streams_changed(view, request);
		break;
	default:
		break;
	}
}

void view_answered(const struct sim_request *request, uint32_t status)
{
	struct view *view = &views[request->port];

	view->open--;
	if (request->change == CHANGE_NONE)
		return;
	view->changes--;
	if (!request->device_lost)
		changed(view, request, status);
	else
		view->certain = false;
}

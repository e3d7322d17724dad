// SPDX-License-Identifier: MIT
#include "view.h"

#include <string.h>

#include <transfer.h>

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
	uint8_t address, configuration, altsetting[32];
};

static struct view views[SIM_PORTS + 1];

void views_reset(void)
{
	memset(views, 0, sizeof(views));
}

void view_doubt(uint32_t port)
{
	views[port].certain = false;
}

void view_lost(uint32_t port)
{
	views[port].gone = true;
	views[port].lost = true;
}

void view_given(uint32_t port, uint32_t kind, bool presented)
{
	views[port].kind = kind;
	views[port].presented = presented;
	views[port].gone = false;
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

static void at_address_zero(struct view *view)
{
	view->address = 0;
	view->configuration = 0;
	memset(view->altsetting, 0, sizeof(view->altsetting));
}

void view_event(uint8_t port, uint8_t speed)
{
	struct view *view = &views[port];

	SIM_CHECK(port >= 1 && port <= SIM_PORTS, "an event of port %u", port);
	SIM_CHECK(speed <= USBIF_SPEED_HIGH, "speed %u", speed);
	SIM_CHECK(view->connected != (speed != USBIF_SPEED_NONE), "port %u: speed %u twice", port,
		  speed);
	view->connected = speed != USBIF_SPEED_NONE;
	view->lost = view->gone;
	/* What is still under way was meant for the last device. */
	view->certain = view->open == 0;
	at_address_zero(view);
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
	request->list_pieces = memory_take(
		bytes, request->piece + request->data_pieces,
		random_one_in(2) && request->data_pieces < USBIF_SEGMENTS_MAX - 1 ? 2 : 1);
	if (request->list_pieces == 0) {
		memory_give(request->piece, request->data_pieces);
		return false;
	}
	place_packets(request, payload);
	memory_write(request->piece + request->data_pieces, request->list_pieces, request->list,
		     bytes);
	request->wire.u.isoc.number_of_packets = (uint16_t)request->packets;
	request->wire.u.isoc.nr_frame_desc_segs = (uint16_t)request->list_pieces;
	return true;
}

static const uint32_t wire_types[] = {
	[TRANSFER_CONTROL] = USBIF_PIPE_TYPE_CONTROL,
	[TRANSFER_ISOC] = USBIF_PIPE_TYPE_ISOC,
	[TRANSFER_BULK] = USBIF_PIPE_TYPE_BULK,
	[TRANSFER_INTERRUPT] = USBIF_PIPE_TYPE_INTERRUPT,
};

static void fill_wire(struct sim_request *request, uint8_t address, uint8_t endpoint)
{
	struct usbif_urb_request *wire = &request->wire;

	wire->pipe = request->port | (uint32_t)address << USBIF_PIPE_ADDRESS_SHIFT |
		     (uint32_t)(endpoint & 15) << USBIF_PIPE_ENDPOINT_SHIFT |
		     (request->in ? USBIF_PIPE_IN : 0) |
		     wire_types[request->type] << USBIF_PIPE_TYPE_SHIFT;
	wire->transfer_flags = (uint16_t)random_below(2);
	wire->nr_buffer_segs = (uint16_t)request->data_pieces;
	wire->buffer_length = (uint16_t)request->length;
	memcpy(wire->seg, request->piece, sizeof(wire->seg));
	if (!request->in)
		memory_scribble(request->piece, request->data_pieces);
	if (random_one_in(32) && request->data_pieces + request->list_pieces > 0) {
		uint32_t bad = random_below(request->data_pieces + request->list_pieces);

		wire->seg[bad].gref = MEMORY_PAGES + random_below(1u << 31);
		request->bad_grant = true;
	}
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

static bool fill_endpoint(struct sim_request *request, const struct view *view)
{
	const struct kind *kind = kind_of(view->kind ? view->kind : KIND_ALL_TYPES);
	const struct kind_endpoint *endpoint = pick_endpoint(view, kind), *active;
	uint8_t address = random_one_in(32) ? (uint8_t)random_below(128) : view->address;
	uint8_t number = endpoint->address;

	if (random_one_in(32))
		number = (uint8_t)((1 + random_below(15)) | random_below(2) << 7);
	request->type = random_one_in(32) ? 1 + random_below(3) : endpoint->type;
	request->in = (number & 0x80) != 0;
	if (!take_data(request, random_length(),
		       request->type == TRANSFER_ISOC ? USBIF_SEGMENTS_MAX - 1
						      : USBIF_SEGMENTS_MAX))
		return false;
	if (request->type == TRANSFER_ISOC && !take_packets(request, endpoint->payload))
		return false;
	fill_wire(request, address, number);
	active = kind_find(kind, view->configuration, view->altsetting, number);
	request->legitimate = address != 0 && is_reachable(view, address) && active &&
			      active->type == request->type && !request->bad_grant;
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
	uint8_t address = view->address, setup[8];
	uint32_t length = fill_setup(request, view);

	if (!view->certain && !random_one_in(4))
		address = 0;
	else if (random_one_in(32))
		address = random_one_in(2) ? 0 : (uint8_t)random_below(128);
	request->type = TRANSFER_CONTROL;
	request->in = (request->wire.u.setup[0] & 0x80) != 0;
	/* There may be more room than is asked for. */
	if (random_one_in(8))
		length += random_below(1000);
	memcpy(setup, request->wire.u.setup, sizeof(setup));
	if (!take_data(request, length, USBIF_SEGMENTS_MAX))
		return false;
	fill_wire(request, address, 0);
	if (address == 0 && request->change != CHANGE_ADDRESS)
		request->change = CHANGE_RESET;
	request->legitimate = (address == 0 || address == view->address) &&
			      is_reachable(view, view->address) && !request->bad_grant;
	return true;
}

bool view_fill(struct sim_request *request)
{
	struct view *view = &views[request->port];
	bool control = view->configuration == 0 ? !random_one_in(8) : random_one_in(6);

	/* Most drivers change one thing at a time. */
	if ((view->changes > 0 || (!view->certain && view->open > 0)) && !random_one_in(16))
		return false;
	if (!view->connected && !random_one_in(16))
		return false;
	if (!(control ? fill_control(request, view) : fill_endpoint(request, view)))
		return false;
	view->open++;
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

static void changed(struct view *view, const struct sim_request *request, int32_t status)
{
	bool ok = status == USBIF_STATUS_OK;

	switch (request->change) {
	case CHANGE_RESET:
		at_address_zero(view);
		/* Alone on its way, it tells the state for sure. */
		if (view->open == 0 && !request->cancelled && view->connected)
			view->certain = true;
		break;
	case CHANGE_ADDRESS:
		if ((request->wire.pipe >> USBIF_PIPE_ADDRESS_SHIFT & 127) == 0)
			at_address_zero(view);
		if (ok)
			view->address = value_of(request) & 127;
		break;
	case CHANGE_CONFIGURATION:
		if (status == USBIF_STATUS_STALL)
			break; /* refused: nothing has happened */
		view->configuration = ok ? value_of(request) : 0;
		memset(view->altsetting, 0, sizeof(view->altsetting));
		break;
	case CHANGE_INTERFACE:
		if (ok && request->wire.u.setup[4] < 32)
			view->altsetting[request->wire.u.setup[4]] = value_of(request);
		break;
	default:
		break;
	}
}

void view_answered(const struct sim_request *request, int32_t status)
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

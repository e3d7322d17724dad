// SPDX-License-Identifier: MIT
#include "rings.h"

#include <string.h>

#include <byte_order.h>
#include <ring.h>

#include "memory.h"

static struct front_ring requests, events;
static uint16_t generation, event_id;

uint32_t rings_start(void)
{
	uint32_t order = sim_version == 1 ? 0 : random_below(XVHCIF_RING_ORDER_MAX + 1);
	void *head = memory_page(MEMORY_HEAD_PAGE);

	memset(memory_page(1), 0, (MEMORY_DIRECTORY_PAGE - 1) * USBIF_PAGE_SIZE);
	if (sim_version == 1) {
		front_ring_init(&requests, ring_page_usbif(memory_page(MEMORY_URB_PAGE),
							   sizeof(union usbif_urb_slot),
							   USBIF_URB_RING_SLOTS));
		front_ring_init(&events, ring_page_usbif(memory_page(MEMORY_CONN_PAGE),
							 sizeof(union usbif_conn_slot),
							 USBIF_CONN_RING_SLOTS));
	} else {
		front_ring_init(&requests, ring_page_requests(head, memory_page(MEMORY_RING_PAGE),
							      XVHCIF_SLOTS_OF_A_PAGE << order));
		front_ring_init(&events, ring_page_events(head));
	}
	return 1u << order;
}

uint32_t rings_free(void)
{
	return front_ring_free(&requests);
}

uint16_t rings_id(uint32_t place)
{
	return (uint16_t)(sim_version == 1 ? place + generation++ * SIM_REQUESTS : place);
}

/* Version 1. */

static const uint32_t pipe_types[] = {
	[TRANSFER_CONTROL] = USBIF_PIPE_TYPE_CONTROL,
	[TRANSFER_ISOC] = USBIF_PIPE_TYPE_ISOC,
	[TRANSFER_BULK] = USBIF_PIPE_TYPE_BULK,
	[TRANSFER_INTERRUPT] = USBIF_PIPE_TYPE_INTERRUPT,
};

static void put_1(const struct sim_request *request)
{
	struct usbif_urb_request wire = request->wire;

	wire.id = request->id;
	wire.pipe = request->port | (uint32_t)request->address << USBIF_PIPE_ADDRESS_SHIFT |
		    (uint32_t)(request->endpoint & 15) << USBIF_PIPE_ENDPOINT_SHIFT |
		    (request->in ? USBIF_PIPE_IN : 0) |
		    pipe_types[request->type] << USBIF_PIPE_TYPE_SHIFT;
	wire.transfer_flags = request->short_not_ok ? USBIF_FLAG_SHORT_NOT_OK : 0;
	wire.nr_buffer_segs = (uint16_t)request->data_pieces;
	wire.buffer_length = (uint16_t)request->length;
	memcpy(wire.seg, request->told, sizeof(wire.seg));
	if (request->type == TRANSFER_ISOC) {
		wire.u.isoc.number_of_packets = (uint16_t)request->packets;
		wire.u.isoc.nr_frame_desc_segs = (uint16_t)request->list_pieces;
	}
	front_ring_put(&requests, &wire, sizeof(wire));
}

static void noise_1(struct sim_request *request)
{
	struct usbif_urb_request wire;
	uint32_t i;

	random_fill(&wire, sizeof(wire));
	wire.id = request->id;
	wire.pipe &= ~(uint32_t)USBIF_PIPE_RESERVED;
	if (random_one_in(8))
		wire.pipe |= 1u << random_below(32);
	wire.transfer_flags = (uint16_t)random_below(random_one_in(8) ? 0x100 : 2);
	wire.nr_buffer_segs = (uint16_t)random_below(random_one_in(8) ? 17 : 3);
	if (wire.pipe >> USBIF_PIPE_TYPE_SHIFT == USBIF_PIPE_TYPE_ISOC) {
		wire.u.isoc.nr_frame_desc_segs &= 1;
		wire.nr_buffer_segs %= 16;
	}
	wire.buffer_length = 0;
	for (i = 0; i < USBIF_SEGMENTS_MAX; i++) {
		struct usbif_segment *segment = &wire.seg[i];

		segment->gref = MEMORY_NOISE_PAGE + segment->gref % (MEMORY_NOISE_PAGES + 1);
		segment->length = (uint16_t)(segment->length % (USBIF_PAGE_SIZE + 2));
		segment->offset = (uint16_t)(segment->offset % (USBIF_PAGE_SIZE + 1));
		if (!random_one_in(8) && segment->offset + segment->length > USBIF_PAGE_SIZE)
			segment->offset = (uint16_t)(USBIF_PAGE_SIZE - segment->length % 4097);
		if (i < wire.nr_buffer_segs)
			wire.buffer_length = (uint16_t)(wire.buffer_length + segment->length);
	}
	if (random_one_in(8))
		wire.buffer_length ^= (uint16_t)(1u << random_below(16));
	request->in = (wire.pipe & USBIF_PIPE_IN) != 0;
	front_ring_put(&requests, &wire, sizeof(wire));
}

static void cancel_1(const struct sim_request *request, uint16_t id)
{
	struct usbif_urb_request wire = {.id = request->id};

	wire.u.unlink.unlink_id = id;
	wire.pipe = request->port | USBIF_PIPE_UNLINK;
	front_ring_put(&requests, &wire, sizeof(wire));
}

static void break_1(void)
{
	struct usbif_urb_request wire = {.nr_buffer_segs = 17};

	wire.nr_buffer_segs += (uint16_t)random_below(1000);
	front_ring_put(&requests, &wire, sizeof(wire));
}

static uint32_t status_1(int32_t status)
{
	switch (status) {
	case USBIF_STATUS_OK:
		return XVHCIF_STATUS_OK;
	case USBIF_STATUS_NODEV:
		return XVHCIF_STATUS_NO_DEVICE;
	case USBIF_STATUS_INVAL:
		return XVHCIF_STATUS_INVALID;
	case USBIF_STATUS_STALL:
		return XVHCIF_STATUS_STALL;
	case USBIF_STATUS_IOERROR:
		return XVHCIF_STATUS_BUS_ERROR;
	case USBIF_STATUS_BABBLE:
		return XVHCIF_STATUS_BABBLE;
	case USBIF_STATUS_SHUTDOWN:
		return XVHCIF_STATUS_CANCELLED;
	default:
		sim_fail("status %d", status);
	}
}

/* No byte of a response that has no meaning may be anything but zero. */
static void check_rest(const void *slot, size_t from, size_t size)
{
	const uint8_t *bytes = slot;

	for (; from < size; from++)
		SIM_CHECK(bytes[from] == 0, "byte %zu of a response is %02x", from, bytes[from]);
}

static int take_1(struct sim_answer *answer)
{
	union usbif_urb_slot slot;
	int got = front_ring_take(&requests, &slot, sizeof(slot));

	if (got <= 0)
		return got;
	check_rest(&slot, sizeof(slot.response), sizeof(slot));
	SIM_CHECK(slot.response.start_frame == 0, "start_frame");
	answer->id = slot.response.id;
	answer->status = status_1(slot.response.status);
	answer->actual = (uint32_t)slot.response.actual_length;
	answer->failed = (uint32_t)slot.response.error_count;
	return 1;
}

static int take_event_1(struct sim_event *event)
{
	struct usbif_conn_response wire;
	int got = front_ring_take(&events, &wire, sizeof(wire));

	if (got <= 0)
		return got;
	SIM_CHECK((uint16_t)(event_id - 1 - wire.id) < 2 * USBIF_CONN_RING_SLOTS,
		  "an event with id %u", wire.id);
	event->port = wire.portnum;
	event->event = wire.speed ? XVHCIF_EVENT_CONNECT : XVHCIF_EVENT_DISCONNECT;
	event->speed = wire.speed;
	event->device = 0;
	return 1;
}

/* Version 2. */

static void tell_segments(struct xvhcif_segment *segments, const struct sim_request *request)
{
	uint32_t i;

	for (i = 0; i < request->data_pieces; i++) {
		segments[i].gref = le32(request->told[i].gref);
		segments[i].offset = le16(request->told[i].offset);
		segments[i].length = le16(request->told[i].length);
	}
}

/* Where a piece lies in the pool, which has all pages for data; false where it does not. */
static bool pool_place(const struct usbif_segment *piece, uint32_t *place)
{
	if (piece->gref < MEMORY_DATA_PAGE || piece->gref - MEMORY_DATA_PAGE >= MEMORY_DATA_PAGES)
		return false;
	*place = le32((piece->gref - MEMORY_DATA_PAGE) * XVHCIF_PAGE_SIZE + piece->offset);
	return true;
}

/*
 * Tells of the pool in place of segments, where each is one piece. What a device sends would be
 * there before the answer is, and our devices fill more than they say: reads that are not control
 * transfers are left to segments.
 */
static bool tell_pool(struct xvhcif_request *wire, const struct sim_request *request)
{
	uint32_t data = 0, list = 0;

	if (request->data_pieces > 1 || request->indirect_pieces > 0 ||
	    (request->in && request->type != TRANSFER_CONTROL) || random_one_in(2))
		return false;
	if (request->data_pieces > 0 && !pool_place(&request->told[0], &data))
		return false;
	if (request->type == TRANSFER_ISOC) {
		if (!pool_place(&request->told[request->data_pieces], &list))
			return false;
		wire->u.isoc.packet_list = list;
	}
	wire->flags |= XVHCIF_FLAG_POOL;
	wire->segments = 0;
	wire->data.pool = data;
	return true;
}

static void submit_2(struct xvhcif_request *wire, const struct sim_request *request)
{
	const struct usbif_segment *list = &request->told[request->data_pieces];
	const struct usbif_segment *indirect = list + request->list_pieces;
	struct xvhcif_segment segments[SIM_PIECES];

	wire->type = (uint8_t)request->type;
	wire->endpoint = (uint8_t)((request->endpoint & 15) | (request->in ? 0x80 : 0));
	wire->length = le32(request->length);
	wire->stream = le16(request->stream);
	wire->packets = le16((uint16_t)request->packets);
	wire->segments = le16((uint16_t)request->data_pieces);
	wire->flags = request->short_not_ok ? XVHCIF_FLAG_SHORT_NOT_OK : 0;
	wire->flags |= random_one_in(8) ? XVHCIF_FLAG_ZERO_PACKET : 0;
	if (request->type == TRANSFER_CONTROL)
		memcpy(wire->u.setup, request->wire.u.setup, sizeof(wire->u.setup));
	if (request->type == TRANSFER_ISOC)
		wire->u.isoc.packet_list = le32(list->gref);
	if (tell_pool(wire, request))
		return;
	if (request->indirect_pieces == 0) {
		tell_segments(wire->data.segment, request);
		return;
	}
	wire->flags |= XVHCIF_FLAG_INDIRECT;
	wire->data.indirect = le32(indirect->gref);
	tell_segments(segments, request);
	memory_write(&request->piece[request->data_pieces + request->list_pieces], 1, segments,
		     request->data_pieces * (uint32_t)sizeof(segments[0]));
}

static void put_2(const struct sim_request *request)
{
	struct xvhcif_request wire = {.id = le16(request->id), .operation = request->operation};

	wire.port = (uint8_t)request->port;
	wire.address = request->address;
	if (request->operation == XVHCIF_SUBMIT) {
		submit_2(&wire, request);
	} else {
		wire.u.streams.endpoints = le32(request->endpoints);
		wire.u.streams.count = le16(request->streams);
	}
	front_ring_put(&requests, &wire, sizeof(wire));
}

/* What is read from its pages is data alone: other bytes there could lead to other pages. */
static void noise_2(struct sim_request *request)
{
	struct xvhcif_request wire;
	uint32_t i, length = 0;

	random_fill(&wire, sizeof(wire));
	wire.id = le16(request->id);
	wire.operation = random_one_in(2) ? XVHCIF_SUBMIT : (uint8_t)random_below(10);
	wire.port = (uint8_t)random_below(SIM_PORTS + 2);
	wire.address &= random_one_in(8) ? 0xff : 0x7f;
	wire.endpoint &= random_one_in(8) ? 0xff : 0x8f;
	wire.type &= random_one_in(8) ? 0xff : 3;
	wire.flags &= random_one_in(8) ? 0xf7 : 3;
	wire.stream = random_one_in(8) ? wire.stream : 0;
	wire.segments = le16((uint16_t)random_below(5 + random_one_in(8)));
	wire.packets = wire.type == XVHCIF_TYPE_ISOC ? le16((uint16_t)random_below(130)) : 0;
	memset(wire.reserved, 0, random_one_in(8) ? 0 : sizeof(wire.reserved));
	for (i = 0; i < XVHCIF_SEGMENTS_DIRECT; i++) {
		struct xvhcif_segment *segment = &wire.data.segment[i];
		uint32_t bytes = random_below(USBIF_PAGE_SIZE + 1 + random_one_in(8));

		segment->gref = le32(MEMORY_NOISE_PAGE + random_below(MEMORY_NOISE_PAGES + 1));
		segment->length = le16((uint16_t)bytes);
		segment->offset = le16((uint16_t)random_below(
			random_one_in(8) ? 5000 : USBIF_PAGE_SIZE + 2 - bytes));
		length += i < le16(wire.segments) ? bytes : 0;
	}
	wire.length = le32(random_one_in(8) ? length ^ 1u << random_below(32) : length);
	if (wire.type == XVHCIF_TYPE_ISOC)
		wire.u.isoc.packet_list = le32(MEMORY_NOISE_PAGE + random_below(5));
	if (wire.flags & XVHCIF_FLAG_INDIRECT)
		wire.data.indirect = le32(MEMORY_PAGES + random_below(1u << 31));
	request->in = (wire.endpoint & 0x80) != 0;
	front_ring_put(&requests, &wire, sizeof(wire));
}

static void cancel_2(const struct sim_request *request, uint16_t id)
{
	struct xvhcif_request wire = {.id = le16(request->id), .operation = XVHCIF_CANCEL};

	wire.port = (uint8_t)request->port;
	wire.u.cancel.id = le16(id);
	front_ring_put(&requests, &wire, sizeof(wire));
}

static void break_2(void)
{
	struct xvhcif_request wire = {.operation = (uint8_t)random_below(8), .port = 1};
	uint32_t id = requests.page.slot_count + random_below(1000);

	wire.id = le16((uint16_t)id);
	front_ring_put(&requests, &wire, sizeof(wire));
}

static int take_2(struct sim_answer *answer)
{
	union xvhcif_slot slot;
	int got = front_ring_take(&requests, &slot, sizeof(slot));

	if (got <= 0)
		return got;
	check_rest(&slot, offsetof(struct xvhcif_response, start_frame), sizeof(slot));
	SIM_CHECK(slot.response.reserved == 0, "a reserved field of a response");
	answer->id = le16(slot.response.id);
	answer->status = le32(slot.response.status);
	answer->actual = le32(slot.response.actual);
	answer->failed = le32(slot.response.failed_packets);
	return 1;
}

static int take_event_2(struct sim_event *event)
{
	struct xvhcif_event wire;
	int got = front_ring_take(&events, &wire, sizeof(wire));

	if (got <= 0)
		return got;
	SIM_CHECK((uint16_t)(event_id - 1 - le16(wire.id)) < 2 * XVHCIF_EVENT_SLOTS,
		  "an event with id %u", le16(wire.id));
	event->port = wire.port;
	event->event = wire.event;
	event->speed = wire.speed;
	event->device = le64(wire.device);
	SIM_CHECK(wire.event == XVHCIF_EVENT_CONNECT || (wire.speed == 0 && wire.device == 0),
		  "event %u with a device", wire.event);
	return 1;
}

/* Either. */

static const struct {
	void (*put)(const struct sim_request *request);
	void (*noise)(struct sim_request *request);
	void (*cancel)(const struct sim_request *request, uint16_t id);
	void (*break_it)(void);
	int (*take)(struct sim_answer *answer);
	int (*take_event)(struct sim_event *event);
} wires[] = {
	[1] = {put_1, noise_1, cancel_1, break_1, take_1, take_event_1},
	[2] = {put_2, noise_2, cancel_2, break_2, take_2, take_event_2},
};

void rings_put(const struct sim_request *request)
{
	wires[sim_version].put(request);
}

void rings_put_noise(struct sim_request *request)
{
	wires[sim_version].noise(request);
}

void rings_put_cancel(const struct sim_request *request, uint16_t id)
{
	wires[sim_version].cancel(request, id);
}

void rings_post_events(uint32_t count)
{
	for (; count > 0 && front_ring_free(&events) > 0; count--, event_id++) {
		uint16_t id = sim_version == 1 ? event_id : le16(event_id);

		front_ring_put(&events, &id, sizeof(id));
	}
}

void rings_break(void)
{
	struct usbif_ring_head *head = requests.page.head;
	uint32_t slots = requests.page.slot_count;

	if (random_one_in(2) || front_ring_free(&requests) == 0) {
		head->req_prod = requests.rsp_cons + slots + 1 + random_below(1u << 31);
		return;
	}
	wires[sim_version].break_it();
	(void)!front_ring_push(&requests);
}

bool rings_push(void)
{
	bool of_requests = front_ring_push(&requests), of_events = front_ring_push(&events);

	return of_requests || of_events;
}

bool rings_recheck(void)
{
	bool more = front_ring_recheck(&requests);

	return front_ring_recheck(&events) || more;
}

bool rings_take_answer(struct sim_answer *answer)
{
	int got = wires[sim_version].take(answer);

	SIM_CHECK(got >= 0, "index of the ring of requests");
	return got > 0;
}

bool rings_take_event(struct sim_event *event)
{
	int got = wires[sim_version].take_event(event);

	SIM_CHECK(got >= 0, "index of the ring of events");
	return got > 0;
}

// SPDX-License-Identifier: MIT
/*
 * Page 1 is the URB ring, or the head page; page 2 the ring of requests of version 2. Data lies
 * from page 3 on, segments of an indirect request in the last page but one, and packet lists in the
 * last.
 */
#include "guest_requests.h"

#include <control.h>
#include <descriptor.h>
#include <xvhc/limits.h>
#include <xvhc/usbif.h>
#include <xvhc/xvhcif.h>

/* Version 1. */

static void put(uint8_t *memory, const struct usbif_urb_request *request)
{
	struct usbif_ring_head *head = (void *)(memory + USBIF_PAGE_SIZE);
	union usbif_urb_slot *slots = (union usbif_urb_slot *)(void *)(head + 1);

	memcpy(&slots[head->req_prod++ % USBIF_URB_RING_SLOTS], request, sizeof(*request));
}

void guest_put_raw(uint8_t *memory, struct input *input)
{
	struct usbif_urb_request request;

	input_take(input, &request, sizeof(request));
	put(memory, &request);
}

static void fill_segments(struct usbif_urb_request *request, uint32_t length)
{
	request->buffer_length = (uint16_t)length;
	for (; length > 0; request->nr_buffer_segs++) {
		uint32_t bytes = length < USBIF_PAGE_SIZE ? length : USBIF_PAGE_SIZE;

		request->seg[request->nr_buffer_segs].gref = 3 + request->nr_buffer_segs;
		request->seg[request->nr_buffer_segs].length = (uint16_t)bytes;
		length -= bytes;
	}
}

/* A packet list in the last page, with equal packets. */
static void fill_packets(uint8_t *memory, struct usbif_urb_request *request, uint32_t length,
			 uint32_t count)
{
	struct usbif_isoc_packet *list = (void *)(memory + (GUEST_PAGES - 1) * USBIF_PAGE_SIZE);
	uint32_t i;

	count = 1 + count % XVHC_ISOC_PACKETS_MAX;
	for (i = 0; i < count; i++) {
		list[i].offset = length / count * i;
		list[i].length = length / count;
	}
	request->u.isoc.number_of_packets = (uint16_t)count;
	request->u.isoc.nr_frame_desc_segs = 1;
	request->seg[request->nr_buffer_segs].gref = GUEST_PAGES - 1;
	request->seg[request->nr_buffer_segs].length = (uint16_t)(count * sizeof(list[0]));
}

void guest_put_good(uint8_t *memory, struct input *input)
{
	struct usbif_urb_request request = {.id = input_u8(input) & 15};
	uint16_t bits = input_u16(input);
	uint32_t address = bits >> 12, type = (bits >> 10) & 3, length;

	request.pipe = (1 + bits % GUEST_PORTS) | address << USBIF_PIPE_ADDRESS_SHIFT |
		       (uint32_t)((bits >> 2) & 15) << USBIF_PIPE_ENDPOINT_SHIFT |
		       (bits & 0x40 ? USBIF_PIPE_IN : 0) | type << USBIF_PIPE_TYPE_SHIFT;
	if ((bits & 0x380) == 0x380) {
		request.pipe |= USBIF_PIPE_UNLINK;
		request.u.unlink.unlink_id = input_u8(input) & 15;
	} else if (type == USBIF_PIPE_TYPE_CONTROL) {
		input_take(input, request.u.setup, sizeof(request.u.setup));
		fill_segments(&request, descriptor_u16(request.u.setup + 6) & 0x1fff);
	} else {
		length = input_u16(input) % (15 * USBIF_PAGE_SIZE);
		fill_segments(&request, length);
		if (type == USBIF_PIPE_TYPE_ISOC)
			fill_packets(memory, &request, length, input_u8(input));
	}
	put(memory, &request);
}

/* Version 2. On this machine, integers are little-endian. */

static void put_2(uint8_t *memory, const struct xvhcif_request *request)
{
	struct usbif_ring_head *head = (void *)(memory + XVHCIF_PAGE_SIZE);
	union xvhcif_slot *slots = (void *)(memory + 2 * XVHCIF_PAGE_SIZE);

	memcpy(&slots[head->req_prod++ % XVHCIF_SLOTS_OF_A_PAGE], request, sizeof(*request));
}

void guest_put_raw_2(uint8_t *memory, struct input *input)
{
	struct xvhcif_request request;

	input_take(input, &request, sizeof(request));
	put_2(memory, &request);
}

/* Several segments may be of the same page. */
static void fill_segments_2(uint8_t *memory, struct xvhcif_request *request, uint32_t length,
			    bool pool)
{
	struct xvhcif_segment *segments = request->data.segment;

	request->length = length;
	if (pool) {
		request->flags |= XVHCIF_FLAG_POOL;
		request->data.pool = (length & 0xf) * 1000;
		return;
	}
	if (length > XVHCIF_SEGMENTS_DIRECT * XVHCIF_PAGE_SIZE) {
		request->flags |= XVHCIF_FLAG_INDIRECT;
		request->data.indirect = GUEST_PAGES - 2;
		segments = (void *)(memory + (GUEST_PAGES - 2) * XVHCIF_PAGE_SIZE);
	}
	for (; length > 0; request->segments++) {
		uint32_t bytes = length < XVHCIF_PAGE_SIZE ? length : XVHCIF_PAGE_SIZE;

		segments[request->segments].gref = 3 + request->segments % 18u;
		segments[request->segments].offset = 0;
		segments[request->segments].length = (uint16_t)bytes;
		length -= bytes;
	}
}

static void fill_packets_2(uint8_t *memory, struct xvhcif_request *request, uint32_t count)
{
	struct xvhcif_packet *list = (void *)(memory + (GUEST_PAGES - 1) * XVHCIF_PAGE_SIZE);
	uint32_t i;

	count = 1 + count % XVHC_ISOC_PACKETS_MAX;
	for (i = 0; i < count; i++) {
		list[i].offset = request->length / count * i;
		list[i].length = request->length / count;
	}
	request->packets = (uint16_t)count;
	/* In the pool it lies in the data, or behind the guest's own. */
	request->u.isoc.packet_list = request->flags & XVHCIF_FLAG_POOL
					      ? request->data.pool + request->length / 2
					      : GUEST_PAGES - 1;
}

static void fill_submit_2(uint8_t *memory, struct xvhcif_request *request, struct input *input)
{
	uint16_t bits = input_u16(input);

	request->address = bits & 15;
	request->type = bits >> 4 & 3;
	request->endpoint = (uint8_t)((bits >> 6 & 15) | (bits & 0x400 ? 0x80 : 0));
	request->flags = bits >> 11 & 3;
	if (request->type == XVHCIF_TYPE_CONTROL) {
		request->endpoint &= 0x80;
		input_take(input, request->u.setup, sizeof(request->u.setup));
		fill_segments_2(memory, request, descriptor_u16(request->u.setup + 6) & 0x1fff,
				bits & 0x8000);
		return;
	}
	if (request->type == XVHCIF_TYPE_BULK && bits & 0x8000)
		request->stream = input_u8(input);
	fill_segments_2(memory, request,
			bits & 0x4000 ? input_u16(input) * 16u : input_u16(input) % 5000u,
			bits & 0x2000);
	if (request->type == XVHCIF_TYPE_ISOC)
		fill_packets_2(memory, request, input_u8(input));
}

void guest_put_good_2(uint8_t *memory, struct input *input)
{
	struct xvhcif_request request = {.id = input_u8(input) & 63};
	uint8_t what = input_u8(input);

	request.port = 1 + what % GUEST_PORTS;
	request.operation = what >> 4 < 7 ? 1 + (what >> 4) : XVHCIF_SUBMIT;
	if (request.operation == XVHCIF_SUBMIT)
		fill_submit_2(memory, &request, input);
	else if (request.operation == XVHCIF_CANCEL)
		request.u.cancel.id = input_u8(input) & 63;
	else
		input_take(input, &request.u, 6);
	put_2(memory, &request);
}

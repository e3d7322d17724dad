// SPDX-License-Identifier: MIT
/*
 * For each port the guest has a view of its device: address, configuration, altsettings. It knows
 * that for sure while it changes one thing at a time; then a request that fits is legitimate, and
 * must not be refused.
 */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#include <ring.h>
#include <usbif_decode.h>

#include "kind.h"
#include "memory.h"
#include "outcome.h"
#include "view.h"

static struct sim_request requests[SIM_REQUESTS];
static struct front_ring urb, conn;
static bool armed; /* we wait for a notification of the next response or event */
static uint16_t generation, conn_id;
static uint32_t noise_open;
uint64_t guest_answers, guest_good_answers;

struct sim_request *request_find(uint32_t id)
{
	struct sim_request *request = &requests[id % SIM_REQUESTS];

	return request->open && request->id == id ? request : NULL;
}

void guest_start(void)
{
	uint32_t i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		struct sim_request *request = &requests[i];

		if (request->open && request->kind == SIM_SUBMIT)
			memory_give(request->piece, request->data_pieces + request->list_pieces);
		request->open = false;
	}
	memset(memory_page(MEMORY_URB_PAGE), 0, USBIF_PAGE_SIZE);
	memset(memory_page(MEMORY_CONN_PAGE), 0, USBIF_PAGE_SIZE);
	front_ring_init(&urb, ring_page_usbif(memory_page(MEMORY_URB_PAGE),
					      sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS));
	front_ring_init(&conn,
			ring_page_usbif(memory_page(MEMORY_CONN_PAGE),
					sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS));
	armed = true;
	noise_open = 0;
	memory_accept_noise();
	views_reset();
}

uint32_t guest_open_requests(void)
{
	uint32_t count = 0, i;

	for (i = 0; i < SIM_REQUESTS; i++)
		count += requests[i].open;
	return count;
}

static struct sim_request *request_new(enum sim_request_kind kind)
{
	uint32_t at = random_below(SIM_REQUESTS), i;

	if (front_ring_free(&urb) == 0)
		return NULL;
	for (i = 0; i < SIM_REQUESTS; i++, at++) {
		struct sim_request *request = &requests[at % SIM_REQUESTS];

		if (request->open)
			continue;
		memset(request, 0, offsetof(struct sim_request, data));
		request->kind = kind;
		request->id = (uint16_t)(at % SIM_REQUESTS + generation++ * SIM_REQUESTS);
		request->port = 1 + random_below(SIM_PORTS);
		request->wire.id = request->id;
		return request;
	}
	return NULL;
}

static void put(struct sim_request *request)
{
	request->open = true;
	front_ring_put(&urb, &request->wire, sizeof(request->wire));
}

bool guest_submit(void)
{
	struct sim_request *request = request_new(SIM_SUBMIT);

	if (!request || !view_fill(request))
		return false;
	put(request);
	return true;
}

static struct sim_request *pick_open(void)
{
	uint32_t at = random_below(SIM_REQUESTS), i;

	for (i = 0; i < SIM_REQUESTS; i++, at++) {
		if (requests[at % SIM_REQUESTS].open)
			return &requests[at % SIM_REQUESTS];
	}
	return NULL;
}

bool guest_cancel(void)
{
	struct sim_request *request = request_new(SIM_CANCEL);
	struct sim_request *target = pick_open();

	if (!request)
		return false;
	request->wire.u.unlink.unlink_id = (uint16_t)random_u64();
	if (target && !random_one_in(8)) {
		request->wire.u.unlink.unlink_id = target->id;
		request->target_open = true;
		request->port = target->port;
		target->cancelled = true;
		if (target->change != CHANGE_NONE)
			view_doubt(target->port);
	} else if (request_find(request->wire.u.unlink.unlink_id)) {
		return false;
	}
	request->wire.pipe = request->port | USBIF_PIPE_UNLINK;
	put(request);
	return true;
}

static void fill_noise(struct sim_request *request)
{
	uint32_t i;

	random_fill(&request->wire, sizeof(request->wire));
	request->wire.id = request->id;
	request->wire.pipe &= ~(uint32_t)USBIF_PIPE_RESERVED;
	if (random_one_in(8))
		request->wire.pipe |= 1u << random_below(32);
	request->wire.transfer_flags = (uint16_t)random_below(random_one_in(8) ? 0x100 : 2);
	request->wire.nr_buffer_segs = (uint16_t)random_below(random_one_in(8) ? 17 : 3);
	if (request->wire.pipe >> USBIF_PIPE_TYPE_SHIFT == USBIF_PIPE_TYPE_ISOC) {
		request->wire.u.isoc.nr_frame_desc_segs &= 1;
		request->wire.nr_buffer_segs %= 16;
	}
	request->wire.buffer_length = 0;
	for (i = 0; i < USBIF_SEGMENTS_MAX; i++) {
		struct usbif_segment *segment = &request->wire.seg[i];

		segment->gref = MEMORY_NOISE_PAGE + segment->gref % (MEMORY_NOISE_PAGES + 1);
		segment->length = (uint16_t)(segment->length % (USBIF_PAGE_SIZE + 2));
		segment->offset = (uint16_t)(segment->offset % (USBIF_PAGE_SIZE + 1));
		if (!random_one_in(8) && segment->offset + segment->length > USBIF_PAGE_SIZE)
			segment->offset = (uint16_t)(USBIF_PAGE_SIZE - segment->length % 4097);
		if (i < request->wire.nr_buffer_segs)
			request->wire.buffer_length =
				(uint16_t)(request->wire.buffer_length + segment->length);
	}
	if (random_one_in(8))
		request->wire.buffer_length ^= (uint16_t)(1u << random_below(16));
}

bool guest_noise(void)
{
	struct sim_request *request = request_new(SIM_NOISE);
	uint32_t i;

	if (!request)
		return false;
	fill_noise(request);
	request->in = (request->wire.pipe & USBIF_PIPE_IN) != 0;
	/* It may be a cancellation, or change a device's state. */
	for (i = 0; i < SIM_REQUESTS; i++) {
		requests[i].cancelled = true;
		requests[i].legitimate = false;
	}
	for (i = 1; i <= SIM_PORTS; i++)
		view_doubt(i);
	noise_open++;
	put(request);
	return true;
}

void guest_post_events(uint32_t count)
{
	struct usbif_conn_request request;

	for (; count > 0 && front_ring_free(&conn) > 0; count--) {
		request.id = conn_id++;
		front_ring_put(&conn, &request, sizeof(request));
	}
}

void guest_break_protocol(void)
{
	struct usbif_urb_request wire = {.nr_buffer_segs = 17};
	struct usbif_ring_head *head = memory_page(MEMORY_URB_PAGE);

	if (random_one_in(2)) {
		head->req_prod = urb.rsp_cons + 17 + random_below(1u << 31);
	} else {
		wire.nr_buffer_segs += (uint16_t)random_below(1000);
		memcpy((uint8_t *)(head + 1) + (urb.req_prod_pvt & 15) * sizeof(wire), &wire,
		       sizeof(wire));
		head->req_prod = urb.req_prod_pvt + 1;
	}
}

bool guest_push(void)
{
	bool of_urb = front_ring_push(&urb), of_conn = front_ring_push(&conn);

	return of_urb || of_conn;
}

/* No byte of a response that has no meaning may be anything but zero. */
static void check_slot(const union usbif_urb_slot *slot)
{
	const uint8_t *bytes = (const uint8_t *)slot;
	uint32_t i;

	SIM_CHECK(slot->response.start_frame == 0, "start_frame");
	for (i = sizeof(slot->response); i < sizeof(*slot); i++)
		SIM_CHECK(bytes[i] == 0, "byte %u of a response is %02x", i, bytes[i]);
}

static void take_response(const struct usbif_urb_response *response)
{
	struct sim_request *request = request_find(response->id);

	SIM_CHECK(request, "an answer to request %u, which is not under way", response->id);
	guest_answers++;
	guest_good_answers += response->status == USBIF_STATUS_OK;
	outcome_check(request, response);
	if (request->kind == SIM_SUBMIT) {
		view_answered(request, response->status);
		memory_give(request->piece, request->data_pieces + request->list_pieces);
	}
	request->open = false;
	if (request->kind == SIM_NOISE && --noise_open == 0)
		memory_accept_noise();
}

static uint32_t take_all(void)
{
	struct usbif_conn_response event;
	union usbif_urb_slot slot;
	uint32_t count = 0;
	int got;

	while ((got = front_ring_take(&conn, &event, sizeof(event))) > 0) {
		SIM_CHECK((uint16_t)(conn_id - 1 - event.id) < 2 * USBIF_CONN_RING_SLOTS,
			  "an event with id %u", event.id);
		view_event(event.portnum, event.speed);
		count++;
	}
	SIM_CHECK(got == 0, "index of the connection ring");
	while ((got = front_ring_take(&urb, &slot, sizeof(slot))) > 0) {
		check_slot(&slot);
		take_response(&slot.response);
		count++;
	}
	SIM_CHECK(got == 0, "index of the URB ring");
	return count;
}

void guest_take(bool notified)
{
	uint32_t count = take_all();

	SIM_CHECK(count == 0 || !armed || notified, "%u entries without a notification", count);
	armed = random_one_in(2);
	if (armed) {
		bool more = front_ring_recheck(&urb);

		SIM_CHECK(!more && !front_ring_recheck(&conn), "entries out of nowhere");
	}
}

void guest_accept_open(void)
{
	uint32_t i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		struct sim_request *request = &requests[i];

		if (request->open && request->kind == SIM_SUBMIT)
			memory_accept(request->piece, request->data_pieces + request->list_pieces);
	}
}

void guest_check(void)
{
	memory_check(noise_open == 0);
}

void guest_write_elsewhere(void)
{
	struct usbif_segment segments[4];
	uint32_t count = memory_take(1 + random_below(4000), segments, 4);

	memory_scribble(segments, count);
	memory_give(segments, count);
}

void guest_device_lost(uint32_t port)
{
	uint32_t i;

	for (i = 0; i < SIM_REQUESTS; i++) {
		if (requests[i].port != port)
			continue;
		requests[i].device_lost = true;
		requests[i].legitimate = false;
	}
	view_lost(port);
}

void guest_device_given(uint32_t port, uint32_t kind, bool presented)
{
	view_given(port, kind, presented);
}

bool guest_sees(uint32_t port)
{
	return view_connected(port);
}

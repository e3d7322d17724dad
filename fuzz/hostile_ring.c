// SPDX-License-Identifier: MIT
#include "hostile_ring.h"

#include <ring.h>
#include <usbif_response.h>
#include <xvhcif_response.h>

static uint8_t page[USBIF_PAGE_SIZE] __attribute__((aligned(8)));
static uint8_t slots_2[XVHCIF_RING_PAGES_MAX * XVHCIF_PAGE_SIZE] __attribute__((aligned(8)));

/* The backend writes its indices and some bytes anywhere. */
static void let_backend_write(struct input *input, struct usbif_ring_head *head)
{
	uint32_t writes = input_u8(input) & 7;

	for (; writes > 0; writes--) {
		uint16_t at = input_u16(input) % USBIF_PAGE_SIZE;

		input_take(input, page + at, USBIF_PAGE_SIZE - at < 16 ? USBIF_PAGE_SIZE - at : 16);
	}
	head->rsp_prod = head->rsp_prod + input_u8(input);
	head->req_event = input_u8(input);
}

static void put_requests(struct front_ring *ring, struct ring_page layout, uint32_t count)
{
	static const uint8_t request[sizeof(union usbif_urb_slot)];

	memset(page, 0, sizeof(page));
	front_ring_init(ring, layout);
	for (; count > 0 && front_ring_free(ring) > 0; count--)
		front_ring_put(ring, request, layout.slot_size);
	(void)!front_ring_push(ring);
}

void take_responses(struct input *input)
{
	uint32_t length = input_u16(input), count = input_u8(input) % 17, taken = 0;
	struct usbif_urb_response response;
	struct usbif_isoc_packet packet;
	struct front_ring ring;

	put_requests(&ring,
		     ring_page_usbif(page, sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS),
		     count);
	let_backend_write(input, ring.page.head);
	while (front_ring_take(&ring, &response, sizeof(response)) > 0) {
		MUST(++taken <= count);
		(void)usbif_status_decode(response.status);
		if (usbif_response_check(&response, length) == XVHC_OK)
			MUST(response.id < USBIF_URB_RING_SLOTS && response.actual_length >= 0 &&
			     (uint32_t)response.actual_length <= length);
		input_take(input, &packet, sizeof(packet));
		if (usbif_packet_check(&packet, length) == XVHC_OK)
			MUST(packet.actual_length <= length);
	}
	(void)!front_ring_recheck(&ring);
}

void take_events(struct input *input)
{
	uint8_t ports = input_u8(input) % 32, speed_max = input_u8(input) & 3;
	uint32_t count = input_u16(input) % (USBIF_CONN_RING_SLOTS + 1), taken = 0;
	struct usbif_conn_response event;
	struct front_ring ring;

	put_requests(&ring,
		     ring_page_usbif(page, sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS),
		     count);
	let_backend_write(input, ring.page.head);
	while (front_ring_take(&ring, &event, sizeof(event)) > 0) {
		MUST(++taken <= count);
		if (usbif_event_check(&event, ports, speed_max) == XVHC_OK)
			MUST(event.portnum >= 1 && event.portnum <= ports &&
			     event.speed <= speed_max);
	}
	(void)!front_ring_recheck(&ring);
}

void take_responses_2(struct input *input)
{
	uint32_t length = input_u16(input), slots = XVHCIF_SLOTS_OF_A_PAGE << input_u8(input) % 3;
	uint32_t count = input_u16(input) % (slots + 1), taken = 0, status;
	struct xvhcif_response wire;
	struct xvhcif_packet packet;
	struct response response;
	struct front_ring ring;

	/* They are a table to the compiler: no input would be kept for one of them. */
	for (status = 0; status <= XVHCIF_STATUS_LIMIT + 1; status++)
		MUST(xvhcif_status_decode(status) <= XVHC_OK);
	put_requests(&ring, ring_page_requests(page, slots_2, slots), count);
	let_backend_write(input, ring.page.head);
	input_take(input, slots_2, input_u16(input) % 512);
	while (front_ring_take(&ring, &wire, sizeof(wire)) > 0) {
		MUST(++taken <= count);
		if (xvhcif_response_decode(&wire, slots, &response) == XVHC_OK)
			MUST(response.id < slots && response.error <= 0);
		input_take(input, &packet, sizeof(packet));
		if (xvhcif_packet_decode(&packet, length, &response) == XVHC_OK)
			MUST(response.actual <= length && response.error <= 0);
	}
	(void)!front_ring_recheck(&ring);
}

void take_events_2(struct input *input)
{
	uint8_t ports = input_u8(input) % 32;
	uint32_t count = input_u8(input) % (XVHCIF_EVENT_SLOTS + 1), taken = 0;
	struct port_event event;
	struct xvhcif_event wire;
	struct front_ring ring;

	put_requests(&ring, ring_page_events(page), count);
	let_backend_write(input, ring.page.head);
	while (front_ring_take(&ring, &wire, sizeof(wire)) > 0) {
		MUST(++taken <= count);
		if (xvhcif_event_decode(&wire, ports, &event) != XVHC_OK)
			continue;
		MUST(event.port >= 1 && event.port <= ports && event.id < XVHCIF_EVENT_SLOTS);
		MUST(event.event <= XVHCIF_EVENT_OVERCURRENT);
		if (event.event == XVHCIF_EVENT_CONNECT)
			MUST(event.speed >= XVHCIF_SPEED_LOW &&
			     event.speed <= XVHCIF_SPEED_SUPER_PLUS);
	}
	(void)!front_ring_recheck(&ring);
}

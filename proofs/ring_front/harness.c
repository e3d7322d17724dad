// SPDX-License-Identifier: MIT
/* The frontend's end of a ring, as in ring_back. */
#include <ring.h>

#include "arbitrary.h"
#include "barrier.h"

uint32_t shared_page[USBIF_PAGE_SIZE / 4];

static void use(uint32_t slot_size, uint32_t slots, uint32_t request_size, uint32_t response_size)
{
	uint8_t request[sizeof(union usbif_urb_slot)], response[sizeof(union usbif_urb_slot)];
	struct front_ring ring;
	/* Behind the last slot, no object is left. */
	uint8_t *end = (uint8_t *)shared_page + sizeof(shared_page);
	void *page = end - slots * slot_size - sizeof(struct usbif_ring_head);
	int got;

	front_ring_init(&ring, ring_page_usbif(page, slot_size, slots));
	ring.req_prod_pvt = arbitrary_u32(0, UINT32_MAX);
	ring.req_prod_pub = arbitrary_u32(0, UINT32_MAX);
	ring.rsp_cons = arbitrary_u32(0, UINT32_MAX);
	arbitrary_bytes(request, sizeof(request));
	if (front_ring_free(&ring) > 0)
		front_ring_put(&ring, request, request_size);
	(void)!front_ring_push(&ring);
	got = front_ring_take(&ring, response, response_size);
	if (got == 1) {
		/*@ check \initialized(&response[0 .. response_size - 1]); */
	}
	(void)!front_ring_recheck(&ring);
}

void harness(void)
{
	shared_page_close();
	use(sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS, sizeof(struct usbif_urb_request),
	    sizeof(struct usbif_urb_response));
	use(sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS, sizeof(struct usbif_conn_request),
	    sizeof(struct usbif_conn_response));
}

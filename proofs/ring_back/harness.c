// SPDX-License-Identifier: MIT
/*
 * The backend's end of a ring. The page changes arbitrarily before each access. The indices that
 * the ring keeps may be any: whatever the calls before have made of them is among those.
 */
#include <ring.h>

#include "arbitrary.h"
#include "barrier.h"

uint32_t shared_page[USBIF_PAGE_SIZE / 4];

static void serve(uint32_t slot_size, uint32_t slots, uint32_t request_size, uint32_t response_size)
{
	uint8_t request[sizeof(union usbif_urb_slot)], response[sizeof(union usbif_urb_slot)];
	struct back_ring ring;
	/* Behind the last slot, no object is left. */
	uint8_t *end = (uint8_t *)shared_page + sizeof(shared_page);
	void *page = end - slots * slot_size - sizeof(struct usbif_ring_head);
	int got;

	if (back_ring_init(&ring, ring_page_usbif(page, slot_size, slots)) != 0)
		return;
	ring.req_cons = arbitrary_u32(0, UINT32_MAX);
	ring.rsp_prod_pvt = arbitrary_u32(0, UINT32_MAX);
	ring.rsp_prod_pub = arbitrary_u32(0, UINT32_MAX);
	got = back_ring_take(&ring, request, request_size);
	if (got == 1) {
		/*@ check \initialized(&request[0 .. request_size - 1]); */
	}
	arbitrary_bytes(response, sizeof(response));
	if (back_ring_owes_response(&ring))
		back_ring_put(&ring, response, response_size);
	(void)!back_ring_push(&ring);
	(void)!back_ring_recheck(&ring);
}

void harness(void)
{
	shared_page_close();
	serve(sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS, sizeof(struct usbif_urb_request),
	      sizeof(struct usbif_urb_response));
	serve(sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS,
	      sizeof(struct usbif_conn_request), sizeof(struct usbif_conn_response));
}

// SPDX-License-Identifier: MIT
/* The frontend's end of a ring, as in ring_back. */
#include "arbitrary.h"
#include "rings.h"

static void use(struct ring_page layout, uint32_t request_size, uint32_t response_size)
{
	uint8_t request[sizeof(union usbif_urb_slot)], response[sizeof(union usbif_urb_slot)];
	struct front_ring ring;
	int got;

	front_ring_init(&ring, layout);
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
	uint32_t order;

	shared_pages_close();
	use(rings_usbif(sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS),
	    sizeof(struct usbif_urb_request), sizeof(struct usbif_urb_response));
	use(rings_usbif(sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS),
	    sizeof(struct usbif_conn_request), sizeof(struct usbif_conn_response));
	for (order = 0; order <= XVHCIF_RING_ORDER_MAX; order++)
		use(rings_requests(XVHCIF_SLOTS_OF_A_PAGE << order), sizeof(struct xvhcif_request),
		    sizeof(struct xvhcif_response));
	use(rings_events(), sizeof(struct xvhcif_event_request), sizeof(struct xvhcif_event));
}

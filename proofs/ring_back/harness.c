// SPDX-License-Identifier: MIT
/*
 * The backend's end of a ring. The pages change arbitrarily before each access. The indices that
 * the ring keeps may be any: whatever the calls before have made of them is among those.
 */
#include "arbitrary.h"
#include "rings.h"

static void serve(struct ring_page layout, uint32_t request_size, uint32_t response_size)
{
	uint8_t request[sizeof(union usbif_urb_slot)], response[sizeof(union usbif_urb_slot)];
	struct back_ring ring;
	int got;

	if (back_ring_init(&ring, layout) != 0)
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
	uint32_t order;

	shared_pages_close();
	serve(rings_usbif(sizeof(union usbif_urb_slot), USBIF_URB_RING_SLOTS),
	      sizeof(struct usbif_urb_request), sizeof(struct usbif_urb_response));
	serve(rings_usbif(sizeof(union usbif_conn_slot), USBIF_CONN_RING_SLOTS),
	      sizeof(struct usbif_conn_request), sizeof(struct usbif_conn_response));
	for (order = 0; order <= XVHCIF_RING_ORDER_MAX; order++)
		serve(rings_requests(XVHCIF_SLOTS_OF_A_PAGE << order),
		      sizeof(struct xvhcif_request), sizeof(struct xvhcif_response));
	serve(rings_events(), sizeof(struct xvhcif_event_request), sizeof(struct xvhcif_event));
}

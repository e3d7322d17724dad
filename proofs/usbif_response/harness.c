// SPDX-License-Identifier: MIT
/* What a frontend makes of a backend's answers: each a copy of arbitrary bytes. */
#include <error.h>
#include <usbif_response.h>

#include "arbitrary.h"

static void check_for(uint32_t length, uint8_t ports)
{
	struct usbif_urb_response response;
	struct usbif_isoc_packet packet;
	struct usbif_conn_response event;

	arbitrary_bytes(&response, sizeof(response));
	arbitrary_bytes(&packet, sizeof(packet));
	arbitrary_bytes(&event, sizeof(event));
	if (usbif_response_check(&response, length) == XVHC_OK) {
		/*@ check response.id < USBIF_URB_RING_SLOTS; */
		/*@ check 0 <= response.actual_length <= length; */
	}
	if (usbif_packet_check(&packet, length) == XVHC_OK) {
		/*@ check packet.actual_length <= length; */
	}
	if (usbif_event_check(&event, ports, USBIF_SPEED_HIGH) == XVHC_OK) {
		/*@ check event.id < USBIF_CONN_RING_SLOTS; */
		/*@ check 0 < event.portnum <= ports; */
		/*@ check event.speed <= USBIF_SPEED_HIGH; */
	}
}

static void call_with_anything(void)
{
	struct usbif_urb_response response;
	struct usbif_isoc_packet packet;
	struct usbif_conn_response event;

	arbitrary_bytes(&response, sizeof(response));
	arbitrary_bytes(&packet, sizeof(packet));
	arbitrary_bytes(&event, sizeof(event));
	(void)!usbif_response_check(&response, arbitrary_u32(0, UINT32_MAX));
	(void)!usbif_packet_check(&packet, arbitrary_u32(0, UINT32_MAX));
	(void)!usbif_event_check(&event, arbitrary_u8(), arbitrary_u8());
	(void)usbif_status_decode(response.status);
}

void harness(void)
{
	uint8_t ports;

	/* Each number of ports by itself, with lengths that spread over what there is. */
	for (ports = 1; ports <= USBIF_PORT_MAX; ports++)
		check_for(ports * 2114u - 2114u, ports);
	check_for(UINT32_MAX, USBIF_PORT_MAX);
	call_with_anything();
}

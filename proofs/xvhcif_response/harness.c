// SPDX-License-Identifier: MIT
/* What a frontend believes of a backend on version 2: arbitrary responses, packets and events. */
#include <error.h>
#include <xvhcif_response.h>

#include "arbitrary.h"

static void check_response(uint32_t slots)
{
	struct xvhcif_response wire;
	struct response response;

	arbitrary_bytes(&wire, sizeof(wire));
	if (xvhcif_response_decode(&wire, slots, &response) == XVHC_OK) {
		/*@ check response.id < slots; */
		/*@ check response.error <= 0; */
	}
}

static void check_packet(uint32_t length)
{
	struct xvhcif_packet wire;
	struct response packet;

	arbitrary_bytes(&wire, sizeof(wire));
	if (xvhcif_packet_decode(&wire, length, &packet) == XVHC_OK) {
		/*@ check packet.actual <= length; */
		/*@ check packet.error <= 0; */
	}
}

static void check_event(uint8_t ports)
{
	struct xvhcif_event wire;
	struct port_event event;

	arbitrary_bytes(&wire, sizeof(wire));
	if (xvhcif_event_decode(&wire, ports, &event) == XVHC_OK) {
		/*@ check event.id < XVHCIF_EVENT_SLOTS; */
		/*@ check 0 < event.port <= ports; */
		/*@ check event.event <= XVHCIF_EVENT_OVERCURRENT; */
		if (event.event == XVHCIF_EVENT_CONNECT) {
			/*@ check 0 < event.speed <= XVHCIF_SPEED_SUPER_PLUS; */
		}
	}
}

static void call_with_anything(void)
{
	struct xvhcif_response wire;
	struct xvhcif_packet packet;
	struct xvhcif_event event_wire;
	struct response response;
	struct port_event event;

	arbitrary_bytes(&wire, sizeof(wire));
	arbitrary_bytes(&packet, sizeof(packet));
	arbitrary_bytes(&event_wire, sizeof(event_wire));
	(void)!xvhcif_response_decode(&wire, arbitrary_u32(0, UINT32_MAX), &response);
	(void)!xvhcif_packet_decode(&packet, arbitrary_u32(0, UINT32_MAX), &response);
	(void)!xvhcif_event_decode(&event_wire, arbitrary_u8(), &event);
}

void harness(void)
{
	uint32_t order;
	uint8_t ports;

	for (order = 0; order <= XVHCIF_RING_ORDER_MAX; order++)
		check_response(XVHCIF_SLOTS_OF_A_PAGE << order);
	/* Each number of ports by itself, and lengths that spread over what there is. */
	for (ports = 1; ports <= XVHCIF_PORT_MAX; ports++) {
		check_event(ports);
		check_packet((ports - 1) * 34952u);
	}
	check_packet(UINT32_MAX);
	call_with_anything();
}

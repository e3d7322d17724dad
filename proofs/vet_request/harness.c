// SPDX-License-Identifier: MIT
/* Vetting: any request that a decoder lets pass, any state of any device, any packet list. */
#include "valid.h"

static void judge(const struct device_state *state, const struct transfer_request *request)
{
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];

	arbitrary_bytes(packets, sizeof(packets));
	(void)!vet_request(state, request, packets);
}

void harness(void)
{
	struct descriptor_table table;
	struct device_state state;
	struct transfer_request request;
	uint8_t segments;

	valid_table(&table);
	valid_state(&state, &table);
	valid_request(&request);
	/* The one sum among the bounds: taken one by one. */
	for (segments = 0; segments <= TRANSFER_SEGMENTS_MAX; segments++) {
		request.data_segments = segments;
		request.list_segments =
			(uint8_t)arbitrary_u32(0, TRANSFER_SEGMENTS_MAX - (uint32_t)segments);
		judge(&state, &request);
	}
}

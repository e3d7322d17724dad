// SPDX-License-Identifier: MIT
/* Vetting: any request that a decoder lets pass, any state of any device, any packet list. */
#include "valid.h"

void harness(void)
{
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct descriptor_table table;
	struct device_state state;
	struct transfer_request request;

	valid_table(&table);
	valid_state(&state, &table);
	valid_request(&request);
	arbitrary_bytes(packets, sizeof(packets));
	(void)!vet_request(&state, &request, packets);
	(void)vet_verdict(&state, &request, packets);
}
